"""What each conformance test says: a pure function of the run, the waivers and what was asked.

The rules are the gate's, test by test: a broken must clause that no waiver accepts fails, an accepted one is
an expected failure, and a waiver whose witness conforms now is stale.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from xent_conformance.decision.evidence import evidence
from xent_conformance.decision.gate import day_of
from xent_conformance.decision.judged import for_waiver, judge_waivers, mended
from xent_conformance.decision.places import Places
from xent_conformance.decision.waivers import Waiver
from xent_conformance.pytesting.groups import Group, place_of, same_device
from xent_conformance.pytesting.message import divergence, undecided
from xent_conformance.reports.run.file import Run, called
from xent_conformance.reports.run.words import FAULTS, Status
from xent_conformance.reports.views.reasons import Kind
from xent_conformance.reports.views.waivers import State

_COLUMNS = list(Group._fields)
_OF_ALL = (State.STALE, State.UNMATCHED)
"""What can be said of a waiver only where all of its place was asked."""


@dataclass(frozen=True)
class Passed:
    """Nothing that was asked fails; ``lenient`` rows break a should clause, which is not held against it."""

    lenient: int = 0


@dataclass(frozen=True)
class Failed:
    """It fails; the message says where, and what to type next."""

    message: str


@dataclass(frozen=True)
class Known:
    """It fails in a way that a waiver accepts."""

    reason: str


@dataclass(frozen=True)
class NotAsked:
    """Nothing was judged, and nobody is to blame."""

    reason: str


Verdict = Passed | Failed | Known | NotAsked


@dataclass(frozen=True)
class _Tally:
    """How many rows of a group there are, and what stands for those that were not judged."""

    rows: int
    unsupported: int
    refusal: str | None
    undecided: int
    doubtful: str | None
    open: int


class Verdicts:
    """The verdicts of one run.

    ``asked``: every group that a test could have been about; those that were deselected are not in the run.
    ``named``: frameworks that were asked for by name, which must be there. ``fail_on``: ``should``, to hold
    should clauses too.
    """

    def __init__(
        self,
        run: Run,
        waivers: Sequence[Waiver] = (),
        *,
        asked: Iterable[Group] = (),
        named: Collection[str] = (),
        fail_on: Collection[str] = (),
    ) -> None:
        self._run, self._named, self._fail_on = run, named, fail_on
        self._called = called(run).verdicts
        marked, self.waivers = judge_waivers(run, run.faults, self._called.lazy(), waivers, day_of(run))
        self._by_name = {w.name: w for w in waivers}
        self._tallies = _tallies(self._called)
        self._held = _by_group(marked.filter(pl.col("waiver").is_null() & self._blocks()))
        self._marks = {Group(*row[:-2]): row[-2:] for row in _marks(marked).iter_rows()}
        self._devices: dict[Group, list[Group]] = defaultdict(list)
        for group in self._tallies:
            self._devices[group._replace(device="")].append(group)
        self._missing = [g for g in asked if not self._there(g)]
        self._stale = self._stale_witnesses()

    def of(self, group: Group) -> Verdict:
        """What the test of a group says."""
        there = self._there(group)
        if not there:
            return self._without_rows(group)
        tallies = [self._tallies[g] for g in there]
        rows = sum(t.rows for t in tallies)
        problems = []
        held = [self._held[g] for g in there if g in self._held]
        if held:
            problems.append(divergence(pl.concat(held), rows, self._run))
        problems += [words for g in there for words in self._stale.get(g, ())]
        doubtful = next((t.doubtful for t in tallies if t.doubtful), None)
        if doubtful:
            problems.append(undecided(doubtful, sum(t.undecided for t in tallies), rows, self._run))
        if problems:
            return Failed("\n\n".join(problems))
        marks = [self._marks[g] for g in there if g in self._marks]
        accepted = sorted({name for names, _ in marks for name in names})
        if accepted:
            return Known("; ".join(self._accepted(name) for name in accepted))
        refusal = next((t.refusal for t in tallies if t.refusal), None)
        if sum(t.unsupported for t in tallies) == rows:
            return NotAsked(f"unsupported: {refusal or 'the framework does not say why'}")
        if sum(t.unsupported + t.open for t in tallies) == rows:
            return NotAsked("what is right here is open in the specification: recorded, not judged")
        return Passed(sum(faults for _, faults in marks))

    def of_waiver(self, name: str) -> Verdict:
        """What the test of a waiver says: whether it still holds."""
        (judged,) = (j for j in self.waivers if j.waiver.name == name)
        if judged.state is State.ACCEPTS:
            return Passed()
        partly = bool(place_of(judged.waiver, self._missing))
        if judged.state is State.NOT_EVALUATED or (partly and judged.state in _OF_ALL):
            words = "it was asked in part" if partly else judged.message
            return NotAsked(f"waiver {name} is not evaluated: {words}")
        if judged.state is State.BETTER:
            return NotAsked(f"waiver {name} is better than known: {judged.message}")
        next_ = for_waiver(judged, self._run)
        return Failed(f"waiver {name}: {judged.state.value}\n  {judged.message}\n  do this: {next_}")

    def of_file(self) -> Verdict:
        """What the test of a run file says: whether everything that was planned is in it."""
        gaps = [r for r in evidence(self._run) if r.blocking and r.kind is not Kind.UNDECIDED]
        told = [f"{r.title}: {r.detail}\n  do this: {r.command}" for r in gaps]
        return Failed("\n".join(told)) if told else Passed()

    # --- inside ---

    def _there(self, group: Group) -> list[Group]:
        """The group as the run names it, on each device that it means."""
        near = self._devices.get(group._replace(device=""), [])
        return [g for g in near if g == group or same_device(group.device, g.device)]

    def _blocks(self) -> pl.Expr:
        levels = FAULTS if "should" in self._fail_on else FAULTS[:1]
        return pl.col("status").is_in(levels)

    def _accepted(self, name: str) -> str:
        w = self._by_name[name]
        return f"waiver {name}: {' '.join(w.reason.split())} ({w.link})"

    def _without_rows(self, group: Group) -> Verdict:
        """A framework or a device that is not there is a failure for who has named it."""
        gaps = [g for h in self._run.headers for g in (*h["absent"], *h["not_installed"])]
        for gap in gaps:
            if gap["framework"] == group.seat:
                words = f"{group.seat} is not there: {gap['message']}; add it with: {gap['install']}"
                return Failed(words) if group.framework in self._named else NotAsked(words)
        started = [
            f
            for h in self._run.headers
            for f in h["frameworks"]
            if (f["framework"], f["variant"]) == (group.framework, group.seat[len(group.framework) + 1 : -1])
        ]
        there = [d for f in started for d in f["devices"]]
        if started and not any(same_device(group.device.partition("[")[0], d) for d in there):
            words = f"{group.framework} has no device {group.device} here (there is {', '.join(there)})"
            nowhere = not any(same_device(group.device, g.device) for g in self._tallies)
            return Failed(words) if nowhere or group.framework in self._named else NotAsked(words)
        return Failed("nothing was answered and nothing says why: the run is incomplete; run again")

    def _stale_witnesses(self) -> Mapping[Group, list[str]]:
        """By group, the witnesses in it that conform now, wherever they should still fail.

        A witness must fail somewhere in the place of its waiver. Of a place that was asked in part, as
        with ``-k``, that cannot be said.
        """
        found: dict[Group, list[str]] = defaultdict(list)
        called = Places(self._called)
        for judged in self.waivers:
            w = judged.waiver
            if judged.state is not State.STALE:
                continue
            witnessed = called.of(w).filter(pl.col("case").is_in(w.witnesses))
            failing = set(witnessed.filter(pl.col("status").is_in(FAULTS))["case"])
            not_run = {(g.operator, g.dtype, g.family) for g in place_of(w, self._missing)}
            for row in witnessed.unique(["case", *_COLUMNS], maintain_order=True).iter_rows(named=True):
                asked = (row["operator"], row["dtype"], row["family"])
                if row["case"] not in failing and asked not in not_run:
                    group = Group(*(row[c] for c in _COLUMNS))
                    found[group].append(f"XPASS(strict): waiver {w.name}: {mended(w, row)}")
        return found


def _by_group(rows: pl.DataFrame) -> Mapping[Group, pl.DataFrame]:
    return {Group(*key): found for key, found in rows.partition_by(_COLUMNS, as_dict=True).items()}


def _marks(faults: pl.DataFrame) -> pl.DataFrame:
    """By group, the waivers that accept some of its faults, and how many faults it has."""
    waivers = pl.col("waiver").drop_nulls().unique()
    return faults.group_by(_COLUMNS, maintain_order=True).agg(waivers, pl.len().alias("faults"))


def _tallies(verdicts: pl.DataFrame) -> dict[Group, _Tally]:
    def of(status: Status) -> pl.Expr:
        return pl.col("status") == status.value

    counted = verdicts.group_by(_COLUMNS, maintain_order=True).agg(
        pl.len().alias("rows"),
        of(Status.UNSUPPORTED).sum().alias("unsupported"),
        pl.col("message").filter(of(Status.UNSUPPORTED)).first().alias("refusal"),
        of(Status.UNDECIDED).sum().alias("undecided"),
        pl.col("case").filter(of(Status.UNDECIDED)).first().alias("doubtful"),
        of(Status.OPEN).sum().alias("open"),
    )
    width = len(_COLUMNS)
    rows: Iterable[tuple[Any, ...]] = counted.iter_rows()
    return {Group(*row[:width]): _Tally(*row[width:]) for row in rows}

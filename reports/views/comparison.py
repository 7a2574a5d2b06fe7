"""Two runs side by side, as they are told: what became of every verdict, each change by itself.

Made by the floor above from two runs. Nothing is netted, and nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

import polars as pl

from xent_conformance.reports.run import commands
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.run.findings import grouped
from xent_conformance.reports.run.words import Row, Status, Symptom
from xent_conformance.reports.text.wording import Answer, joined

KEY = ("case", "output", "framework", "implementation", "mode", "device")
"""What makes two verdicts a pair. Versions and machines are what may differ."""

GROUPS = 500
"""Groups of one change that are told; the totals count all."""


class Change(StrEnum):
    """What became of a verdict, in the order in which it is told. Every pair has exactly one."""

    about: str

    REGRESSED = "regressed", "worse than before: what conformed breaks a clause, or breaks it in a worse way"
    MISSING = "missing", "answered before, not asked or not answered now"
    NOT_COMPARABLE = (
        "not comparable",
        "the case, or the rule it is judged by, is another one under the same name",
    )
    DRIFTED = "drifted", "the verdict is as before, the error has grown"
    FIXED = "fixed", "better than before: what broke a clause conforms"
    IMPROVED = "improved", "the verdict is as before, the error has shrunk"
    BITS = "bits changed", "other bits, no other change"
    ADDED = "added", "not asked before"
    SAME = "same", "the same bits, or the same refusal"

    def __new__(cls, value: str, about: str) -> Self:
        member = str.__new__(cls, value)
        member._value_, member.about = value, about
        return member


APART = (Change.MISSING, Change.ADDED, Change.NOT_COMPARABLE)
"""Of these there is no earlier self to stand beside."""

LISTED = tuple(change for change in Change if change is not Change.SAME)
"""The changes whose groups are told; of what is the same there is nothing to tell."""

_OF_BEFORE = (Change.MISSING, Change.FIXED, Change.IMPROVED)
"""Of what is no longer wrong, or no longer there, the earlier side is the one to show."""


@dataclass(frozen=True)
class Difference:
    """What is not the same in the environments: of which worker (``suite`` for all), what, and both sides."""

    who: str
    what: str
    before: str
    now: str

    @property
    def framework(self) -> str:
        """Of which framework the worker is, whatever its variant."""
        return self.who.partition("[")[0]


@dataclass(frozen=True)
class Transition:
    """How many verdicts, in both runs and comparable, had one status and have another."""

    before: Status
    now: Status
    count: int


@dataclass(frozen=True)
class Side:
    """Which run it is; more than one value where several were merged."""

    tested: tuple[str, ...]
    created: tuple[str, ...]
    suite: tuple[str, ...]
    profiles: tuple[str, ...]
    verdicts: int

    @classmethod
    def of(cls, run: Run) -> Side:
        """What the headers say of themselves."""
        return cls(
            tested=run.tested,
            created=tuple(h["created"] for h in run.headers),
            suite=tuple(dict.fromkeys(h["suite"] for h in run.headers)),
            profiles=tuple(dict.fromkeys(h["selection"]["profile"] for h in run.headers)),
            verdicts=run.verdicts.height,
        )


@dataclass(frozen=True)
class Verdict:
    """One side of a pair. ``element``: which of the row its number is, the worst; None where it has none."""

    version: str
    machine: str
    status: Status
    symptom: str
    bits: str
    answer: Answer
    element: int | None

    @classmethod
    def of(cls, row: Row, side: str) -> Verdict | None:
        """The verdict of one side (``"_old"`` or ``""``) of a pair; None where that run has none."""
        if row[f"status{side}"] is None:
            return None
        version, machine, status, symptom, bits = (
            row[f"{column}{side}"] for column in ("version", "machine", "status", "symptom", "bits")
        )
        answer = Answer.of(row, side)
        element = row[f"index{side}"] if answer.right else None
        return cls(version, machine, Status(status), symptom, bits, answer, element)

    @property
    def fault(self) -> str:
        """The symptom; empty for none."""
        return "" if self.symptom == Symptom.NONE else self.symptom

    @property
    def text(self) -> str:
        """``breaks must, beyond the stable bound, 2,000 ulp``."""
        return joined(", ", [self.status.word, self.fault, self.answer.distance])


def unlike(before: Verdict | None, now: Verdict | None) -> str:
    """Why two numbers may not be read side by side: each has a right result of its own. Empty where they may.

    Of a row the worst element is kept: where another is the worst now, one number says nothing of the other.
    """
    if before is None or now is None or before.element is None or now.element is None:
        return ""
    if before.element != now.element:
        return "another element"
    return "" if before.answer.right == now.answer.right else "another right result"


def unshown(before: Verdict | None, now: Verdict | None) -> str:
    """What else changed, where the number that is shown did not: of a row one is kept. Empty where it did."""
    if before is None or now is None or before.bits == now.bits or before.element != now.element:
        return ""
    if before.answer.returned != now.answer.returned:
        return ""
    return "what changed is another element of the row, or the sign or payload of a NaN"


@dataclass(frozen=True)
class Group:
    """Pairs of one change that share implementation, output, clause and symptoms: how many, and where.

    ``title`` is of the clause. What follows ``dtypes`` is of the worst of them; ``command`` shows it whole.
    """

    operator: str
    framework: str
    implementation: str
    output: str
    clause: str
    title: str
    level: str
    count: int
    targets: tuple[str, ...]
    dtypes: tuple[str, ...]
    case: str
    mode: str
    device: str
    dtype: str
    before: Verdict | None
    now: Verdict | None
    command: str

    @property
    def unlike(self) -> str:
        """Why the numbers of before and now may not be read side by side; empty where they may."""
        return unlike(self.before, self.now)

    @property
    def unshown(self) -> str:
        """What else changed, where the number that is shown did not; empty where it did."""
        return unshown(self.before, self.now)


@dataclass(frozen=True)
class Groups:
    """The groups of one change: those that are ``listed``, the most pairs first, and how many there are."""

    total: int
    pairs: int
    listed: tuple[Group, ...]


@dataclass(frozen=True)
class Told:
    """All that is shown of a comparison."""

    old: Side
    new: Side
    environment: tuple[Difference, ...]
    pairs: int
    counts: Mapping[Change, int]
    transitions: tuple[Transition, ...]
    groups: Mapping[Change, Groups]

    @property
    def changed(self) -> tuple[str, ...]:
        """``1 regressed``, …: every change that there is, each by itself."""
        return tuple(f"{number:,} {change}" for change, number in self.counts.items() if number)


@dataclass(frozen=True)
class Comparison:
    """``pairs``: :data:`KEY`, ``change``, and every other column twice, ``…`` now and ``…_old`` before."""

    pairs: pl.DataFrame
    environment: tuple[Difference, ...]
    old: Run
    new: Run

    def of(self, change: Change) -> pl.DataFrame:
        """The pairs with that change."""
        return self.pairs.filter(pl.col("change") == change.value)

    def counts(self) -> dict[Change, int]:
        """Pairs by change; they sum to the number of pairs."""
        found = dict(self.pairs["change"].value_counts().iter_rows())
        return {change: found.get(change.value, 0) for change in Change}

    def transitions(self) -> tuple[Transition, ...]:
        """Of the pairs that are in both runs and comparable, by status before, then now."""
        both = self.pairs.filter(~pl.col("change").is_in([change.value for change in APART]))
        counted = both.group_by("status_old", "status").agg(pl.len()).sort("status_old", "status")
        return tuple(Transition(Status(before), Status(now), n) for before, now, n in counted.iter_rows())

    def groups(self, change: Change) -> pl.DataFrame:
        """Pairs of one change by implementation, output and clause: how many, and the worst of them.

        Must clauses first, then the most pairs. Of what is no longer wrong, or no longer there, clause and
        worst case are those of before.
        """
        cause = ["operator", "framework", "implementation", "output", "clause", "symptom_old", "symptom"]
        gone = change in _OF_BEFORE
        sides = ("{}_old", "{}") if gone else ("{}", "{}_old")
        here = self.of(change).with_columns(
            pl.coalesce(side.format(c) for side in sides).alias(c)
            for c in ("operator", "clause", "level", "dtype", "family")
        )
        found = grouped(here, cause, size="ulps_old" if gone else "ulps")
        order = [pl.col("level") != "must", -pl.col("count").cast(pl.Int64), *cause]
        return found.sort(order)

    def told(self, limit: int = GROUPS) -> Told:
        """All that is shown of it, with so many groups of each change."""
        return Told(
            old=Side.of(self.old),
            new=Side.of(self.new),
            environment=self.environment,
            pairs=self.pairs.height,
            counts=self.counts(),
            transitions=self.transitions(),
            groups={change: self._listed(self.groups(change), limit) for change in LISTED},
        )

    def _listed(self, groups: pl.DataFrame, limit: int) -> Groups:
        shown = tuple(self._group(row) for row in groups.head(limit).iter_rows(named=True))
        return Groups(groups.height, int(groups["count"].sum()), shown)

    def _group(self, row: Row) -> Group:
        now = Verdict.of(row, "")
        run = self.old if now is None else self.new
        return Group(
            operator=row["operator"],
            framework=row["framework"],
            implementation=row["implementation"],
            output=row["output"],
            clause=row["clause"],
            title=run.header["clauses"].get(row["clause"], {}).get("title", ""),
            level=row["level"],
            count=row["count"],
            targets=tuple(row["targets"]),
            dtypes=tuple(row["dtypes"]),
            case=row["case"],
            mode=row["mode"],
            device=row["device"],
            dtype=row["dtype"],
            before=Verdict.of(row, "_old"),
            now=now,
            command=commands.explain(run, row["case"], row["implementation"], row["device"]),
        )

"""The same calls, twice: one framework in another mode, on another device, or on another machine.

A pair holds a base against one other target of the same framework and version, over the calls that both
answered. Nothing is netted: what is better there and what is worse there stand apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import polars as pl

from xent_conformance.reports.run.commands import PLAIN_DEVICE
from xent_conformance.reports.run.file import Run, called
from xent_conformance.reports.run.words import Status
from xent_conformance.reports.text.wording import DTYPES, in_order
from xent_conformance.reports.views.settings import devices_of

BASE_MODE = "eager"
"""What a mode is held against, where it was asked; else the mode that was asked most."""

CALL = ("case", "output", "implementation")
"""What makes two verdicts of one framework the same call, but for the target."""

_COLUMNS = ("framework", "version", *CALL, "mode", "device", "machine", "outcome", "status", "bits", "cause")

_RANKS = {status.value: status.rank for status in Status}


class What(StrEnum):
    """In what the two differ. In the order in which pairs are told."""

    MODE = "mode"
    DEVICE = "device"
    MACHINE = "machine"


@dataclass(frozen=True, order=True)
class Place:
    """Where it was asked; ``version`` with its build, as ``2.13.0+cpu`` and ``2.13.0+cu130`` are."""

    device: str
    machine: str
    version: str

    @property
    def plain(self) -> str:
        """The device without the setting that makes it a variant: ``cpu`` of ``cpu[isa=avx2]``."""
        return self.device.partition("[")[0]


@dataclass(frozen=True)
class Moved:
    """Verdicts that are better, or worse: how many, how many of them by a must clause, and of which causes.

    ``causes``: by the lasting name of what is wrong on the worse side, the most verdicts first; the name is
    empty where the run file has none.
    """

    verdicts: int
    must: int
    causes: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Pair:
    """A base and another target, over ``calls`` that both answered; ``same`` have the same bits, or refusal.

    ``version`` is without a build. ``mode`` and ``other_mode`` are empty where all modes that both were asked
    in stand together.
    """

    framework: str
    version: str
    what: What
    mode: str
    other_mode: str
    base: Place
    other: Place
    calls: int
    same: int
    better: Moved
    worse: Moved

    @property
    def alike(self) -> bool:
        """Whether it makes no difference, to the bit."""
        return self.same == self.calls

    @property
    def as_right(self) -> bool:
        """Whether no verdict is another, whatever the bits are."""
        return not self.better.verdicts and not self.worse.verdicts


def pairs(run: Run) -> tuple[Pair, ...]:
    """Every pair of a run that has calls in common: modes, then devices, then machines.

    Naive controls are of none; nor are calls that one of the two does not offer, and what was not decided.
    """
    rows = _answered(run)
    found = []
    release = pl.col("version").cast(pl.String).str.split("+").list.first().alias("release")
    for (framework, version), here in _parts(rows.select(*_COLUMNS, release), ["framework", "release"]):
        targets = _Targets(framework, version, here, _asked_first(run, framework))
        found += [p for p in (*targets.modes(), *targets.devices()) if p.calls]
    order = list(What)
    return tuple(sorted(found, key=lambda p: (p.framework, p.version, order.index(p.what))))


@dataclass(frozen=True)
class Alone:
    """A device of a framework that answered other calls on others; ``dtypes``: those that it answered in."""

    framework: str
    device: str
    dtypes: tuple[str, ...]


def alone(run: Run, found: Sequence[Pair]) -> tuple[Alone, ...]:
    """The devices that are in no pair of devices or machines, though their framework answered on others."""
    held = {(p.framework, end.device) for p in found if p.what is not What.MODE for end in (p.base, p.other)}
    there = _answered(run).group_by("framework", "device").agg(pl.col("dtype").unique())
    several = there.filter(pl.len().over("framework") > 1).sort("framework", "device")
    return tuple(
        Alone(framework, device, tuple(in_order(dtypes, list(DTYPES))))
        for framework, device, dtypes in several.rows()
        if (framework, device) not in held
    )


def _answered(run: Run) -> pl.DataFrame:
    """What users call, was offered and was decided."""
    return called(run).verdicts.filter(
        ~pl.col("status").is_in([Status.UNSUPPORTED.value, Status.UNDECIDED.value])
    )


def _asked_first(run: Run, framework: str) -> Mapping[str, str]:
    """By kind of device, that under a setting which a framework was asked on first: ``cpu[isa=avx2]``."""
    found: dict[str, str] = {}
    for worker in (f for h in run.headers for f in h["frameworks"] if f["framework"] == framework):
        for device in devices_of(worker) if worker.get("variant") else ():
            found.setdefault(device.partition("[")[0], device)
    return found


def _parts(frame: pl.DataFrame, by: Sequence[str]) -> Iterator[tuple[tuple[str, ...], pl.DataFrame]]:
    parts = frame.partition_by(by, as_dict=True)
    for key in sorted(parts):
        yield tuple(map(str, key)), parts[key]


class _Targets:
    """The targets of one framework and version; ``first``: of each kind of device, its first setting."""

    def __init__(self, framework: str, version: str, rows: pl.DataFrame, first: Mapping[str, str]) -> None:
        self.framework, self.version, self.first = framework, version, first
        self.at = {Place(*key): part for key, part in _parts(rows, ["device", "machine", "version"])}
        self.plain = {place.device for place in self.at if place.device == place.plain}

    def modes(self) -> Iterator[Pair]:
        """The base mode against each other, on each device as it is, or under all where all are settings."""
        for place in self.at:
            if place.device != place.plain and place.plain in self.plain:
                continue
            parts = {mode: part for (mode,), part in _parts(self.at[place], ["mode"])}
            most = max(parts, key=lambda mode: parts[mode].height)
            base = BASE_MODE if BASE_MODE in parts else most
            for mode in parts:
                if mode != base:
                    yield self._pair(What.MODE, (place, base), (place, mode), parts[base], parts[mode])

    def devices(self) -> Iterator[Pair]:
        """Each place against what it is held against, in all modes that both were asked in."""
        for place in self.at:
            for base in self._bases(place):
                what = What.MACHINE if base.device == place.device else What.DEVICE
                yield self._pair(what, (base, ""), (place, ""), self.at[base], self.at[place])

    def _bases(self, place: Place) -> list[Place]:
        """The CPU as it is; of a variant, the device that it is of; of a device as it is, another machine's.

        On the same machine and build where it was asked there, else where it answered most. Of a kind of
        device that was asked under settings alone, the first of them stands for the device as it is.
        """
        devices = [
            device if device in self.plain else self.first.get(device, "")
            for device in (PLAIN_DEVICE, place.plain)
        ]
        others = dict.fromkeys(d for d in devices if d != place.device)
        found = [self._nearest(place, device) for device in others]
        if place.device == place.plain:
            found.append(self._nearest(None, place.device))
        return [base for base in found if base is not None and base != place]

    def _nearest(self, place: Place | None, device: str) -> Place | None:
        """Where ``device`` was asked: nearest to ``place``, and of those where it answered most."""

        def far(base: Place) -> tuple[bool, bool, int, Place]:
            elsewhere = place is not None and base.machine != place.machine
            rebuilt = place is not None and base.version != place.version
            return elsewhere, rebuilt, -self.at[base].height, base

        return min((base for base in self.at if base.device == device), key=far, default=None)

    def _pair(
        self,
        what: What,
        base: tuple[Place, str],
        other: tuple[Place, str],
        before: pl.DataFrame,
        after: pl.DataFrame,
    ) -> Pair:
        (base_place, mode), (other_place, other_mode) = base, other
        on = [*CALL] if what is What.MODE else [*CALL, "mode"]
        both = before.join(after, on=on, how="inner", suffix="_other").with_columns(
            (pl.col("bits") == pl.col("bits_other"))
            .and_(pl.col("outcome") == pl.col("outcome_other"))
            .alias("same"),
            rank=pl.col("status").replace_strict(_RANKS, return_dtype=pl.Int8),
            rank_other=pl.col("status_other").replace_strict(_RANKS, return_dtype=pl.Int8),
        )
        better = both.filter(pl.col("rank_other") < pl.col("rank"))
        worse = both.filter(pl.col("rank_other") > pl.col("rank"))
        return Pair(
            framework=self.framework,
            version=self.version,
            what=what,
            mode=mode,
            other_mode=other_mode,
            base=base_place,
            other=other_place,
            calls=both.height,
            same=int(both["same"].sum()),
            better=_moved(better, "status", "cause"),
            worse=_moved(worse, "status_other", "cause_other"),
        )


def _moved(rows: pl.DataFrame, status: str, cause: str) -> Moved:
    """``status`` and ``cause`` are the columns of the side that is worse."""
    counted = rows.group_by(cause).agg(pl.len().cast(pl.Int64).alias("n")).sort(-pl.col("n"), cause)
    must = rows.filter(pl.col(status) == Status.BREAKS_MUST.value).height
    return Moved(rows.height, must, tuple((str(name), int(n)) for name, n in counted.rows()))

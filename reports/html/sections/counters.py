"""The verdicts by status, in numbers that sum: of what users call, of the naive controls, and of all."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from xent_conformance.reports.html.marks import STATUS, Mark
from xent_conformance.reports.html.section import Material, Section
from xent_conformance.reports.run.words import NAIVE
from xent_conformance.reports.text.numbers import count
from xent_conformance.reports.text.wording import plural


@dataclass(frozen=True)
class Counter:
    """How many verdicts have a status."""

    mark: Mark
    number: str


@dataclass(frozen=True)
class Counters:
    """All verdicts by status; ``split`` has the same columns for each kind of implementation."""

    counters: tuple[Counter, ...]
    equation: str
    total: str
    split: tuple[tuple[str, tuple[str, ...]], ...]


def counters(verdicts: pl.DataFrame) -> Counters:
    """Raises ValueError for a status that has no counter: the sum must be the total."""
    unknown = set(verdicts["status"].unique()) - set(STATUS)
    if unknown:
        raise ValueError(
            f"verdicts with unknown status {', '.join(sorted(unknown))}: no counter would hold them"
        )
    kinds = {
        "implementations users call": verdicts.filter(pl.col("formulation") != NAIVE),
        "controls: naive formulations": verdicts.filter(pl.col("formulation") == NAIVE),
        "all": verdicts,
    }
    by_kind = {kind: _by_status(frame) for kind, frame in kinds.items()}
    every = by_kind["all"]
    return Counters(
        counters=tuple(Counter(mark, count(every[status])) for status, mark in STATUS.items()),
        equation=f"{' + '.join(count(n) for n in every.values())} = {count(verdicts.height)}",
        total=plural(verdicts.height, "verdict"),
        split=tuple(
            (kind, (*(count(n) for n in found.values()), count(sum(found.values()))))
            for kind, found in by_kind.items()
        ),
    )


def _by_status(verdicts: pl.DataFrame) -> dict[str, int]:
    found = dict(verdicts["status"].value_counts().rows())
    return {status: found.get(status, 0) for status in STATUS}


def view(material: Material) -> Counters:
    """All counters. Raises ValueError for a status that has none."""
    return counters(material.run.verdicts)


def _about(view: Counters) -> str:
    return f"{view.total}, by what they say, and they sum"


SECTION = Section("counters", "Verdicts", "counters.html", view, folded=True, about=_about)

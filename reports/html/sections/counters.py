"""The verdicts by status, and which clauses break where, in numbers that sum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from xent_conformance.reports.html.marks import LEVEL, STATUS, Mark, clause_anchor
from xent_conformance.reports.html.naming import Naming
from xent_conformance.reports.html.section import Material, Section
from xent_conformance.reports.run.words import NAIVE
from xent_conformance.reports.text.numbers import count
from xent_conformance.reports.text.wording import in_order


@dataclass(frozen=True)
class Counter:
    """How many verdicts have a status, and where the page shows them."""

    mark: Mark
    number: str
    link: str
    about: str


@dataclass(frozen=True)
class Counters:
    """All verdicts by status; ``split`` has the same columns for each kind of implementation."""

    counters: tuple[Counter, ...]
    equation: str
    split: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class GlanceRow:
    """Findings of one clause; without a link it is the total of a level."""

    mark: Mark
    clause: str
    title: str
    link: str
    numbers: tuple[str, ...]
    """One for each framework, their sum, and the naive controls."""


@dataclass(frozen=True)
class Glance:
    """Findings by clause and framework; the last row of each level is its total, with no clause."""

    frameworks: tuple[str, ...]
    rows: tuple[GlanceRow, ...]


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
        counters=tuple(
            Counter(mark, count(every[status]), *_COUNTER[status]) for status, mark in STATUS.items()
        ),
        equation=f"{' + '.join(count(n) for n in every.values())} = {count(verdicts.height)}",
        split=tuple(
            (kind, (*(count(n) for n in found.values()), count(sum(found.values()))))
            for kind, found in by_kind.items()
        ),
    )


def glance(findings: pl.DataFrame, header: Mapping[str, Any], naming: Naming) -> Glance:
    """Which clauses are broken where, in numbers of findings that sum both ways."""
    rows = []
    for level in ("must", "should"):
        here = findings.filter(pl.col("level") == level)
        for number in in_order(here["clause"].unique().to_list(), list(header["clauses"])):
            numbers = _by_framework(here.filter(pl.col("clause") == number), naming)
            title = header["clauses"][number]["title"]
            rows.append(GlanceRow(LEVEL[level], number, title, clause_anchor(number), numbers))
        if not here.is_empty():
            rows.append(GlanceRow(LEVEL[level], "", f"all {level} clauses", "", _by_framework(here, naming)))
    return Glance(naming.frameworks, tuple(rows))


def _by_framework(findings: pl.DataFrame, naming: Naming) -> tuple[str, ...]:
    called = findings.filter(pl.col("formulation") != NAIVE)
    found = dict(called["framework"].value_counts().rows())
    numbers = [found.get(name, 0) for name in naming.frameworks]
    return tuple(count(n) for n in (*numbers, called.height, findings.height - called.height))


_COUNTER = {
    "conforms": ("doors", "within the accurate bound, special values right"),
    "breaks_must": ("must", "wrong by a clause that must hold"),
    "breaks_should": ("should", "wrong by a clause that should hold"),
    "open": ("open", "recorded side by side, not judged"),
    "unsupported": ("unjudged", "not offered, so not asked"),
    "undecided": ("unjudged", "the reference could not certify"),
}


def _by_status(verdicts: pl.DataFrame) -> dict[str, int]:
    found = dict(verdicts["status"].value_counts().rows())
    return {status: found.get(status, 0) for status in STATUS}


@dataclass(frozen=True)
class Numbers:
    """Verdicts by status, then findings by clause and framework."""

    counters: Counters
    glance: Glance


def view(material: Material) -> Numbers:
    """All counters. Raises ValueError for a status that has none."""
    found = counters(material.run.verdicts)
    return Numbers(found, glance(material.findings, material.run.header, material.naming))


SECTION = Section("counters", "Verdicts", "counters.html", view, folded=True)

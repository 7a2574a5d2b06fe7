"""The first screen: what was tested, whether it is all there, the result in a sentence, the counters."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from xent_conformance.reports.html.marks import LEVEL, STATUS, Mark, Naming, clause_anchor, devices_of
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.run.words import NAIVE
from xent_conformance.reports.text.numbers import count
from xent_conformance.reports.text.wording import in_order, listed, plural


@dataclass(frozen=True)
class Absent:
    framework: str
    message: str
    install: str


@dataclass(frozen=True)
class Source:
    """One run file: where it ran and what of the plan it finished."""

    profile: str
    narrowed: str
    machine: str
    frameworks: tuple[str, ...]
    batches: tuple[str, ...]
    absent: tuple[Absent, ...]
    created: str
    suite: str
    corpus: str
    reference: str
    command: str


@dataclass(frozen=True)
class Banner:
    title: str
    result: str
    controls: str
    complete: Mark
    completeness: str
    asked: str
    sources: tuple[Source, ...]


@dataclass(frozen=True)
class Counter:
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


def banner(run: Run, findings: pl.DataFrame, naming: Naming) -> Banner:
    v = run.verdicts
    called = findings.filter(pl.col("formulation") != NAIVE)
    naive = findings.filter(pl.col("formulation") == NAIVE)
    versions = v.select("framework", "version").unique().sort("framework", "version").rows()
    tested = [f"{name} {version}" for name, version in versions]
    complete = run.complete and v.height > 0
    return Banner(
        title=listed(tested) or "nothing was tested",
        result=_result(v, called),
        controls=_controls(v, naive),
        complete=Mark("●", "complete", "k") if complete else Mark("✕", "incomplete", "m"),
        completeness=_completeness(run),
        asked=(
            f"{plural(v['case'].n_unique(), 'case')} asked of "
            f"{plural(v['implementation'].n_unique(), 'implementation')}: {plural(v.height, 'verdict')}"
        ),
        sources=tuple(_source(h) for h in run.headers),
    )


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
    "conforms": ("matrix", "within the accurate bound, special values right"),
    "breaks_must": ("must", "wrong by a clause that must hold"),
    "breaks_should": ("should", "wrong by a clause that should hold"),
    "open": ("open", "recorded side by side, not judged"),
    "unsupported": ("unjudged", "not offered, so not asked"),
    "undecided": ("unjudged", "the reference could not certify"),
}


def _by_status(verdicts: pl.DataFrame) -> dict[str, int]:
    found = dict(verdicts["status"].value_counts().rows())
    return {status: found.get(status, 0) for status in STATUS}


def _result(verdicts: pl.DataFrame, called: pl.DataFrame) -> str:
    if verdicts.is_empty():
        return "No verdict was reached, so nothing is shown to conform."
    if verdicts.filter(pl.col("formulation") != NAIVE).is_empty():
        return "Only naive controls were asked; no implementation that users call was judged."
    must, should = _levels(called)
    if must + should == 0:
        return "No findings: in the implementations users call, no judged verdict breaks a clause."
    return (
        f"In the implementations users call, {_breaks(must)} a must clause "
        f"and {_breaks(should)} a should clause."
    )


def _controls(verdicts: pl.DataFrame, naive: pl.DataFrame) -> str:
    if verdicts.filter(pl.col("formulation") == NAIVE).is_empty():
        return "No naive formulation was asked as a control."
    must, should = _levels(naive)
    return (
        "Naive formulations are controls, known to be wrong, and counted apart: "
        f"{_breaks(must)} a must clause and {_breaks(should)} a should clause."
    )


def _levels(findings: pl.DataFrame) -> tuple[int, int]:
    must = findings.filter(pl.col("level") == "must").height
    return must, findings.height - must


def _breaks(number: int) -> str:
    return (
        "no finding breaks"
        if number == 0
        else f"{plural(number, 'finding')} {'breaks' if number == 1 else 'break'}"
    )


def _completeness(run: Run) -> str:
    planned = sum(sum(h["planned"].values()) for h in run.headers)
    if run.complete and not run.verdicts.is_empty():
        return f"All {plural(planned, 'planned batch', 'es')} were answered and no framework was absent."
    reasons = []
    for header in run.headers:
        absent = [a["framework"] for a in header["absent"]]
        if absent:
            reasons.append(f"{listed(absent)} {'was' if len(absent) == 1 else 'were'} absent")
        for name, number in header["planned"].items():
            done = header["finished"].get(name, 0)
            if done != number and name not in absent:
                reasons.append(f"{name} answered {count(done)} of {count(number)} batches")
    if run.verdicts.is_empty():
        reasons.append("there are no verdicts")
    return (
        f"Part of what was planned is missing: {'; '.join(reasons)}. What is missing is not shown to conform."
    )


def _source(header: Mapping[str, Any]) -> Source:
    selection = header["selection"]
    machines = {f["environment"]["processor"]: None for f in header["frameworks"]}
    options = [("framework", selection["frameworks"]), ("operator", selection["operators"])]
    options += [("dtype", selection["dtypes"]), ("family", selection["families"])]
    options += [("device", selection["devices"]), ("plugin", selection["plugins"])]
    command = ["conformance", "run", "--profile", selection["profile"]]
    for name, chosen in options:
        for value in chosen:
            command += [f"--{name}", value]
    if selection["implementation"] != "*":
        command += ["--implementation", selection["implementation"]]
    narrowed = [f"{name} {listed(chosen)}" for name, chosen in options if chosen]
    narrowed += [selection["implementation"]] if selection["implementation"] != "*" else []
    return Source(
        profile=selection["profile"],
        narrowed="; ".join(narrowed),
        machine=listed(list(machines)) or "no worker started",
        frameworks=tuple(
            f"{f['framework']} {f['version']} on {listed(devices_of(f))}" for f in header["frameworks"]
        ),
        batches=tuple(
            f"{name} {count(header['finished'].get(name, 0))} of {count(number)}"
            for name, number in header["planned"].items()
        ),
        absent=tuple(Absent(a["framework"], a["message"], a["install"]) for a in header["absent"]),
        created=header["created"],
        suite=header["suite"],
        corpus=header["corpus"],
        reference=header["reference"],
        command=shlex.join(command),
    )

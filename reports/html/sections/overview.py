"""The first screen: what was tested, whether the gate passes, whether all is there, the result in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from xent_conformance.reports.html.marks import Mark
from xent_conformance.reports.html.naming import devices_of
from xent_conformance.reports.html.section import Material
from xent_conformance.reports.html.sections.gate import Decision, decision
from xent_conformance.reports.run import commands
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.run.words import NAIVE
from xent_conformance.reports.text.numbers import count
from xent_conformance.reports.text.wording import listed, plural


@dataclass(frozen=True)
class Absent:
    """A framework that was asked for and could not be asked."""

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
    """A run, or several, in sentences; each of ``sources`` is one run file."""

    title: str
    result: str
    controls: str
    complete: Mark
    completeness: str
    asked: str
    sources: tuple[Source, ...]


@dataclass(frozen=True)
class Head:
    """The first screen; ``gate`` is the decision, if there is one."""

    banner: Banner
    gate: Decision | None
    footer: str


def view(material: Material) -> Head:
    """What stands above the navigation."""
    gate = None if material.gate is None else decision(material.gate, material.findings)
    return Head(banner(material.run, material.findings), gate, "“Worst” is the worst found, not a bound.")


def banner(run: Run, findings: pl.DataFrame) -> Banner:
    """What was tested, and what came of it."""
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
    narrowed = [f"{name} {listed(values)}" for name, values in commands.chosen(selection).items()]
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
        command=commands.ask_again(header),
    )

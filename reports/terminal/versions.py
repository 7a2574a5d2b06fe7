"""A table over versions in a terminal: counts, what moved, and which findings came and went."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from xent_conformance.reports.terminal.screen import left, say, table
from xent_conformance.reports.text.numbers import NOTHING, ulps
from xent_conformance.reports.views.versions import Cell, Lifetime, Line, Versions

MOVED = 30
"""Findings, and errors, that are shown; the page and the JSON hold all."""

REST = "--html FILE and --json FILE hold all"

_NAME, _VERSION = 24, 18
"""Columns of a terminal that the name of an implementation and the counts of a version need to be read."""


def show(versions: Versions, console: Console) -> None:
    """Everything, of the implementations that users call; controls are in the HTML page and the JSON."""
    called = [line for line in versions.lines if not line.control]
    _counts(versions, called, console)
    say(
        console,
        "verdicts that break a must / a should clause · with other bits than in the version before "
        "· regressed, fixed",
    )
    _worst(called, console)
    _lives(versions, console)
    for version, complete in zip(versions.versions, versions.complete, strict=True):
        if not complete:
            told = f": {version} did not answer all that it was asked"
            say(console, ("incomplete", "bold"), told)


def _counts(versions: Versions, lines: Sequence[Line], console: Console) -> None:
    """As many versions side by side as there is room for, the others in tables below."""
    several = max(1, (console.width - _NAME) // _VERSION)
    for first in range(0, len(versions.versions), several):
        here = slice(first, first + several)
        table(
            console,
            ("implementation", *versions.versions[here]),
            [(line.implementation, *map(_cell, line.cells[here])) for line in lines],
            title=f"{versions.framework}, version by version",
            right=versions.versions[here],
            rest=REST,
        )


def _cell(cell: Cell | None) -> str:
    if cell is None:
        return "not answered"
    broken = f"{cell.must} / {cell.should}"
    if cell.changed is None:
        return broken
    return f"{broken} · {cell.changed} of {cell.compared} · {cell.regressed} worse, {cell.fixed} better"


def _worst(lines: Sequence[Line], console: Console) -> None:
    """The worst error by format, of those of which it is another one in some version."""
    moved = [(line, d) for line in lines for d in line.dtypes if len(set(line.worst(d))) > 1]
    every = sum(len(line.dtypes) for line in lines)
    same = f"the same in every version for {every - len(moved)} of {every} implementations and formats"
    say(console, f"worst error on ordinary rows: {same}")
    for line, dtype in moved[:MOVED]:
        told = " → ".join(NOTHING if w is None else ulps(w) for w in line.worst(dtype))
        say(console, f"  {line.implementation} {dtype}: {told} ulp")
    left(console, len(moved) - MOVED, "error", REST)


def _lives(versions: Versions, console: Console) -> None:
    lives = [f for f in versions.lifetimes if not f.control]
    moved = [f for f in lives if not f.steady]
    alike = f" in any version, {len(lives) - len(moved)} of them alike in all"
    say(console, (f"findings: {len(lives)}", "bold"), alike)
    for life in moved[:MOVED]:
        where = f"  {life.implementation} {life.output}: {life.symptom}; "
        counted = f" ({_counted(life)} verdicts)"
        story = (versions.story(life), "bold")
        say(console, f"  {life.clause} ", (life.level, "bold"), where, story, counted)
        say(console, "      ", (life.case, "dim"))
    left(console, len(moved) - MOVED, "finding", REST)


def _counted(life: Lifetime) -> str:
    return " → ".join(NOTHING if n is None else str(n) for n in life.counts)

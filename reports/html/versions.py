"""The page of versions side by side: what came, what went, and every implementation over the versions.

One self-contained file like the report: no network, no script that reading needs, style of the same sheet.
Each small chart has its numbers in the table beside it, and tells its lines apart by shape and dash, never by
colour alone.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from markupsafe import Markup

from xent_conformance.reports.html.charts import _bars, _counts, _lines, _ulps
from xent_conformance.reports.html.marks import Mark
from xent_conformance.reports.html.page import environment
from xent_conformance.reports.run import commands
from xent_conformance.reports.text.numbers import NOTHING, count, per_cent
from xent_conformance.reports.text.wording import plural
from xent_conformance.reports.views.versions import Cell, Lifetime, Line, Step, Versions

SHAPES = ("●", "■", "▲", "◆")
"""One for each line of a chart, in the chart and in the table's header."""

_LEVELS = {"must": ("✕", "m"), "should": ("▲", "s")}


@dataclass(frozen=True)
class Row:
    """One measure of an implementation over the versions, as the table shows it."""

    name: str
    shape: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Card:
    """One implementation: its charts, and the same numbers as rows."""

    name: str
    charts: tuple[Markup, ...]
    rows: tuple[Row, ...]


def render(table: Versions) -> str:
    """The page. The same table gives the same text."""
    lives = table.lifetimes
    return (
        environment()
        .get_template("versions.html")
        .render(
            table=table,
            steps=[_step(table, step) for step in table.steps],
            plural=plural,
            title=f"{table.framework} {', '.join(table.versions)}",
            incomplete=[v for v, c in zip(table.versions, table.complete, strict=True) if not c],
            differing=_differing(table),
            moved=[_told(table, f) for f in lives if not f.steady and not f.control],
            steady=[_told(table, f) for f in lives if f.steady and not f.control],
            controls=[_told(table, f) for f in lives if f.control],
            cards=[_card(table, line) for line in table.lines if not line.control],
            naive=[_card(table, line) for line in table.lines if line.control],
        )
    )


def _step(table: Versions, step: Step) -> dict[str, Any]:
    """One step as the page writes it; ``mark`` and ``answer`` are of the verdicts, and decide nothing."""
    worse = Mark("▼", f"{plural(step.regressed, 'verdict')} worse", "m")
    better = Mark("●", "no verdict worse", "k")
    nothing = Mark("–", "nothing to compare", "u")
    return {
        "mark": (worse if step.regressed else better) if step.compared else nothing,
        "before": step.before,
        "now": step.now,
        "compared": count(step.compared),
        "same": per_cent(step.compared - step.changed, step.compared) if step.compared else NOTHING,
        "regressed": count(step.regressed),
        "fixed": count(step.fixed),
        "came": f"{count(step.came)}, {count(step.must)} must" if step.must else count(step.came),
        "went": count(step.went),
        "command": _upgrade(table, step),
    }


def _upgrade(table: Versions, step: Step) -> str:
    """What decides on one step: the table's own command, of two of its pins; empty if it names them not."""
    try:
        words = shlex.split(table.command)[2:]
    except ValueError:  # foreign text is no command
        return ""
    named = list(takewhile(lambda word: not word.startswith("-"), words))
    pins = {pin.partition("==")[2]: pin for pin in named}
    if not {step.before, step.now} <= set(pins):
        return ""
    return commands.line("upgrade", pins[step.before], pins[step.now], *words[len(named) :])


def _differing(table: Versions) -> list[tuple[str, list[str]]]:
    """What the workers' environments do not have in common; the versions of Python and NumPy always."""
    names = dict.fromkeys(["python", "numpy", *(k for e in table.environments for k in e)])
    found = [(name, [e.get(name, NOTHING) for e in table.environments]) for name in names]
    return [(n, said) for n, said in found if n in ("python", "numpy") or len(set(said)) > 1]


def _told(table: Versions, life: Lifetime) -> dict[str, Any]:
    """A finding as the page writes it."""
    glyph, css = _LEVELS[life.level]
    return {
        "life": life,
        "glyph": glyph,
        "css": css,
        "since": table.since(life),
        "until": table.until(life),
        "counts": [NOTHING if n is None else count(n) for n in life.counts],
        "answer": life.answer.sentence,
    }


def _card(table: Versions, line: Line) -> Card:
    must = _of(line, lambda cell: cell.must)
    should = _of(line, lambda cell: cell.should)
    changed = _of(line, lambda cell: cell.changed)
    rows = [
        Row("break must", SHAPES[0], _counts(must)),
        Row("break should", SHAPES[1], _counts(should)),
        Row("bits changed", "▮", _counts(changed)),
        Row("regressed", "", _counts(_of(line, lambda cell: cell.regressed))),
        Row("fixed", "", _counts(_of(line, lambda cell: cell.fixed))),
        Row("not offered", "", _counts(_of(line, lambda cell: cell.unsupported))),
        Row("verdicts", "", _counts(_of(line, lambda cell: cell.verdicts))),
    ]
    charts = [
        _lines(table, "verdicts that break a clause", [("must", must), ("should", should)]),
        _bars(table, "verdicts with other bits than in the version before", changed),
    ]
    dtypes = line.dtypes
    if dtypes:
        rows += [Row(f"worst ulps, {d}", SHAPES[i % 4], _ulps(line.worst(d))) for i, d in enumerate(dtypes)]
        series = [(d, line.worst(d)) for d in dtypes]
        charts.append(_lines(table, "worst error on ordinary rows, ulps, logarithmic", series, logs=True))
    return Card(line.implementation, tuple(charts), tuple(rows))


def _of(line: Line, measure: Any) -> tuple[float | None, ...]:
    def taken(cell: Cell | None) -> float | None:
        return None if cell is None else measure(cell)

    return tuple(map(taken, line.cells))


# --- charts: numbers in, SVG out; the only text in them is ours or escaped ---

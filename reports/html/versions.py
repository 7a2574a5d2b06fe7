"""The page of versions side by side: what came, what went, and every implementation over the versions.

One self-contained file like the report: no network, no script, style of the same sheet. Each small chart has
its numbers in the table beside it, and tells its lines apart by shape and dash, never by colour alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, log10
from typing import Any

from markupsafe import Markup, escape

from xent_conformance.reports.html.marks import plural
from xent_conformance.reports.html.page import environment
from xent_conformance.reports.text.numbers import NOTHING, count, ulps
from xent_conformance.reports.views.versions import Cell, Lifetime, Line, Versions

WIDTH, HEIGHT = 190, 84
_LEFT, _RIGHT, _TOP, _BOTTOM = 12, 178, 10, 66

DASHES = ("none", "5 3", "2 2", "7 2 2 2")
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


def _differing(table: Versions) -> list[tuple[str, list[str]]]:
    """What the workers' environments do not have in common; the versions of Python and NumPy always."""
    names = dict.fromkeys(["python", "numpy", *(k for e in table.environments for k in e)])
    found = [(name, [e.get(name, NOTHING) for e in table.environments]) for name in names]
    return [(n, said) for n, said in found if n in ("python", "numpy") or len(set(said)) > 1]


def _told(table: Versions, life: Lifetime) -> dict[str, Any]:
    """A finding as the page writes it."""
    glyph, css = _LEVELS[life.level]
    answer = f"returned {life.got}, right {life.right}" if life.right else life.got
    size = "" if life.ulps != life.ulps else f", {ulps(life.ulps)} ulp"
    return {
        "life": life,
        "glyph": glyph,
        "css": css,
        "since": table.since(life),
        "until": table.until(life),
        "counts": [NOTHING if n is None else count(n) for n in life.counts],
        "answer": answer + size,
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


def _counts(values: Sequence[float | None]) -> tuple[str, ...]:
    return tuple(NOTHING if v is None else count(int(v)) for v in values)


def _ulps(values: Sequence[float | None]) -> tuple[str, ...]:
    return tuple(NOTHING if v is None else ulps(v) for v in values)


# --- charts: numbers in, SVG out; the only text in them is ours or escaped ---


def _lines(
    table: Versions, title: str, series: Sequence[tuple[str, Sequence[float | None]]], *, logs: bool = False
) -> Markup:
    """A line a series; where a version has no number the line is interrupted. Infinities lie on the top."""
    heights = [[_height(v, logs=logs) for v in values] for _, values in series]
    top = max((h for hs in heights for h in hs if h is not None and isfinite(h)), default=0.0)
    body = [_axis(table)]
    for k, values in enumerate(heights):
        points = [None if h is None else (_x(i, table), _y(min(h, top), top)) for i, h in enumerate(values)]
        for part in _unbroken(points):
            body.append(
                f'<polyline fill="none" stroke="currentColor" stroke-width="1.4" '
                f'stroke-dasharray="{DASHES[k % 4]}" points="{" ".join(f"{x:g},{y:g}" for x, y in part)}"/>'
            )
        body += [_mark(k, *point) for point in points if point is not None]
    told = "; ".join(f"{name}: {', '.join(_ulps(values))}" for name, values in series)
    return _svg(table, title, told, body)


def _bars(table: Versions, title: str, values: Sequence[float | None]) -> Markup:
    top = max((v for v in values if v is not None), default=0.0)
    body = [_axis(table)]
    for i, v in enumerate(values):
        if v:
            y = _y(v, top)
            body.append(
                f'<rect x="{_x(i, table) - 5:g}" y="{y:g}" width="10" height="{_BOTTOM - y:g}" '
                'fill="currentColor"/>'
            )
    return _svg(table, title, ", ".join(_counts(values)), body)


def _svg(table: Versions, title: str, told: str, body: Sequence[str]) -> Markup:
    label = escape(f"{title} in {', '.join(table.versions)}: {told}")
    return Markup(
        f'<figure><svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" '
        f'aria-label="{label}">{"".join(body)}</svg><figcaption>{escape(title)}</figcaption></figure>'
    )


def _axis(table: Versions) -> str:
    """The base line, a tick a version, and the names of the first and the last."""
    ticks = "".join(f"M{_x(i, table):g} {_BOTTOM}v3" for i in range(len(table.versions)))
    names = "".join(
        f'<text x="{x}" y="{HEIGHT - 4}" text-anchor="{anchor}">{escape(name)}</text>'
        for x, anchor, name in ((2, "start", table.versions[0]), (WIDTH - 2, "end", table.versions[-1]))
    )
    return (
        f'<path d="M2 {_BOTTOM}H{WIDTH - 2}{ticks}" fill="none" stroke="currentColor" opacity=".5"/>{names}'
    )


def _mark(k: int, x: float, y: float) -> str:
    """A circle, a square, a triangle, a diamond."""
    shapes = (
        f"M{x - 3:g} {y:g}a3 3 0 1 0 6 0a3 3 0 1 0-6 0",
        f"M{x - 3:g} {y - 3:g}h6v6h-6z",
        f"M{x:g} {y - 4:g}l4 7h-8z",
        f"M{x:g} {y - 4:g}l4 4l-4 4l-4-4z",
    )
    return f'<path d="{shapes[k % 4]}" fill="currentColor"/>'


def _height(value: float | None, *, logs: bool) -> float | None:
    if value is None or not logs or not isfinite(value):
        return value
    return log10(1 + value)  # an error of nothing has a place too


def _x(i: int, table: Versions) -> float:
    steps = max(len(table.versions) - 1, 1)
    return round(_LEFT + (_RIGHT - _LEFT) * i / steps, 2)


def _y(height: float, top: float) -> float:
    return round(_BOTTOM - (_BOTTOM - _TOP) * (height / top if top else 0.0), 2)


def _unbroken(points: Sequence[tuple[float, float] | None]) -> list[list[tuple[float, float]]]:
    parts: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if point is None:
            parts.append([])
        else:
            parts[-1].append(point)
    return [part for part in parts if len(part) > 1]

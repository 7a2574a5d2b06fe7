"""Small charts: numbers in, SVG out. The only text in them is ours or escaped."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, log10

from markupsafe import Markup, escape

from xent_conformance.reports.text.numbers import NOTHING, count, ulps
from xent_conformance.reports.views.versions import Versions

WIDTH, HEIGHT = 190, 84


_LEFT, _RIGHT, _TOP, _BOTTOM = 12, 178, 10, 66


DASHES = ("none", "5 3", "2 2", "7 2 2 2")


def _counts(values: Sequence[float | None]) -> tuple[str, ...]:
    return tuple(NOTHING if v is None else count(int(v)) for v in values)


def _ulps(values: Sequence[float | None]) -> tuple[str, ...]:
    return tuple(NOTHING if v is None else ulps(v) for v in values)


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

"""The chart of what a formulation costs: a panel a formulation, a line a way, from mild to extreme logits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import log10

from markupsafe import Markup, escape

from xent_conformance.reports.text.numbers import NOTHING, ulps
from xent_conformance.reports.text.wording import cut, plural
from xent_conformance.reports.views.fair import Place
from xent_conformance.reports.views.formulations import SPECIAL, Costs, Fared
from xent_conformance.reports.views.scorecard import SMALL

_SHORT = {
    "two classes 5 to 80 apart": "5 to 80 apart",
    "the thresholds of exp": "thresholds of exp",
    "the largest numbers": "largest numbers",
}
_WIDTH, _HEIGHT, _FOOT, _LEFT, _PLOT = 654, 148, 16, 68, 584
_BANDS = (("NaN, ∞", SPECIAL, "lane", "bad"), ("lost, → 0", SMALL, "lane2", "warn"))
_BAND, _TOP, _BOTTOM = 15, 54, 134
_LOW, _HIGH = -1.0, 16.0
"""Powers of ten on the axis of errors; a smaller error lies on its foot, a larger one on its top."""
_TICKS = ((0, "1"), (8, "10⁸"), (16, "≥ 10¹⁶"))
_NAMED = 4
"""Implementations that a line names; of more it says how many."""


def magnitudes_chart(costs: Costs, apart: Mapping[Place, str]) -> Markup:
    """The panels one under the other. Ways of the same numbers are one line; a table names them all.

    ``apart``: what tells a place from others of its framework, where there are others.
    """
    body = [
        f'<g transform="translate(0,{_HEIGHT * i})">{"".join(_panel(costs, apart, formulation, i))}</g>'
        for i, formulation in enumerate(costs.formulations)
    ]
    # all panels have the same places, and their names stand under the last
    foot = _HEIGHT * len(body)
    body += [
        f'<text x="{x:.0f}" y="{foot}" class="t3" text-anchor="middle">'
        f"{escape(_SHORT.get(name, name))}</text>"
        for x, name in zip(_places(costs), costs.magnitudes, strict=True)
    ]
    label = (
        f"Worst error of the value of {costs.operator} in {costs.dtype} by magnitude of the logits, for "
        f"{', '.join(costs.formulations)} ways; the table below has the numbers"
    )
    return Markup(
        f'<svg viewBox="0 0 {_WIDTH} {foot + _FOOT}" role="img" aria-label="{escape(label)}">'
        f"{''.join(body)}</svg>"
    )


def _places(costs: Costs) -> Sequence[float]:
    number = len(costs.magnitudes)
    return [_LEFT + _PLOT * (i + 0.5) / number for i in range(number)]


def _panel(costs: Costs, apart: Mapping[Place, str], formulation: str, number: int) -> Iterable[str]:
    ways = costs.ways(formulation)
    names = sum(len(way.implementations) for way in ways)
    xs = _places(costs)
    yield f'<text x="{_LEFT}" y="12" class="t1">{escape(formulation)}</text>'
    yield _end(_LEFT + _PLOT, 12, plural(names, "implementation"), "t2")
    for k, (word, symptoms, lane, css) in enumerate(_BANDS):
        y = 17 + k * (_BAND + 2)
        yield f'<rect x="{_LEFT}" y="{y}" width="{_PLOT}" height="{_BAND}" class="{lane}"/>'
        yield _end(_LEFT - 5, y + 11, word)
        for i, x in enumerate(xs):
            hit = sum(len(w.implementations) for w in ways if (f := w.fared[i]) and f.counted(symptoms))
            if hit:
                yield f'<text x="{x:.0f}" y="{y + 12}" class="{css}" text-anchor="middle">× {hit}</text>'
    grid = "".join(f"M{_LEFT} {_y(10.0**p):.0f}h{_PLOT}" for p, _ in _TICKS)
    yield f'<path d="{grid}" class="grid"/>'
    for p, word in _TICKS:
        yield _end(_LEFT - 5, _y(10.0**p) + 3.5, word)
    alike: dict[tuple[tuple[float | None, bool], ...], list[str]] = {}
    for place, way in costs.placed(formulation):
        called = alike.setdefault(tuple(map(_point, way.fared)), [])
        called += [f"{name} ({apart[place]})" if apart[place] else name for name in way.implementations]
    for points, together in alike.items():
        yield from _line(points, together, xs, costs.magnitudes, number)


def _point(fared: Fared | None) -> tuple[float | None, bool]:
    """The error, and whether a must clause is broken there."""
    return (None, False) if fared is None else (fared.worst, bool(fared.must))


def _line(
    points: Sequence[tuple[float | None, bool]],
    names: Sequence[str],
    xs: Sequence[float],
    magnitudes: Sequence[str],
    number: int,
) -> Iterable[str]:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    told = "; ".join(
        f"{m} {NOTHING if error is None else ulps(error)}"
        for m, (error, _) in zip(magnitudes, points, strict=True)
    )
    yield f'<g class="ln f{number % 3}"><title>{escape(", ".join(names[:_NAMED]) + more)}: {told}</title>'
    at = [None if error is None else (x, _y(error)) for x, (error, _) in zip(xs, points, strict=True)]
    # a magnitude without an error interrupts the line
    path = "".join(f"{'L' if i and at[i - 1] else 'M'}{p[0]:.0f} {p[1]:.1f}" for i, p in enumerate(at) if p)
    yield f'<path d="{path}"/>'
    fine = "".join(
        f"M{p[0]:.0f} {p[1]:.1f}h0" for p, (_, bad) in zip(at, points, strict=True) if p and not bad
    )
    bad = "".join(
        f"M{p[0] - 3:.0f} {p[1] - 3:.1f}l6 6m0-6l-6 6"
        for p, (_, bad) in zip(at, points, strict=True)
        if p and bad
    )
    yield (f'<path class="pt" d="{fine}"/>' if fine else "") + (f'<path d="{bad}"/>' if bad else "")
    yield "</g>"


def _y(error: float) -> float:
    power = log10(error) if error > 0 else _LOW
    inside = min(max(power, _LOW), _HIGH)
    return _BOTTOM - (_BOTTOM - _TOP) * (inside - _LOW) / (_HIGH - _LOW)


def _end(x: float, y: float, word: str, css: str = "t3") -> str:
    return f'<text x="{x:g}" y="{y:.0f}" class="{css}" text-anchor="end">{escape(cut(word, 30))}</text>'

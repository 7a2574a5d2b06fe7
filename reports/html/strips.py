"""The chart of where the errors lie: a lane a framework and format, darker where more rows are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from markupsafe import Markup, escape

from xent_conformance.reports.text.numbers import NOTHING, count, ulps
from xent_conformance.reports.text.wording import DTYPES, cut, plural
from xent_conformance.reports.views.fair import Place
from xent_conformance.reports.views.strips import GUTTERS, Lane, Strips

BINS = ("≤ ¼", "≤ ½", "≤ 1", "≤ 2", "≤ 4", "≤ 8", "≤ 16", "≤ 32", "≤ 64", "≤ 128", "> 128")
"""Of what has a distance, in ulp."""

GONE = ("lost", "→ 0", "NaN", "∞", "none")
"""Of what has none: digits lost, flushed to zero, NaN, an infinity, no number at all."""

_GONE = ("lost", "flushed", "NaN", "∞", "none")
_LEFT, _CELL, _LINE, _TOP, _GAP = 136, 29, 17, 24, 8
_GUTTERS = _LEFT + len(BINS) * _CELL + _GAP
_MEDIAN = _GUTTERS + len(GONE) * _CELL + 44
_TRACE = "<1"
"""A few of many rows: tinted, and told in the table, but no number among those that matter."""
NAME = 21
"""Characters of a name that fit before its lane; the table has it in full."""


def share(rows: int, of: int) -> str:
    """A part in whole per cent; what is there and less than one is not nothing."""
    if not rows:
        return ""
    part = 100 * rows / of
    return f"{part:.0f}" if part >= 0.995 else _TRACE


def told(lane: Lane) -> str:
    """``≤ ¼ 35 %, ≤ ½ 60 %, flushed 5 % of 1,102 rows``: what the lane shows, in words."""
    parts = [
        f"{word} {share(rows, lane.rows)} %"
        for word, rows in zip((*BINS, *_GONE), _counts(lane), strict=True)
        if rows
    ]
    return f"{', '.join(parts)} of {plural(lane.rows, 'row')}" if parts else "none of these cases was asked"


def median(lane: Lane) -> str:
    """Of what has a distance."""
    return NOTHING if lane.median is None else ulps(lane.median)


def strips_chart(strips: Strips, names: Mapping[Place, str], short: Mapping[Place, str]) -> Markup:
    """The lanes, under one axis; the numbers in it are per cent, and each lane tells all of its own.

    ``short``: the names in ``NAME`` characters at most; one that is shortened tells the whole.
    """
    body, y = list(_axis()), _TOP + 6
    for dtype, lanes in groupby(strips.lanes, key=lambda lane: lane.dtype):
        body.append(
            f'<text x="0" y="{y + 12}" class="t1">{escape(DTYPES.get(dtype, cut(dtype, NAME)))}</text>'
        )
        for lane in lanes:
            body += _lane(lane, names[lane.place], short[lane.place], y)
            y += _LINE
        y += _GAP
    label = f"Rows of {strips.operator} by the error of their worst element; the table below has the numbers"
    return Markup(
        f'<svg viewBox="0 0 {_MEDIAN + 2} {y}" role="img" aria-label="{escape(label)}">{"".join(body)}</svg>'
    )


def _axis() -> Iterable[str]:
    yield f'<text x="{_LEFT - 6}" y="18" class="t3" text-anchor="end">ulp ≤</text>'
    yield '<g class="t3" text-anchor="middle">'
    for i, word in enumerate(BINS):
        yield _text(_LEFT + (i + 0.5) * _CELL, word.removeprefix("≤ "))
    for i, word in enumerate(GONE):
        yield _text(_GUTTERS + (i + 0.5) * _CELL, word)
    yield f'</g><text x="{_MEDIAN}" y="18" class="t3" text-anchor="end">median</text>'


def _lane(lane: Lane, name: str, short: str, y: int) -> Iterable[str]:
    """Its name, its cells and their numbers. Cells are strokes, so that those of one shade are one path."""
    yield f'<g class="on" transform="translate({_LEFT} {y + 11.5})">'
    whole = f"<title>{escape(name)}</title>" if short != name else ""
    yield f'<text x="-6" class="t2" text-anchor="end">{whole}{escape(short)}</text>'
    ends = ((0, len(BINS) * _CELL - 1), (_GUTTERS - _LEFT, len(GONE) * _CELL - 1))
    yield f'<path class="e0" d="{"".join(f"M{x} -3.5h{w}" for x, w in ends)}"/>'
    shades: dict[str, list[int]] = {}
    numbers = []
    for i, rows in enumerate(_counts(lane)):
        if rows:
            gutter = i - len(BINS)
            x = i * _CELL if gutter < 0 else _GUTTERS - _LEFT + gutter * _CELL
            css = "e1" if gutter < 0 else "e2" if gutter < 2 else "e3"
            shades.setdefault(f"{css} o{1 + round(5 * (rows / lane.rows) ** 0.5)}", []).append(x)
            if (part := share(rows, lane.rows)) != _TRACE or gutter >= 0:
                numbers.append(f'<text x="{x + _CELL // 2}">{escape(part)}</text>')
    for css, xs in shades.items():
        yield f'<path class="{css}" d="{"".join(f"M{x} -3.5h{_CELL - 1}" for x in xs)}"/>'
    yield "".join(numbers)
    yield f'<text x="{_MEDIAN - _LEFT}" class="t2" text-anchor="end">{median(lane)}</text></g>'


def _counts(lane: Lane) -> tuple[int, ...]:
    """The rows in every bin and in every gutter, in the order of the chart."""
    return (*lane.bins, *(getattr(lane, name) for name in GUTTERS))


def _text(x: float, word: str) -> str:
    return f'<text x="{x:g}" y="18">{escape(word)}</text>'


def cases_text(strips: Strips) -> str:
    """``bf16 280, f16 224``: how many cases each format was asked."""
    told: Sequence[str] = [f"{DTYPES.get(d, d)} {count(n)}" for d, n in strips.cases]
    return ", ".join(told)

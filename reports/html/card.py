"""The scorecard as the page shows it: a cell has a style class, a glyph with its word, and where it leads."""

from __future__ import annotations

from dataclasses import dataclass

from xent_conformance.reports.html.marks import cause_id
from xent_conformance.reports.run.words import Grade, Status
from xent_conformance.reports.text.numbers import count, ulps
from xent_conformance.reports.text.wording import DTYPES, joined, listed, plural, words
from xent_conformance.reports.views.scorecard import Behaviour, Cell, Scorecard


@dataclass(frozen=True)
class CellView:
    """One cell of the scorecard: style class, glyph, text, small text, where it leads, and all of it."""

    css: str
    glyph: str
    glyph_css: str
    text: str
    small: str
    link: str
    told: str


@dataclass(frozen=True)
class LineView:
    """One framework of the scorecard; ``must`` and ``should`` are numbers of causes."""

    framework: str
    about: str
    cells: tuple[CellView, ...]
    must: int
    should: int


@dataclass(frozen=True)
class Card:
    """The scorecard; ``groups`` and ``edges`` are the headings of its columns."""

    groups: tuple[tuple[str, tuple[str, ...]], ...]
    edges: tuple[tuple[str, str], ...]
    lines: tuple[LineView, ...]


def card(found: Scorecard) -> Card:
    """The scorecard in words and style classes."""
    formats = [dtype for _, dtypes in found.columns for dtype in dtypes]
    return Card(
        groups=tuple((name, tuple(DTYPES[d] for d in dtypes)) for name, dtypes in found.columns),
        edges=tuple((e.name, e.about) for e in found.edges),
        lines=tuple(
            LineView(
                framework=line.framework,
                about=" · ".join(filter(None, (line.version, line.device, line.machine))),
                cells=(
                    *(_error(cell, dtype) for cell, dtype in zip(line.cells, formats, strict=True)),
                    *(_edge(b, e.right, e.name) for b, e in zip(line.edges, found.edges, strict=True)),
                ),
                must=line.must,
                should=line.should,
            )
            for line in found.lines
        ),
    )


_SHADES = {Grade.EXACT: "g0", Grade.FAITHFUL: "g1", Grade.ACCURATE: "g2", Grade.STABLE: "g3"}
_BROKEN = {Status.BREAKS_MUST.value: ("✕", "m"), Status.BREAKS_SHOULD.value: ("▲", "s")}


def _error(cell: Cell, dtype: str) -> CellView:
    small = f"; beside it {plural(cell.small, 'row')} lost or flushed: “tiny results”" if cell.small else ""
    if not cell.implementation:
        return CellView("na", "", "", "–", "", "", f"not asked{small}")
    glyph, css = _BROKEN.get(cell.status, ("", ""))
    beside = f"; the number is within its bounds, what is wrong is: {cell.beside}" if cell.beside else ""
    text = cell.special or ulps(cell.ulps if cell.ulps is not None else float("nan"))
    return CellView(
        css=f"num {_SHADES.get(Grade(cell.grade), 'g4')}",
        glyph=glyph,
        glyph_css=css,
        text=text,
        small=joined("; ", [cell.beside, f"+{count(cell.small)} lost" if cell.small else ""]),
        link=cause_id(cell.cause) if cell.cause else "",
        told=f"{dtype}, {words(cell.grade)}: {cell.implementation}, {cell.case}{beside}{small}",
    )


def _edge(found: Behaviour, right: str, name: str) -> CellView:
    if not found.asked:
        return CellView("na", "", "", "–", "", "", f"{name}: not asked")
    if not found.broken:
        return CellView(
            "bk", "●", "k", right, "", "", f"{name}: {plural(found.asked, 'verdict')}, all conform"
        )
    must = found.level == "must"
    part = " part" if found.broken < found.asked else ""
    small = (
        f"right in {listed(found.right_in)}"
        if found.right_in
        else f"▲ {found.also} too"
        if found.also
        else ""
    )
    return CellView(
        css=f"{'bm' if must else 'bs'}{part}",
        glyph="✕" if must else "▲",
        glyph_css="m" if must else "s",
        text=found.word,
        small=small,
        link=cause_id(found.cause),
        told=f"{name}: clauses broken in {count(found.broken)} of {plural(found.asked, 'verdict')}",
    )

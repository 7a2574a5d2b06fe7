"""Which to use: operator by operator, the implementations of each framework, format by format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xent_conformance.reports.html.marks import STATUS, Mark, anchor, cause_id
from xent_conformance.reports.html.places import place_names, place_words
from xent_conformance.reports.html.section import Material, Section
from xent_conformance.reports.run.words import Status
from xent_conformance.reports.text.featured import CALLED
from xent_conformance.reports.text.numbers import NOTHING, count, ulps
from xent_conformance.reports.text.wording import dtypes_text, joined, plural
from xent_conformance.reports.views import doors
from xent_conformance.reports.views.doors import Fit, Line, Standing, Table, Wrong

_WORDS = {Status.BREAKS_MUST: "must", Status.BREAKS_SHOULD: "should", Status.CONFORMS: ""}


@dataclass(frozen=True)
class Cell:
    """One format: the worst error, the best marked; what was lost; the share that conforms, with its mark."""

    best: bool
    ulps: str
    gone: str
    mark: Mark
    share: str


@dataclass(frozen=True)
class Fault:
    """A cause: its title and its id on the page, and where, unless it is everywhere in the line."""

    mark: Mark
    title: str
    id: str
    where: str


@dataclass(frozen=True)
class DoorRow:
    """Implementations that fared alike."""

    implementations: tuple[str, ...]
    cells: tuple[Cell | None, ...]
    faults: tuple[Fault, ...]


@dataclass(frozen=True)
class Operator:
    """All implementations of one; ``standings``: by format, the frameworks side by side."""

    id: str
    operator: str
    also: str
    formula: str
    about: str
    dtypes: tuple[str, ...]
    standings: tuple[tuple[str, str], ...]
    groups: tuple[tuple[str, str, tuple[DoorRow, ...]], ...]
    """Of each framework its name, where it was asked, and its lines."""


def view(material: Material) -> tuple[Operator, ...]:
    """One for each operator of which anything was judged."""
    return tuple(_operator(t, material) for t in doors.doors(material.run))


def _operator(table: Table, material: Material) -> Operator:
    naming = material.naming
    names = place_names([there.place for there in table.frameworks], naming)
    number = sum(len(line.implementations) for there in table.frameworks for line in there.lines)
    return Operator(
        id=anchor("op", table.operator),
        operator=table.operator,
        also=CALLED.get(table.operator, ""),
        formula=material.run.header["operators"].get(table.operator, ""),
        about=plural(number, "implementation"),
        dtypes=table.dtypes,
        standings=tuple(
            (dtype, _side_by_side(found, [names[s.place] for s in found]))
            for dtype in table.dtypes
            if len(found := table.standings[dtype]) > 1
        ),
        groups=tuple(
            (
                there.place.framework,
                place_words(there.place, naming),
                tuple(_row(line, table.dtypes, material.titles) for line in there.lines),
            )
            for there in table.frameworks
        ),
    )


def _side_by_side(standings: Sequence[Standing], names: Sequence[str]) -> str:
    """``torch 0.50 · tensorflow 3.28 (2 flushed), of 18 rows each``; those of the same stand together."""
    together: dict[str, list[str]] = {}
    for standing, name in zip(standings, names, strict=True):
        together.setdefault(joined(" ", [_error(standing.fit), _bracket(standing.fit)]), []).append(name)
    told = " · ".join(f"{', '.join(same)} {error}" for error, same in together.items())
    fewest, most = (f(s.fit.ordinary for s in standings) for f in (min, max))
    # where no row was asked of all, each has its own number
    between = "" if fewest == most else f"{count(fewest)} to "
    return f"{told}, of {between}{plural(most, 'row')} each"


def _bracket(fit: Fit) -> str:
    gone = _gone(fit)
    return f"({gone})" if gone else ""


def _error(fit: Fit) -> str:
    return NOTHING if fit.worst is None else ulps(fit.worst)


def _gone(fit: Fit) -> str:
    """``6 lost, 2 flushed, 4 NaN or ∞``: ordinary rows that have no ulps here."""
    told = ((fit.lost, "lost"), (fit.flushed, "flushed"), (fit.special, "NaN or ∞"))
    return ", ".join(f"{count(number)} {word}" for number, word in told if number)


def _row(line: Line, dtypes: Sequence[str], titles: Mapping[str, str]) -> DoorRow:
    return DoorRow(
        implementations=line.implementations,
        cells=tuple(_cell(fit) for fit in line.fits),
        faults=tuple(_fault(wrong, line, dtypes, titles) for wrong in line.wrong),
    )


def _cell(fit: Fit | None) -> Cell | None:
    if fit is None:
        return None
    held = STATUS[fit.status]
    return Cell(
        best=fit.best,
        ulps=_error(fit),
        gone=_gone(fit),
        mark=Mark(held.glyph, _WORDS[fit.status], held.css),
        share=_share(fit),
    )


def _share(fit: Fit) -> str:
    """In whole per cent; 100 only where all conform, and 0 only where none does."""
    if fit.share == 1 or not fit.conforming:
        return f"{100 * fit.share:.0f} %"
    part = min(max(100 * fit.share, 1), 99)
    return f"{'> ' if fit.share > 0.99 else '< ' if fit.share < 0.01 else ''}{part:.0f} %"


def _fault(wrong: Wrong, line: Line, dtypes: Sequence[str], titles: Mapping[str, str]) -> Fault:
    held = STATUS[Status.BREAKS_MUST if wrong.must else Status.BREAKS_SHOULD]
    formats = "" if set(wrong.dtypes) == set(dtypes) else dtypes_text(wrong.dtypes)
    only = f"{', '.join(_tails(wrong.only, line))} only" if wrong.only else ""
    return Fault(
        mark=Mark(held.glyph, "must" if wrong.must else "should", held.css),
        title=titles[wrong.cause],
        id=cause_id(wrong.cause),
        where=joined(", ", [formats, only]),
    )


def _tails(names: Sequence[str], line: Line) -> Sequence[str]:
    """The ends of dotted names, where they tell those of a line apart."""
    ends = [name.rpartition(".")[2] for name in line.implementations]
    return [name.rpartition(".")[2] for name in names] if len(set(ends)) == len(ends) else names


SECTION = Section("doors", "Which to use", "doors.html", view)

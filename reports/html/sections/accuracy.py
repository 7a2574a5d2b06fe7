"""How accurate the values are: where the errors lie, and what a formulation costs by magnitude."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from xent_conformance.reports.html import strips as drawn
from xent_conformance.reports.html.magnitudes import magnitudes_chart
from xent_conformance.reports.html.marks import Mark, anchor, cause_id
from xent_conformance.reports.html.naming import Naming
from xent_conformance.reports.html.places import place_apart, place_names, place_words, short_names
from xent_conformance.reports.html.section import Material, Section
from xent_conformance.reports.html.swept import Swept, swept
from xent_conformance.reports.html.ways import mark, sentence
from xent_conformance.reports.run.words import NAIVE
from xent_conformance.reports.text.featured import CALLED, FORMULATED
from xent_conformance.reports.text.numbers import NOTHING, count, ulps
from xent_conformance.reports.text.wording import dtypes_text
from xent_conformance.reports.views import formulations, strips

LINKED = 4
"""Causes that a figure leads to, of most rows first; all of them stand under the causes."""


@dataclass(frozen=True)
class LaneRow:
    """A lane in numbers: format, framework, median, and per cent in each bin and gutter."""

    dtype: str
    name: str
    median: str
    shares: str


@dataclass(frozen=True)
class Errors:
    """Where the errors of one operator lie; ``cases``: how many all were asked."""

    id: str
    operator: str
    also: str
    chart: Markup
    cases: str
    lanes: tuple[LaneRow, ...]
    causes: tuple[tuple[str, str], ...]
    """Titles, and ids on the page."""


@dataclass(frozen=True)
class Cell:
    """The worst error that is a number, what went wrong in how many rows, and of how many."""

    ulps: str
    mark: Mark | None
    rows: str


@dataclass(frozen=True)
class WayRow:
    """A line of the table: a framework's implementations of one formulation that fared alike."""

    implementations: tuple[str, ...]
    formulation: str
    naive: bool
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Ways:
    """What the ways to compute one operator cost, in a chart, a sentence and a table."""

    id: str
    operator: str
    also: str
    dtype: str
    chart: Markup
    sentence: str
    magnitudes: tuple[str, ...]
    groups: tuple[tuple[str, str, tuple[WayRow, ...]], ...]
    """Of each framework its name, where it was asked, and its ways."""
    causes: tuple[tuple[str, str], ...]
    """Titles, and ids on the page."""


@dataclass(frozen=True)
class Accuracy:
    """``first`` of the formulations stands open; it is None where none was asked by magnitude.

    ``swept``: of what every number was asked.
    """

    errors: tuple[Errors, ...]
    first: Ways | None
    others: tuple[Ways, ...]
    swept: tuple[Swept, ...]


def view(material: Material) -> Accuracy:
    """The figures of this run; a run without a value that was judged has none of them."""
    run, naming = material.run, material.naming
    ways = [_ways(costs, naming, material.titles) for costs in formulations.costs(run)]
    first = next((w for w in ways if w.operator == FORMULATED), ways[0] if ways else None)
    return Accuracy(
        errors=tuple(_errors(found, naming, material.titles) for found in strips.strips(run)),
        first=first,
        others=tuple(w for w in ways if w is not first),
        swept=swept(material.extras.sweeps),
    )


def _errors(found: strips.Strips, naming: Naming, titles: Mapping[str, str]) -> Errors:
    places = list(dict.fromkeys(lane.place for lane in found.lanes))
    names = place_names(places, naming)
    return Errors(
        id=anchor("err", found.operator),
        operator=found.operator,
        also=CALLED.get(found.operator, ""),
        chart=drawn.strips_chart(found, names, short_names(places, naming, drawn.NAME)),
        cases=drawn.cases_text(found),
        lanes=tuple(
            LaneRow(
                dtype=dtypes_text([lane.dtype]),
                name=names[lane.place],
                median=drawn.median(lane),
                shares=drawn.told(lane),
            )
            for lane in found.lanes
        ),
        causes=_links(found.causes, titles),
    )


def _ways(costs: formulations.Costs, naming: Naming, titles: Mapping[str, str]) -> Ways:
    return Ways(
        id=anchor("cost", costs.operator),
        operator=costs.operator,
        also=CALLED.get(costs.operator, ""),
        dtype=costs.dtype,
        chart=magnitudes_chart(costs, place_apart([group.place for group in costs.groups], naming)),
        sentence=sentence(costs),
        magnitudes=costs.magnitudes,
        groups=tuple(
            (
                group.place.framework,
                place_words(group.place, naming),
                tuple(
                    WayRow(
                        way.implementations,
                        way.formulation,
                        way.formulation == NAIVE,
                        tuple(_cell(fared) for fared in way.fared),
                    )
                    for way in group.ways
                ),
            )
            for group in costs.groups
        ),
        causes=_links(costs.causes, titles),
    )


def _cell(fared: formulations.Fared | None) -> Cell:
    if fared is None:
        return Cell("not asked", None, "")
    broken = fared.must or fared.should
    return Cell(
        ulps=NOTHING if fared.worst is None else ulps(fared.worst),
        mark=mark(fared),
        rows=f"of {count(fared.rows)}" if broken else "",
    )


def _links(causes: Sequence[str], titles: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((titles[cause], cause_id(cause)) for cause in causes[:LINKED])


SECTION = Section("accuracy", "Accuracy", "accuracy.html", view)

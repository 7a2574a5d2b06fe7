"""The table of statuses before and now, for the page of a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xent_conformance.reports.html.marks import STATUS, Mark
from xent_conformance.reports.run.words import Status
from xent_conformance.reports.text.numbers import count
from xent_conformance.reports.views.comparison import Transition


@dataclass(frozen=True)
class Cell:
    """Pairs of one status before and one now; ``css`` and ``word`` say on which side it stands."""

    number: str
    word: str
    css: str


@dataclass(frozen=True)
class TableRow:
    """What the pairs of one status before have become."""

    mark: Mark
    cells: tuple[Cell, ...]
    total: str


@dataclass(frozen=True)
class Table:
    """Statuses before downwards, the same statuses now across; ``total`` pairs."""

    columns: tuple[Mark, ...]
    rows: tuple[TableRow, ...]
    totals: tuple[str, ...]
    total: str


def table(transitions: Sequence[Transition]) -> Table:
    """The statuses that there are, better ones first: the upper right half is then the worse one."""
    found = {(t.before, t.now): t.count for t in transitions}
    there = {status for pair in found for status in pair}
    order = [status for status in sorted(Status, key=lambda s: s.rank) if status in there]

    def number(before: Status, now: Status) -> int:
        return found.get((before, now), 0)

    return Table(
        columns=tuple(STATUS[now] for now in order),
        rows=tuple(
            TableRow(
                STATUS[before],
                tuple(_cell(now.rank - before.rank, number(before, now)) for now in order),
                count(sum(number(before, now) for now in order)),
            )
            for before in order
        ),
        totals=tuple(count(sum(number(before, now) for before in order)) for now in order),
        total=count(sum(found.values())),
    )


def _cell(worse: int, number: int) -> Cell:
    if not number:
        return Cell("0", "", "q m" if worse > 0 else "q")
    if worse > 0:
        return Cell(count(number), "▼ worse", "m")
    return Cell(count(number), "▲ better", "k") if worse < 0 else Cell(count(number), "", "")

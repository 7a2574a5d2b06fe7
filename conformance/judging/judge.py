"""Grade outputs of batches against their certified enclosures and their bounds: many at once, in columns.

The rows of all that is judged at a time are laid one behind the other, element by element, and every step
is taken once for all of them: batches are small, and a step costs more than the few numbers in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from xent_conformance.cases.case import Case
from xent_conformance.judging.bits import Bits, bits_of_rows
from xent_conformance.judging.measure import end_to_end, laid_out, measure, worst
from xent_conformance.judging.numbered import LEVELS, ONE_CLASS, STATUSES, Codes, numbers, rules
from xent_conformance.judging.yardstick import Mask, Measure, Yardstick
from xent_conformance.reference.clauses import Level
from xent_conformance.reference.documented import documented
from xent_conformance.reference.formats import Floats, Ints
from xent_conformance.reference.oracle import Truth
from xent_conformance.reports.run.words import SYMPTOMS, Status, Symptom

AT_ONCE = 2**16
"""So many elements are measured at a time, at most: what they are measured with fits a processor's cache."""


@dataclass(frozen=True)
class Graded:
    """A verdict a row, as columns: how accurate, whether right, by which clause, and the worst element.

    ``clause`` is the clause that is broken, or else the clause that was tested. ``ulps`` is the
    error of the worst element (infinite for a wrong special value), ``ratio`` its share of the
    stable bound, ``index`` its place in the row. The exact value is ``(hi + lo)·2**exponent``.
    Words are numbers: see :mod:`.numbered`.
    """

    grade: Codes
    status: Codes
    symptom: Codes
    clause: Codes
    ulps: Floats
    ratio: Floats
    index: Ints
    got: Floats
    hi: Floats
    lo: Floats
    exponent: Ints
    rounded: Floats
    bits: Bits

    def __getitem__(self, rows: Any) -> Self:
        return type(self)(*(getattr(self, f.name)[rows] for f in fields(self)))


@dataclass(frozen=True)
class Returned:
    """Some rows of one output: what came back, ``(rows, ...)``, and row by row what it is judged by.

    ``rows`` are the places of the rows in the batch, or None for all of them, in their order.
    """

    yardstick: Yardstick
    got: NDArray[Any]
    tested: Codes
    undecided: Mask
    rows: Ints | None = None

    def of(self, part: NDArray[Any]) -> NDArray[Any]:
        """These rows of an array of the batch."""
        return part if self.rows is None else part[self.rows]

    def in_parts(self) -> Iterator[Returned]:
        """Itself, or in parts of whole rows that can be measured at once."""
        size = max(1, AT_ONCE // max(1, self.yardstick.elements))
        if len(self.tested) <= size:
            yield self
            return
        rows = np.arange(len(self.tested)) if self.rows is None else self.rows
        for start in range(0, len(rows), size):
            part = slice(start, start + size)
            yield Returned(self.yardstick, self.got, self.tested[part], self.undecided[part], rows[part])


class Judge:
    """Judges any number of answers to one batch; what they are measured with is made once."""

    def __init__(self, truth: Truth, measure: Measure = Yardstick.of) -> None:
        """``measure``: makes what an output is measured with, or has it already."""
        self.truth, self._measure = truth, measure
        self._yardsticks: dict[str, Yardstick] = {}
        self._documented: dict[str, Judge | None] = {}

    def documented(self, name: str) -> Judge | None:
        """The judge of a documented definition (SPEC.md 5.11), where it says something of this batch."""
        if name not in self._documented:
            found = documented(name, self.truth.inputs)
            self._documented[name] = None if found is None else Judge(found)
        return self._documented[name]

    def ulp_exponents(self, output: str) -> NDArray[np.int32]:
        """``k`` of every element: an ulp of its exact value is ``2**k``."""
        return self.yardstick(output).k

    def yardstick(self, output: str) -> Yardstick:
        """What an output is measured with."""
        if output not in self._yardsticks:
            self._yardsticks[output] = self._measure(self.truth, output)
        return self._yardsticks[output]

    def returned(self, tested: Codes, output: str, got: NDArray[Any], rows: Ints | None) -> Returned:
        """What came back, to be judged: each of ``rows``, or of all, by the clause that it tests.

        Raises ValueError where its rows do not have as many elements as the reference.
        """
        yardstick, undecided = self.yardstick(output), self.truth.certified.undecided
        elements = got[:1].size
        if elements != yardstick.elements:
            raise ValueError(f"{output} has {elements} elements a row, the reference {yardstick.elements}")
        chosen = undecided if rows is None else undecided[rows]
        return Returned(yardstick, got, tested, chosen, rows)

    def verdicts(self, cases: Sequence[Case], output: str, got: NDArray[Any]) -> Graded:
        """A verdict for each of ``cases``.

        ``got`` is what was returned, ``(rows, ...)``: row ``case.row`` answers the case. Raises
        ValueError where its rows do not have as many elements as the reference.
        """
        rows = np.array([case.row for case in cases], dtype=np.int64)
        tested = numbers(tuple(case.clause_of(output) for case in cases))
        return graded([self.returned(tested, output, got, rows)])


def graded(returned: Iterable[Returned]) -> Graded:
    """A verdict for each row of all that was returned, in its order."""
    found: list[Graded] = []
    waiting: list[Returned] = []
    size = 0
    for part in (part for each in returned for part in each.in_parts()):
        elements = len(part.tested) * part.yardstick.elements
        if waiting and size + elements > AT_ONCE:
            found.append(_pass(waiting))
            waiting, size = [], 0
        waiting.append(part)
        size += elements
    if waiting:
        found.append(_pass(waiting))
    return Graded(*(end_to_end([getattr(each, f.name) for each in found]) for f in fields(Graded)))


def _pass(returned: Sequence[Returned]) -> Graded:
    """One pass over every element. Rows of one length stand together while it lasts."""
    order = sorted(range(len(returned)), key=lambda i: returned[i].yardstick.elements)
    parts = [returned[i] for i in order]
    tested = end_to_end([p.tested for p in parts])
    elements = laid_out([(p.yardstick, p.rows, p.got) for p in parts])
    exactly = tested == rules().number(ONE_CLASS)
    if exactly.any():
        elements.allow_nothing(exactly)
    measured = measure(elements)
    index = worst(elements, measured, rules().weight[tested])
    at = elements.starts + index
    symptom = measured.symptom[at]
    status, clause = _judged(tested, symptom, end_to_end([p.undecided for p in parts]))
    found = Graded(
        grade=measured.grade[at],
        status=status,
        symptom=symptom,
        clause=clause,
        ulps=measured.ulps[at],
        ratio=measured.ratio(elements, at),
        index=index,
        got=elements.got[at],
        rounded=elements.rounded[at],
        bits=end_to_end([bits_of_rows(p.of(p.got)) for p in parts]),
        **_exact(parts, index),
    )
    if order == list(range(len(order))):
        return found
    return found[np.argsort(np.repeat(order, [len(p.tested) for p in parts]), kind="stable")]


def _exact(parts: Sequence[Returned], index: Ints) -> dict[str, NDArray[Any]]:
    """The exact values of the elements that decide the rows."""
    found: dict[str, list[NDArray[Any]]] = {"hi": [], "lo": [], "exponent": []}
    start = 0
    for p in parts:
        stop = start + len(p.tested)
        place = np.arange(len(p.tested)) if p.rows is None else p.rows, index[start:stop]
        for name, column in found.items():
            column.append(getattr(p.yardstick.exact, name)[place])
        start = stop
    return {name: end_to_end(column) for name, column in found.items()}


_OPEN = LEVELS.index(Level.OPEN)
_NONE = SYMPTOMS.index(Symptom.NONE)


def _judged(tested: Codes, symptom: Codes, undecided: Mask) -> tuple[Codes, Codes]:
    """Whether each row is right, and the clause that is broken, or else the one that was tested."""
    r = rules()
    clause = r.broken[tested, symptom]
    status = r.status[clause]
    for which, what in (
        (symptom == _NONE, Status.CONFORMS),
        (r.level[tested] == _OPEN, Status.OPEN),
        (undecided, Status.UNDECIDED),
    ):
        status[which] = STATUSES.index(what)
        clause[which] = tested[which]
    return status, clause

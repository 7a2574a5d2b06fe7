"""Framework against framework: the largest distance between any two answers to the same element.

Measured in ulps of the exact value, while a run goes on: what a framework answered to a batch is kept
until the last one has answered it (:mod:`.shelf`), and in the journal as well (:class:`Measured`), so that a
resumed run measures what an uninterrupted one does. Naive formulations are controls and do not take part, nor
do cases whose clause is open, where answers differ for good reasons.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any

import polars as pl

from xent_conformance.asking.answer import Answer
from xent_conformance.cases.case import Batch
from xent_conformance.frameworks.interface import Array
from xent_conformance.judging.judge import Judge
from xent_conformance.reference.clauses import Level, clause
from xent_conformance.reference.operators import MOVING
from xent_conformance.running.apart import Answered, Farthest, farthest
from xent_conformance.running.shelf import Shelf

ANSWERS: dict[str, pl.DataType] = {
    "batch": pl.String(),
    "output": pl.String(),
    "framework": pl.String(),
    "implementation": pl.String(),
    "mode": pl.String(),
    "device": pl.String(),
    "dtype": pl.String(),
    "elements": pl.Int64(),  # of a row
    "returned": pl.Binary(),  # all rows, in the bits that came
    "there": pl.Binary(),  # a byte a row: whether it takes part
}
"""The columns of what was answered and is still to be compared with others."""

_SIDES = ("framework", "device")
_KEY = ("operator", "output", "dtype", *(f"{name}_{letter}" for letter in "ab" for name in _SIDES))
"""Of a distance: what it is the largest of."""

_AMONG_EQUALS = ("case", "index", "implementation_a", "mode_a", "implementation_b", "mode_b")
"""The first of equal distances counts, in the order of these: whoever was the faster to answer."""

_Row = tuple[str, Answered]
"""An output with what somebody answered to it."""


@dataclass(frozen=True)
class Measured:
    """What a journal keeps: ``answers`` in the columns of :data:`ANSWERS`, and ``largest`` distances."""

    answers: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=ANSWERS))
    largest: Sequence[Mapping[str, Any]] = ()


@dataclass
class Distances:
    """The largest distance found for each operator, output, format and pair of answerers' frameworks."""

    shelf: Shelf = field(default_factory=Shelf)
    """What was answered, by batch, and is still to be compared."""
    largest: dict[tuple[str, ...], dict[str, Any]] = field(default_factory=dict)
    _new: dict[str, list[_Row]] = field(default_factory=lambda: defaultdict(list))
    """By batch, what no journal has yet."""
    _larger: set[tuple[str, ...]] = field(default_factory=set)

    def add(self, batch: Batch, judge: Judge, answer: Answer, target: Mapping[str, str]) -> None:
        """Keep an answer until other frameworks, and other devices, have answered the batch too."""
        if target["formulation"] == "naive":
            return
        question = answer.question
        who = target["framework"], question.implementation, question.mode, target["device"]
        for output, got in answer.results.items():
            if output in question.outputs and output not in MOVING:
                answered = _answered(who, batch, judge, answer, output, got)
                if answered is not None:
                    self._keep(batch.id, output, answered)
                    self._new[batch.id].append((output, answered))

    def forget(self, batch: Batch, judge: Callable[[], Judge], *, missed: bool = False) -> None:
        """Nobody is to answer the batch any more: what was answered is compared, and goes.

        ``missed``: somebody may, when the run is resumed. ``judge``: of the batch, where it is needed.
        """
        by_output: dict[str, list[Answered]] = defaultdict(list)
        for output, answered in self.shelf.taken(batch.id):
            by_output[output].append(answered)
        for output, answers in by_output.items():
            if len({answered.side for answered in answers}) > 1:
                for found in farthest(answers, judge().ulp_exponents(output).ravel()):
                    self._enter(_told(batch, output, found))
        if not missed:
            self._new.pop(batch.id, None)

    def taken(self) -> Measured:
        """What is new since it was taken before."""
        columns = attrgetter(*(f.name for f in fields(Answered)))
        rows = [(batch, output, *columns(a)) for batch, every in self._new.items() for output, a in every]
        new = Measured(
            pl.DataFrame(rows, schema=ANSWERS, orient="row"),
            [self.largest[key] for key in sorted(self._larger)],
        )
        self._new.clear()
        self._larger.clear()
        return new

    def restore(self, kept: Iterable[Measured]) -> None:
        """Go on with what was taken from an interrupted run."""
        for measured in kept:
            for found in measured.largest:
                self._enter(dict(found))
            for batch, output, *columns in measured.answers.iter_rows():
                self._keep(batch, output, Answered(*columns))
        self._larger.clear()

    @property
    def waiting(self) -> list[str]:
        """The batches that somebody has answered, and somebody has not."""
        return list(self.shelf)

    def listed(self) -> list[dict[str, Any]]:
        """The distances as a run file carries them, in a fixed order."""
        return [self.largest[key] for key in sorted(self.largest)]

    def _keep(self, batch: str, output: str, answered: Answered) -> None:
        self.shelf.add(batch, (output, answered), len(answered.returned) + len(answered.there))

    def _enter(self, found: dict[str, Any]) -> None:
        """Keep it, if it is the larger, whichever was found first."""
        key = tuple(found[name] for name in _KEY)
        known = self.largest.get(key)
        if known is None or _rank(found) < _rank(known):
            self.largest[key] = found
            self._larger.add(key)


def _rank(found: Mapping[str, Any]) -> tuple[Any, ...]:
    return (-found["ulps"], *(found[name] for name in _AMONG_EQUALS))


def _answered(
    who: tuple[str, str, str, str], batch: Batch, judge: Judge, answer: Answer, output: str, got: Array
) -> Answered | None:
    """None where it cannot be compared: another shape than the exact values have."""
    exact = judge.truth.enclosure(output)
    if got.ndim == 0 or got.size != exact.hi.size or not got.size:
        return None
    there = bytearray(_closed(batch.clauses_of(output)))
    for row in answer.failures.get(output, {}):
        there[row] = False
    return Answered(*who, got.dtype.name, exact.hi.shape[1], got.tobytes(), bytes(there))


@functools.lru_cache(maxsize=64)
def _closed(clauses: tuple[str, ...]) -> bytes:
    """A byte for each: whether all are to answer the same by it."""
    return bytes(clause(number).level is not Level.OPEN for number in clauses)


def _told(batch: Batch, output: str, found: Farthest) -> dict[str, Any]:
    """A distance as a run file has it."""
    row, index = divmod(found.place, found.a.elements)
    of = {"operator": batch.operator, "output": output, "dtype": batch.inputs.format.name}
    sides = {
        f"{name}_{letter}": told
        for letter, side in (("a", found.a), ("b", found.b))
        for name, told in (
            ("framework", side.framework),
            ("implementation", side.implementation),
            ("mode", side.mode),
            ("device", side.device),
            ("got", side.got(found.place)),
        )
    }
    return {**of, "ulps": found.ulps, **sides, "case": batch.cases[row].id, "index": index}

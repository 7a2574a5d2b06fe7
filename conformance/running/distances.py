"""Framework against framework: the largest distance between any two answers to the same element.

Measured in ulps of the exact value, while a run goes on: what a framework answered to a batch is kept
until the last one has answered it, and in the journal as well (:class:`Measured`), so that a resumed run
measures what an uninterrupted one does. Naive formulations are controls and do not take part, nor do cases
whose clause is open, where answers differ for good reasons.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from xent_conformance.asking.asker import Answer
from xent_conformance.cases.case import Batch
from xent_conformance.frameworks.interface import Array, dtype_of
from xent_conformance.judging.judge import Judge
from xent_conformance.reference.clauses import Level, clause
from xent_conformance.reference.formats import Floats
from xent_conformance.reference.operators import MOVING

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


@dataclass(frozen=True)
class Answerer:
    """Who answered."""

    framework: str
    implementation: str
    mode: str
    device: str


@dataclass(frozen=True)
class _Answered:
    who: Answerer
    returned: Array
    """``(rows, elements)`` in the dtype that came: many are kept; NaN too where a row has no answer."""
    there: Array

    @property
    def values(self) -> Floats:
        return self.returned.astype(np.float64)


@dataclass(frozen=True)
class Measured:
    """What a journal keeps: ``answers`` in the columns of :data:`ANSWERS`, and ``largest`` distances."""

    answers: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=ANSWERS))
    largest: Sequence[Mapping[str, Any]] = ()


@dataclass
class Distances:
    """The largest distance found for each operator, output, format and pair of answerers' frameworks."""

    largest: dict[tuple[str, ...], dict[str, Any]] = field(default_factory=dict)
    _held: dict[str, dict[str, list[_Answered]]] = field(default_factory=lambda: defaultdict(dict))
    _new: dict[str, list[tuple[str, _Answered]]] = field(default_factory=lambda: defaultdict(list))
    """By batch, outputs that nothing is kept of yet."""
    _larger: set[tuple[str, ...]] = field(default_factory=set)

    def add(self, batch: Batch, judge: Judge, answer: Answer, target: Mapping[str, str]) -> None:
        """Compare an answer with those that other frameworks, or other devices, gave to the batch."""
        if target["formulation"] == "naive":
            return
        who = Answerer(
            target["framework"], answer.question.implementation, answer.question.mode, target["device"]
        )
        for output, got in answer.results.items():
            answered = self._answered(who, batch, judge, answer, output, got)
            if answered is None:
                continue
            others = self._held[batch.id].setdefault(output, [])
            for other in others:
                if _comparable(who, other.who):
                    self._compare(batch, judge, output, other, answered)
            others.append(answered)
            self._new[batch.id].append((output, answered))

    def forget(self, batch: str, *, missed: bool = False) -> None:
        """Nobody is to answer the batch any more; ``missed``: somebody may, when the run is resumed."""
        self._held.pop(batch, None)
        if not missed:
            self._new.pop(batch, None)

    def taken(self) -> Measured:
        """What is new since it was taken before."""
        rows = [
            (batch, output, *_columns(answered))
            for batch, every in self._new.items()
            for output, answered in every
        ]
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
                self._held[batch].setdefault(output, []).append(_answered_of(*columns))
        self._larger.clear()

    @property
    def waiting(self) -> list[str]:
        """The batches that somebody has answered, and somebody has not."""
        return list(self._held)

    def listed(self) -> list[dict[str, Any]]:
        """The distances as a run file carries them, in a fixed order."""
        return [self.largest[key] for key in sorted(self.largest)]

    def _answered(
        self, who: Answerer, batch: Batch, judge: Judge, answer: Answer, output: str, got: Array
    ) -> _Answered | None:
        if output not in answer.question.outputs or output in MOVING:
            return None
        exact = judge.truth.enclosure(output)
        if got.ndim == 0 or got.size != exact.hi.size or not got.size:
            return None
        closed = [clause(case.clause_of(output)).level is not Level.OPEN for case in batch.cases]
        failed = answer.failures.get(output, {})
        there = np.array([ok and row not in failed for row, ok in enumerate(closed)])
        return _Answered(who, got.reshape(exact.hi.shape), there)

    def _compare(self, batch: Batch, judge: Judge, output: str, a: _Answered, b: _Answered) -> None:
        with np.errstate(all="ignore"):
            apart = np.ldexp(np.abs(a.values - b.values), -judge.ulp_exponents(output))
        apart = np.where((a.there & b.there)[:, None] & np.isfinite(apart), apart, 0.0)
        place = int(np.argmax(apart))
        row, index = divmod(place, apart.shape[1])
        ulps = float(apart[row, index])
        first, second = sorted((a, b), key=lambda side: (side.who.framework, side.who.device))
        operator, dtype = batch.operator, batch.inputs.format.name
        found: dict[str, Any] = {"operator": operator, "output": output, "dtype": dtype, "ulps": ulps}
        for letter, side in (("a", first), ("b", second)):
            found |= {
                f"framework_{letter}": side.who.framework,
                f"implementation_{letter}": side.who.implementation,
                f"mode_{letter}": side.who.mode,
                f"device_{letter}": side.who.device,
                f"got_{letter}": float(side.values[row, index]),
            }
        self._enter(found | {"case": batch.cases[row].id, "index": index})

    def _enter(self, found: dict[str, Any]) -> None:
        """Keep it, if it is the larger, whichever was found first."""
        key = tuple(found[name] for name in _KEY)
        known = self.largest.get(key)
        if known is None or _rank(found) < _rank(known):
            self.largest[key] = found
            self._larger.add(key)


def _rank(found: Mapping[str, Any]) -> tuple[Any, ...]:
    return (-found["ulps"], *(found[name] for name in _AMONG_EQUALS))


def _columns(a: _Answered) -> tuple[Any, ...]:
    who, returned = a.who, a.returned
    told = (who.framework, who.implementation, who.mode, who.device, returned.dtype.name)
    return (*told, returned.shape[1], returned.tobytes(), a.there.tobytes())


def _answered_of(
    framework: str,
    implementation: str,
    mode: str,
    device: str,
    dtype: str,
    elements: int,
    returned: bytes,
    there: bytes,
) -> _Answered:
    rows = np.frombuffer(returned, dtype_of(dtype)).reshape(-1, elements)
    who = Answerer(framework, implementation, mode, device)
    return _Answered(who, rows, np.frombuffer(there, np.bool_))


def _comparable(a: Answerer, b: Answerer) -> bool:
    """Two frameworks on plain devices, or one door of one framework on two devices."""
    if a.framework != b.framework:
        return "[" not in a.device and "[" not in b.device
    return a.device != b.device and (a.implementation, a.mode) == (b.implementation, b.mode)

"""Framework against framework: the largest distance between any two answers to the same element.

Measured in ulps of the exact value, while a run goes on: what a framework answered to a batch is kept
until the last one has answered it. Naive formulations are controls and do not take part, nor do cases
whose clause is open, where answers differ for good reasons.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from xent_conformance.asking.asker import Answer
from xent_conformance.cases.case import Batch
from xent_conformance.frameworks.interface import Array
from xent_conformance.judging.judge import Judge
from xent_conformance.reference.clauses import Level, clause
from xent_conformance.reference.formats import Floats
from xent_conformance.reference.operators import MOVING


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


@dataclass
class Distances:
    """The largest distance found for each operator, output, format and pair of answerers' frameworks."""

    largest: dict[tuple[str, ...], dict[str, Any]] = field(default_factory=dict)
    _held: dict[str, dict[str, list[_Answered]]] = field(default_factory=lambda: defaultdict(dict))

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

    def forget(self, batch: Batch) -> None:
        """Everybody has answered the batch."""
        self._held.pop(batch.id, None)

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
        sides = (first.who.framework, first.who.device, second.who.framework, second.who.device)
        known = self.largest.get((operator, output, dtype, *sides))
        if known is not None and known["ulps"] >= ulps:
            return
        found: dict[str, Any] = {"operator": operator, "output": output, "dtype": dtype, "ulps": ulps}
        for letter, side in (("a", first), ("b", second)):
            found |= {
                f"framework_{letter}": side.who.framework,
                f"implementation_{letter}": side.who.implementation,
                f"mode_{letter}": side.who.mode,
                f"device_{letter}": side.who.device,
                f"got_{letter}": float(side.values[row, index]),
            }
        self.largest[operator, output, dtype, *sides] = found | {
            "case": batch.cases[row].id,
            "index": index,
        }


def _comparable(a: Answerer, b: Answerer) -> bool:
    """Two frameworks on plain devices, or one door of one framework on two devices."""
    if a.framework != b.framework:
        return "[" not in a.device and "[" not in b.device
    return a.device != b.device and (a.implementation, a.mode) == (b.implementation, b.mode)

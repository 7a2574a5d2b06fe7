"""Targeted search for the worst input of one implementation. It explores; it never gates.

Hypothesis draws rows and is told to climb; the worst row is then simplified element by element for as
long as it stays as bad. What comes out is called *worst found*: a maximum over what was tried.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from xent_conformance.asking.connection import Connection
from xent_conformance.asking.process import connect
from xent_conformance.cases.case import Ask, Batch
from xent_conformance.cases.profile import Profile
from xent_conformance.discovery.framework import FRAMEWORKS, Seat
from xent_conformance.discovery.names import UnknownName, check_name
from xent_conformance.discovery.seats import as_they_are
from xent_conformance.frameworks.interface import Question
from xent_conformance.judging.judge import Judge
from xent_conformance.judging.rows import asked_and_judged
from xent_conformance.reference.formats import FORMATS, Floats
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.reference.oracle import Oracle

WRONG_SPECIAL = 5000.0
"""The score of a NaN or an infinity where something else is right: above any error in ulps."""


@dataclass(frozen=True)
class Target:
    """What is searched."""

    seat: Seat
    implementation: str
    operator: str
    output: str
    dtype: str
    mode: str
    n: int


@dataclass(frozen=True)
class Found:
    """The worst row found: its inputs, its verdict as a row of a run file, and how many were tried."""

    inputs: Inputs
    verdict: Mapping[str, Any]
    tried: int


def search_target(
    implementation: str,
    operator: str | None,
    output: str,
    dtype: str,
    mode: str | None,
    n: int,
    interpreters: Mapping[str, str] | None = None,
) -> Target:
    """What ``conformance search`` is asked for, every name checked.

    ``interpreters``: by framework, the Python that has it, where it is not ours.
    """
    dtype = check_name("dtype", dtype, FORMATS)
    if operator is not None:
        operator = check_name("operator", operator, OPERATORS)
    implementation = check_name(
        "implementation",
        implementation,
        [i.name for f in FRAMEWORKS.values() for i in f.declaration.implementations],
    )
    for framework in FRAMEWORKS.values():
        for i in framework.declaration.implementations:
            if i.name == implementation and operator in (None, i.operator):
                if OPERATORS[i.operator].layered:
                    raise UnknownName(f"{i.operator} is of a layer, and what is searched for are rows")
                seat = next(as_they_are(framework), Seat(framework)).run_by(
                    (interpreters or {}).get(framework.name)
                )
                modes = seat.modes(Profile.FULL)
                mode = check_name("mode", mode or modes[0], modes)
                offered = OPERATORS[i.operator].outputs if framework.declaration.autodiff else ("value",)
                output = check_name("output", output, offered)
                return Target(seat, i.name, i.operator, output, dtype, mode, n)
    raise UnknownName(f"{implementation} does not compute {operator} (`conformance list implementations`)")


def search(target: Target, seconds: float, *, progress: Callable[[int, float], None] | None = None) -> Found:
    """Search for ``seconds``, simplify, and return the worst row found.

    Raises ImportError if Hypothesis is not installed.
    """
    from hypothesis import HealthCheck, Phase, given, seed, settings
    from hypothesis import target as climb

    from xent_conformance.cases.strategies import rows

    connection = connect(target.seat)
    try:
        probe = _Probe(target, connection)
        deadline = time.monotonic() + seconds
        for turn in _turns(deadline):

            @seed(turn)
            @settings(
                max_examples=100,
                deadline=None,
                database=None,
                phases=(Phase.generate, Phase.target),
                suppress_health_check=list(HealthCheck),
            )
            @given(rows(target.operator, FORMATS[target.dtype], target.n))
            def explore(inputs: Inputs) -> None:
                climb(probe.score(inputs))

            explore()
            if progress:
                progress(probe.tried, probe.best_score)
        return probe.simplified()
    finally:
        connection.close()


def _turns(deadline: float) -> Iterator[int]:
    """0, 1, 2, … until the deadline; at least one."""
    turn = 0
    while turn == 0 or time.monotonic() < deadline:
        yield turn
        turn += 1


class _Probe:
    """Scores rows and remembers the worst."""

    def __init__(self, target: Target, connection: Connection) -> None:
        self._target = target
        self._connection = connection
        self._oracle = Oracle()
        self.tried = 0
        self.best_score = -1.0
        self._best: tuple[Inputs, Mapping[str, Any]] | None = None

    def score(self, inputs: Inputs) -> float:
        """``log2(1 + ulps)`` of the row, or :data:`WRONG_SPECIAL`; the worst so far is kept."""
        verdict = self._verdict(inputs)
        ulps = verdict["ulps"]
        special = verdict["grade"] in ("wrong_special", "none")
        score = WRONG_SPECIAL if special else float(np.log2(1.0 + min(ulps, 1e308)))
        self.tried += 1
        if score > self.best_score:
            self.best_score, self._best = score, (inputs, verdict)
        return score

    def _verdict(self, inputs: Inputs) -> Mapping[str, Any]:
        t = self._target
        labels = inputs.labels[0] if inputs.labels.size else None
        batch = Batch("found", inputs, (Ask("worst", inputs.logits[0], "1.1", labels),))
        question = Question(t.implementation, t.operator, t.mode, "cpu", (t.output,))
        judge = Judge(self._oracle.truth(inputs))
        (row,) = asked_and_judged(t.seat, self._connection, batch, [question], judge).rows()
        return row

    def simplified(self) -> Found:
        """The worst row with every element made as plain as it can be while staying as bad."""
        assert self._best is not None, "at least one turn was run"
        best, wanted = self._best[0], self.best_score * (1 - 1e-3)
        for field in ("logits", "cotangent"):
            for i in range(getattr(best, field).shape[1]):
                for plain in _plainer(float(getattr(best, field)[0, i])):
                    changed = _with(best, field, i, plain)
                    if changed is not None and self.score(changed) >= wanted:
                        best = changed
                        break
        return Found(best, self._verdict(best), self.tried)


def _plainer(x: float) -> Iterator[float]:
    """Simpler numbers to try in place of ``x``, plainest first."""
    for candidate in (0.0, 1.0, -1.0, float(round(x)) if abs(x) < 1e15 else x, round(x * 16) / 16):
        if candidate != x:
            yield candidate


def _with(inputs: Inputs, field: str, i: int, value: float) -> Inputs | None:
    """The inputs with one number replaced; None where the operator or the format has no such number."""
    if (field == "cotangent" and value == 0) or (inputs.definition.within_unit and not 0 < value < 1):
        return None
    row: Floats = getattr(inputs, field).copy()
    row[0, i] = value
    if float(inputs.format.nearest(np.array(value))) != value:
        return None
    return replace(inputs, logits=row) if field == "logits" else replace(inputs, cotangent=row)

"""Answers become verdicts: columns of the run file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from xent_conformance.asking.answer import Answer, Failure
from xent_conformance.asking.asker import ask
from xent_conformance.asking.connection import Connection
from xent_conformance.cases.case import Batch
from xent_conformance.discovery.framework import Seat
from xent_conformance.frameworks.interface import Question
from xent_conformance.judging.bits import bits_of_all
from xent_conformance.judging.columns import Columns, Shared
from xent_conformance.judging.judge import Judge, Returned, graded
from xent_conformance.judging.numbered import (
    DECLARED,
    LEVELS,
    OFFERED,
    OUTCOMES,
    RESULT,
    STATUSES,
    Codes,
    numbers,
    rules,
)
from xent_conformance.judging.repeated import charge_repeated, charge_unwritten
from xent_conformance.reference.clauses import Level
from xent_conformance.reference.documented import DEFINITIONS
from xent_conformance.reference.formats import Ints
from xent_conformance.reports.run.words import FAULTS, GRADES, SYMPTOMS, Grade, Outcome, Status, Symptom

_SYMPTOM = {
    Outcome.RETURNED: Symptom.WRONG_SHAPE,
    Outcome.RAISED: Symptom.RAISED,
    Outcome.REFUSED: Symptom.REFUSED,
    Outcome.CRASHED: Symptom.CRASHED,
    Outcome.TIMED_OUT: Symptom.TIMED_OUT,
}

_FAULTS = [STATUSES.index(Status(status)) for status in FAULTS]
_NO_NUMBER = [SYMPTOMS.index(s) for s in (Symptom.WRONG_SHAPE, Symptom.WRONG_DTYPE)]
_RIGHT = [SYMPTOMS.index(s) for s in (Symptom.NONE, Symptom.LOST_ACCURACY)]

_CHARGED = {Outcome.RETURNED: RESULT, Outcome.REFUSED: OFFERED}
"""What is not answered for a reason of its own is charged to the clause that says so."""


@dataclass(frozen=True)
class Answered:
    """An answer to a batch, to be judged.

    ``target`` holds what its verdicts share: framework, version, formulation, machine. ``widening``:
    the mode may give results of a wider type than the logits, as mixed precision does. ``by``: the definition
    that the implementation documents, if it is another than the mathematical one.
    """

    batch: Batch
    judge: Judge
    answer: Answer
    target: Mapping[str, str]
    widening: bool = False
    by: str = ""

    def shared(self, output: str) -> Shared:
        """What the verdicts on an output share."""
        batch, question = self.batch, self.answer.question
        said = {
            "device": question.device,
            **self.target,
            "operator": batch.operator,
            "family": batch.family,
            "dtype": batch.inputs.format.name,
            "n": batch.inputs.n,
            "implementation": question.implementation,
            "mode": question.mode,
            "output": output,
        }
        return Shared(batch, output, said)


def answered(seat: Seat, hello: Mapping[str, Any], batch: Batch, judge: Judge, answer: Answer) -> Answered:
    """An answer of a seat, whose connection says ``hello`` of itself."""
    question = answer.question
    target = {
        "framework": seat.name,
        "version": hello["version"],
        "machine": hello["environment"]["processor"],
        "formulation": seat.declaration.formulations[question.implementation],
        "device": seat.device(question.device),
    }
    declared = seat.declaration
    by = declared.documented.get(question.implementation, "")
    return Answered(batch, judge, answer, target, question.mode in declared.widening, by)


def verdicts(answers: Iterable[Answered]) -> Columns:
    """A verdict on each case and output of all answers, in the order of answers, outputs and cases."""
    every = [(a, output) for a in answers for output in a.answer.question.due]
    columns = Columns.of([a.shared(output) for a, output in every])
    outputs, start = [], 0
    for a, output in every:
        outputs.append(_Output(a, output, columns, start))
        start += len(a.batch.cases)
    measured = [(one, returned) for one in outputs if (returned := one.returned()) is not None]
    if measured:
        places = np.concatenate([one.answered for one, _ in measured])
        columns.fill(places, graded(returned for _, returned in measured))
    for one, _ in measured:
        one.charge_format()
        one.declare()
    for one in outputs:
        one.charge_repeated()
        one.charge_failed()
    return columns


def asked_and_judged(
    seat: Seat, connection: Connection, batch: Batch, questions: Sequence[Question], judge: Judge
) -> Columns:
    """Put the questions about a batch to a seat, and judge what it answers."""
    answers = ask(connection, batch, questions)
    return verdicts(answered(seat, connection.hello, batch, judge, answer) for answer in answers)


class _Output:
    """One output of one answer, whose verdicts stand in the columns from ``start`` on."""

    def __init__(self, a: Answered, output: str, columns: Columns, start: int) -> None:
        self._a, self._output, self._columns, self._start = a, output, columns, start
        self._got = a.answer.results.get(output)
        self._failures = a.answer.failures.get(output, {})
        rows = len(a.batch.cases)
        self._rows = np.arange(rows)
        if self._failures:
            self._rows = np.array([row for row in range(rows) if row not in self._failures], dtype=np.int64)

    @property
    def answered(self) -> Ints:
        """Where the verdicts on the rows stand that were answered."""
        return self._start + self._rows

    def returned(self) -> Returned | None:
        """The rows that can be measured; what has not the right shape, or no elements, is charged here."""
        if not self._rows.size:
            return None
        batch, judge, got, output = self._a.batch, self._a.judge, self._got, self._output
        assert got is not None, "a row without a failure has a result"
        shape = _shape(batch, judge, output)
        if got.shape != shape:
            words = f"returned shape {got.shape}, the operator's is {shape}"
            self._charge_result(self.answered, Symptom.WRONG_SHAPE, words)
            return None
        if not got.size:
            self._empty()
            return None
        tested = numbers(batch.clauses_of(output))
        if self._failures:
            return judge.returned(tested[self._rows], output, got, self._rows)
        return judge.returned(tested, output, got, None)

    def charge_format(self) -> None:
        """A result of another format is a fault where it is none otherwise."""
        a, got = self._a, self._got
        assert got is not None, "it was measured"
        if got.dtype == a.batch.inputs.format.dtype or a.widening or a.batch.mixed:
            return
        words = f"returned {got.dtype.name}, the logits are {a.batch.inputs.format.name}"
        right = self._columns.status[self.answered] == STATUSES.index(Status.CONFORMS)
        places = self.answered[right]
        self._columns.forget(places)
        self._charge_result(places, Symptom.WRONG_DTYPE, words)

    def declare(self) -> None:
        """What breaks a clause and is what the documented definition gives is declared (5.11)."""
        a, columns, places = self._a, self._columns, self.answered
        if not a.by or self._output not in DEFINITIONS[a.by].outputs:
            return
        broken = np.isin(columns.status[places], _FAULTS) & ~np.isin(columns.symptom[places], _NO_NUMBER)
        other = a.judge.documented(a.by) if broken.any() else None
        if other is None:
            return
        assert self._got is not None, "it was measured"
        rows = self._rows[broken]
        tested = numbers(a.batch.clauses_of(self._output))[rows]
        found = graded([other.returned(tested, self._output, self._got, rows)])
        right = np.isin(found.symptom, _RIGHT) & (found.status != STATUSES.index(Status.UNDECIDED))
        there = self._start + rows[right]
        columns.fill(there, found[right])
        columns.clause[there] = rules().number(DECLARED)
        columns.status[there] = STATUSES.index(Status.OPEN)

    def _charge_result(self, places: Ints, symptom: Symptom, words: str) -> None:
        """A result of another shape or format: a fault, unless the clause that is tested is open."""
        got = self._got
        assert got is not None, "it is charged what it is"
        tested = numbers(self._a.batch.clauses_of(self._output))[places - self._start]
        is_open = rules().level[tested] == LEVELS.index(Level.OPEN)
        charged = np.where(is_open, tested, np.uint8(rules().number(RESULT)))
        self._columns.charge(places, charged, symptom, words)
        self._columns.bits[places] = bits_of_all(got)

    def _empty(self) -> None:
        """A result without elements that has the right shape."""
        columns, places = self._columns, self.answered
        columns.grade[places] = GRADES.index(Grade.EXACT)
        columns.ulps[places] = columns.ratio[places] = 0.0
        is_open = rules().level[columns.clause[places]] == LEVELS.index(Level.OPEN)
        columns.status[places[is_open]] = STATUSES.index(Status.OPEN)

    def charge_repeated(self) -> None:
        """Rows that came back otherwise when they were asked once more."""
        if self._rows.size:
            a = self._a
            charge_unwritten(a.answer, self._output, self._columns, self._start)
            charge_repeated(a.judge, a.batch, a.answer, self._output, self._columns, self._start)

    def charge_failed(self) -> None:
        """Rows that were not answered."""
        alike: dict[Failure, list[int]] = {}
        for row, failure in self._failures.items():
            alike.setdefault(failure, []).append(row)
        tested = numbers(self._a.batch.clauses_of(self._output))
        for failure, rows in alike.items():
            places = self._start + np.array(rows)
            _charge_failed(self._columns, places, tested[rows], failure, given=self._a.batch.mixed)


def _shape(batch: Batch, judge: Judge, output: str) -> tuple[int, ...]:
    """``(rows, elements)``; ``(rows,)`` where a row, or a reduced group of rows, has one number."""
    inputs = batch.inputs
    elements = judge.truth.enclosure(output).hi.shape[1]
    a = inputs.attributes
    single = a.reduction != "none" if a.grouped else inputs.definition.value_shape == "scalar"
    return (len(inputs),) if output in ("value", "jvp") and single else (len(inputs), elements)


def _charge_failed(columns: Columns, places: Ints, tested: Codes, failure: Failure, *, given: bool) -> None:
    """Rows without an answer: a fault, unless the clause is open, allows an error, or nothing was asked.

    ``given``: labels or weights of another type were given, which a clause may allow to refuse whatever
    they are.
    """
    r, outcome = rules(), failure.outcome
    allowed = r.or_an_error[tested] & (outcome is Outcome.RAISED or given)
    charged = tested
    if outcome in _CHARGED:
        as_tested = allowed | (r.level[tested] == LEVELS.index(Level.OPEN))
        charged = np.where(as_tested, tested, np.uint8(r.number(_CHARGED[outcome])))
    columns.charge(places, charged, _SYMPTOM.get(outcome, Symptom.NONE), failure.message)
    columns.outcome[places] = OUTCOMES.index(outcome)
    if outcome is Outcome.UNSUPPORTED:
        columns.status[places] = STATUSES.index(Status.UNSUPPORTED)
    elif outcome in (Outcome.RAISED, Outcome.REFUSED):
        columns.status[places[allowed]] = STATUSES.index(Status.CONFORMS)
        columns.symptom[places[allowed]] = SYMPTOMS.index(Symptom.NONE)

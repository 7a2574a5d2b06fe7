"""Answers become rows of the run file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from xent_conformance.asking.asker import Answer, Failure, ask
from xent_conformance.asking.connection import Connection
from xent_conformance.cases.case import Batch, Case
from xent_conformance.frameworks.interface import Array, Question
from xent_conformance.judging.judge import DECLARED, OFFERED, RESULT, Judge
from xent_conformance.judging.repeated import BROKEN, charge_repeated, graded
from xent_conformance.reference.clauses import Level, clause
from xent_conformance.reference.documented import DEFINITIONS
from xent_conformance.registry.framework import Seat
from xent_conformance.reports.run.words import FAULTS, Grade, Outcome, Status, Symptom

NAN = float("nan")
_NO_NUMBER = (Symptom.WRONG_SHAPE.value, Symptom.WRONG_DTYPE.value)

_SYMPTOM = {
    Outcome.RETURNED: Symptom.WRONG_SHAPE,
    Outcome.RAISED: Symptom.RAISED,
    Outcome.REFUSED: Symptom.REFUSED,
    Outcome.CRASHED: Symptom.CRASHED,
    Outcome.TIMED_OUT: Symptom.TIMED_OUT,
}


def rows_of(
    batch: Batch,
    judge: Judge,
    answer: Answer,
    target: Mapping[str, str],
    *,
    widening: bool = False,
    by: str = "",
) -> list[dict[str, Any]]:
    """One row of the run file for each case and output of ``answer``.

    ``by``: the definition that the implementation documents, if it is another than the mathematical one.

    ``target`` holds what all of them share: framework, version, formulation, machine. ``widening``:
    the mode may give results of a wider type than the logits, as mixed precision does.
    """
    widening = widening or batch.mixed
    rows: list[dict[str, Any]] = []
    for output in answer.question.due:
        failures = answer.failures.get(output, {})
        got = answer.results.get(output)
        answered = [c for c in batch.cases if c.row not in failures]
        verdicts: list[dict[str, Any]] = []
        if answered:
            assert got is not None, "a row without a failure has a result"
            verdicts = _measured(judge, batch, answered, output, got, widening=widening)
            if by:
                _declare(judge, by, answered, output, got, verdicts)
            charge_repeated(judge, batch, answer, output, answered, verdicts)
        verdicts += [
            _failed(case, output, failures[case.row], given=batch.mixed)
            for case in batch.cases
            if case.row in failures
        ]
        shared = {
            "device": answer.question.device,
            **target,
            "operator": batch.operator,
            "family": batch.family,
            "dtype": batch.inputs.format.name,
            "n": batch.inputs.n,
            "implementation": answer.question.implementation,
            "mode": answer.question.mode,
            "output": output,
        }
        for row in verdicts:
            row |= shared
            row["level"] = clause(row["clause"]).level.value
        rows += verdicts
    return rows


def target_of(seat: Seat, hello: Mapping[str, Any], question: Question) -> dict[str, str]:
    """What :func:`rows_of` writes of who answered, from the seat and what its connection says of itself."""
    return {
        "framework": seat.name,
        "version": hello["version"],
        "machine": hello["environment"]["processor"],
        "formulation": seat.declaration.formulations[question.implementation],
        "device": seat.device(question.device),
    }


def judged(
    seat: Seat, hello: Mapping[str, Any], batch: Batch, judge: Judge, answer: Answer
) -> list[dict[str, Any]]:
    """The rows of one answer of a seat."""
    target = target_of(seat, hello, answer.question)
    widening = answer.question.mode in seat.declaration.widening
    by = seat.declaration.documented.get(answer.question.implementation, "")
    return rows_of(batch, judge, answer, target, widening=widening, by=by)


def asked_and_judged(
    seat: Seat, connection: Connection, batch: Batch, questions: Sequence[Question], judge: Judge
) -> list[dict[str, Any]]:
    """Put the questions about a batch to a seat, and judge what it answers: rows of a run file."""
    answers = ask(connection, batch, questions)
    return [row for answer in answers for row in judged(seat, connection.hello, batch, judge, answer)]


def _measured(
    judge: Judge, batch: Batch, cases: Sequence[Case], output: str, got: Array, *, widening: bool
) -> list[dict[str, Any]]:
    shape = _shape(batch, judge, output)
    if got.shape != shape:
        words = f"returned shape {got.shape}, the operator's is {shape}"
        return [_result_fault(case, output, Symptom.WRONG_SHAPE, words, got) for case in cases]
    if not got.size:
        return [_empty(case, output) for case in cases]
    rows = []
    for case, v in zip(cases, judge.verdicts(cases, output, got), strict=True):
        rows.append(_named(case) | {"outcome": Outcome.RETURNED.value, "message": ""} | graded(v))
    if got.dtype != batch.inputs.format.dtype and not widening:
        words = f"returned {got.dtype.name}, the logits are {batch.inputs.format.name}"
        for case, row in zip(cases, rows, strict=True):
            if row["status"] == Status.CONFORMS:
                row |= _result_fault(case, output, Symptom.WRONG_DTYPE, words, got)
    return rows


def _declare(
    judge: Judge, by: str, cases: Sequence[Case], output: str, got: Array, rows: list[dict[str, Any]]
) -> None:
    """What breaks a clause and is what the documented definition gives is a declared difference (5.11)."""
    broken = [i for i, row in enumerate(rows) if row["status"] in FAULTS and row["symptom"] not in _NO_NUMBER]
    other = judge.documented(by) if broken and output in DEFINITIONS[by].outputs else None
    if other is None:
        return
    verdicts = other.verdicts([cases[i] for i in broken], output, got)
    for i, v in zip(broken, verdicts, strict=True):
        if v.symptom in (Symptom.NONE, Symptom.LOST_ACCURACY) and v.status is not Status.UNDECIDED:
            rows[i] |= graded(replace(v, status=Status.OPEN, clause=DECLARED))


def _shape(batch: Batch, judge: Judge, output: str) -> tuple[int, ...]:
    """``(rows, elements)``; ``(rows,)`` where a row, or a reduced group of rows, has one number."""
    inputs = batch.inputs
    elements = judge.truth.enclosure(output).hi.shape[1]
    a = inputs.attributes
    single = a.reduction != "none" if a.grouped else inputs.definition.value_shape == "scalar"
    return (len(inputs),) if output in ("value", "jvp") and single else (len(inputs), elements)


def _named(case: Case) -> dict[str, Any]:
    return {"case": case.id, "hash": case.hash, "variant": case.variant}


def _nothing() -> dict[str, Any]:
    """The measurements of a row of which nothing was graded."""
    return {
        "grade": Grade.NONE.value,
        "ulps": NAN,
        "ratio": NAN,
        "index": 0,
        "got": NAN,
        "hi": NAN,
        "lo": NAN,
        "exponent": 0,
        "rounded": NAN,
    }


def _empty(case: Case, output: str) -> dict[str, Any]:
    """A result without elements that has the right shape."""
    tested = clause(case.clause_of(output))
    status = Status.OPEN if tested.level is Level.OPEN else Status.CONFORMS
    measured = {"grade": Grade.EXACT.value, "ulps": 0.0, "ratio": 0.0}
    said = {"outcome": Outcome.RETURNED.value, "message": "", "bits": ""}
    judged = {"status": status.value, "symptom": Symptom.NONE.value, "clause": tested.id}
    return _named(case) | _nothing() | measured | said | judged


def _result_fault(case: Case, output: str, symptom: Symptom, message: str, got: Array) -> dict[str, Any]:
    """A result of another shape or format: a fault, unless the clause that is tested is open."""
    tested = clause(case.clause_of(output))
    tested = tested if tested.level is Level.OPEN else clause(RESULT)
    return (
        _named(case)
        | _nothing()
        | {
            "outcome": Outcome.RETURNED.value,
            "message": message,
            "status": BROKEN[tested.level].value,
            "symptom": symptom.value,
            "clause": tested.id,
            "bits": hashlib.blake2b(got.tobytes(), digest_size=8).hexdigest(),
        }
    )


def _failed(case: Case, output: str, failure: Failure, *, given: bool) -> dict[str, Any]:
    """A row that was not answered: a fault, unless the clause is open, allows an error, or nothing was asked.

    ``given``: labels or weights of another type were given, which a clause may allow to refuse whatever
    they are.
    """
    tested = clause(case.clause_of(output))
    allowed = tested.or_an_error and (failure.outcome is Outcome.RAISED or given)
    if tested.level is not Level.OPEN and not allowed:
        charged = {Outcome.RETURNED: RESULT, Outcome.REFUSED: OFFERED}
        tested = clause(charged.get(failure.outcome, tested.id))
    if failure.outcome is Outcome.UNSUPPORTED:
        status, symptom = Status.UNSUPPORTED, Symptom.NONE
    elif allowed and failure.outcome in (Outcome.RAISED, Outcome.REFUSED):
        status, symptom = Status.CONFORMS, Symptom.NONE
    else:
        status, symptom = BROKEN[tested.level], _SYMPTOM[failure.outcome]
    return (
        _named(case)
        | _nothing()
        | {
            "outcome": failure.outcome.value,
            "message": failure.message,
            "status": status.value,
            "symptom": symptom.value,
            "clause": tested.id,
            "bits": "",
        }
    )

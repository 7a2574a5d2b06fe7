"""Answers become rows of the run file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from cases.case import Batch, Case
from conformance.asking import Answer, Failure
from conformance.frameworks.interface import Array
from conformance.outcome import Grade, Outcome, Status, Symptom
from conformance.registry import Framework
from conformance.verdict import RESULT, Judge
from reference.clauses import Level, clause

NAN = float("nan")

_SYMPTOM = {
    Outcome.RAISED: Symptom.RAISED,
    Outcome.CRASHED: Symptom.CRASHED,
    Outcome.TIMED_OUT: Symptom.TIMED_OUT,
}


def rows_of(batch: Batch, judge: Judge, answer: Answer, target: Mapping[str, str]) -> list[dict[str, Any]]:
    """One row of the run file for each case and output of ``answer``.

    ``target`` holds what all of them share: framework, version, formulation, machine.
    """
    rows: list[dict[str, Any]] = []
    for output in answer.question.outputs:
        failures = answer.failures.get(output, {})
        got = answer.results.get(output)
        answered = [c for c in batch.cases if c.row not in failures]
        verdicts: list[dict[str, Any]] = []
        if answered:
            assert got is not None, "a row without a failure has a result"
            verdicts = _judged(judge, batch, answered, output, got)
        verdicts += [
            _failed(case, output, failures[case.row]) for case in batch.cases if case.row in failures
        ]
        shared = {
            **target,
            "operator": batch.operator,
            "family": batch.family,
            "dtype": batch.inputs.format.name,
            "n": batch.inputs.n,
            "implementation": answer.question.implementation,
            "mode": answer.question.mode,
            "device": answer.question.device,
            "output": output,
        }
        for row in verdicts:
            row |= shared
            row["level"] = clause(row["clause"]).level.value
        rows += verdicts
    return rows


def target_of(framework: Framework, hello: Mapping[str, Any], implementation: str) -> dict[str, str]:
    """What :func:`rows_of` writes of who answered, from the framework and its worker's ``hello``."""
    formulations = {i.name: i.formulation for i in framework.implementations}
    return {
        "framework": framework.name,
        "version": hello["version"],
        "machine": hello["environment"]["processor"],
        "formulation": formulations[implementation],
    }


def _judged(
    judge: Judge, batch: Batch, cases: Sequence[Case], output: str, got: Array
) -> list[dict[str, Any]]:
    scalar = output == "value" and batch.inputs.definition.value_shape == "scalar"
    shape = (len(batch.inputs),) if scalar else (len(batch.inputs), batch.inputs.n)
    if got.shape != shape:
        words = f"returned shape {got.shape}, the operator's is {shape}"
        return [_result_fault(case, Symptom.WRONG_SHAPE, words, got) for case in cases]
    rows = []
    for case, v in zip(cases, judge.verdicts(cases, output, got), strict=True):
        rows.append(
            _named(case)
            | {
                "outcome": Outcome.RETURNED.value,
                "message": "",
                "grade": v.grade.value,
                "status": v.status.value,
                "symptom": v.symptom.value,
                "clause": v.clause,
                "ulps": v.ulps,
                "ratio": v.ratio,
                "index": v.index,
                "got": v.got,
                "hi": v.hi,
                "lo": v.lo,
                "exponent": v.exponent,
                "rounded": v.rounded,
                "bits": v.bits,
            }
        )
    if got.dtype != batch.inputs.format.dtype:
        words = f"returned {got.dtype.name}, the logits are {batch.inputs.format.name}"
        for case, row in zip(cases, rows, strict=True):
            if row["status"] == Status.CONFORMS:
                row |= _result_fault(case, Symptom.WRONG_DTYPE, words, got)
    return rows


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


def _result_fault(case: Case, symptom: Symptom, message: str, got: Array) -> dict[str, Any]:
    return (
        _named(case)
        | _nothing()
        | {
            "outcome": Outcome.RETURNED.value,
            "message": message,
            "status": Status.BREAKS_MUST.value,
            "symptom": symptom.value,
            "clause": RESULT,
            "bits": hashlib.blake2b(got.tobytes(), digest_size=8).hexdigest(),
        }
    )


def _failed(case: Case, output: str, failure: Failure) -> dict[str, Any]:
    """A row that was not answered: a fault, unless the clause is open or the dtype is not offered."""
    tested = clause(case.clause_of(output))
    if failure.outcome is Outcome.UNSUPPORTED:
        status, symptom = Status.UNSUPPORTED, Symptom.NONE
    else:
        broken = {Level.MUST: Status.BREAKS_MUST, Level.SHOULD: Status.BREAKS_SHOULD, Level.OPEN: Status.OPEN}
        status, symptom = broken[tested.level], _SYMPTOM[failure.outcome]
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

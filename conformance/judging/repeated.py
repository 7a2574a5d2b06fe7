"""Rows that came back otherwise when they were asked once more, or whose call changed its arguments (§7).

What came back the second time is graded too: a number that is wrong is a wrong number, whichever call it is
from. Other bits within the bounds are other bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from xent_conformance.asking.asker import Answer
from xent_conformance.cases.case import Batch, Case
from xent_conformance.frameworks.interface import Array
from xent_conformance.judging.judge import Judge, Verdict
from xent_conformance.reference.clauses import STABLE, Clause, Level, clause
from xent_conformance.reports.run.words import Status, Symptom
from xent_conformance.worker.bits import other_bits, other_rows
from xent_conformance.worker.delivery import AGAIN

TWICE, ITSELF, EQUAL_CLASSES, UNCHANGED = "7.3", "7.4", "7.5", "7.11"

ONCE_MORE = "so it came back when it was asked once more"
"""The message of a wrong number that is not the first answer's."""

BROKEN = {Level.MUST: Status.BREAKS_MUST, Level.SHOULD: Status.BREAKS_SHOULD, Level.OPEN: Status.OPEN}


def graded(v: Verdict) -> dict[str, Any]:
    """The columns of a row that a verdict fills."""
    return {
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


def charge_repeated(
    judge: Judge,
    batch: Batch,
    answer: Answer,
    output: str,
    cases: Sequence[Case],
    rows: Sequence[dict[str, Any]],
) -> None:
    """Charge the ``rows`` of ``cases`` that came back otherwise, or whose call changed what it was given.

    Where a row breaks a clause already, what is heavier stands.
    """
    got, again = answer.results[output], answer.results.get(output + AGAIN)
    other = set() if again is None else set(np.flatnonzero(other_rows(got, again)).tolist())
    copies = answer.copies.get(output, {})
    changed = answer.changed if output == answer.question.outputs[0] else {}
    equal = any(case.clause_of(output) == EQUAL_CLASSES for case in cases)
    if not (other or copies or changed or equal):
        return
    for case, row in zip(cases, rows, strict=True):
        tested = clause(case.clause_of(output))
        if row["status"] not in (Status.CONFORMS, Status.BREAKS_SHOULD):
            continue
        found: dict[str, Any] = {}
        if case.row in changed:
            words = f"the call changed its {' and '.join(sorted(changed[case.row]))}"
            found = _broken(clause(UNCHANGED), Symptom.CHANGED_INPUTS, words)
        elif case.row in other:
            assert again is not None, "it is compared with what came back again"
            said = tested if batch.form.again else clause(TWICE)  # a first call and a warm one, of any manner
            found = _otherwise(judge, case, output, again[case.row], said)
        elif tested.id == EQUAL_CLASSES and _unequal(batch, case, got[case.row]):
            found = _broken(tested, Symptom.OTHER_BITS)
        elif case.row in copies:
            found = _otherwise(judge, case, output, copies[case.row], clause(ITSELF))
        if found and Status(found["status"]).rank > Status(row["status"]).rank:
            row |= found


def _otherwise(judge: Judge, case: Case, output: str, again: Array, said: Clause) -> dict[str, Any]:
    """What a row is charged that came back as ``again`` the second time, where ``said`` says the same.

    Where only the bits differ, a must clause on values is obeyed: the same call has not the same bits, 7.3.
    """
    (v,) = judge.verdicts([case], output, np.broadcast_to(again, (case.row + 1, *again.shape)))
    if v.status is Status.BREAKS_MUST:
        charged = said.id if said.level is Level.MUST and v.clause == STABLE else v.clause
        return graded(v) | {"clause": charged, "message": ONCE_MORE}
    return _broken(said if said.level is Level.SHOULD else clause(TWICE), Symptom.OTHER_BITS)


def _broken(said: Clause, symptom: Symptom, message: str = "") -> dict[str, Any]:
    return {
        "status": BROKEN[said.level].value,
        "clause": said.id,
        "symptom": symptom.value,
        "message": message,
    }


def _unequal(batch: Batch, case: Case, got: Array) -> bool:
    """Whether elements of equal inputs came back with different bits."""
    if got.shape != (batch.inputs.n,):
        return False
    alike = np.arange(batch.inputs.n)
    for element, first in equal_inputs(batch, case).items():
        alike[element] = first
    return bool(other_bits(got, got[alike]).any())


def equal_inputs(batch: Batch, case: Case) -> dict[int, int]:
    """Of each element of a row that has the inputs of an earlier one, the first of those."""
    inputs, n = batch.inputs, batch.inputs.n
    columns = [inputs.logits[case.row], inputs.cotangent[case.row]]
    if inputs.labels.shape[1] >= 1:
        columns.append(inputs.dense_labels[case.row])
    first: dict[tuple[float, ...], int] = {}
    alike = {
        i: first.setdefault(tuple(float(c[i]) if len(c) == n else float(c[0]) for c in columns), i)
        for i in range(n)
    }
    return {i: earlier for i, earlier in alike.items() if earlier != i}

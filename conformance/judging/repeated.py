"""Rows that came back otherwise when they were asked once more, or whose call changed its arguments (§7).

What came back the second time is graded too: a number that is wrong is a wrong number, whichever call it is
from. Other bits within the bounds are other bits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xent_conformance.asking.answer import Answer
from xent_conformance.cases.case import Batch, Case
from xent_conformance.frameworks.interface import Array
from xent_conformance.judging.columns import Columns
from xent_conformance.judging.judge import Graded, Judge
from xent_conformance.judging.numbered import STATUS, STATUSES, numbers, rules
from xent_conformance.reference.clauses import STABLE, Clause, Level, clause
from xent_conformance.reports.run.words import ONCE_MORE, SYMPTOMS, Status, Symptom
from xent_conformance.worker.bits import other_bits, other_rows
from xent_conformance.worker.delivery import AGAIN

TWICE, ITSELF, EQUAL_CLASSES, UNCHANGED, WRITTEN = "7.3", "7.4", "7.5", "7.11", "7.13"

RIGHT_OR_LIGHT = (Status.CONFORMS, Status.BREAKS_SHOULD)
"""What a row is that may still be charged more."""


READ_BEFORE_WRITTEN = "it is another number where memory held another before"
"""The message of what nobody has written."""


def charge_unwritten(answer: Answer, output: str, columns: Columns, start: int) -> None:
    """Charge the rows that are what memory held before the call, and forget what that was.

    Whatever the number breaks, it is no answer: it is not judged, but where nothing is.
    """
    rows = answer.unwritten.get(output)
    if not rows:
        return
    places = start + np.array(sorted(rows), dtype=np.int64)
    judged = [STATUSES.index(status) for status in (*RIGHT_OR_LIGHT, Status.BREAKS_MUST)]
    places = places[np.isin(columns.status[places], judged)]
    columns.forget(places)
    columns.bits[places] = 0
    columns.charge(places, numbers((WRITTEN,)), Symptom.UNWRITTEN, READ_BEFORE_WRITTEN)


def charge_repeated(
    judge: Judge, batch: Batch, answer: Answer, output: str, columns: Columns, start: int
) -> None:
    """Charge the rows that came back otherwise, or whose call changed what it was given.

    Their verdicts stand in ``columns`` from ``start`` on. Where a row breaks a clause already, what is
    heavier stands.
    """
    got, again = answer.results[output], answer.results.get(output + AGAIN)
    other = set() if again is None else set(np.flatnonzero(other_rows(got, again)).tolist())
    copies = answer.copies.get(output, {})
    changed = answer.changed if output == answer.question.outputs[0] else {}
    clauses, failures = batch.clauses_of(output), answer.failures.get(output, {})
    equal = {i for i, c in enumerate(clauses) if c == EQUAL_CLASSES} if EQUAL_CLASSES in clauses else set()
    suspect = {*other, *copies, *changed, *equal}
    for row in sorted(i for i in suspect if i < len(clauses) and i not in failures):
        case, place = batch.cases[row], start + row
        tested, status = clause(case.clause_of(output)), STATUSES[columns.status[place]]
        if status not in RIGHT_OR_LIGHT:
            continue
        found = None
        if row in changed:
            words = f"the call changed its {' and '.join(sorted(changed[row]))}"
            found = _Charge(UNCHANGED, Symptom.CHANGED_INPUTS, words)
        elif row in other:
            assert again is not None, "it is compared with what came back again"
            said = tested if batch.form.again else clause(TWICE)  # a first call and a warm one, of any manner
            found = _otherwise(judge, case, output, again[row], said)
        elif row in equal and _unequal(batch, case, got[row]):
            found = _Charge(tested.id, Symptom.OTHER_BITS)
        elif row in copies:
            found = _otherwise(judge, case, output, copies[row], clause(ITSELF))
        if found is not None and STATUS[clause(found.clause).level].rank > status.rank:
            if found.graded is not None:
                columns.fill(slice(place, place + 1), found.graded)
            broken = numbers((found.clause,))
            columns.charge(slice(place, place + 1), broken, found.symptom, found.message)


@dataclass(frozen=True)
class _Charge:
    """A clause that is broken, and how; ``graded`` where it is by a number that came back the second time."""

    clause: str
    symptom: Symptom
    message: str = ""
    graded: Graded | None = None


def _otherwise(judge: Judge, case: Case, output: str, again: Array, said: Clause) -> _Charge:
    """What a row is charged that came back as ``again`` the second time, where ``said`` says the same.

    Where only the bits differ, a must clause on values is obeyed: the same call has not the same bits, 7.3.
    """
    v = judge.verdicts([case], output, np.broadcast_to(again, (case.row + 1, *again.shape)))
    if STATUSES[v.status[0]] is Status.BREAKS_MUST:
        broken, symptom = rules().ids[v.clause[0]], SYMPTOMS[v.symptom[0]]
        charged = said.id if said.level is Level.MUST and broken == STABLE else broken
        return _Charge(charged, symptom, ONCE_MORE, v)
    return _Charge(said.id if said.level is Level.SHOULD else TWICE, Symptom.OTHER_BITS)


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

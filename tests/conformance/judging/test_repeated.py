"""What came back the second time is graded as well, and what a call did to its arguments is charged."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.support import fakes
from tests.support.by_hand import batch, question
from tests.support.here import TARGET
from tests.support.judging import rows_of
from xent_conformance.asking.answer import Answer, Failure
from xent_conformance.asking.arrays import arrays_of
from xent_conformance.cases.case import Batch
from xent_conformance.cases.form import Form
from xent_conformance.judging.judge import Judge
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.words import Outcome
from xent_conformance.worker.delivery import AGAIN

LOGITS = [[0.0, 1.0], [2.0, 2.0], [-1.0, 3.0]]


def _right(b: Batch) -> dict[str, np.ndarray]:
    arrays = arrays_of(b)
    return fakes.exact_outputs(b.operator, arrays["logits"], arrays.get("labels"), arrays["cotangent"])


def _judged(b: Batch, first: np.ndarray, again: np.ndarray, output: str = "value") -> list[dict[str, Any]]:
    answer = Answer(question(b.operator, output), {output: first, output + AGAIN: again})
    return rows_of(b, Judge(Oracle().truth(b.inputs)), answer, TARGET)


def _said(row: dict[str, Any]) -> tuple[str, str, str]:
    return row["status"], row["clause"], row["symptom"]


@pytest.mark.parametrize(
    ("clause", "again", "charged"),
    [
        ("7.3", "twice", "1.1"),
        ("7.4", "alone", "1.1"),
        ("7.8", "inference", "1.1"),
        ("7.9", "second_backward", "7.9"),
        ("7.10", "accumulated", "7.10"),
        ("7.12", "shared", "7.12"),
    ],
)
def test_a_wrong_number_the_second_time(clause: str, again: Any, charged: str) -> None:
    b = batch("softmax", LOGITS, clause=clause, form=Form(again=again))
    right = _right(b)["value"]
    wrong = right.copy()
    wrong[1] *= 2
    first, second, third = _judged(b, right, wrong)
    assert _said(second) == ("breaks_must", charged, "beyond the stable bound")
    assert second["got"] == 1.0 and second["grade"] == "divergent" and second["message"]
    assert _said(first) == _said(third) == ("conforms", clause, "none")
    nan = np.where(wrong == wrong, np.float32(np.nan), wrong)
    assert {_said(row) for row in _judged(b, right, nan)} == {("breaks_must", charged, "NaN")}


@pytest.mark.parametrize(
    ("clause", "again", "charged"),
    [
        ("7.3", "threads", "7.3"),
        ("7.8", "inference", "7.8"),
        ("7.9", "second_backward", "7.3"),
        ("7.10", "accumulated", "7.3"),
        ("7.12", "shared", "7.3"),
    ],
)
def test_other_bits_within_the_bounds_are_a_should(clause: str, again: Any, charged: str) -> None:
    """A sum in another order is nobody's broken graph."""
    b = batch("softmax", LOGITS, clause=clause, form=Form(again=again))
    right = _right(b)["value"]
    changed = right.copy()
    changed[1, 0] = np.nextafter(changed[1, 0], np.float32(2))
    rows = _judged(b, right, changed)
    assert [_said(r) for r in rows] == [
        ("conforms", clause, "none"),
        ("breaks_should", charged, "other bits"),
        ("conforms", clause, "none"),
    ]
    assert rows[1]["grade"] == "exact", "the first answer is what is graded"


def test_a_first_answer_that_lost_accuracy_hides_no_second_that_is_wrong() -> None:
    b = batch("sigmoid", [[0.0, -20.0]], clause="7.9", form=Form(again="second_backward"))
    right = _right(b)["value"]
    lossy = right.copy()
    lossy[0, 1] *= np.float32(1 + 2.0**-18)
    assert _said(_judged(b, lossy, lossy)[0]) == ("breaks_should", "1.2", "lost relative accuracy")
    assert _said(_judged(b, lossy, right)[0]) == ("breaks_should", "1.2", "lost relative accuracy")
    assert _said(_judged(b, lossy, 0 * right)[0])[:2] == ("breaks_must", "7.9")


# --- arguments --------------------------------------------------------------------------------------


def test_a_changed_argument_is_charged_once_and_to_its_rows() -> None:
    b = batch("softmax", LOGITS)
    right = _right(b)
    answer = Answer(question(), dict(right), changed={1: {"logits", "cotangent"}})
    rows = rows_of(b, Judge(Oracle().truth(b.inputs)), answer, TARGET)
    charged = [(r["output"], r["case"]) for r in rows if r["status"] != "conforms"]
    assert charged == [("value", b.cases[1].id)]
    row = next(r for r in rows if r["status"] != "conforms")
    assert _said(row) == ("breaks_must", "7.11", "changed inputs")
    assert row["message"] == "the call changed its cotangent and logits"
    assert row["grade"] == "exact", "its numbers are right"


def test_a_changed_argument_weighs_more_than_accuracy_and_less_than_a_wrong_number() -> None:
    b = batch("sigmoid", [[0.0, -20.0]])
    right = _right(b)["value"]
    lossy, wrong = right.copy(), right * 2
    lossy[0, 1] *= np.float32(1 + 2.0**-18)
    said = []
    for value in (lossy, wrong):
        answer = Answer(question("sigmoid", "value"), {"value": value}, changed={0: {"logits"}})
        said += [_said(r)[1] for r in rows_of(b, Judge(Oracle().truth(b.inputs)), answer, TARGET)]
    assert said == ["7.11", "1.1"]


# --- memory -----------------------------------------------------------------------------------------


def _unwritten(b: Batch, value: np.ndarray, rows: set[int], **said: Any) -> list[dict[str, Any]]:
    answer = Answer(question(b.operator, "value"), {"value": value}, unwritten={"value": rows}, **said)
    return rows_of(b, Judge(Oracle().truth(b.inputs)), answer, TARGET)


def test_what_nobody_has_written_is_charged_whatever_it_is_and_is_not_measured() -> None:
    """The same verdict of a right number, a wrong one and a NaN: it is none of the implementation's."""
    b = batch("softmax", LOGITS)
    right = _right(b)["value"]
    said = []
    for value in (right, right * 2, np.where(right == right, np.float32(np.nan), right)):
        first, second, third = _unwritten(b, value, {1})
        assert _said(second) == ("breaks_must", "7.13", "unwritten memory")
        assert second["grade"] == "none" and second["message"]
        said.append({name: second[name] for name in second if name != "case"})
        assert (value is not right) or _said(first) == _said(third) == ("conforms", "1.1", "none")
    assert str(said[0]) == str(said[1]) == str(said[2])


def test_a_row_that_was_not_answered_has_not_returned_memory() -> None:
    b = batch("softmax", LOGITS)
    failures = {"value": {1: Failure(Outcome.RAISED, "no")}}
    _, second, _ = _unwritten(b, _right(b)["value"], {1}, failures=failures)
    assert second["symptom"] == "raised"


def test_of_an_open_row_it_is_recorded_what_came_back() -> None:
    (row,) = _unwritten(batch("softmax", [[np.inf, 0.0]], clause="5.1"), np.ones((1, 2), np.float32), {0})
    assert row["status"] == "open" and row["got"] == 1.0


def test_an_open_row_is_recorded_whatever_was_changed() -> None:
    b = batch("softmax", [[np.inf, 0.0]], clause="5.1")
    answer = Answer(question("softmax", "value"), {"value": _right(b)["value"]}, changed={0: {"logits"}})
    (row,) = rows_of(b, Judge(Oracle().truth(b.inputs)), answer, TARGET)
    assert row["status"] == "open"

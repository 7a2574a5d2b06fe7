"""Verdicts that only another manner has: other bits, an error that obeys, a result without elements."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.support import fakes
from tests.support.by_hand import batch, question
from tests.support.here import TARGET, ask, family, verdicts
from tests.support.judging import rows_of
from xent_conformance.asking.answer import Answer, Failure
from xent_conformance.asking.arrays import arrays_of
from xent_conformance.cases.case import Batch
from xent_conformance.cases.form import Form
from xent_conformance.judging.judge import Judge
from xent_conformance.reference.attributes import Attributes
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.file import SCHEMA
from xent_conformance.reports.run.words import Outcome
from xent_conformance.worker.delivery import AGAIN

LOGITS = [[0.0, 1.0], [2.0, 2.0], [-1.0, 3.0]]
SPARSE = "sparse_softmax_cross_entropy"


def _rows(b: Batch, answer: Answer) -> list[dict[str, Any]]:
    return rows_of(b, Judge(Oracle().truth(b.inputs)), answer, TARGET)


def _right(b: Batch) -> dict[str, np.ndarray]:
    arrays = arrays_of(b)
    return fakes.exact_outputs(b.operator, arrays["logits"], arrays.get("labels"), arrays["cotangent"])


def _next(a: np.ndarray) -> np.ndarray:
    return np.nextafter(a, np.array(np.inf, dtype=a.dtype))


# --- other bits -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("clause", "again"), [("7.3", "twice"), ("7.4", "alone")])
def test_other_bits_are_charged_to_the_row_that_has_them(clause: str, again: Any) -> None:
    b = batch("softmax", LOGITS, clause=clause, form=Form(again=again))
    right = _right(b)["value"]
    changed = right.copy()
    changed[1, 0] = _next(changed[1, 0])
    rows = _rows(b, Answer(question("softmax", "value"), {"value": right, "value" + AGAIN: changed}))
    assert [r["status"] for r in rows] == ["conforms", "breaks_should", "conforms"]
    assert [r["symptom"] for r in rows] == ["none", "other bits", "none"]
    assert {r["clause"] for r in rows} == {clause}
    assert rows[1]["grade"] == "exact", "the first answer is what is graded"
    assert set(rows[1]) == set(SCHEMA) - {"cause"}


def test_a_wrong_number_weighs_more_than_other_bits() -> None:
    b = batch("softmax", LOGITS, clause="7.3", form=Form(again="twice"))
    wrong = _right(b)["value"] * np.float32(1.5)
    rows = _rows(b, Answer(question("softmax", "value"), {"value": wrong, "value" + AGAIN: wrong / 2}))
    assert {r["symptom"] for r in rows} == {"beyond the stable bound"}


def test_nan_is_nan_whatever_its_bits_and_zeros_are_not_equal() -> None:
    """A payload says nothing; the sign of zero is seen by whoever divides by it."""
    b = batch("softmax", [[np.nan, 1.0], [0.0, -np.inf]], clause="7.3", form=Form(again="twice"))
    first = np.array([[np.nan, np.nan], [1.0, 0.0]], dtype=np.float32)
    second = np.array([[-np.nan, np.nan], [1.0, -0.0]], dtype=np.float32)
    second.view(np.uint32)[0, 1] |= 77
    nan, zero = _rows(b, Answer(question("softmax", "value"), {"value": first, "value" + AGAIN: second}))
    assert (nan["status"], zero["status"]) == ("conforms", "breaks_should")


@pytest.mark.parametrize("operator", ["softmax", "log_softmax", "sigmoid"])
def test_equal_elements_with_unequal_bits(operator: str) -> None:
    b = batch(operator, [[0.25] * 5, [0.25, 0.25, 0.25, 0.5, 0.5]], clause="7.5")
    right = _right(b)["value"]
    for place in (0, 2, 4):
        changed = right.copy()
        changed[:, place] = _next(changed[:, place])
        rows = _rows(b, Answer(question(operator, "value"), {"value": changed}))
        assert [r["symptom"] for r in rows] == ["other bits"] * 2, place
        assert {(r["status"], r["clause"]) for r in rows} == {("breaks_should", "7.5")}
    assert {r["status"] for r in _rows(b, Answer(question(operator, "value"), {"value": right}))} == {
        "conforms"
    }


def test_elements_of_unequal_inputs_may_differ() -> None:
    """By their label or cotangent: the gradient of the labelled class is another."""
    b = batch("softmax_cross_entropy", [[0.25] * 4], labels=[[1.0, 0.0, 0.0, 0.0]], clause="7.5")
    right = _right(b)["grad_logits"]
    asked = question("softmax_cross_entropy", "grad_logits")
    (row,) = _rows(b, Answer(asked, {"grad_logits": right}))
    assert row["status"] == "conforms"
    changed = right.copy()
    changed[0, 3] = _next(changed[0, 3])
    (row,) = _rows(b, Answer(asked, {"grad_logits": changed}))
    assert row["symptom"] == "other bits"


def test_unequal_bits_are_nobodys_fault_elsewhere() -> None:
    b = batch("softmax", [[0.25] * 4], clause="1.1")
    changed = _right(b)["value"]
    changed[0, 3] = _next(changed[0, 3])
    (row,) = _rows(b, Answer(question("softmax", "value"), {"value": changed}))
    assert row["status"] == "conforms"


def test_a_row_that_raises_leaves_the_others_their_own_bits() -> None:
    """Asked apart, each row is still compared with itself alone."""
    logits = [[float(i), 1.0] for i in range(4)] + [[100.0, 0.0]]
    b = batch("softmax", logits, clause="7.4", form=Form(again="alone"))
    rows = verdicts("RaisesOnTheLargest", [b])
    assert [r["outcome"] for r in rows if r["output"] == "value"] == ["returned"] * 4 + ["raised"]
    assert {r["symptom"] for r in rows if r["outcome"] == "returned"} == {"none"}


# --- an error that obeys ------------------------------------------------------------------------------


@pytest.mark.parametrize("clause", ["6.4", "6.5"])
def test_raising_obeys_a_clause_that_allows_an_error(clause: str) -> None:
    b = batch("softmax", LOGITS, clause=clause)
    failures = {"value": {1: Failure(Outcome.RAISED, "IndexError: no such class")}}
    _, raised, _ = _rows(b, Answer(question("softmax", "value"), _right(b), failures))
    assert (raised["status"], raised["symptom"], raised["clause"]) == ("conforms", "none", clause)
    assert (raised["outcome"], raised["message"]) == ("raised", "IndexError: no such class")
    assert set(raised) == set(SCHEMA) - {"cause"}


@pytest.mark.parametrize("outcome", [Outcome.CRASHED, Outcome.TIMED_OUT])
def test_a_crash_is_no_error(outcome: Outcome) -> None:
    """A device assertion takes the process with it: nobody can catch that."""
    b = batch("softmax", LOGITS, clause="6.4")
    failures = {"value": {1: Failure(outcome, "worker killed by signal 6")}}
    _, failed, _ = _rows(b, Answer(question("softmax", "value"), _right(b), failures))
    assert (failed["status"], failed["clause"]) == ("breaks_must", "6.4")


# --- results without elements, and of other shapes -----------------------------------------------------


def test_a_result_without_elements_conforms_by_its_shape() -> None:
    """2.7: the shape is all there is to be right."""
    (b,) = family("shapes", SPARSE, n=5, variant="no_example+none")
    rows = _rows(b, Answer(question(SPARSE, "value"), {"value": np.zeros((1, 0), np.float32)}))
    assert [(r["status"], r["clause"], r["grade"]) for r in rows] == [("conforms", "2.7", "exact")]
    assert set(rows[0]) == set(SCHEMA) - {"cause"}
    rows = _rows(b, Answer(question(SPARSE, "value"), {"value": np.zeros((1, 1), np.float32)}))
    assert [(r["status"], r["clause"]) for r in rows] == [("breaks_must", "1.4")]


def test_the_sum_of_nothing_is_exactly_zero() -> None:
    (b,) = family("shapes", SPARSE, n=5, variant="no_example+sum")
    for number, status in (
        (0.0, "conforms"),
        (-0.0, "conforms"),
        (1e-30, "breaks_must"),
        (np.nan, "breaks_must"),
    ):
        got = np.full(1, number, dtype=np.float32)
        (row,) = _rows(b, Answer(question(SPARSE, "value"), {"value": got}))
        assert (row["status"], row["clause"]) == (status, "2.7"), number


@pytest.mark.parametrize("number", [0.0, np.nan, np.inf, 3.0])
def test_the_mean_of_nothing_is_never_judged(number: float) -> None:
    (b,) = family("shapes", SPARSE, n=5, variant="no_example+mean")
    got = np.full(1, number, dtype=np.float32)
    (row,) = _rows(b, Answer(question(SPARSE, "value"), {"value": got}))
    assert (row["status"], row["clause"], row["level"]) == ("open", "6.11", "open")


def test_an_empty_row_of_an_open_clause_is_not_judged() -> None:
    """2.8: with no class nothing is defined; an empty row is one of the answers in use."""
    (b,) = family("shapes", "softmax", n=0)
    rows = _rows(b, Answer(question("softmax", "value"), {"value": np.zeros((2, 0), np.float32)}))
    assert {(r["status"], r["clause"]) for r in rows} == {("open", "2.8")}


def test_of_no_class_no_shape_is_wrong() -> None:
    """2.8 is open: an empty row of another rank is recorded like any other answer."""
    (b,) = family("shapes", "logsumexp", n=0)
    got = np.zeros((len(b.inputs), 0), dtype=np.float32)
    rows = _rows(b, Answer(question("logsumexp", "value"), {"value": got}))
    assert {(r["status"], r["clause"], r["symptom"]) for r in rows} == {("open", "2.8", "wrong shape")}


def test_a_group_has_one_value_and_the_gradients_of_all_its_examples() -> None:
    a = Attributes(reduction="sum", examples=2)
    b = batch(SPARSE, [[0.0, 1.0, 2.0, 0.5]] * 3, labels=[[1.0, 0.0]] * 3, attributes=a)
    truth = Judge(Oracle().truth(b.inputs)).truth
    value = truth.enclosure("value").approximate()[:, 0].astype(np.float32)
    grad = truth.enclosure("grad_logits").approximate().astype(np.float32)
    asked = question(SPARSE, "value", "grad_logits")
    rows = _rows(b, Answer(asked, {"value": value, "grad_logits": grad}))
    assert len(rows) == 6 and {r["status"] for r in rows} == {"conforms"}
    for wrong in ({"value": value[:, None]}, {"value": value[:2]}, {"value": grad}):
        found = _rows(b, Answer(question(SPARSE, "value"), wrong))
        assert {(r["status"], r["clause"]) for r in found} == {("breaks_must", "1.4")}


def test_what_comes_back_in_a_wrong_shape_says_which() -> None:
    """In a folded batch the worker sees it; the driver charges 1.4 with the worker's words."""
    (b,) = family("shapes", "softmax", n=5, variant="three_axes_middle")
    (answer,) = ask("KeepsADimension", b)
    assert set(answer.failures) == {"value"}
    rows = _rows(b, answer)
    value = [r for r in rows if r["output"] == "value"]
    assert {(r["status"], r["clause"], r["symptom"]) for r in value} == {
        ("breaks_must", "1.4", "wrong shape")
    }
    assert {r["message"] for r in value} == {
        "returned shape (3, 5, 4, 1) for value, the operator's is (3, 5, 4)"
    }
    assert {r["outcome"] for r in value} == {"returned"}
    assert {r["status"] for r in rows if r["output"] == "grad_logits"} == {"conforms"}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_result_may_have_the_wider_format_of_the_labels(dtype: str) -> None:
    (b,) = family("label_types", "softmax_cross_entropy", variant="dense_float64")
    truth = Judge(Oracle().truth(b.inputs)).truth
    value = truth.enclosure("value").approximate()[:, 0].astype(dtype)
    rows = _rows(b, Answer(question("softmax_cross_entropy", "value"), {"value": value}))
    assert {r["status"] for r in rows} == {"conforms"}

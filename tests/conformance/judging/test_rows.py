"""Answers become rows of the run file: one status each, failures charged to the clause that was tested."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.support import fakes
from tests.support.by_hand import batch, question
from tests.support.judging import rows_of
from xent_conformance.asking.answer import Answer, Failure
from xent_conformance.asking.arrays import arrays_of
from xent_conformance.cases.case import Batch
from xent_conformance.judging.judge import Judge
from xent_conformance.reference.clauses import clauses
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.file import SCHEMA
from xent_conformance.reports.run.words import Outcome

TARGET = {"framework": "fake", "version": "1.0", "machine": "here", "formulation": "fused"}
LOGITS = [[0.0, 1.0], [2.0, 2.0], [-1.0, 3.0]]


def _exact(b: Batch) -> dict[str, np.ndarray]:
    arrays = arrays_of(b)
    return fakes.exact_outputs(b.operator, arrays["logits"], arrays.get("labels"), arrays["cotangent"])


def _rows(b: Batch, answer: Answer) -> list[dict[str, Any]]:
    return rows_of(b, Judge(Oracle().truth(b.inputs)), answer, TARGET)


def test_a_row_for_each_case_and_output_with_every_column() -> None:
    b = batch("softmax", LOGITS)
    rows = _rows(b, Answer(question(), _exact(b)))
    assert [(r["case"], r["output"]) for r in rows] == [
        (f"softmax/ordinary/by_hand/float32/n2/r{i}", o) for o in ("value", "grad_logits") for i in range(3)
    ]
    for row in rows:
        assert set(row) == set(SCHEMA) - {"cause"}
        assert (row["status"], row["grade"], row["outcome"]) == ("conforms", "exact", "returned")
        assert (row["clause"], row["level"], row["n"], row["dtype"]) == ("1.1", "must", 2, "float32")
        assert row["implementation"] == "fake.softmax" and row["message"] == ""


@pytest.mark.parametrize(
    ("operator", "shape"),
    [("softmax", (3, 2, 1)), ("softmax", (3,)), ("softmax", ()), ("logsumexp", (3, 1)), ("logsumexp", ())],
)
def test_a_wrong_shape_breaks_1_4(operator: str, shape: tuple[int, ...]) -> None:
    b = batch(operator, LOGITS)
    got = np.zeros(shape, dtype=np.float32)
    rows = _rows(b, Answer(question(operator, "value"), {"value": got}))
    right = "(3, 2)" if operator == "softmax" else "(3,)"
    assert len(rows) == 3
    for row in rows:
        assert (row["status"], row["clause"], row["symptom"]) == ("breaks_must", "1.4", "wrong shape")
        assert row["message"] == f"returned shape {shape}, the operator's is {right}"
        assert (row["outcome"], row["grade"]) == ("returned", "none")
        assert set(row) == set(SCHEMA) - {"cause"}


@pytest.mark.parametrize("dtype", ["float64", "float16"])
def test_a_wrong_dtype_breaks_1_4_where_the_numbers_are_right(dtype: str) -> None:
    b = batch("softmax", [[0.0, 0.0], [1.0, 1.0]])
    rows = _rows(b, Answer(question("softmax", "value"), {"value": np.full((2, 2), 0.5, dtype=dtype)}))
    for row in rows:
        assert (row["status"], row["clause"], row["symptom"]) == ("breaks_must", "1.4", "wrong dtype")
        assert row["message"] == f"returned {dtype}, the logits are float32"


def test_a_wrong_number_is_worse_than_its_dtype() -> None:
    b = batch("softmax", [[0.0, 0.0], [1.0, 1.0]])
    got = np.array([[0.5, 0.5], [0.5, 0.75]])
    right, wrong = _rows(b, Answer(question("softmax", "value"), {"value": got}))
    assert (right["clause"], right["symptom"]) == ("1.4", "wrong dtype")
    assert (wrong["clause"], wrong["symptom"], wrong["got"]) == ("1.1", "beyond the stable bound", 0.75)


@pytest.mark.parametrize("outcome", [Outcome.RAISED, Outcome.CRASHED, Outcome.TIMED_OUT])
@pytest.mark.parametrize(
    ("clause", "status"), [("3.2", "breaks_must"), ("4.2", "breaks_should"), ("4.4", "open")]
)
def test_a_row_without_an_answer_breaks_what_it_tested(outcome: Outcome, clause: str, status: str) -> None:
    b = batch("softmax", LOGITS, clause=clause)
    failures = {"value": {1: Failure(outcome, "its words")}}
    answered_0, failed, answered_2 = _rows(b, Answer(question("softmax", "value"), _exact(b), failures))
    assert {answered_0["outcome"], answered_2["outcome"]} == {"returned"}
    assert failed["case"].endswith("/r1")
    assert (failed["outcome"], failed["message"]) == (outcome.value, "its words")
    assert (failed["status"], failed["clause"]) == (status, clause)
    assert failed["symptom"] == outcome.value.replace("_", " ")
    assert failed["level"] == clauses()[clause].level
    assert (failed["grade"], failed["bits"]) == ("none", "")
    assert set(failed) == set(SCHEMA) - {"cause"}


@pytest.mark.parametrize("clause", ["1.1", "4.2", "4.4"])
def test_what_is_not_offered_is_unsupported_whatever_the_clause(clause: str) -> None:
    b = batch("softmax", LOGITS, clause=clause)
    failures = {"value": dict.fromkeys(range(3), Failure(Outcome.UNSUPPORTED, "not here"))}
    rows = _rows(b, Answer(question("softmax", "value"), {}, failures))
    assert [(r["status"], r["symptom"], r["message"]) for r in rows] == [
        ("unsupported", "none", "not here")
    ] * 3


def test_each_output_has_its_own_clause() -> None:
    """The loss of a case may be a must where its gradient is open."""
    b = batch("softmax", LOGITS, clause="4.3", clauses={"grad_logits": "4.5"})
    nans = {o: np.full((3, 2), np.nan, dtype=np.float32) for o in ("value", "grad_logits")}
    found = {(r["output"], r["clause"], r["level"], r["status"]) for r in _rows(b, Answer(question(), nans))}
    assert found == {("value", "4.3", "must", "breaks_must"), ("grad_logits", "4.5", "open", "open")}

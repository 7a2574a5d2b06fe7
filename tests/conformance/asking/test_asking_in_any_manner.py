"""What raises is found and charged to its rows, folded, grouped or strided as they are asked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.support import fakes_in_any_manner as fakes
from tests.support.by_hand import batch
from tests.support.here import ask, family, questions, verdicts
from xent_conformance.asking.arrays import ROWS, arrays_of
from xent_conformance.asking.inside import InProcess
from xent_conformance.cases.form import Form
from xent_conformance.reference.attributes import Attributes
from xent_conformance.reports.run.words import Outcome

SPARSE = "sparse_softmax_cross_entropy"


def _rows(count: int, guilty: set[int], n: int = 4) -> list[list[float]]:
    """Ordinary logits, and one that is too large in every guilty row."""
    return [[100.0 if i in guilty and j == 1 else float((i + j) % 5) for j in range(n)] for i in range(count)]


@pytest.mark.parametrize(
    "form",
    [
        Form(shape=(3, 4), axis=1),
        Form(shape=(12,), axis=0),
        Form(shape=(2, 3, 2), layout="strided"),
        Form(shape=(), each=True),
        Form(layout="reversed"),
        Form(again="twice"),
        Form(out=True),
    ],
    ids=str,
)
@pytest.mark.parametrize("guilty", [{0}, {5, 11}], ids=str)
def test_a_row_that_raises_is_found_in_every_form(form: Form, guilty: set[int]) -> None:
    b = batch("log_softmax", _rows(12, guilty), form=form, clause="7.6")
    rows = verdicts("RaisesOnTheLargest", [b])
    outputs = {r["output"] for r in rows}
    assert outputs == ({"value"} if form.out else {"value", "grad_logits"})
    for output in outputs:
        mine = [r for r in rows if r["output"] == output]
        raised = {int(r["case"].rpartition("/r")[2]) for r in mine if r["outcome"] == "raised"}
        assert raised == guilty
        assert {(r["status"], r["grade"]) for r in mine if r["outcome"] == "returned"} == {
            ("conforms", "exact")
        }


def test_a_group_that_raises_leaves_the_other_groups_their_answers() -> None:
    a = Attributes(reduction="sum", examples=3)
    b = batch(SPARSE, _rows(5, {2}, n=12), labels=[[0.0, 1.0, 3.0]] * 5, attributes=a, clause="6.10")
    rows = verdicts("RaisesOnTheLargest", [b])
    told = [r["outcome"] for r in rows if r["output"] == "value"]
    assert told == ["returned", "returned", "raised", "returned", "returned"], "in the order of the cases"
    assert {r["grade"] for r in rows if r["outcome"] == "returned"} == {"exact"}


def test_a_layout_that_is_refused_whatever_the_numbers_breaks_what_is_offered() -> None:
    """Harmless rows of the same shape and layout are refused as well: no row is guilty."""
    rows = verdicts("RefusesGaps", family("layouts", "softmax"))
    refused = {r["variant"] for r in rows if r["outcome"] == "refused"}
    assert {"strided", "sliced", "transposed", "reversed", "broadcast", "class_last"} <= refused
    assert {r["message"] for r in rows if r["outcome"] == "refused"} == {"RuntimeError: not contiguous"}
    assert {(r["status"], r["clause"]) for r in rows if r["outcome"] == "refused"} == {("breaks_must", "1.7")}
    taken = {r["variant"]: r["status"] for r in rows if r["variant"] not in refused}
    assert taken == {"misaligned": "conforms", "cotangent_broadcast": "conforms", "out": "conforms"}


def test_harmless_rows_are_asked_once_for_each_manner() -> None:
    here = InProcess(fakes.RefusesGaps)
    (plain,) = family("layouts", "softmax", variant="misaligned")
    (strided,) = (b for b in family("layouts", "softmax") if b.asks[0].variant == "strided")
    for b, outcome in ((plain, None), (strided, "refused"), (plain, None), (strided, "refused")):
        (reply,) = here.ask(questions("RefusesGaps", b), arrays_of(b))
        assert {f["outcome"] for f in reply.failures.values()} == ({outcome} if outcome else set())


def test_only_stacks_of_rows_are_filled_up() -> None:
    """A folded batch has the rows that its shape holds; a group is a call."""
    stacked = batch("softmax", _rows(5, set()))
    assert stacked.stacked
    assert batch("softmax", _rows(5, set()), form=Form(again="alone")).stacked
    for form in (Form(shape=(5,)), Form(layout="strided"), Form(each=True), Form(out=True)):
        assert not batch("softmax", _rows(5, set()), form=form).stacked
    a = Attributes(reduction="sum", examples=1)
    assert not batch(SPARSE, _rows(5, set()), labels=[[0.0]] * 5, attributes=a).stacked
    assert not replace(stacked, inputs=replace(stacked.inputs, copies=2)).stacked
    assert batch(
        SPARSE, _rows(5, set()), labels=[[0.0]] * 5, attributes=Attributes(label_smoothing=0.1)
    ).stacked


def test_second_answers_of_a_filled_batch() -> None:
    """All rows twice, those that fill it too; alone only the rows that were asked."""
    for again, expected in (("twice", 5), ("alone", 5)):
        b = batch("softmax", _rows(5, set()), form=Form(again=again))  # type: ignore[arg-type]
        (answer,) = ask("Whole", b)
        assert answer.results["value"].shape == (5, 4)
        assert answer.results["value#again"].shape == (expected, 4)
        assert np.array_equal(answer.results["value"], answer.results["value#again"])
    assert len(b.inputs) < ROWS


# --- the arrays of a batch ------------------------------------------------------------------------------


def _arrays(b: Any) -> dict[str, tuple[str, tuple[int, ...]]]:
    return {name: (a.dtype.name, a.shape) for name, a in arrays_of(b).items()}


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "uint8", "uint16", "uint32", "uint64"])
def test_index_labels_of_every_type(dtype: str) -> None:
    b = batch(SPARSE, _rows(4, set()), labels=[[0.0], [1.0], [2.0], [3.0]], form=Form(label_dtype=dtype))
    assert arrays_of(b)["labels"].dtype == np.dtype(dtype)
    assert arrays_of(b)["labels"].tolist() == [0, 1, 2, 3]


def test_indices_beyond_32_bits_arrive_whole() -> None:
    b = batch(SPARSE, _rows(3, set()), labels=[[2.0**32 + 1], [-1.0], [-(2.0**62)]])
    assert arrays_of(b)["labels"].tolist() == [2**32 + 1, -1, -(2**62)]


@pytest.mark.parametrize("dtype", ["int32", "uint8", "float64", "bfloat16"])
def test_dense_labels_of_another_type(dtype: str) -> None:
    b = batch(
        "softmax_cross_entropy",
        _rows(2, set()),
        labels=[[0.0, 1.0, 0.0, 0.0]] * 2,
        form=Form(label_dtype=dtype),
    )
    assert _arrays(b) == {
        "logits": ("float32", (2, 4)),
        "labels": (dtype, (2, 4)),
        "cotangent": ("float32", (2,)),
    }


def test_arrays_of_groups() -> None:
    a = Attributes(reduction="mean", examples=3)
    b = batch(SPARSE, _rows(2, set(), n=12), labels=[[0.0, 1.0, 3.0]] * 2, attributes=a)
    assert _arrays(b) == {
        "logits": ("float32", (2, 12)),
        "labels": ("int64", (2, 3)),
        "cotangent": ("float32", (2,)),
    }


def test_a_tangent_goes_along() -> None:
    (b,) = family("derivatives", "softmax")
    found = arrays_of(b)
    assert found["tangent"].shape == found["logits"].shape
    assert np.array_equal(found["tangent"], b.inputs.tangent)
    assert [q.outputs for q in questions("Whole", b)] == [("jvp", "hvp")]


def test_outcomes_of_the_fakes_are_what_they_say() -> None:
    (b,) = family("index_range", SPARSE)
    (answer,) = ask("RaisesOutOfRange", b)
    outcomes = {f.outcome for failures in answer.failures.values() for f in failures.values()}
    assert outcomes == {Outcome.RAISED}

"""A batch reaches an implementation in its shape, and every output finds back to its row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest

from tests.support.delivering import Array, delivered, rows
from xent_conformance.cases.families.layouts import BLOCK
from xent_conformance.cases.families.shapes import FORMS
from xent_conformance.cases.form import Form
from xent_conformance.frameworks.interface import Manner
from xent_conformance.worker.delivery import WrongShape

SHAPED = {**FORMS, "block": Form(shape=BLOCK, axis=1), "last_of_many": Form(shape=(2, 3, 2), axis=-1)}
EVERY = pytest.mark.parametrize("form", SHAPED.values(), ids=list(SHAPED))


def manner(form: Form, **rest: Any) -> Manner:
    return Manner(**asdict(form), **rest)


def count(form: Form) -> int:
    """Rows that the form folds."""
    return 3 if form.each else int(np.prod(form.shape or (1,)))


def whole_shape(form: Form, n: int) -> tuple[int, ...]:
    shape = list(form.shape or ())
    shape.insert(form.class_axis, n)
    return tuple(shape)


def squares(arrays: Mapping[str, Array], _keywords: Mapping[str, Any]) -> Mapping[str, Array]:
    """An elementwise value and the gradients: outputs that have the shape of the logits."""
    return {
        "value": arrays["logits"] ** 2,
        "grad_logits": arrays["logits"] * arrays["cotangent"],
        "grad_labels": arrays["labels"] + 1,
    }


def sums(arrays: Mapping[str, Array], keywords: Mapping[str, Any]) -> Mapping[str, Array]:
    """A value without the class axis, by the axis that was named."""
    axis = keywords["axis"]
    each = np.expand_dims(arrays["cotangent"], axis)
    return {
        "value": arrays["logits"].sum(axis=axis),
        "grad_logits": arrays["logits"] * each,
        "jvp": arrays["logits"].max(axis=axis),
    }


@EVERY
def test_elements_find_back_to_their_rows(form: Form) -> None:
    arrays = rows(count(form), 5, labels="dense")
    answer, kept = delivered(manner(form), squares, arrays)
    right = squares(arrays, {})
    assert set(answer) == set(right)
    for output, array in right.items():
        assert np.array_equal(answer[output], array), output
    assert len(kept.arrays) == (count(form) if form.each else 1)
    for call in kept.arrays:
        assert {a.shape for a in call.values()} == {whole_shape(form, 5)}


@EVERY
def test_the_named_axis_holds_the_classes(form: Form) -> None:
    """A sum along it is the sum of a row: no element of another row is among them."""
    arrays = rows(count(form), 5, scalar=True)
    answer, kept = delivered(manner(form), sums, arrays)
    assert np.array_equal(answer["value"], arrays["logits"].sum(axis=1))
    assert np.array_equal(answer["jvp"], arrays["logits"].max(axis=1))
    assert np.array_equal(answer["grad_logits"], arrays["logits"] * arrays["cotangent"][:, None])
    assert {k["axis"] for k in kept.keywords} == {form.axis}


def test_a_vector_has_a_number_for_its_cotangent_and_its_label() -> None:
    arrays = rows(3, 5, scalar=True, labels="index")
    _, kept = delivered(manner(FORMS["vector"]), lambda a, _: {"grad_logits": a["logits"]}, arrays)
    assert [a["cotangent"].shape for a in kept.arrays] == [()] * 3
    assert [a["labels"].shape for a in kept.arrays] == [()] * 3
    assert [int(a["labels"]) for a in kept.arrays] == [0, 1, 2]


@EVERY
def test_index_labels_stay_with_their_rows(form: Form) -> None:
    arrays = rows(count(form), 5, scalar=True, labels="index")

    def picked(a: Mapping[str, Array], k: Mapping[str, Any]) -> Mapping[str, Array]:
        y = np.expand_dims(a["labels"], k["axis"])
        return {"value": np.take_along_axis(a["logits"], y, axis=k["axis"]).squeeze(k["axis"])}

    answer, _ = delivered(manner(form), picked, arrays)
    assert np.array_equal(answer["value"], arrays["logits"][np.arange(count(form)), arrays["labels"]])


# --- keywords -------------------------------------------------------------------------------------


def _keywords(form: Form, takes: set[str], attributes: tuple[tuple[str, Any], ...] = ()) -> Mapping[str, Any]:
    arrays = rows(12, 5)
    _, kept = delivered(
        manner(form, attributes=attributes), lambda a, _: {"value": a["logits"]}, arrays, frozenset(takes)
    )
    (keywords,) = kept.keywords
    return keywords


def test_plain_rows_need_no_axis() -> None:
    assert _keywords(Form(), {"axis", "out"}) == {}
    assert _keywords(Form(layout="strided"), {"axis"}) == {}


def test_the_axis_is_given_as_the_form_has_it() -> None:
    """Counted from the back where the form counts so: that is code of its own."""
    assert _keywords(Form(shape=(3, 4)), {"axis"}) == {"axis": -1}
    assert _keywords(Form(shape=(12,), axis=-2), {"axis"}) == {"axis": -2}
    assert _keywords(Form(shape=(12,), axis=0), {"axis"}) == {"axis": 0}


def test_an_axis_that_is_not_taken_is_not_given() -> None:
    assert _keywords(Form(shape=(3, 4), axis=1), {"weight"}) == {}


def test_out_and_attributes_arrive_as_they_are_called() -> None:
    given = (("weight", (1.0, 0.5, 0.0, 2.0, 0.125)), ("label_smoothing", 0.1), ("ignore_index", -100))
    assert _keywords(Form(out=True), {"out"}, given) == {"out": True, **dict(given)}


# --- shapes that are wrong ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("output", "wrong", "words"),
    [
        ("value", (3, 5), r"returned shape (3, 5) for value, the operator's is (3, 5, 4)"),
        ("grad_logits", (3, 4, 5), r"returned shape (3, 4, 5) for grad_logits, the operator's is (3, 5, 4)"),
        ("value", (), r"returned shape () for value, the operator's is (3, 5, 4)"),
        ("value", (3, 5, 4, 1), r"returned shape (3, 5, 4, 1) for value, the operator's is (3, 5, 4)"),
    ],
)
def test_a_wrong_shape_is_said(output: str, wrong: tuple[int, ...], words: str) -> None:
    """Also where it holds as many numbers: the axes are in another order."""
    form = Form(shape=(3, 4), axis=1)
    with pytest.raises(WrongShape) as said:
        delivered(manner(form), lambda _a, _k: {output: np.zeros(wrong, np.float32)}, rows(12, 5))
    assert str(said.value) == words


def test_a_dimension_that_is_kept_is_a_wrong_shape() -> None:
    def kept(a: Mapping[str, Array], k: Mapping[str, Any]) -> Mapping[str, Array]:
        return {"value": a["logits"].sum(axis=k["axis"], keepdims=True)}

    with pytest.raises(WrongShape):
        delivered(manner(FORMS["three_axes_middle"]), kept, rows(12, 5, scalar=True))


# --- layouts --------------------------------------------------------------------------------------


def test_every_array_of_a_call_has_the_layout() -> None:
    arrays = rows(8, 11, scalar=True, labels="index")
    _, kept = delivered(manner(Form(layout="strided")), lambda a, _: {"grad_logits": a["logits"]}, arrays)
    (call,) = kept.arrays
    assert {n: a.strides for n, a in call.items()} == {
        "logits": (2 * 88, 8),
        "labels": (16,),
        "cotangent": (8,),
    }
    for name, a in arrays.items():
        assert np.array_equal(call[name], a)


def test_the_layout_is_of_the_folded_array() -> None:
    form = Form(shape=BLOCK, axis=1, layout="class_last")
    _, kept = delivered(manner(form), lambda a, _: {"value": a["logits"]}, rows(8, 11))
    assert kept.arrays[0]["logits"].shape == (2, 11, 2, 2)
    assert kept.arrays[0]["logits"].strides[1] == 4

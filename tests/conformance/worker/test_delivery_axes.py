"""Classes on several axes, axes that stay, a format that is asked for: every output finds back to its row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest

from tests.support.delivering import Array, delivered, rows
from tests.support.faults.adapter import Faults
from xent_conformance.asking.arrays import arrays_of
from xent_conformance.asking.questions import outputs, takes
from xent_conformance.cases.corpus import batches_of, families
from xent_conformance.cases.families.forms import NARROWER
from xent_conformance.cases.form import Form
from xent_conformance.discovery.declaration import Declaration
from xent_conformance.frameworks.interface import Implementation, Manner
from xent_conformance.reference.formats import BINARY32, EIGHT_BITS
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.worker.delivery import Delivery, WrongShape
from xent_conformance.worker.serve import manner_of

TAKES = frozenset({"axis", "axes", "keepdims", "dtype"})
AXES = {
    "two": Form(shape=(2, 3), class_shape=(2, 5)),
    "two_kept": Form(shape=(2, 3), class_shape=(2, 5), keepdims=True),
    "all": Form(shape=(), each=True, class_shape=(2, 5)),
    "one_kept": Form(shape=(2, 3), axis=1, keepdims=True),
    "first_kept": Form(shape=(6,), axis=0, keepdims=True),
}


def sums(arrays: Mapping[str, Array], keywords: Mapping[str, Any]) -> Mapping[str, Array]:
    """By NumPy's own ``axis`` and ``keepdims``; the gradient, by the cotangent, of the same axes."""
    x, axis, keep = arrays["logits"], keywords["axis"], bool(keywords.get("keepdims"))
    c = arrays["cotangent"]
    assert c.shape == x.sum(axis=axis, keepdims=keep).shape, "the cotangent has the value's shape"
    each = c if keep else np.expand_dims(c, tuple(range(x.ndim)) if axis is None else axis)
    return {"value": x.sum(axis=axis, keepdims=keep), "grad_logits": x * each}


@pytest.mark.parametrize("form", AXES.values(), ids=list(AXES))
def test_every_output_finds_back_to_its_row(form: Form) -> None:
    arrays = rows(6, 10, scalar=True)
    found, kept = delivered(Manner(**asdict(form)), sums, arrays, TAKES)
    np.testing.assert_array_equal(found["value"], arrays["logits"].sum(axis=1))
    np.testing.assert_array_equal(found["grad_logits"], arrays["logits"] * arrays["cotangent"][:, None])
    if form.class_shape is not None:
        assert kept.arrays[0]["logits"].shape == (*(form.shape or ()), *form.class_shape)
        assert {k["axis"] for k in kept.keywords} == {(-2, -1) if form.shape else None}
    assert len(kept.arrays) == (6 if form.each else 1)


def test_elements_of_a_tensor_without_axes() -> None:
    arrays = rows(3, 1, labels="dense")
    form = Form(shape=(), each=True, class_shape=())

    def squares(arrays: Mapping[str, Array], keywords: Mapping[str, Any]) -> Mapping[str, Array]:
        assert all(a.shape == () for a in arrays.values()) and "axis" not in keywords
        return {"value": arrays["logits"] ** 2, "grad_labels": arrays["labels"] + arrays["cotangent"]}

    found, _ = delivered(Manner(**asdict(form)), squares, arrays, frozenset())
    np.testing.assert_array_equal(found["value"], arrays["logits"] ** 2)
    np.testing.assert_array_equal(found["grad_labels"], arrays["labels"] + arrays["cotangent"])


@pytest.mark.parametrize("form", [AXES["two"], AXES["two_kept"], AXES["one_kept"]])
def test_axes_that_stay_where_they_are_to_go_are_seen(form: Form) -> None:
    """And the other way round: a value of another shape is none."""

    def other(arrays: Mapping[str, Array], keywords: Mapping[str, Any]) -> Mapping[str, Array]:
        keep = not keywords.get("keepdims")
        return {"value": arrays["logits"].sum(axis=keywords["axis"], keepdims=keep)}

    with pytest.raises(WrongShape):
        delivered(Manner(**asdict(form)), other, rows(6, 10, scalar=True), TAKES)


def test_arguments_that_changed_are_told_row_by_row() -> None:
    manner = Manner(**asdict(AXES["two"]))

    def changing(arrays: Mapping[str, Array], keywords: Mapping[str, Any]) -> Mapping[str, Array]:
        where = np.zeros(arrays["logits"].shape, bool)
        where[1, 2, 0, 3] = True
        return {"value": arrays["cotangent"], "logits#changed": where}

    found, _ = delivered(manner, changing, rows(6, 10, scalar=True), TAKES)
    assert found["logits#changed"].tolist() == [False] * 5 + [True]


def test_the_format_that_is_asked_for_is_named_and_the_logits_come_in_the_narrower_one() -> None:
    asked = batches_of(OPERATORS["softmax"], families()["forms"], BINARY32, 12)
    (b,) = (b for b in asked if b.form.logits_dtype == "bfloat16")
    arrays = arrays_of(b)
    assert (arrays["logits"].dtype.name, arrays["cotangent"].dtype.name) == ("bfloat16", "float32")
    seen: list[Mapping[str, object]] = []

    def compute(a: Mapping[str, Array], keywords: Mapping[str, object], _: str) -> Mapping[str, Array]:
        seen.append(keywords)
        return {"value": a["logits"].astype(np.float32)}

    Delivery(Manner(**asdict(b.form)), TAKES, False, "float32").answer(compute, arrays)
    assert seen == [{"dtype": "float32"}]


def test_only_values_are_asked_in_another_format() -> None:
    declared = Declaration.of(Faults)
    for b in batches_of(OPERATORS["softmax"], families()["forms"], BINARY32, 12):
        due = outputs(declared, b)
        assert due == (("value",) if b.form.logits_dtype else ("value", "grad_logits"))


@pytest.mark.parametrize("lacking", ["axes", "keepdims", "dtype"])
def test_who_does_not_take_it_is_not_asked(lacking: str) -> None:
    declared = replace(Declaration.of(Faults), from_eight_bits=frozenset({"d"}))
    door = Implementation("d", "logsumexp", "fused", sums, takes=TAKES - {lacking})
    every = Implementation("d", "logsumexp", "fused", sums, takes=TAKES)
    plain = [
        b
        for b in batches_of(OPERATORS["logsumexp"], families()["forms"], BINARY32, 12)
        if not b.inputs.attributes.given
    ]
    left = [b for b in plain if not takes(declared, door, b)]
    assert all(takes(declared, every, b) for b in plain)
    needs = {
        "axes": {"two_axes", "all_axes", "two_axes_keepdims"},
        "keepdims": {"keepdims", "two_axes_keepdims"},
        "dtype": {f"dtype_of_{narrow}" for narrow in NARROWER["float32"]},
    }
    assert {b.asks[0].variant for b in left} == needs[lacking]


def test_logits_of_eight_bits_are_widened_by_who_says_so() -> None:
    every = Implementation("d", "softmax", "fused", sums, takes=TAKES)
    said = replace(Declaration.of(Faults), from_eight_bits=frozenset({"d"}))
    unsaid = replace(said, from_eight_bits=frozenset(), in_eight_bits=frozenset({"d"}))
    asked = list(batches_of(OPERATORS["softmax"], families()["forms"], BINARY32, 12))
    left = [b.form.logits_dtype for b in asked if takes(said, every, b) and not takes(unsaid, every, b)]
    assert left == list(EIGHT_BITS)


def test_a_manner_comes_through_the_wire_as_it_was() -> None:
    """JSON knows no tuples."""
    for form in AXES.values():
        manner = Manner(**asdict(form))
        sent = {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(manner).items()}
        assert manner_of(sent) == manner

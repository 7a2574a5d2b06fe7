"""``shapes``, ``layouts``, ``invariance``: each place of the classes, each memory, each repetition (§7)."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from tests.support.corpus import of_corpus
from tests.support.family_rows import EVERY, WIDELY
from xent_conformance.cases.case import Batch
from xent_conformance.cases.corpus import batches_of, compiled_at_once, families
from xent_conformance.cases.families.shapes import ELEMENTWISE, FORMS, QUICK, UNCOMPILED
from xent_conformance.cases.form import PLAIN_FORM, Form, Layout
from xent_conformance.reference.formats import BINARY32, Format
from xent_conformance.reference.operators import OPERATORS, Operator

EACH = pytest.mark.parametrize("operator", WIDELY, ids=lambda o: o.name)


def asked(family: str, operator: Operator, n: int, fmt: Format = BINARY32) -> dict[str, Batch]:
    """Batches by variant, where each variant is a batch of its own."""
    found = batches_of(operator, families()[family], fmt, n)
    return {b.asks[0].variant: b for b in found}


def shapes(operator: Operator, n: int) -> dict[str, Batch]:
    return {name: b for name, b in asked("shapes", operator, n).items() if name in FORMS}


# --- shapes -------------------------------------------------------------------------------------------


@EACH
def test_every_rank_from_one_to_five_and_every_kind_of_place(operator: Operator) -> None:
    """First, second, in the middle and last: code for each is another."""
    found = shapes(operator, 5)
    forms = [b.form for b in found.values()]
    places = {(len(f.shape or ()) + 1, f.class_axis) for f in forms}
    if operator.elementwise:
        assert set(found) == set(ELEMENTWISE)
        assert {rank for rank, _ in places} == {1, 3, 5}
        return
    assert set(found) == set(FORMS)
    assert {rank for rank, _ in places} == {1, 2, 3, 4, 5}
    assert {(3, 0), (3, 1), (3, 2)} <= places, "every place of three axes"
    assert {place for _, place in places} == {0, 1, 2, 3}
    inner = [(rank, place) for rank, place in places if 0 < place < rank - 1]
    assert len(inner) >= 4
    assert any(f.class_axis_is_last for f in forms) and any(f.class_axis == 0 for f in forms)


@EACH
def test_a_form_holds_its_rows(operator: Operator) -> None:
    for n in (4, 5) if operator.elementwise else (4, 5, 7):
        for name, b in shapes(operator, n).items():
            if b.form.each:
                assert name == "vector" and b.form.shape == ()
            else:
                assert int(np.prod(b.form.shape)) == len(b.inputs) == 12, name
            assert {c.clause for c in b.cases} == {"1.4" if b.form.each else "7.6"}
            assert b.inputs.n == n


def test_no_axis_is_as_long_as_the_classes() -> None:
    """Else a sum along the wrong axis would have the right shape, and go unseen where rows are alike."""
    for n in (4, 5, 7):
        for operator in (OPERATORS["softmax"], OPERATORS["logsumexp"]):
            for name, b in shapes(operator, n).items():
                assert n not in (b.form.shape or ()), name


def test_an_axis_of_length_one_stands_beside_the_classes() -> None:
    ones = {name: f for name, f in FORMS.items() if 1 in (f.shape or ())}
    assert set(ones) == {"five_axes_second", "five_axes_third"}


def test_quick_has_the_vector_the_first_and_an_inner_axis() -> None:
    found = [
        b for b in of_corpus("quick", operators=["softmax"], families=["shapes"]) if b.form.shape is not None
    ]
    assert {b.asks[0].variant for b in found} == {*QUICK, *UNCOMPILED}
    assert {b.asks[0].variant for b in found if b.inputs.n == 7} == set(UNCOMPILED)
    found = [b for b in found if b.inputs.n == 4]
    assert {b.asks[0].variant for b in found} == set(QUICK)
    kinds = {(b.form.class_axis == 0, b.form.class_axis_is_last) for b in found}
    assert kinds == {(True, True), (True, False), (False, False)}


def test_images_whose_classes_are_last_are_asked_at_once_where_no_shape_is_compiled() -> None:
    """How many axes there are says nothing of where the classes are."""
    for name in ("softmax", "log_softmax", "logsumexp", "sparse_softmax_cross_entropy"):
        lengths = families()["shapes"].lengths(OPERATORS[name], "quick")
        later = [n for n in lengths if not compiled_at_once(name, "shapes", "float32", n)]
        (b,) = batches_of(OPERATORS[name], families()["shapes"], BINARY32, 7)
        assert 7 in later and b.form.class_axis_is_last and len(b.form.shape or ()) == 3
    assert compiled_at_once("softmax", "shapes", "float32", 4)


@pytest.mark.parametrize("name", ["softmax_cross_entropy", "sparse_softmax_cross_entropy"])
def test_images_have_class_weights(name: str) -> None:
    """Weights run along the class axis, whichever it is: no two are equal."""
    for n in (4, 5):
        b = asked("shapes", OPERATORS[name], n)["weighted_image"]
        assert {c.clause for c in b.cases} == {"6.6"}
        assert 0 < b.form.class_axis < len(b.form.shape or ())
        assert len(set(b.inputs.attributes.weight)) == n


@EACH
def test_no_example(operator: Operator) -> None:
    """In ``quick`` of the losses alone: an empty batch is reduced there."""
    few = {name for name in asked("shapes", operator, 4) if name.startswith("no_example")}
    found = {name: b for name, b in asked("shapes", operator, 5).items() if name.startswith("no_example")}
    assert few == (set() if operator.labels == "none" else set(found))
    reductions = {"none": "2.7"}
    if operator.labels != "none":
        reductions |= {"sum": "2.7", "mean": "6.11"}
    assert {name.partition("+")[2]: b.cases[0].clause for name, b in found.items()} == reductions
    for b in found.values():
        assert b.inputs.attributes.examples == 0
        assert b.inputs.n == 5 and b.inputs.logits.shape == (1, 0)
        assert b.inputs.outputs == ("value",)


@EACH
def test_no_class(operator: Operator) -> None:
    """Nothing is defined, and it is asked where there is a row to be empty."""
    lengths = families()["shapes"].lengths(operator, "quick")
    if operator.elementwise or operator.labels == "index":
        assert 0 not in lengths
        return
    (b,) = batches_of(operator, families()["shapes"], BINARY32, 0)
    assert {c.clause for c in b.cases} == {"2.8"}
    assert b.form == PLAIN_FORM and b.inputs.logits.shape == (2, 0)


# --- layouts ------------------------------------------------------------------------------------------


@EACH
def test_every_layout_is_asked(operator: Operator) -> None:
    found = asked("layouts", operator, 11)
    forms = {b.form for b in found.values()}
    names = {f.layout for f in forms}
    assert names == set(get_args(Layout)) - ({"class_last"} if operator.elementwise else set())
    assert {f.layout for f in forms if f.out} == {"contiguous", "strided"}
    blocks = {f.layout for f in forms if f.shape}
    inner = {"class_last", "transposed", "strided", "sliced"}
    assert blocks == (set() if operator.elementwise else inner)
    assert all(f.shape is None or f.class_axis == 1 for f in forms)


@EACH
def test_what_is_broadcast_is_equal(operator: Operator) -> None:
    found = asked("layouts", operator, 11)
    rows = found["broadcast"].inputs
    for array in (rows.logits, rows.labels, rows.cotangent):
        assert (array == array[:1]).all()
    only = found["cotangent_broadcast"].inputs
    assert (only.cotangent == only.cotangent[:1]).all()
    assert len(np.unique(only.logits, axis=0)) == len(only)
    one = found["logits_broadcast"].inputs
    assert (one.logits == one.logits[:1]).all()
    width = one.cotangent.shape[1]
    assert width == 1 or len(np.unique(one.cotangent, axis=0)) == len(one)
    assert not one.labels.size or len(np.unique(one.labels, axis=0)) > 2


@EVERY
def test_rows_and_classes_of_a_layout_are_all_different(fmt: Format) -> None:
    """Memory read in another order must show: no two logits of a block are equal by design."""
    for name, b in asked("layouts", OPERATORS["softmax"], 11, fmt).items():
        assert {c.clause for c in b.cases} == {"7.6"}
        assert len(b.inputs) == 8 and np.prod(b.form.shape or (8,)) == 8
        if name not in ("broadcast", "logits_broadcast"):
            assert len(np.unique(b.inputs.logits, axis=0)) == 8
        assert len(np.unique(b.inputs.cotangent[0])) > 4


# --- invariance ---------------------------------------------------------------------------------------


@EACH
def test_every_repetition(operator: Operator) -> None:
    n = 16 if operator.elementwise else 10
    found = batches_of(operator, families()["invariance"], BINARY32, n)
    asked_ = {a.variant: (c.clause, b.form) for b in found for a, c in zip(b.asks, b.cases, strict=True)}
    expected = {
        "modes": ("7.7", PLAIN_FORM),
        "twice": ("7.3", Form(again="twice")),
        "alone": ("7.4", Form(again="alone")),
    }
    if not operator.elementwise:
        expected["permuted"] = ("7.2", PLAIN_FORM)
    assert asked_ == expected


@EVERY
@EACH
def test_permuted_rows_are_one_row_in_five_orders(operator: Operator, fmt: Format) -> None:
    if operator.elementwise:
        return
    found = batches_of(operator, families()["invariance"], fmt, 10)
    (b,) = (b for b in found if any(a.variant == "permuted" for a in b.asks))
    rows = [i for i, a in enumerate(b.asks) if a.variant == "permuted"]
    x = b.inputs.logits[rows]
    assert len(x) == 5
    assert (np.sort(x, axis=1) == np.sort(x[0])).all()
    assert len(np.unique(x, axis=0)) == 5, "the orders differ"
    assert (np.diff(x[0]) >= 0).all() and (np.diff(x[1]) <= 0).all()
    if operator.labels != "none":
        labels = b.inputs.dense_labels[rows]
        labelled = x[labels == labels.max()]
        assert len(labelled) == 5 and len(set(labelled.tolist())) == 1, "the label goes with its class"

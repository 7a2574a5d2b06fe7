"""A form is part of what a case is; rows of one manner are one call."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from typing import Any, get_type_hints

import numpy as np
import pytest

from tests.support.family_rows import WIDELY
from xent_conformance.cases.case import Ask, Batch
from xent_conformance.cases.corpus import batch, batches_of
from xent_conformance.cases.families.common import label_on, ordinary
from xent_conformance.cases.family import Family
from xent_conformance.cases.form import PLAIN_FORM, Form
from xent_conformance.cases.words import Words
from xent_conformance.reference.attributes import PLAIN, Attributes
from xent_conformance.reference.formats import BINARY32, FORMATS
from xent_conformance.reference.operators import OPERATORS

SOFTMAX, SPARSE = OPERATORS["softmax"], OPERATORS["sparse_softmax_cross_entropy"]
N = 4


def family(rows: Callable[..., Iterable[Ask]]) -> Family:
    return Family("by_hand", "rows written by a test", lambda _o, _p: (N,), rows)


def made(*asks: Ask, operator: Any = SOFTMAX) -> tuple[Batch, ...]:
    return batches_of(operator, family(lambda *_: asks), BINARY32, N)


def row(variant: str, **rest: Any) -> Ask:
    return Ask(variant, np.array([0.0, 1.0, 2.0, 3.0]), "7.6", **rest)


# --- Form -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "place", "last"),
    [
        (Form(), 1, True),
        (Form(axis=0), 0, False),
        (Form(shape=()), 0, True),
        (Form(shape=(), axis=0), 0, True),
        (Form(shape=(12,), axis=0), 0, False),
        (Form(shape=(3, 4)), 2, True),
        (Form(shape=(3, 4), axis=1), 1, False),
        (Form(shape=(3, 4), axis=-3), 0, False),
        (Form(shape=(1, 2, 3, 2), axis=-1), 4, True),
        (Form(shape=(1, 2, 3, 2), axis=3), 3, False),
    ],
    ids=str,
)
def test_the_place_of_the_class_axis(form: Form, place: int, last: bool) -> None:
    assert form.class_axis == place
    assert form.class_axis_is_last is last


# --- Ask.manner -------------------------------------------------------------------------------------

OTHER_FORMS: dict[str, Any] = {
    "shape": (2, 2),
    "axis": 0,
    "layout": "strided",
    "each": True,
    "again": "twice",
    "out": True,
    "label_dtype": "int8",
    "wrong": "labels_floats",
    "logits_dtype": "bfloat16",
    "class_shape": (2, 2),
    "keepdims": True,
    "filled": 65,
}


def test_every_field_of_a_form_is_a_manner_of_its_own() -> None:
    assert set(OTHER_FORMS) == {f.name for f in fields(Form)} == set(get_type_hints(Form))
    forms = [PLAIN_FORM, *(replace(PLAIN_FORM, **{k: v}) for k, v in OTHER_FORMS.items())]
    assert len({row("v", form=f).manner for f in forms}) == len(forms)


def test_attributes_copies_and_tangents_are_manners() -> None:
    asks = [
        row("v"),
        row("v", attributes=Attributes(label_smoothing=0.1)),
        row("v", copies=2),
        row("v", tangent=np.ones(N)),
    ]
    assert len({a.manner for a in asks}) == 4


def test_logits_labels_and_cotangents_are_not() -> None:
    asks = [
        row("v"),
        row("w", labels=np.ones(N), cotangent=np.ones(N), unit_cotangent=True),
        replace(row("v"), logits=np.zeros(N), clause="1.1"),
    ]
    assert len({a.manner for a in asks}) == 1


# --- batches_of -------------------------------------------------------------------------------------


def test_rows_of_one_manner_are_one_batch_in_their_order() -> None:
    """Also where rows of another manner stand between them."""
    strided = Form(layout="strided")
    first, second = made(row("a"), row("b", form=strided), row("c"), row("b", form=strided), row("a"))
    assert [a.variant for a in first.asks] == ["a", "c", "a"]
    assert [a.variant for a in second.asks] == ["b", "b"]
    assert (first.form, second.form) == (PLAIN_FORM, strided)
    assert first.id == "softmax/by_hand/float32/n4"
    assert second.id == "softmax/by_hand/float32/n4/b"
    assert [c.id for c in first.cases] == [
        f"softmax/by_hand/{v}/float32/n4/r{i}" for v, i in (("a", 0), ("c", 0), ("a", 1))
    ]


def test_a_variant_is_asked_in_one_manner() -> None:
    """Else two of its rows would have the same id."""
    with pytest.raises(ValueError, match="family by_hand: a variant of softmax is asked in two manners"):
        made(row("a"), row("a", form=Form(out=True)))
    with pytest.raises(ValueError, match="asked in two manners"):
        made(row("a"), row("b", copies=2), row("a", copies=2))


def test_a_family_without_a_row_is_refused() -> None:
    with pytest.raises(ValueError, match="family by_hand has no row for softmax float32 n4"):
        made()


def test_the_only_batch_is_the_only_one() -> None:
    one = family(lambda *_: [row("a"), row("b")])
    assert len(batch(SOFTMAX, one, BINARY32, N).asks) == 2
    with pytest.raises(ValueError, match="too many values"):
        batch(SOFTMAX, family(lambda *_: [row("a"), row("b", copies=2)]), BINARY32, N)


def test_a_group_brings_its_own_labels() -> None:
    a = Attributes(reduction="sum", examples=2)
    with pytest.raises(ValueError, match="sparse_softmax_cross_entropy a: a group of examples brings"):
        made(Ask("a", np.zeros(2 * N), "6.10", attributes=a), operator=SPARSE)
    (b,) = made(Ask("a", np.zeros(2 * N), "6.10", np.zeros(2), attributes=a), operator=SPARSE)
    assert b.inputs.cotangent.tolist() == [[1.0]], "the first row asks the plain gradient"
    assert b.inputs.n == N and b.inputs.apart.logits.shape == (2, N)


def test_a_cotangent_that_is_given_is_the_one_that_is_asked() -> None:
    given, unit, drawn = made(
        row("a", cotangent=np.array([0.0, -1.0, 2.0, 0.5])), row("a", unit_cotangent=True), row("a")
    )[0].inputs.cotangent
    assert given.tolist() == [0.0, -1.0, 2.0, 0.5]
    assert unit.tolist() == [1.0] * N
    assert (drawn != 0).all() and set(drawn.tolist()) != {1.0}


# --- hashes -----------------------------------------------------------------------------------------


def _hash(**rest: Any) -> str:
    (b,) = made(row("a", cotangent=np.ones(N), **rest))
    return b.cases[0].hash


def test_the_hash_says_how_a_row_is_asked() -> None:
    """The same numbers in another form are another case: two runs may not be compared by them."""
    forms = [replace(PLAIN_FORM, **{k: v}) for k, v in OTHER_FORMS.items()]
    manners: list[dict[str, Any]] = [{}, *({"form": f} for f in forms)]
    manners += [{"copies": 2}, {"tangent": np.ones(N)}, {"tangent": np.arange(N) / 8.0}]
    assert len({_hash(**m) for m in manners}) == len(manners)
    assert _hash() == _hash(form=Form()), "a plain form adds nothing: old hashes stay"


@pytest.mark.parametrize(
    "attributes",
    [
        Attributes(weight=(1.0, 1.0, 1.0, 1.0)),
        Attributes(weight=(1.0, 1.0, 1.0, 2.0)),
        Attributes(label_smoothing=0.1),
        Attributes(ignore_index=-100),
        Attributes(ignore_index=2),
    ],
    ids=str,
)
def test_the_hash_holds_the_attributes(attributes: Attributes) -> None:
    def hashed(a: Attributes) -> str:
        (b,) = made(row("a", labels=np.array([1.0]), attributes=a, cotangent=np.ones(1)), operator=SPARSE)
        return b.cases[0].hash

    assert hashed(attributes) != hashed(PLAIN)


# --- what families share ----------------------------------------------------------------------------


@pytest.mark.parametrize("fmt", FORMATS.values(), ids=list(FORMATS))
def test_ordinary_rows(fmt: Any) -> None:
    for operator in WIDELY:
        x = ordinary(operator, fmt, 50, Words("ordinary"))
        assert np.array_equal(fmt.nearest(x), x)
        if operator.within_unit:
            assert ((x > 0) & (x < 1)).all()
        else:
            assert 8.0 < np.abs(x).max() <= 16.0
            assert x.min() < 0 and (x.max() > 0) == (operator.domain == "reals")


def test_a_label_on_a_class() -> None:
    assert label_on(SOFTMAX, 3, 1) is None
    found = label_on(SPARSE, 3, 1), label_on(OPERATORS["softmax_cross_entropy"], 3, 1)
    assert [None if f is None else f.tolist() for f in found] == [[1.0], [0.0, 1.0, 0.0]]

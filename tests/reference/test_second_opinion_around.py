"""What stands before an operator and after it, by its definition in mpmath, and masks by what they leave."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from tests.support.reference.second_opinion import compare
from xent_conformance.reference.attributes import PLAIN, Attributes
from xent_conformance.reference.formats import BINARY64, FORMATS, Format
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.reference.oracle import Oracle, Truth

LOGITS = [[0.5, -1.25, 2.0, 0.75], [-3.0, 1.0, 0.0, -0.125], [4.0, 4.0, 4.0, 4.0]]
DENSE = [[0.25, 0.5, 0.125, 0.125], [0.0, 1.0, 0.0, 0.0], [0.5, 0.0, 0.25, 0.0]]
INDEX = [[2.0], [1.0], [0.0]]
COTANGENT = [[1.5, -0.5, 0.25, 2.0], [1.0, 1.0, 1.0, 1.0], [-2.0, 0.0, 8.0, 0.5]]

BIAS = (0.5, -2.0, 0.0, 1.25)
KINDS = [
    Attributes(scale=scale, temperature=temperature, bias=bias, times=times)
    for (scale, temperature), bias, times in itertools.product(
        ((1.0, 1.0), (-2.5, 1.0), (1.0, 0.375), (3.0, 7.0), (0.0, 1.0)), ((), BIAS), (1.0, -0.75)
    )
]

MATRIX = ((0.5, -1.0, 2.0, 0.0), (1.0, 0.25, -3.0, 1.5), (0.0, 2.0, 1.0, -0.5), (-1.5, 0.0, 0.5, 4.0))
KINDS += [Attributes(matrix=MATRIX), Attributes(matrix=MATRIX, bias=BIAS)]

ASKED = [o.name for o in OPERATORS.values() if o.domain == "reals"]
SOFTMAX = [name for name in ASKED if not OPERATORS[name].elementwise]


def batch(operator: str, fmt: Format, attributes: Attributes) -> Inputs:
    o = OPERATORS[operator]
    labels = {"none": np.zeros((3, 0)), "index": np.array(INDEX), "dense": np.array(DENSE)}[o.labels]
    width = 4 if o.value_shape == "row" else 1
    return Inputs(operator, fmt, np.array(LOGITS), labels, np.array(COTANGENT)[:, :width], attributes)


@pytest.mark.parametrize("operator", ASKED)
def test_every_kind(operator: str) -> None:
    plain = compare(batch(operator, BINARY64, PLAIN))
    for a in KINDS:
        assert compare(batch(operator, BINARY64, a)) == plain > 10


def test_beside_other_attributes_and_reduced() -> None:
    a = Attributes(weight=(0.5, 2.0, 1.25, 0.75), label_smoothing=0.25, scale=-2.5, bias=BIAS, times=3.0)
    for operator in ("softmax_cross_entropy", "sparse_softmax_cross_entropy", "sigmoid_cross_entropy"):
        whole = batch(operator, BINARY64, a)
        assert compare(whole) > 10
        for reduction in ("mean", "sum"):
            grouped = replace(
                whole,
                logits=whole.logits.reshape(1, -1),
                labels=whole.labels.reshape(1, -1),
                cotangent=np.array([[1.5]]),
                attributes=replace(a, reduction=reduction, examples=3),
            )
            assert compare(grouped) > 10


# --- masks -----------------------------------------------------------------------------------------

MASK = (True, False, True, False)
KEPT = [0, 2]


def masked(operator: str, fill: float, attributes: Attributes) -> tuple[Truth, Truth]:
    """The truth of rows of which a mask takes two classes away, and of the two that are left."""
    there, o = np.array(MASK), OPERATORS[operator]
    x = np.where(there, np.array(LOGITS), fill)
    p = np.where(there, np.array(DENSE), 0.0)
    c = np.array(COTANGENT)
    labels = {"none": np.zeros((3, 0)), "index": np.array([[2.0], [0.0], [0.0]]), "dense": p}
    left = {"none": np.zeros((3, 0)), "index": np.array([[1.0], [0.0], [0.0]]), "dense": p[:, KEPT]}
    wide = o.value_shape == "row"
    whole = Inputs(
        operator, BINARY64, x, labels[o.labels], c if wide else c[:, :1], replace(attributes, mask=MASK)
    )
    alone = Inputs(
        operator, BINARY64, x[:, KEPT], left[o.labels], c[:, KEPT] if wide else c[:, :1], attributes
    )
    return Oracle().truth(whole), Oracle().truth(alone)


@pytest.mark.parametrize("fill", [0.5, np.nan, np.inf, -np.inf, 1e300])
@pytest.mark.parametrize("operator", SOFTMAX)
def test_a_masked_class_is_absent_whatever_its_logit(operator: str, fill: float) -> None:
    """Its gradient is exactly zero, and everything else is as if it were not there, in both tiers."""
    kinds = [PLAIN, Attributes(scale=-2.5, times=3.0)]
    kinds += [Attributes(label_smoothing=0.25)] if OPERATORS[operator].labels != "none" else []
    for a in kinds:
        whole, alone = masked(operator, fill, a)
        for output in whole.inputs.outputs:
            found, left = whole.enclosure(output).hi, alone.enclosure(output).hi
            scalar = output == "value" and OPERATORS[operator].value_shape == "scalar"
            np.testing.assert_array_equal(found if scalar else found[:, KEPT], left)
            gone = {"value": -np.inf if operator == "log_softmax" else 0.0, "grad_logits": 0.0}
            if not scalar and output in gone:
                assert (found[:, [1, 3]] == gone[output]).all()
            bounds = whole.bound(output).stable, alone.bound(output).stable
            assert (bounds[0] if scalar else bounds[0][:, KEPT]).shape == bounds[1].shape
            assert np.isfinite(bounds[1]).all()


@pytest.mark.parametrize("operator", SOFTMAX)
def test_where_no_class_is_left_nothing_is_defined(operator: str) -> None:
    o = OPERATORS[operator]
    labels = {"none": np.zeros((1, 0)), "index": np.zeros((1, 1)), "dense": np.array([[1.0, 0.0]])}
    width = 2 if o.value_shape == "row" else 1
    a = Attributes(mask=(False, False))
    inputs = Inputs(operator, BINARY64, np.zeros((1, 2)), labels[o.labels], np.ones((1, width)), a)
    value = Oracle().truth(inputs).enclosure("value").hi
    assert (
        (value == -np.inf).all() if operator == "logsumexp" else np.isnan(value).all()
    )  # 5.3: log of nothing


@pytest.mark.parametrize("fmt", FORMATS.values(), ids=lambda f: f.name)
def test_a_product_with_one_is_not_there(fmt: Format) -> None:
    """Neutral elements are no attributes: the bits of a case, and its bounds, are those of a plain one."""
    neutral = Attributes(scale=1.0, temperature=1.0, bias=(), mask=(), times=1.0)
    plain, same = (batch("softmax", fmt, a) for a in (PLAIN, neutral))
    assert plain.digest == same.digest and neutral.around == frozenset()
    all_there = Oracle().truth(batch("softmax", fmt, Attributes(mask=(True,) * 4)))
    for output in plain.outputs:
        for tier in ("accurate", "stable"):
            np.testing.assert_array_equal(
                getattr(all_there.bound(output), tier), getattr(Oracle().truth(plain).bound(output), tier)
            )

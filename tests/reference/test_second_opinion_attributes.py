"""Weights, positive weights, smoothing and an ignored index, alone and in all combinations (SPEC.md §6).

Each row is compared with the loss as the frameworks document it, and with its differences.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from flint import arb

from tests.support.reference.second_opinion import compare
from xent_conformance.reference.attributes import Attributes
from xent_conformance.reference.exact import softmax as softmax_family
from xent_conformance.reference.formats import BINARY64, FORMATS, Format
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.operators import OPERATORS

LOGITS = [[0.5, -1.25, 2.0, 0.75], [-3.0, 12.0, 0.0, -0.125], [4.0, 4.0, 4.0, 4.0]]
DENSE = [[0.25, 0.5, 0.125, 0.125], [0.0, 1.0, 0.0, 0.0], [1.5, -0.5, 0.25, 0.0]]
PROBABLE = [[0.25, 0.5, 0.125, 0.875], [0.0, 1.0, 1.0, 0.0], [1.0, 0.0, 0.75, 0.5]]
INDEX = [[2.0], [1.0], [0.0]]
COTANGENT = [[1.5, -0.5, 0.25, 2.0], [1.0, 1.0, 1.0, 1.0], [-2.0, 0.0, 8.0, 0.5]]

WEIGHTS = [(), (0.5, 2.0, 1.25, 0.75), (0.0, 3.0, 0.0, 1024.0)]
POSITIVE = [(), (3.0, 0.25, 1.0, 8.0)]
SMOOTHINGS = [0.0, 0.1, 1.0]
IGNORED = [None, -100, 1, 3, 7]
"""An index that no row has (inside and outside of the classes), and one that the second row has."""


def batch(operator: str, fmt: Format, attributes: Attributes) -> Inputs:
    o = OPERATORS[operator]
    labels = INDEX if o.labels == "index" else PROBABLE if o.elementwise else DENSE
    width = 4 if o.value_shape == "row" else 1
    x, p, c = (np.array(v) for v in (LOGITS, labels, COTANGENT))
    if o.within_unit:
        x = fmt.nearest(1 / (1.5 + np.abs(x)))
    return Inputs(operator, fmt, x, p, c[:, :width], attributes)


@pytest.mark.parametrize("fmt", FORMATS.values(), ids=lambda f: f.name)
class TestRows:
    """Every combination of what an operator takes."""

    def test_index_labels(self, fmt: Format) -> None:
        for w, eps, ignored in itertools.product(WEIGHTS, SMOOTHINGS, IGNORED):
            a = Attributes(weight=w, label_smoothing=eps, ignore_index=ignored)
            for operator in ("sparse_softmax_cross_entropy", "sparse_categorical_cross_entropy"):
                assert compare(batch(operator, fmt, a)) == 15

    def test_dense_labels(self, fmt: Format) -> None:
        for w, eps in itertools.product(WEIGHTS, SMOOTHINGS):
            a = Attributes(weight=w, label_smoothing=eps)
            for operator in ("softmax_cross_entropy", "categorical_cross_entropy"):
                assert compare(batch(operator, fmt, a)) == 27

    def test_sigmoid_cross_entropy(self, fmt: Format) -> None:
        for w, positive, eps in itertools.product(WEIGHTS, POSITIVE, SMOOTHINGS):
            a = Attributes(weight=w, pos_weight=positive, label_smoothing=eps)
            for operator in ("sigmoid_cross_entropy", "binary_cross_entropy"):
                assert compare(batch(operator, fmt, a)) == 36


@pytest.mark.parametrize("y", [7.0, -100.0, -1.0, 4.0, 1.0])
def test_an_ignored_row_is_zero_inside_the_range_and_outside(y: float) -> None:
    """Smoothing and weights or not (6.8)."""
    for w, eps in itertools.product(WEIGHTS, SMOOTHINGS):
        a = Attributes(weight=w, label_smoothing=eps, ignore_index=int(y))
        labels = np.array([[y], [2.0], [y]])
        inputs = Inputs(
            "sparse_softmax_cross_entropy", BINARY64, np.array(LOGITS), labels, np.ones((3, 1)), a
        )
        assert compare(inputs) == 15


@pytest.mark.parametrize("y", [-1.0, 4.0, -100.0, 2.0**40])
def test_an_index_out_of_range_is_nan_in_its_row(y: float) -> None:
    """In the loss and in its gradient (6.4); a negative index does not count from the end."""
    for w, ignored in itertools.product(WEIGHTS, [None, 5, 1]):
        a = Attributes(weight=w, ignore_index=ignored)
        labels = np.array([[0.0], [y], [1.0]])
        inputs = Inputs(
            "sparse_softmax_cross_entropy", BINARY64, np.array(LOGITS), labels, np.ones((3, 1)), a
        )
        assert compare(inputs) == 15


@pytest.mark.parametrize("operator", ["softmax_cross_entropy", "sigmoid_cross_entropy"])
def test_attributes_that_change_nothing_give_the_plain_loss(operator: str) -> None:
    """Weights of one, and no smoothing: the certified numbers are those of no attribute."""
    ones = (1.0, 1.0, 1.0, 1.0)
    positive = ones if operator == "sigmoid_cross_entropy" else ()
    neutral = batch(operator, BINARY64, Attributes(weight=ones, pos_weight=positive))
    assert compare(neutral) == compare(batch(operator, BINARY64, Attributes()))


def test_the_comparison_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """Effective labels wrong in the 95th bit are noticed."""
    right = softmax_family.effective_labels
    monkeypatch.setattr(
        softmax_family, "effective_labels", lambda r, p: [q * (1 + arb(2) ** -95) for q in right(r, p)]
    )
    with pytest.raises(AssertionError, match="softmax_cross_entropy"):
        compare(batch("softmax_cross_entropy", BINARY64, Attributes(label_smoothing=0.1)))

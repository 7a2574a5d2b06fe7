"""Sums and means of one to four examples, ignored rows among them, and of nothing (SPEC.md 6.8 – 6.11)."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tests.support.reference.second_opinion import compare
from xent_conformance.reference.attributes import Attributes
from xent_conformance.reference.formats import BINARY16, BINARY64, FORMATS
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.operators import OF_ROWS, OPERATORS
from xent_conformance.reference.oracle import Oracle

N = 3
LOGITS = [0.5, -1.25, 2.0, 3.0, 3.0, -8.0, 0.125, 9.0, -0.5, 1.0, 0.0, -1.0]
DENSE = [0.25, 0.5, 0.25, 0.0, 1.0, 0.0, 1.0, 0.5, 0.0, 0.125, 0.125, 0.75]
INDEX = [2.0, 0.0, 1.0, 2.0]
REDUCTIONS = ("sum", "mean")
LOSSES = [
    "softmax_cross_entropy",
    "sparse_softmax_cross_entropy",
    "sigmoid_cross_entropy",
    "binary_cross_entropy",
    "categorical_cross_entropy",
]
SPARSE = "sparse_softmax_cross_entropy"


def group(operator: str, a: Attributes, index: list[float] = INDEX, fmt=BINARY64) -> Inputs:
    """Two groups of ``a.examples`` rows, the second in other order; cotangents 1.5 and −2."""
    m = a.examples or 0
    width = {"none": 0, "index": m, "dense": m * N}[OPERATORS[operator].labels]
    x, p = LOGITS[: m * N], (index if operator == SPARSE else DENSE)[:width]
    if OPERATORS[operator].within_unit:
        x = [float(fmt.nearest(np.array(1 / (1.5 + abs(v))))) for v in x]
    both = [np.array([v, v[::-1]]) for v in (x, p)]
    return Inputs(operator, fmt, *both, np.array([[1.5], [-2.0]]), a, empty_of=0 if m else N)


@pytest.mark.parametrize("operator", LOSSES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_reductions(operator: str, reduction: str) -> None:
    """With and without weights and smoothing; a format for each number of examples."""
    for (m, fmt), w, eps in itertools.product(
        enumerate(FORMATS.values(), 1), [(), (0.5, 2.0, 1.25)], [0.0, 0.1]
    ):
        a = Attributes(weight=w, label_smoothing=eps, reduction=reduction, examples=m)
        inputs = group(operator, a, fmt=fmt)
        assert compare(inputs) == 2 * (1 + m * N * (len(inputs.definition.outputs) - 1))


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_positive_weights(reduction: str) -> None:
    """Weights of the elements, repeated for each example."""
    for m, w in itertools.product((1, 3), [(), (0.5, 2.0, 1.25)]):
        a = Attributes(weight=w, pos_weight=(3.0, 0.25, 8.0), reduction=reduction, examples=m)
        assert compare(group("sigmoid_cross_entropy", a))


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("ignored", [-100, 1, 7])
def test_ignored_rows_do_not_count(reduction: str, ignored: int) -> None:
    """One, two or three of four rows, whether or not the index names a class."""
    for gone, w, eps in itertools.product((1, 2, 3), [(), (0.5, 2.0, 1.25)], [0.0, 0.1]):
        index = [float(ignored)] * gone + INDEX[gone:]
        a = Attributes(weight=w, label_smoothing=eps, ignore_index=ignored, reduction=reduction, examples=4)
        assert compare(group(SPARSE, a, index, BINARY16)) == 2 * 13


def outputs(inputs: Inputs) -> dict[str, np.ndarray]:
    truth = Oracle().truth(inputs)
    assert not truth.certified.undecided.any()
    return {name: truth.enclosure(name).round_to(BINARY64) for name in inputs.outputs}


@pytest.mark.parametrize("m", [1, 2, 4])
def test_the_mean_of_nothing(m: int) -> None:
    """Everything ignored, or every labelled class of weight zero: the sum is 0, the mean 0/0 (6.11)."""
    nothing = [
        (Attributes(ignore_index=1), [1.0] * 4),
        (Attributes(ignore_index=-100, label_smoothing=0.1), [-100.0] * 4),
        (Attributes(weight=(0.0, 0.0, 0.0)), INDEX),
        (Attributes(weight=(0.0, 0.0, 0.0), ignore_index=2, label_smoothing=0.1), INDEX),
    ]
    for a, index in nothing:
        for reduction, wanted in (("sum", 0.0), ("mean", np.nan)):
            given = Attributes(
                weight=a.weight,
                label_smoothing=a.label_smoothing,
                ignore_index=a.ignore_index,
                reduction=reduction,
                examples=m,
            )
            inputs = group(SPARSE, given, index)
            for values in outputs(inputs).values():
                np.testing.assert_array_equal(values, np.full_like(values, wanted))
            if reduction == "sum":
                assert compare(inputs)


def test_labelled_classes_of_weight_zero_beside_others() -> None:
    """The smoothing's share of the other classes has weight, and no divisor: still 0/0."""
    a = Attributes(weight=(0.0, 2.0, 0.0), label_smoothing=0.5, reduction="mean", examples=2)
    found = outputs(group(SPARSE, a, [2.0, 0.0]))
    assert np.isnan(found["value"]).all()
    assert compare(group(SPARSE, a, [1.0, 0.0])), "and with one weight it is the divisor"


@pytest.mark.parametrize("operator", LOSSES)
def test_no_example(operator: str) -> None:
    """The sum is 0 (2.7), the mean NaN (6.11), and unreduced there is no element."""
    for reduction, wanted in (("sum", [0.0]), ("mean", [np.nan]), ("none", [])):
        inputs = group(operator, Attributes(reduction=reduction, examples=0))
        assert inputs.n == N
        found = outputs(inputs)
        assert set(found) == {"value"}
        np.testing.assert_array_equal(found["value"], [wanted] * 2)


@pytest.mark.parametrize("operator", list(OF_ROWS))
def test_no_example_of_any_operator(operator: str) -> None:
    """2.7 is asked of every operator, unreduced."""
    found = outputs(group(operator, Attributes(examples=0)))
    assert {name: values.shape for name, values in found.items()} == {"value": (2, 0)}


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("bad", [-1.0, 3.0])
def test_an_index_out_of_range_is_nan_in_a_group(reduction: str, bad: float) -> None:
    """The reduced loss is NaN, and so is the gradient of that row alone (6.4): the others are theirs."""
    a = Attributes(weight=(0.5, 2.0, 1.25), reduction=reduction, examples=2)
    found = outputs(group(SPARSE, a, [1.0, bad]))
    assert np.isnan(found["value"]).all()
    alone = Attributes(weight=a.weight, reduction=reduction, examples=1)
    x = np.array([LOGITS[:N], LOGITS[:N][::-1]])
    good = outputs(Inputs(SPARSE, BINARY64, x, np.ones((2, 1)), np.array([[1.5], [-2.0]]), alone))
    grads = found["grad_logits"]
    assert np.isnan(grads[0, N:]).all()
    assert np.isnan(grads[1, :N]).all()
    np.testing.assert_array_equal(grads[0, :N], good["grad_logits"][0])
    np.testing.assert_array_equal(grads[1, N:], good["grad_logits"][1])


def test_a_group_with_excluded_classes() -> None:
    """Infinite losses of both signs have no sum: NaN, as one row has for mass of both signs (4.3)."""
    x, inf = np.array([[-np.inf, 2.0, -np.inf, 3.0]]), np.inf
    a = Attributes(reduction="sum", examples=2)
    for p, wanted in (
        ([1.0, 0.0, 0.0, 1.0], inf),
        ([1.0, 0.0, 1.0, 1.0], inf),
        ([-1.0, 0.0, 0.0, 1.0], -inf),
    ):
        found = outputs(Inputs("softmax_cross_entropy", BINARY64, x, np.array([p]), np.ones((1, 1)), a))
        assert found["value"] == wanted


def test_infinite_losses_of_both_signs_have_no_sum() -> None:
    x = np.array([[-np.inf, 2.0, -np.inf, 3.0]])
    p, a = np.array([[1.0, 0.0, -1.0, 1.0]]), Attributes(reduction="sum", examples=2)
    found = outputs(Inputs("softmax_cross_entropy", BINARY64, x, p, np.ones((1, 1)), a))
    assert np.isnan(found["value"]).all()

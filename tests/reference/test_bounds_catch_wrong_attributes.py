"""Attributes and reductions that mean something else exceed ``stable`` where it shows (SPEC.md 8.13).

Each mistake is one that a framework has made, or that two of them settle differently. Beside it on
the same row: the right algorithm, which is within ``accurate``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from tests.support.reference.arithmetic import Arithmetic, Array
from tests.support.reference.innocents import GROUPS, ROWS
from tests.support.reference.measure import ask
from tests.support.reference.textbook import log_softmax, one_hot, quotient
from tests.support.reference.textbook_attributes import weights
from tests.support.reference.textbook_attributes_sigmoid import pos_weights
from tests.support.reference.textbook_sigmoid import softplus, two_branches
from xent_conformance.reference.attributes import Attributes
from xent_conformance.reference.formats import FORMATS, Format

DENSE, INDEX, BINARY = "softmax_cross_entropy", "sparse_softmax_cross_entropy", "sigmoid_cross_entropy"

X = [1.0, 2.0, -0.5]
WEIGHTS = (0.25, 2.0, 4.0)
PAIR = [*X, 0.5, -1.0, 1.5]
"""Two examples of three classes."""


def scalar(a: Arithmetic, v: float) -> Array:
    return a.of(a.fmt.nearest(np.array(v)))


def losses(a: Arithmetic, x: Array, p: Array) -> tuple[Array, Array]:
    """``−ℓ`` of all classes, and of the labelled one."""
    nll = -log_softmax(a, x)
    return nll, a.sum(nll * one_hot(a, x, p))


def pair(a: Arithmetic, x: Array, p: Array) -> tuple[Array, Array]:
    """The plain losses of two examples, and their labels."""
    labels = p.reshape(2, 1)
    return losses(a, x.reshape(2, 3), labels)[1], labels


# --- smoothing ------------------------------------------------------------------------------------


def smoothing_is_not_weighed(a, x, p, c, given):
    eps = given.label_smoothing
    nll, picked = losses(a, x, p)
    w = a.sum(weights(a, given, 3) * one_hot(a, x, p))
    return scalar(a, 1 - eps) * (w * picked) + scalar(a, eps / 3) * a.sum(nll)


def smoothing_by_the_labelled_weight(a, x, p, c, given):
    """The whole smoothed loss times the weight of the label."""
    eps = given.label_smoothing
    nll, picked = losses(a, x, p)
    w = a.sum(weights(a, given, 3) * one_hot(a, x, p))
    return w * (scalar(a, 1 - eps) * picked + scalar(a, eps / 3) * a.sum(nll))


def smoothing_spread_over_the_others(a, x, p, c, given):
    eps = given.label_smoothing
    nll, picked = losses(a, x, p)
    return scalar(a, 1 - eps) * picked + scalar(a, eps / 2) * (a.sum(nll) - picked)


def smoothing_forgotten_by_the_gradient(a, x, p, c, given):
    return c * (quotient(a, x) - one_hot(a, x, p))


def smoothed_towards_zero(a, x, z, c, given):
    """``z' = (1 − ε) z`` without ``ε/2``."""
    label = scalar(a, 1 - given.label_smoothing) * z
    return label * softplus(a, -x) + (a.one - label) * softplus(a, x)


# --- weights --------------------------------------------------------------------------------------


def weights_normalised(a, x, p, c, given):
    w = weights(a, given, 3)
    w = a.divide(w * scalar(a, 3.0), a.sum(w))
    return -a.sum(w * (p * log_softmax(a, x)))


def weights_forgotten_by_the_gradient(a, x, p, c, given):
    return c * (quotient(a, x) - p)


def positive_weight_on_the_negatives(a, x, z, c, given):
    extra = pos_weights(a, given, x.shape[1])
    return z * softplus(a, -x) + extra * ((a.one - z) * softplus(a, x))


def positive_weight_on_both(a, x, z, c, given):
    extra = pos_weights(a, given, x.shape[1])
    return extra * (z * softplus(a, -x) + (a.one - z) * softplus(a, x))


def positive_weight_forgotten_by_the_gradient(a, x, z, c, given):
    return c * (two_branches(a, x) - z)


# --- reductions -----------------------------------------------------------------------------------


def mean_over_rows(a, x, p, c, given):
    f, y = pair(a, x, p)
    w = weights(a, given, 3)[0][y.astype(np.int64)]
    return a.half * (f * w).sum(axis=0, keepdims=True)


def ignored_rows_counted(a, x, p, c, given):
    f, y = pair(a, x, p)
    return a.half * np.where(y == given.ignore_index, a.of(0.0), f).sum(axis=0, keepdims=True)


def ignored_index_is_a_class(a, x, p, c, given):
    f, _ = pair(a, x, p)
    return a.half * f.sum(axis=0, keepdims=True)


def gradient_of_the_sum(a, x, p, c, given):
    rows, y = x.reshape(2, 3), p.reshape(2, 1)
    w = weights(a, given, 3)[0][y.astype(np.int64)]
    return (w * (quotient(a, rows) - one_hot(a, rows, y))).reshape(1, 6)


def mean_of_elements_over_rows(a, x, z, c, given):
    """The sum of the losses of all elements, divided by the number of rows alone."""
    f = z * softplus(a, -x) + (a.one - z) * softplus(a, x)
    return a.divide(a.sum(f), scalar(a, 2.0))


@dataclass(frozen=True)
class Mistake:
    wrong: Callable[..., Array]
    operator: str
    attributes: Attributes
    labels: list[float]
    output: str = "value"

    @property
    def right(self) -> Callable[..., Array]:
        tables = GROUPS if self.attributes.grouped else ROWS
        return next(iter(tables["accurate"][self.operator, self.output].values()))


def mean(**given: object) -> Attributes:
    return Attributes(reduction="mean", examples=2, **given)  # type: ignore[arg-type]


SMOOTH = Attributes(label_smoothing=0.5)
SMOOTH_WEIGHTS = Attributes(label_smoothing=0.5, weight=WEIGHTS)
EXTRA = Attributes(pos_weight=(3.0, 0.5, 8.0))

MISTAKES = [
    Mistake(smoothing_is_not_weighed, INDEX, SMOOTH_WEIGHTS, [1.0]),
    Mistake(smoothing_by_the_labelled_weight, INDEX, SMOOTH_WEIGHTS, [1.0]),
    Mistake(smoothing_spread_over_the_others, INDEX, SMOOTH, [1.0]),
    Mistake(smoothing_forgotten_by_the_gradient, INDEX, SMOOTH, [1.0], "grad_logits"),
    Mistake(smoothed_towards_zero, BINARY, SMOOTH, [0.0, 1.0, 0.5]),
    Mistake(weights_normalised, DENSE, Attributes(weight=WEIGHTS), [0.5, 0.25, 0.25]),
    Mistake(
        weights_forgotten_by_the_gradient, DENSE, Attributes(weight=WEIGHTS), [0.5, 0.25, 0.25], "grad_logits"
    ),
    Mistake(positive_weight_on_the_negatives, BINARY, EXTRA, [0.0, 1.0, 0.5]),
    Mistake(positive_weight_on_both, BINARY, EXTRA, [0.0, 1.0, 0.5]),
    Mistake(positive_weight_forgotten_by_the_gradient, BINARY, EXTRA, [0.5, 1.0, 0.5], "grad_logits"),
    Mistake(mean_over_rows, INDEX, mean(weight=WEIGHTS), [0.0, 2.0]),
    Mistake(ignored_rows_counted, INDEX, mean(ignore_index=-100), [0.0, -100.0]),
    Mistake(ignored_index_is_a_class, INDEX, mean(ignore_index=2), [0.0, 2.0]),
    Mistake(gradient_of_the_sum, INDEX, mean(weight=WEIGHTS), [0.0, 2.0], "grad_logits"),
    Mistake(mean_of_elements_over_rows, BINARY, mean(), [0.0, 1.0, 0.5, 0.0, 0.0, 1.0]),
]


@pytest.mark.parametrize("fmt", FORMATS.values(), ids=lambda f: f.name)
@pytest.mark.parametrize("m", MISTAKES, ids=lambda m: m.wrong.__name__)
def test_a_mistake_is_beyond_stable(m: Mistake, fmt: Format) -> None:
    x = PAIR if m.attributes.grouped else X
    measured = ask(m.operator, fmt, x, m.labels, m.output, m.attributes)
    assert measured(m.wrong).worst_stable > 1
    assert measured(m.right).worst_accurate <= 1

"""Faults of categorical cross-entropies of given probabilities: normalised, clipped, taken twice."""

from __future__ import annotations

import numpy as np

from tests.support.faults.blocks import Ask, pick
from tests.support.faults.correct import inside, named, settled, shares, surprise
from tests.support.faults.fault import GIVEN_DENSE, GIVEN_SPARSE, output, part, right, whole
from tests.support.faults.sums import Array

CLIPPED = 1e-7

# --- dense labels ----------------------------------------------------------------------------------


@output(GIVEN_DENSE, "value", "probabilities are clipped at 1e-7")
def clipped_shares(a: Ask) -> Array:
    clipped = np.where(inside(a.x), np.maximum(a.x, CLIPPED), a.x)
    return right(a, "value", x=clipped)


@output(GIVEN_DENSE, "value", "t log p as it is written: 0 · −∞ of a class that has nothing")
def nothing_is_nan(a: Ask) -> Array:
    return a.total(a.q * surprise(a))


@output(GIVEN_DENSE, "value", "a softmax of the probabilities, as if they were logits")
def softmax_of_probabilities(a: Ask) -> Array:
    return -a.total(a.q * a.ell)


@output(GIVEN_DENSE, "value", "log of p + 1e-7")
def epsilon_in_the_logarithm(a: Ask) -> Array:
    plain = right(a, "value")
    near = (a.x < 1e-5).any(axis=1, keepdims=True) | ~inside(a.x).all(axis=1, keepdims=True)
    return np.where(near, plain, -a.total(a.q * np.log(a.x + CLIPPED)))


@output(GIVEN_DENSE, "value", "a number below zero is as good as zero")
def below_zero_is_zero(a: Ask) -> Array:
    return right(a, "value", x=np.where(a.x < 0, np.float64(CLIPPED), a.x).astype(a.x.dtype))


@output(GIVEN_DENSE, "grad_logits", "divided by the sum: each element has the mass of the labels more")
def gradient_of_normalised(a: Ask) -> Array:
    return right(a, "grad_logits") + a.c * a.total(a.q)


@output(GIVEN_DENSE, "grad_logits", "p − t: the gradient by logits, of a softmax that is not there")
def shares_by_logits(a: Ask) -> Array:
    return a.c * (a.x * a.total(a.q) - a.q)


@output(GIVEN_DENSE, "grad_labels", "labels have no gradient where they are zero")
def no_gradient_of_zero_labels(a: Ask) -> Array:
    return np.where(a.p == 0, 0.0, right(a, "grad_labels"))


@output(GIVEN_DENSE, "hvp", "the square is forgotten: t / p")
def hessian_without_square(a: Ask) -> Array:
    return shares(a, a.c * a.v / a.x)


@whole(GIVEN_DENSE, "value", "the mean divides by the elements, not by the rows")
def shares_mean_of_elements(a: Ask, found: Array) -> Array:
    return found / a.n if a.reduction == "mean" else found


# --- an index --------------------------------------------------------------------------------------


@output(GIVEN_SPARSE, "value", "a cross-entropy of logits, which the probabilities are not")
def index_of_logits(a: Ask) -> Array:
    return settled(lambda a: -pick(a.w, a.y) * pick(a.ell, a.y))(a)


@output(GIVEN_SPARSE, "value", "one-hot labels times logarithms: 0 · −∞ of a class that has nothing")
def one_hot_times_logarithms(a: Ask) -> Array:
    return settled(lambda a: a.total(a.q * surprise(a)))(a)


@output(GIVEN_SPARSE, "value", "the probability is not taken to its logarithm")
def logarithm_forgotten(a: Ask) -> Array:
    return settled(lambda a: -pick(a.w, a.y) * pick(a.x, a.y))(a)


@output(GIVEN_SPARSE, "grad_logits", "the gradient ends at 1e7, where the loss does not")
def slope_of_clipped_share(a: Ask) -> Array:
    clipped = named(lambda a: np.where(inside(a.x), -a.c * a.q / np.maximum(a.x, CLIPPED), np.nan))
    return clipped(a)


@output(GIVEN_SPARSE, "grad_logits", "divided by the sum: every class has the weight of the label more")
def index_gradient_of_normalised(a: Ask) -> Array:
    return right(a, "grad_logits") + settled(lambda a: a.c * pick(a.w, a.y) * np.ones_like(a.x))(a)


@part(GIVEN_SPARSE, "divisor", "the mean divides by the rows that are not ignored, not by their weights")
def shares_mean_without_weights(a: Ask) -> Array | int:
    return a.across(np.where(a.ignored, 0.0, np.ones_like(pick(a.w, a.y)))) if a.reduction == "mean" else 1

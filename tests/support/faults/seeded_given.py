"""Faults of losses of given log-probabilities: targets of zero, clipping, what a mean divides by."""

from __future__ import annotations

import numpy as np

from tests.support.faults.blocks import Ask, pick
from tests.support.faults.correct import settled
from tests.support.faults.fault import DIVERGENCE, LIKELIHOOD, output, part, right, whole
from tests.support.faults.sums import Array

CLIPPED = 1e-7

# --- the divergence --------------------------------------------------------------------------------


@output(DIVERGENCE, "value", "p (log p − x) as it is written: NaN at a target of zero")
def zero_target_is_nan(a: Ask) -> Array:
    return a.total(a.q * (np.log(a.smoothed) - a.x))


def entropy(a: Ask) -> Array:
    """``p log p``, zero at zero."""
    return np.where(a.p == 0, 0.0, a.p * np.log(np.where(a.p == 0, 1.0, a.p)))


@output(DIVERGENCE, "value", "xlogy(p, p) − p x: 0 · −∞ for a class that neither side has")
def zero_target_beside_minus_infinity(a: Ask) -> Array:
    return a.total(entropy(a) - a.p * a.x)


@output(DIVERGENCE, "value", "the entropy of the target is left out: the cross-entropy")
def entropy_left_out(a: Ask) -> Array:
    return right(a, "value") - a.total(entropy(a))


@output(DIVERGENCE, "grad_logits", "the target is clipped at 1e-7 first: a gradient where it is zero")
def clipped_target(a: Ask) -> Array:
    return -a.c * np.maximum(a.q, CLIPPED)


@output(DIVERGENCE, "grad_logits", "exp(x) − p: the gradient by logits, of a log-softmax that is not there")
def divergence_by_logits(a: Ask) -> Array:
    return a.c * (np.exp(a.x) - a.q)


@output(DIVERGENCE, "grad_labels", "log p − x: the derivative of log p is forgotten")
def product_rule_forgotten(a: Ask) -> Array:
    return a.c * a.slope * (np.log(a.smoothed) - a.x)


@whole(DIVERGENCE, "value", "the mean divides by the elements, not by the rows")
def mean_of_elements(a: Ask, found: Array) -> Array:
    return found / a.n if a.reduction == "mean" else found


# --- the likelihood --------------------------------------------------------------------------------


@output(LIKELIHOOD, "value", "the row times one-hot labels: 0 · −∞ for an excluded class")
def one_hot_times_infinity(a: Ask) -> Array:
    return settled(lambda a: -a.total(a.q * a.x))(a)


@output(LIKELIHOOD, "value", "the log-probabilities are normalised once more")
def normalised_once_more(a: Ask) -> Array:
    return settled(lambda a: -pick(a.w, a.y) * pick(a.ell, a.y))(a)


@output(LIKELIHOOD, "grad_logits", "one-hot labels times the cotangent: NaN times 0 of every other class")
def lost_cotangent_everywhere(a: Ask) -> Array:
    return settled(lambda a: -a.c * a.q)(a)


@output(LIKELIHOOD, "grad_logits", "exp(x) − p: the gradient by logits, of a log-softmax that is not there")
def likelihood_by_logits(a: Ask) -> Array:
    return settled(lambda a: a.c * pick(a.w, a.y) * (np.exp(a.x) - a.p))(a)


@part(LIKELIHOOD, "divisor", "the mean divides by the rows that are not ignored, not by their weights")
def likelihood_mean_without_weights(a: Ask) -> Array | int:
    return a.across(np.where(a.ignored, 0.0, np.ones_like(pick(a.w, a.y)))) if a.reduction == "mean" else 1

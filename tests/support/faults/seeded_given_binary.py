"""Faults of binary cross-entropy of given probabilities: clamps, the ends of [0, 1], what a label is."""

from __future__ import annotations

import numpy as np

from tests.support.faults.blocks import Ask, weighted
from tests.support.faults.correct import inside
from tests.support.faults.fault import GIVEN_BINARY, output, part, right, whole
from tests.support.faults.sums import Array

CLIPPED, LOWEST, LEAST = 1e-7, -100.0, 1e-12


@output(GIVEN_BINARY, "value", "probabilities are clipped at 1e-7")
def clipped_probabilities(a: Ask) -> Array:
    return np.where(inside(a.x), right(a, "value", x=np.clip(a.x, CLIPPED, 1 - CLIPPED)), np.nan)


@output(GIVEN_BINARY, "value", "logarithms end at −100")
def clamped_logarithms(a: Ask) -> Array:
    log, log_rest = (np.maximum(v, LOWEST) for v in (np.log(a.x), np.log1p(-a.x)))
    return -a.positive * log - a.negative * log_rest


@output(GIVEN_BINARY, "value", "z log p + (1 − z) log(1 − p) as it is written: 0 · −∞ at an end")
def end_is_nan(a: Ask) -> Array:
    return -a.positive * np.log(a.x) - a.negative * np.log1p(-a.x)


@output(GIVEN_BINARY, "value", "what is no probability is clamped to one")
def outside_is_clamped(a: Ask) -> Array:
    return right(a, "value", x=np.clip(a.x, 0, 1))


@output(GIVEN_BINARY, "value", "a probability that is NaN is passed over by a clip")
def nan_probability_hidden(a: Ask) -> Array:
    hidden = np.fmin(np.fmax(a.x, CLIPPED), 1 - CLIPPED)
    return np.where(np.isnan(a.x), right(a, "value", x=hidden), right(a, "value"))


@output(GIVEN_BINARY, "value", "log of p where the label is 1, of 1 − p else: soft labels are rounded")
def hard_labels_only(a: Ask) -> Array:
    log = np.where(a.smoothed == 1, np.log(a.x), np.log1p(-a.x))
    return np.where(np.isnan(a.smoothed) | ~inside(a.x), np.nan, -a.w * log)


@output(GIVEN_BINARY, "value", "log of 1 − p + 1e-7: wrong in the digits of every confident loss")
def epsilon_added(a: Ask) -> Array:
    log, log_rest = np.log(a.x + CLIPPED), np.log(1 - a.x + CLIPPED)
    value = -weighted(a.positive, log) - weighted(a.negative, log_rest)
    end = (a.x == 0) | (a.x == 1)
    return np.where(end | ~inside(a.x), right(a, "value"), value)


@output(GIVEN_BINARY, "grad_logits", "the denominator p (1 − p) ends at 1e-12")
def denominator_ends(a: Ask) -> Array:
    slope = a.c * a.w * (a.x - a.smoothed) / np.maximum(a.x * (1 - a.x), LEAST)
    return np.where((a.x == 0) | (a.x == 1), right(a, "grad_logits"), slope)


@output(GIVEN_BINARY, "grad_logits", "(p − z) / (p (1 − p)) as it is written: 0 / 0 at an end")
def slope_at_an_end_is_nan(a: Ask) -> Array:
    return a.c * a.w * (a.x - a.smoothed) / (a.x * (1 - a.x))


@output(GIVEN_BINARY, "grad_logits", "p − z: the gradient by a logit, of a sigmoid that is not there")
def probability_by_logit(a: Ask) -> Array:
    return a.c * (a.negative * a.x - a.positive * (1 - a.x))


@output(GIVEN_BINARY, "grad_labels", "−log p: the other term is forgotten")
def label_of_one_term(a: Ask) -> Array:
    return -a.c * a.slope * np.log(a.x)


@output(GIVEN_BINARY, "hvp", "one over p (1 − p) for every label, as its expectation has it")
def expected_hessian(a: Ask) -> Array:
    return a.c * a.v * (a.negative + a.positive) / (a.x * (1 - a.x))


@part(GIVEN_BINARY, "factors", "a weight of elements multiplies the positive term alone")
def weight_of_positives(a: Ask) -> tuple[Array | int, Array]:
    return 1 / a.w, a.pos_weight


@whole(GIVEN_BINARY, "value", "the mean divides by the rows, not by the elements")
def probabilities_mean_of_rows(a: Ask, found: Array) -> Array:
    return found * a.n if a.reduction == "mean" else found

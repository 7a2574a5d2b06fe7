"""Faults of divergences in their other forms: conventions at zero, quotients, what a log-target is."""

from __future__ import annotations

import numpy as np

from tests.support.faults.blocks import Ask
from tests.support.faults.correct import log_ratio, relative
from tests.support.faults.fault import ELEMENTWISE, LOG_TARGET, RELATIVE, output, plain, right, whole
from tests.support.faults.sums import Array

# --- of logarithms ---------------------------------------------------------------------------------


@output(LOG_TARGET, "value", "exp(t) (t − x) as it is written: NaN at a log-target of −∞")
def zero_log_target_is_nan(a: Ask) -> Array:
    return a.total(np.exp(a.labels) * (a.labels - a.x))


@output(LOG_TARGET, "value", "the log-target is normalised once more")
def log_target_normalised(a: Ask) -> Array:
    top = np.max(a.labels, axis=1, keepdims=True)
    mass = np.exp(a.labels - top).sum(axis=1, keepdims=True)
    return right(a, "value", labels=a.labels - top - np.log(mass))


@output(LOG_TARGET, "grad_labels", "exp(t) (t − x): the product rule is forgotten")
def log_target_rule_forgotten(a: Ask) -> Array:
    gone = (a.labels == -np.inf) & ~np.isnan(a.x)
    return a.c * np.where(gone, 0.0, np.exp(a.labels) * (a.labels - a.x))


@output(LOG_TARGET, "grad_logits", "−t: the log-target is taken for a target")
def log_target_for_a_target(a: Ask) -> Array:
    return -a.c * a.labels


@whole(LOG_TARGET, "value", "the mean divides by the elements, not by the rows")
def log_target_mean_of_elements(a: Ask, found: Array) -> Array:
    return found / a.n if a.reduction == "mean" else found


# --- by elements -----------------------------------------------------------------------------------


@output(RELATIVE, "value", "log of a quotient that overflows")
def quotient_overflows(a: Ask) -> Array:
    quotient = a.rounded(a.labels / a.x)
    inside = (a.labels > 0) & (a.x > 0) & ~np.isfinite(quotient) & np.isfinite(a.labels)
    return np.where(inside, np.inf, right(a, "value"))


@output(RELATIVE, "value", "NaN compares with nothing, and what is not inside is +∞")
def nan_is_outside(a: Ask) -> Array:
    found = right(a, "value")
    return np.where(np.isnan(found), np.inf, found)


@output(RELATIVE, "value", "p log(p/q) as it is written: NaN at a target of zero")
def zero_target_by_elements_is_nan(a: Ask) -> Array:
    found = right(a, "value")
    return np.where((a.labels == 0) & (a.x >= 0), np.nan, found)


@output(RELATIVE, "grad_logits", "1 − p/q: the gradient of the divergence with its masses")
def gradient_with_masses(a: Ask) -> Array:
    return right(plain(a, operator=ELEMENTWISE), "grad_logits")


@output(RELATIVE, "grad_logits", "p/q first, then the cotangent: infinite where their product is not")
def quotient_before_cotangent(a: Ask) -> Array:
    quotient = a.rounded(a.labels / a.x)
    lost = np.isinf(quotient) & (a.labels > 0) & (a.x > 0)
    return np.where(lost, -a.c * quotient, right(a, "grad_logits"))


@output(ELEMENTWISE, "value", "− p + q is left out")
def masses_left_out(a: Ask) -> Array:
    return relative(a)


@output(ELEMENTWISE, "value", "below zero there is NaN, not +∞")
def outside_is_nan(a: Ask) -> Array:
    return np.where((a.labels < 0) | (a.x < 0), np.nan, right(a, "value"))


@output(ELEMENTWISE, "value", "a target of zero has no divergence: 0, not q")
def zero_target_without_mass(a: Ask) -> Array:
    return np.where((a.labels == 0) & (a.x >= 0), 0.0, right(a, "value"))


@output(ELEMENTWISE, "grad_labels", "log(p/q) + 1: the − p has no derivative")
def mass_of_the_target_forgotten(a: Ask) -> Array:
    return right(a, "grad_labels") + a.c * np.where(a.labels > 0, np.ones_like(log_ratio(a)), 0.0)

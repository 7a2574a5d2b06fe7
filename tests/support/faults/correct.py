"""Every output of every operator, correct: SPEC.md §0 in the pieces of :mod:`blocks`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from tests.support.faults.blocks import Ask, pick, weighted
from tests.support.faults.sums import Array

Output = Callable[[Ask], Array]
Table = Mapping[str, Output]


def softmax_hvp(a: Ask) -> Array:
    """``s_i (t_i (c_i − c̄) − Σ s_j t_j c_j)``."""
    t, b = a.along(a.v), a.centred(a.c)
    return a.s * (t * (b - a.total(a.s * b)) - a.total(a.s * t * b))


def logsumexp(a: Ask) -> Array:
    """``m + L``; an infinite maximum is the value (5.3), unless there is a NaN: then ``m`` is NaN."""
    if not (a.weight == 1).all():
        return a.top + np.log(a.total(a.weighed))
    return np.where(np.isinf(a.m), a.m, a.m + a.L)


def logsumexp_grad(a: Ask) -> Array:
    return a.c * (a.s if (a.weight == 1).all() else a.weighed / a.total(a.weighed))


def cross_entropy(a: Ask) -> Array:
    """``Σ q (d + L)``."""
    return np.where(np.isnan(a.L), np.nan, a.total(weighted(a.q, a.d + a.L)))


def cross_entropy_grad(a: Ask) -> Array:
    return a.balance(a.q, a.c)


def cross_entropy_jvp(a: Ask) -> Array:
    return -a.total(a.q * a.along(a.v))


def cross_entropy_hvp(a: Ask) -> Array:
    return a.c * a.total(a.q) * a.s * a.along(a.v)


def settled(of: Output) -> Output:
    """For index labels: nothing of a row that is ignored (6.8), NaN of one whose index is wrong (6.4)."""

    def output(a: Ask) -> Array:
        return np.where(a.ignored, 0.0, np.where(a.outside, np.nan, of(a)))

    return output


def logit(a: Ask) -> Array:
    p = a.clamped
    near = (p >= 0.25) & (p <= 0.75)
    value = np.where(near, np.log1p((2 * p - 1) / (1 - p)), np.log(p) - np.log1p(-p))
    return np.where(inside(p), value, np.nan)


def logit_grad(a: Ask) -> Array:
    p = a.clamped
    slope = np.where(inside(p), a.c / (p * (1 - p)), np.nan)
    return np.where((p == a.x) | np.isnan(p), slope, 0.0)


def inside(p: Array) -> Array:
    return (p >= 0) & (p <= 1)


def binary(a: Ask) -> Array:
    value = weighted(a.negative, a.softplus) + weighted(a.positive, a.softplus_minus)
    return np.where(np.isnan(a.x), np.nan, value)


def binary_slope(a: Ask) -> Array:
    return a.negative * a.sigma - a.positive * a.mirror


def binary_grad_labels(a: Ask) -> Array:
    """``c w (1 − ε) (P softplus(−x) − softplus(x))``, of which ``−x`` is left where P is 1."""
    return a.c * a.slope * (weighted(a.pos_weight - 1, a.softplus_minus) - a.x)


def given_binary(a: Ask) -> Array:
    """``−b log p − a log(1 − p)``, a term of which a label takes away (5.6); NaN outside of [0, 1]."""
    value = -weighted(a.positive, np.log(a.x)) - weighted(a.negative, np.log1p(-a.x))
    return np.where(inside(a.x), value, np.nan)


def given_slope(a: Ask, c: Array) -> Array:
    """``c (a / (1 − p) − b / p)``: of one fraction within (0, 1), each term by itself at an end."""
    p = a.x
    fraction = c * (a.negative * p - a.positive * (1 - p)) / (p * (1 - p))
    if (a.pos_weight == 1).all():
        fraction = c * a.w * (p - a.smoothed) / (p * (1 - p))
    ends = c * (weighted(a.negative, 1 / (1 - p)) - weighted(a.positive, 1 / p))
    return np.where((p == 0) | (p == 1), ends, np.where(inside(p), fraction, np.nan))


def surprise(a: Ask) -> Array:
    """``−log p``; NaN of what is no probability."""
    return np.where(inside(a.x), -np.log(a.x), np.nan)


def shares(a: Ask, of: Array) -> Array:
    """``q · of``, of which a label of zero leaves nothing, unless there is NaN."""
    return np.where((a.q == 0) & ~np.isnan(a.x), 0.0, a.q * of)


def named(of: Output) -> Output:
    """Of an index: what it does not name has no share, NaN or not."""
    return settled(lambda a: np.where(a.q == 0, 0.0, of(a)))


def log_target(a: Ask) -> Array:
    return np.log(a.smoothed)


def divergence(a: Ask) -> Array:
    """``Σ w p (log p − x)``, of which a target of zero leaves nothing, unless there is NaN."""
    nothing = np.where(np.isnan(a.x), np.nan, 0.0)
    return a.total(a.w * np.where(a.smoothed == 0, nothing, a.smoothed * (log_target(a) - a.x)))


def log_terms(a: Ask, more: float) -> Array:
    """``exp(t) (t − x + more)``, of which a log-target of −∞ leaves nothing, unless there is NaN."""
    gone = (a.labels == -np.inf) & ~np.isnan(a.x)
    return np.where(gone, 0.0, np.exp(a.labels) * (a.labels - a.x + more))


def log_ratio(a: Ask) -> Array:
    """``log(p/q)`` where both are positive, by log1p where they are within a factor of two."""
    there = (a.labels > 0) & (a.x > 0)
    p, q = np.where(there, a.labels, 1.0), np.where(there, a.x, 1.0)
    near = np.abs(p - q) <= np.minimum(p, q)
    return np.where(near, np.log1p(np.where(near, p - q, 0.0) / q), np.log(p) - np.log(q))


def by_domain(a: Ask, inside: Array, nothing: Array) -> Array:
    """``nothing`` at a target of zero, +∞ outside (5.10), NaN of NaN."""
    there, zero = (a.labels > 0) & (a.x > 0), (a.labels == 0) & (a.x >= 0)
    lost = np.where(np.isnan(a.labels) | np.isnan(a.x), np.nan, np.inf)
    return np.where(there, inside, np.where(zero, nothing, lost))


def relative(a: Ask) -> Array:
    return by_domain(a, a.labels * log_ratio(a), np.zeros_like(a.x))


def elementwise(a: Ask) -> Array:
    """``p (r − log1p r)``, ``r = (q − p)/p``: by its series where three terms would cancel."""
    there = (a.labels > 0) & (a.x > 0)
    r = np.where(there, a.x - a.labels, 0.0) / np.where(there, a.labels, 1.0)
    apart = a.labels * log_ratio(a) - a.labels + a.x
    near = a.labels * less_log1p(np.clip(r, -0.5, 1.0))
    return by_domain(a, np.where((r >= -0.5) & (r <= 1), near, apart), a.x)


def less_log1p(r: Array) -> Array:
    """``r − log1p(r)``, a function of its own that libraries call ``log1pmx``, rounded once."""
    wide = r.astype(np.float64).astype(np.longdouble) if r.dtype.itemsize < 8 else r.astype(np.longdouble)
    small = np.where(np.abs(wide) < 0.5, wide, 0)
    series = np.zeros_like(small)
    for k in range(69, 1, -1):  # Horner's: the sum of (−r)^k/k
        series = (1 / wide.dtype.type(k) + series) * -small
    found = np.where(np.abs(wide) < 0.5, series * -small, wide - np.log1p(wide))
    return found.astype(np.float64).astype(r.dtype) if r.dtype.itemsize < 8 else found.astype(r.dtype)


def where_it_moves(a: Ask, slope: Array) -> Array:
    return np.where((a.labels >= 0) & (a.x > 0), slope, np.nan)


def by_both(a: Ask, factor: Array, whole: float) -> Array:
    """``factor (whole − p/q)``, the factor first: the quotient alone may be no number (2.1)."""
    over = a.x - a.labels if whole else -a.labels
    return where_it_moves(a, factor * over / a.x)


def by_target(a: Ask, more: float) -> Array:
    return where_it_moves(a, a.c * np.where(a.labels == 0, -np.inf, log_ratio(a) + more))


def elements(value: Output, whole: float) -> Table:
    return {
        "value": value,
        "grad_logits": lambda a: by_both(a, a.c, whole),
        "grad_labels": lambda a: by_target(a, 1 - whole),
        "jvp": lambda a: by_both(a, a.v, whole),
        "hvp": lambda a: where_it_moves(a, a.c * a.v * a.labels / a.x / a.x),
    }


def picked(of: Output) -> Output:
    """``−Σ q`` times what the labels pick of it."""
    return settled(lambda a: -a.total(np.where(a.q == 0, 0.0, a.q * of(a))))


CORRECT: dict[str, Table] = {
    "softmax": {
        "value": lambda a: a.s,
        "grad_logits": lambda a: a.s * a.along(a.c),
        "jvp": lambda a: a.s * a.along(a.v),
        "hvp": softmax_hvp,
    },
    "log_softmax": {
        "value": lambda a: a.ell,
        "grad_logits": lambda a: a.balance(-a.c, np.ones_like(a.L)),
        "jvp": lambda a: a.along(a.v),
        "hvp": lambda a: -a.total(a.c) * a.s * a.along(a.v),
    },
    "logsumexp": {
        "value": logsumexp,
        "grad_logits": logsumexp_grad,
        "jvp": lambda a: pick(a.v, a.k) + a.total(a.s * a.centred(a.v)),
        "hvp": lambda a: a.c * a.s * a.along(a.v),
    },
    "softmax_cross_entropy": {
        "value": cross_entropy,
        "grad_logits": cross_entropy_grad,
        "grad_labels": lambda a: -a.c * a.slope * a.ell,
        "jvp": cross_entropy_jvp,
        "hvp": cross_entropy_hvp,
    },
    "sparse_softmax_cross_entropy": {
        "value": settled(cross_entropy),
        "grad_logits": settled(cross_entropy_grad),
        "jvp": settled(cross_entropy_jvp),
        "hvp": settled(cross_entropy_hvp),
    },
    "sigmoid": {
        "value": lambda a: a.sigma,
        "grad_logits": lambda a: a.c * a.sigma * a.mirror,
        "jvp": lambda a: a.v * a.sigma * a.mirror,
        "hvp": lambda a: -a.c * a.v * a.sigma * a.mirror * np.tanh(a.x / 2),
    },
    "log_sigmoid": {
        "value": lambda a: -a.softplus_minus,
        "grad_logits": lambda a: a.c * a.mirror,
        "jvp": lambda a: a.v * a.mirror,
        "hvp": lambda a: -a.c * a.v * a.sigma * a.mirror,
    },
    "logit": {
        "value": logit,
        "grad_logits": logit_grad,
        "jvp": lambda a: a.v / (a.x * (1 - a.x)),
        "hvp": lambda a: a.c * a.v * (2 * a.x - 1) / (a.x * (1 - a.x)) ** 2,
    },
    "sigmoid_cross_entropy": {
        "value": binary,
        "grad_logits": lambda a: a.c * binary_slope(a),
        "grad_labels": binary_grad_labels,
        "jvp": lambda a: a.v * binary_slope(a),
        "hvp": lambda a: a.c * a.v * (a.negative + a.positive) * a.sigma * a.mirror,
    },
    "binary_cross_entropy": {
        "value": given_binary,
        "grad_logits": lambda a: given_slope(a, a.c),
        "grad_labels": lambda a: -a.c * a.slope * logit(a),
        "jvp": lambda a: given_slope(a, a.v),
        "hvp": lambda a: a.c * a.v * (a.negative / (1 - a.x) ** 2 + a.positive / a.x**2),
    },
    "categorical_cross_entropy": {
        "value": lambda a: a.total(shares(a, surprise(a))),
        "grad_logits": lambda a: np.where(inside(a.x), -a.c * shares(a, 1 / a.x), np.nan),
        "grad_labels": lambda a: a.c * a.slope * surprise(a),
        "jvp": lambda a: -a.total(shares(a, a.v / a.x)),
        "hvp": lambda a: shares(a, a.c * a.v / a.x / a.x),
    },
    "sparse_categorical_cross_entropy": {
        "value": settled(lambda a: a.total(np.where(a.q == 0, 0.0, a.q * surprise(a)))),
        "grad_logits": named(lambda a: np.where(inside(a.x), -a.c * a.q / a.x, np.nan)),
        "jvp": settled(lambda a: -a.total(np.where(a.q == 0, 0.0, a.q * a.v / a.x))),
        "hvp": named(lambda a: a.c * a.q * a.v / a.x / a.x),
    },
    "kl_divergence": {
        "value": divergence,
        "grad_logits": lambda a: -a.c * a.q,
        "grad_labels": lambda a: a.c * a.slope * ((log_target(a) - a.x) + 1),
        "jvp": lambda a: -a.total(a.q * a.v),
        "hvp": lambda a: np.zeros_like(a.x),
    },
    "kl_divergence_log_target": {
        "value": lambda a: a.total(log_terms(a, 0.0)),
        "grad_logits": lambda a: -a.c * np.exp(a.labels),
        "grad_labels": lambda a: a.c * log_terms(a, 1.0),
        "jvp": lambda a: -a.total(np.exp(a.labels) * a.v),
        "hvp": lambda a: np.zeros_like(a.x),
    },
    "relative_entropy": elements(relative, 0.0),
    "elementwise_kl_divergence": elements(elementwise, 1.0),
    "negative_log_likelihood": {
        "value": picked(lambda a: a.x),
        "grad_logits": settled(lambda a: np.where(a.q == 0, 0.0, -a.c * a.q)),
        "jvp": picked(lambda a: a.v),
        "hvp": settled(lambda a: np.zeros_like(a.x)),
    },
}

CORRECT["linear_cross_entropy"] = CORRECT["sparse_softmax_cross_entropy"]  # what is behind the layer

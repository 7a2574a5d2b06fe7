"""Every output of every operator, right: SPEC.md §0 in the pieces of a situation, with the textbook's sizes.

A hypothesis replaces a piece of these, or a formula, and supposes nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from xent_conformance.diagnosis.divergence_formulas import DIVERGENCE_FORMULAS
from xent_conformance.diagnosis.situation import Array, Pair, Situation

Formula = Callable[[Situation], Pair]

SOFTMAX, LOG_SOFTMAX, LOGSUMEXP = "softmax", "log_softmax", "logsumexp"
DENSE, SPARSE = "softmax_cross_entropy", "sparse_softmax_cross_entropy"
SIGMOID, LOG_SIGMOID, LOGIT, BINARY = "sigmoid", "log_sigmoid", "logit", "sigmoid_cross_entropy"
DIVERGENCE, LIKELIHOOD = "kl_divergence", "negative_log_likelihood"
GIVEN_BINARY, GIVEN_DENSE = "binary_cross_entropy", "categorical_cross_entropy"
GIVEN_SPARSE = "sparse_categorical_cross_entropy"


def plain(result: Array) -> Pair:
    """A result of products and quotients alone: nothing cancels."""
    return result, 0.0


def size(*terms: Array) -> Array:
    """The largest of the sizes."""
    found = np.abs(terms[0])
    for term in terms[1:]:
        found = np.maximum(found, np.abs(term))
    return np.asarray(found)


def settled(z: Situation, found: Pair) -> Pair:
    """Of index labels: nothing of a row that is ignored (6.8), NaN of one whose index is wrong (6.4)."""
    values = np.where(z.ignored, z.of(0.0), np.where(z.outside, z.of(np.nan), found[0]))
    return values, np.where(z.ignored, 0.0, np.asarray(found[1], dtype=np.float64))


# --- softmax ---------------------------------------------------------------------------------------


def softmax_gradient(z: Situation) -> Pair:
    mean = z.total(z.s * z.c)
    return z.s * z.along(z.c), z.s * size(z.c, mean)


def softmax_jvp(z: Situation) -> Pair:
    return z.s * z.along(z.v), z.s * size(z.v, z.total(z.s * z.v))


def softmax_hvp(z: Situation) -> Pair:
    """``s_i (t_i (c_i − c̄) − Σ s_j t_j c_j)``."""
    t, b = z.along(z.v), z.along(z.c)
    sized = size(z.v, z.total(np.abs(z.s * z.v))) * size(z.c, z.total(np.abs(z.s * z.c)))
    return z.s * (t * b - z.total(z.s * t * b)), z.s * sized


def log_softmax(z: Situation) -> Pair:
    return z.ell, z.log_size


def log_softmax_gradient(z: Situation) -> Pair:
    found, sized = z.balance(z, -z.c, z.one)
    return found, sized


def log_softmax_jvp(z: Situation) -> Pair:
    return z.along(z.v), size(z.v, z.total(z.s * z.v))


def log_softmax_hvp(z: Situation) -> Pair:
    found, sized = softmax_jvp(z)
    whole = z.total(np.broadcast_to(z.c, z.x.shape))
    return -whole * found, np.abs(whole) * sized


def logsumexp(z: Situation) -> Pair:
    """``m + L``; an infinite maximum is the value (5.3), unless there is a NaN."""
    found = np.where(np.isinf(z.m), z.m, z.m + z.L)
    return found, size(z.m, z.L, z.one)


def logsumexp_gradient(z: Situation) -> Pair:
    return plain(z.c * z.s)


def logsumexp_jvp(z: Situation) -> Pair:
    sized = z.total(np.abs(z.s * z.v))
    return z.total(z.s * z.v), sized


def logsumexp_hvp(z: Situation) -> Pair:
    found, sized = softmax_jvp(z)
    return z.c * found, np.abs(z.c) * sized


# --- softmax cross-entropy -------------------------------------------------------------------------


def loss(z: Situation) -> Pair:
    """``−Σ q ℓ``."""
    found = -z.total(z.product(z.q, z.ell))
    found = np.where(np.isnan(z.L), z.L, found)
    terms = np.abs(z.q) * np.maximum(np.abs(z.ell), z.log_size)
    return found, np.where(np.isfinite(terms), terms, z.of(0.0)).max(axis=1, keepdims=True)


def loss_gradient(z: Situation) -> Pair:
    return z.balance(z, z.q, z.c)


def loss_by_labels(z: Situation) -> Pair:
    factor = z.c * z.slope
    return -factor * z.ell, np.abs(factor) * np.maximum(np.abs(z.ell), z.log_size)


def loss_jvp(z: Situation) -> Pair:
    terms = z.q * z.along(z.v)
    sized = size(z.q * z.v, z.q * z.total(z.s * z.v)).max(axis=1, keepdims=True)
    return -z.total(terms), sized


def loss_hvp(z: Situation) -> Pair:
    found, sized = softmax_jvp(z)
    whole = z.c * z.total(np.broadcast_to(z.q, z.x.shape))
    return whole * found, np.abs(whole) * sized


# --- the sigmoid family ----------------------------------------------------------------------------


def sigmoid_hvp(z: Situation) -> Pair:
    slopes = z.c * z.v * z.sigma * z.mirror
    return -slopes * np.tanh(z.x * z.number(0.5)), np.abs(slopes)


def log_odds(z: Situation, p: Array) -> Array:
    near = (p >= 0.25) & (p <= 0.75)
    return np.where(near, np.log1p((p + p - z.one) / (z.one - p)), np.log(p) - np.log1p(-p))


def logit(z: Situation) -> Pair:
    p = z.clamped
    value = log_odds(z, p)
    inside = (p >= 0) & (p <= 1)
    return np.where(inside, value, z.of(np.nan)), np.maximum(np.abs(value), z.one)


def logit_gradient(z: Situation) -> Pair:
    p = z.clamped
    inside = (p >= 0) & (p <= 1)
    slope = np.where(inside, z.c / (p * (z.one - p)), z.of(np.nan))
    return plain(np.where((p == z.x) | np.isnan(p), slope, z.of(0.0)))


def logit_hvp(z: Situation) -> Pair:
    d = z.x * (z.one - z.x)
    found = z.c * z.v * (z.x + z.x - z.one) / (d * d)
    return found, np.abs(z.c * z.v / (d * d))


def binary(z: Situation) -> Pair:
    found = z.product(z.negative, z.softplus) + z.product(z.positive, z.softplus_minus)
    found = np.where(np.isnan(z.x), z.x, found)
    sized = np.abs(z.w) * size(
        z.x, z.x * z.smoothed, z.softplus, z.pos_weight * z.smoothed * z.softplus_minus
    )
    return found, np.where(np.isfinite(sized), sized, 1.0)


def binary_slope(z: Situation) -> Pair:
    up, down = z.negative * z.sigma, z.positive * z.mirror
    sized = size(up, down, z.w * z.factors[1] * z.smoothed)
    return up - down, sized


def binary_gradient(z: Situation) -> Pair:
    found, sized = binary_slope(z)
    return z.c * found, np.abs(z.c) * sized


def binary_by_labels(z: Situation) -> Pair:
    """``c w (1 − ε) (P softplus(−x) − softplus(x))``, of which ``−x`` is left where P is 1."""
    factor = z.c * z.slope
    sized = np.abs(factor) * size(z.softplus, z.softplus_minus, z.pos_weight * z.softplus_minus)
    return factor * (z.product(z.pos_weight - z.one, z.softplus_minus) - z.x), sized


def binary_jvp(z: Situation) -> Pair:
    found, sized = binary_slope(z)
    return z.v * found, np.abs(z.v) * sized


# --- losses of given log-probabilities -------------------------------------------------------------


def divergence(z: Situation) -> Pair:
    """``Σ w p (log p − x)``; a target of zero takes −∞ away (4.7)."""
    p = z.smoothed
    own = np.where(p == 0, z.of(0.0), p * np.log(p))
    cross = z.product(p, z.x)
    terms = np.where((p == 0) & np.isposinf(z.x), z.of(np.nan), z.w * (own - cross))
    sized = size(z.w * own, z.w * cross)
    return z.total(terms), np.where(np.isfinite(sized), sized, z.of(0.0)).max(axis=1, keepdims=True)


def divergence_by_target(z: Situation) -> Pair:
    """``c w (log p + 1 − x)``."""
    factor, logarithm = z.c * z.slope, np.log(z.smoothed)
    sized = np.abs(factor) * size(logarithm, z.x, z.one)
    return factor * (logarithm + z.one - z.x), np.where(np.isfinite(sized), sized, z.of(0.0))


def picked_alone(z: Situation, p: Array) -> Array:
    """``q p`` of what an index names, whatever stands elsewhere."""
    return np.where(z.q == 0, z.of(0.0), z.q * p)


def nothing(z: Situation) -> Pair:
    """The second derivative of what is linear in its argument."""
    return plain(np.zeros_like(z.x))


# --- losses of given probabilities -----------------------------------------------------------------


def _finite(z: Situation, sized: Array) -> Array:
    return np.where(np.isfinite(sized), sized, z.of(0.0))


def of_chances(z: Situation) -> Pair:
    """``−b log p − a log(1 − p)``."""
    up, down = z.product(z.positive, z.log_chance), z.product(z.negative, z.log_rest)
    return -(up + down), _finite(z, size(up, down))


def two_slopes(z: Situation, factor: Array) -> Pair:
    """``a/(1 − p) − b/p``."""
    up = z.quotient(z, z.negative, z.one - z.chance)
    down = z.quotient(z, z.positive, z.chance)
    return np.where(z.moves, factor * (up - down), z.of(0.0)), _finite(z, np.abs(factor) * size(up, down))


def chances_slope(z: Situation, factor: Array) -> Pair:
    """The same as one fraction, whose numerator is exactly zero where a probability is its label."""
    p, rest = z.chance, z.one - z.chance
    over = z.negative * p - z.positive * rest if z.given.pos_weight else z.w * (p - z.smoothed)
    apart, sized = two_slopes(z, factor)
    whole = np.where(z.moves, factor * (over / (p * rest)), z.of(0.0))
    return np.where((p == 0) | (p == 1), apart, whole), sized


def chances_by_labels(z: Situation) -> Pair:
    """``c w (1 − ε) (log(1 − p) − P log p)``, of which ``−logit(p)`` is left where P is 1."""
    factor = z.c * z.slope
    found = -log_odds(z, z.chance)
    if z.given.pos_weight:
        found = z.log_rest - z.pos_weight * z.log_chance
    return factor * found, _finite(z, np.abs(factor) * size(found, z.one))


def chances_hvp(z: Situation) -> Pair:
    """``c v (a/(1 − p)² + b/p²)``."""
    cv, rest = z.c * z.v, z.one - z.chance
    up = z.quotient(z, z.quotient(z, cv * z.negative, rest), rest)
    down = z.quotient(z, z.quotient(z, cv * z.positive, z.chance), z.chance)
    return np.where(z.moves, up + down, z.of(0.0)), _finite(z, size(up, down))


def surprise(z: Situation) -> Pair:
    """``−Σ q log p``; of an index what it names alone."""
    terms = picked_alone(z, z.log_chance) if z.indexed else z.product(z.q, z.log_chance)
    return -z.total(terms), _finite(z, size(terms)).max(axis=1, keepdims=True)


def over_chances(z: Situation, factor: Array) -> Array:
    """``factor q / p``; of an index exactly zero of every class that it does not name."""
    if not z.indexed:
        return np.where(z.moves, z.quotient(z, factor * z.q, z.chance), z.of(0.0))
    named = z.q != 0
    found = z.quotient(z, np.where(named, factor * z.q, z.of(0.0)), z.chance)
    return np.where(z.moves & (named | (not z.zero_takes)), found, z.of(0.0))


def surprise_jvp(z: Situation) -> Pair:
    terms = over_chances(z, z.v)
    return -z.total(terms), _finite(z, size(terms)).max(axis=1, keepdims=True)


def surprise_hvp(z: Situation) -> Pair:
    found = over_chances(z, z.c * z.v)
    alone = (z.q == 0) & z.zero_takes
    return plain(np.where(alone, found, z.quotient(z, found, z.chance)))


def of_index(formula: Formula) -> Formula:
    return lambda z: settled(z, formula(z))


FORMULAS: Mapping[tuple[str, str], Formula] = {
    (SOFTMAX, "value"): lambda z: plain(z.s),
    (SOFTMAX, "grad_logits"): softmax_gradient,
    (SOFTMAX, "jvp"): softmax_jvp,
    (SOFTMAX, "hvp"): softmax_hvp,
    (LOG_SOFTMAX, "value"): log_softmax,
    (LOG_SOFTMAX, "grad_logits"): log_softmax_gradient,
    (LOG_SOFTMAX, "jvp"): log_softmax_jvp,
    (LOG_SOFTMAX, "hvp"): log_softmax_hvp,
    (LOGSUMEXP, "value"): logsumexp,
    (LOGSUMEXP, "grad_logits"): logsumexp_gradient,
    (LOGSUMEXP, "jvp"): logsumexp_jvp,
    (LOGSUMEXP, "hvp"): logsumexp_hvp,
    (DENSE, "value"): loss,
    (DENSE, "grad_logits"): loss_gradient,
    (DENSE, "grad_labels"): loss_by_labels,
    (DENSE, "jvp"): loss_jvp,
    (DENSE, "hvp"): loss_hvp,
    (SPARSE, "value"): of_index(loss),
    (SPARSE, "grad_logits"): of_index(loss_gradient),
    (SPARSE, "jvp"): of_index(loss_jvp),
    (SPARSE, "hvp"): of_index(loss_hvp),
    (SIGMOID, "value"): lambda z: plain(z.sigma),
    (SIGMOID, "grad_logits"): lambda z: (z.c * z.sigma * z.mirror, np.abs(z.c) * size(z.sigma, z.mirror)),
    (SIGMOID, "jvp"): lambda z: (z.v * z.sigma * z.mirror, np.abs(z.v) * size(z.sigma, z.mirror)),
    (SIGMOID, "hvp"): sigmoid_hvp,
    (LOG_SIGMOID, "value"): lambda z: (-z.softplus_minus, np.maximum(np.abs(z.softplus_minus), z.one)),
    (LOG_SIGMOID, "grad_logits"): lambda z: (z.c * z.mirror, np.abs(z.c)),
    (LOG_SIGMOID, "jvp"): lambda z: (z.v * z.mirror, np.abs(z.v)),
    (LOG_SIGMOID, "hvp"): lambda z: (-z.c * z.v * z.sigma * z.mirror, np.abs(z.c * z.v) * z.sigma),
    (LOGIT, "value"): logit,
    (LOGIT, "grad_logits"): logit_gradient,
    (LOGIT, "jvp"): lambda z: plain(z.v / (z.x * (z.one - z.x))),
    (LOGIT, "hvp"): logit_hvp,
    (BINARY, "value"): binary,
    (BINARY, "grad_logits"): binary_gradient,
    (BINARY, "grad_labels"): binary_by_labels,
    (BINARY, "jvp"): binary_jvp,
    (DIVERGENCE, "value"): divergence,
    (DIVERGENCE, "grad_logits"): lambda z: plain(-z.c * (z.w * z.smoothed)),
    (DIVERGENCE, "grad_labels"): divergence_by_target,
    (DIVERGENCE, "jvp"): lambda z: (-z.total(z.q * z.v), np.abs(z.q * z.v).max(axis=1, keepdims=True)),
    (DIVERGENCE, "hvp"): nothing,
    (LIKELIHOOD, "value"): of_index(lambda z: plain(-z.total(picked_alone(z, z.x)))),
    (LIKELIHOOD, "grad_logits"): of_index(lambda z: plain(-picked_alone(z, z.c))),
    (LIKELIHOOD, "jvp"): of_index(lambda z: plain(-z.total(picked_alone(z, z.v)))),
    (LIKELIHOOD, "hvp"): of_index(nothing),
    (GIVEN_BINARY, "value"): of_chances,
    (GIVEN_BINARY, "grad_logits"): lambda z: chances_slope(z, z.c),
    (GIVEN_BINARY, "grad_labels"): chances_by_labels,
    (GIVEN_BINARY, "jvp"): lambda z: chances_slope(z, z.v),
    (GIVEN_BINARY, "hvp"): chances_hvp,
    (GIVEN_DENSE, "value"): surprise,
    (GIVEN_DENSE, "grad_logits"): lambda z: plain(-over_chances(z, z.c)),
    (GIVEN_DENSE, "grad_labels"): lambda z: plain(-(z.c * z.slope) * z.log_chance),
    (GIVEN_DENSE, "jvp"): surprise_jvp,
    (GIVEN_DENSE, "hvp"): surprise_hvp,
    (GIVEN_SPARSE, "value"): of_index(surprise),
    (GIVEN_SPARSE, "grad_logits"): of_index(lambda z: plain(-over_chances(z, z.c))),
    (GIVEN_SPARSE, "jvp"): of_index(surprise_jvp),
    (GIVEN_SPARSE, "hvp"): of_index(surprise_hvp),
    (BINARY, "hvp"): lambda z: plain(z.c * z.v * (z.negative + z.positive) * z.sigma * z.mirror),
    **DIVERGENCE_FORMULAS,
}
"""The right output of each example."""

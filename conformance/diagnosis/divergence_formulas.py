"""Divergences in their other forms, right: by elements, and of a target that is given by its logarithms."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from xent_conformance.diagnosis.situation import Array, Pair, Situation

LOG_TARGET, RELATIVE = "kl_divergence_log_target", "relative_entropy"
ELEMENTWISE = "elementwise_kl_divergence"


def _finite(z: Situation, sized: Array) -> Array:
    return np.where(np.isfinite(sized), sized, z.of(0.0))


def domain(z: Situation) -> tuple[Array, Array, Array]:
    """Where both are positive, where a target is zero, and what stands where neither is so."""
    both, nothing = (z.p > 0) & (z.x > 0), (z.p == 0) & (z.x >= 0)
    lost = np.isnan(z.p) | np.isnan(z.x)
    return both, nothing, np.where(lost, z.of(np.nan), z.of(np.inf))


def log_ratio(z: Situation) -> tuple[Array, Array]:
    """``log(p/q)`` of both in the domain, and its size."""
    both, _, _ = domain(z)
    p, q = np.where(both, z.p, z.one), np.where(both, z.x, z.one)
    near = np.abs(p - q) <= np.minimum(p, q)
    apart = np.log(p) - np.log(q)
    found = np.where(near, np.log1p((p - q) / q), apart)
    return found, np.where(near, np.abs(found), np.maximum(np.abs(np.log(p)), np.abs(np.log(q))))


def relative(z: Situation) -> Pair:
    both, nothing, else_ = domain(z)
    found, sized = log_ratio(z)
    value = np.where(both, z.p * found, np.where(nothing, z.of(0.0), else_))
    return value, _finite(z, np.abs(z.p) * sized)


def less_log1p(r: Array) -> Array:
    """``r − log1p(r)`` for ``r`` in [−1/2, 1], by its series where that cancels; rounded once."""
    wide = r.astype(np.longdouble)
    small = np.where(np.abs(wide) < 0.5, wide, 0)
    series = np.zeros_like(wide)
    for k in range(69, 1, -1):  # Horner: powers of their own were a tenth of a diagnosis
        series = np.longdouble(1) / k - small * series
    series *= small * small
    return np.asarray(np.where(np.abs(wide) < 0.5, series, wide - np.log1p(wide)).astype(r.dtype))


def elementwise(z: Situation) -> Pair:
    """``p (r − log1p r)``, ``r = (q − p)/p``, where the three terms would cancel."""
    found, sized = relative(z)
    both, nothing, else_ = domain(z)
    r = np.where(both, z.x - z.p, z.of(0.0)) / np.where(both, z.p, z.one)
    near = z.p * less_log1p(np.clip(r, z.number(-0.5), z.one))
    inside = np.where((r >= -0.5) & (r <= 1), near, found - z.p + z.x)
    value = np.where(both, inside, np.where(nothing, z.x, else_))
    return value, _finite(z, np.maximum(sized, np.maximum(np.abs(z.p), np.abs(z.x))))


def moves(z: Situation) -> Array:
    return np.asarray((z.p >= 0) & (z.x > 0))


def by_prediction(z: Situation, factor: Array) -> Pair:
    return np.where(moves(z), -factor * z.p / z.x, z.of(np.nan)), 0.0


def elementwise_by_prediction(z: Situation, factor: Array) -> Pair:
    found = factor * (z.x - z.p) / z.x
    sized = _finite(z, np.abs(factor) * np.maximum(np.abs(z.p / z.x), z.one))
    return np.where(moves(z), found, z.of(np.nan)), sized


def by_target(z: Situation, more: float) -> Pair:
    found, sized = log_ratio(z)
    value = np.where(z.p == 0, z.of(-np.inf), found + z.number(more))
    return np.where(moves(z), z.c * value, z.of(np.nan)), np.abs(z.c) * np.maximum(sized, z.one)


def bend(z: Situation) -> Pair:
    return np.where(moves(z), z.c * z.v * z.p / z.x / z.x, z.of(np.nan)), 0.0


def mass(z: Situation) -> Array:
    return np.exp(z.p)


def log_terms(z: Situation, more: float) -> tuple[Array, Array]:
    """``exp(t) (t − x + more)``; nothing of ``t = −∞``, unless there is NaN."""
    gone = (z.p == -np.inf) & ~np.isnan(z.x)
    terms = np.where(gone, z.of(0.0), mass(z) * (z.p - z.x + z.number(more)))
    return terms, _finite(z, mass(z) * np.maximum(np.abs(z.p), np.abs(z.x)))


def log_target(z: Situation) -> Pair:
    terms, sized = log_terms(z, 0.0)
    return z.total(terms), sized.max(axis=1, keepdims=True)


def log_target_by_target(z: Situation) -> Pair:
    terms, sized = log_terms(z, 1.0)
    return z.c * terms, np.abs(z.c) * np.maximum(sized, mass(z))


def log_target_jvp(z: Situation) -> Pair:
    terms = mass(z) * z.v
    return -z.total(terms), _finite(z, np.abs(terms)).max(axis=1, keepdims=True)


DIVERGENCE_FORMULAS: Mapping[tuple[str, str], Callable[[Situation], Pair]] = {
    (LOG_TARGET, "value"): log_target,
    (LOG_TARGET, "grad_logits"): lambda z: (-z.c * mass(z), 0.0),
    (LOG_TARGET, "grad_labels"): log_target_by_target,
    (LOG_TARGET, "jvp"): log_target_jvp,
    (LOG_TARGET, "hvp"): lambda z: (np.zeros_like(z.x), 0.0),
    (RELATIVE, "value"): relative,
    (RELATIVE, "grad_logits"): lambda z: by_prediction(z, z.c),
    (RELATIVE, "grad_labels"): lambda z: by_target(z, 1.0),
    (RELATIVE, "jvp"): lambda z: by_prediction(z, z.v),
    (RELATIVE, "hvp"): bend,
    (ELEMENTWISE, "value"): elementwise,
    (ELEMENTWISE, "grad_logits"): lambda z: elementwise_by_prediction(z, z.c),
    (ELEMENTWISE, "grad_labels"): lambda z: by_target(z, 0.0),
    (ELEMENTWISE, "jvp"): lambda z: elementwise_by_prediction(z, z.v),
    (ELEMENTWISE, "hvp"): bend,
}

"""The operators as a careful author writes them, classes last, in one wide format: what mutants are made of.

Every line between here and the end is mutated. Nothing here looks at the suite.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def shifted(x: Array) -> tuple[Array, Array, Array]:
    """The maximum, the distances to it, and ``R = Σ exp`` of the others."""
    m = x.max(axis=-1, keepdims=True)
    d = np.where(x == m, 0.0, x - m)
    e = np.exp(d)
    np.put_along_axis(e, x.argmax(axis=-1, keepdims=True), 0.0, axis=-1)
    return m, d, e.sum(axis=-1, keepdims=True)


def probabilities(x: Array) -> Array:
    _, d, R = shifted(x)
    s: Array = np.exp(d) / (1 + R)
    return s


def complements(x: Array) -> Array:
    """``1 − s_i``, of the largest class too without cancellation."""
    _, d, R = shifted(x)
    rest = 1 + R - np.exp(d)
    np.put_along_axis(rest, x.argmax(axis=-1, keepdims=True), R, axis=-1)
    return rest / (1 + R)


def balance(x: Array, q: Array) -> Array:
    """``s_i Σq − q_i``."""
    others = q.sum(axis=-1, keepdims=True) - q
    return probabilities(x) * others - q * complements(x)


def softmax(x: Array, c: Array) -> dict[str, Array]:
    s = probabilities(x)
    w = c - np.take_along_axis(c, x.argmax(axis=-1, keepdims=True), axis=-1)
    return {"value": s, "grad_logits": s * (w - (s * w).sum(axis=-1, keepdims=True))}


def log_softmax(x: Array, c: Array) -> dict[str, Array]:
    _, d, R = shifted(x)
    return {"value": d - np.log1p(R), "grad_logits": balance(x, -c)}


def logsumexp(x: Array, c: Array) -> dict[str, Array]:
    m, _, R = shifted(x)
    return {"value": (m + np.log1p(R))[..., 0], "grad_logits": c[..., None] * probabilities(x)}


def effective(p: Array, weight: Array | float, smoothing: float) -> Array:
    """``w ((1 − ε) p + ε/N)``."""
    q: Array = weight * ((1 - smoothing) * p + smoothing / p.shape[-1])
    return q


def charged(q: Array, gone: Array) -> Array:
    """``Σ q gone``; what has no label has no share, however far it is gone."""
    losses: Array = np.where(q == 0, 0.0, q * gone).sum(axis=-1)
    return losses


def cross_entropy(
    x: Array, p: Array, c: Array, weight: Array | float = 1.0, smoothing: float = 0.0, reduction: str = "none"
) -> dict[str, Array]:
    _, d, R = shifted(x)
    q, gone = effective(p, weight, smoothing), np.log1p(R) - d
    losses = np.where(np.isnan(x.max(axis=-1)), np.nan, charged(q, gone))
    value, each = reduced(losses, c, reduction, losses.size)
    by_labels = each[..., None] * (weight * (1 - smoothing)) * gone
    return {"value": value, "grad_logits": each[..., None] * balance(x, q), "grad_labels": by_labels}


def sparse_cross_entropy(
    x: Array,
    y: Array,
    c: Array,
    weight: Array | float = 1.0,
    smoothing: float = 0.0,
    ignore: int | None = None,
    reduction: str = "none",
) -> dict[str, Array]:
    n = x.shape[-1]
    ignored = y == ignore
    outside = (y < 0) | (y >= n)
    p = (y[..., None] == np.arange(n)) * 1.0
    found = cross_entropy(x, p, np.ones(y.shape), weight, smoothing)
    losses = np.where(ignored, 0.0, np.where(outside, np.nan, found["value"]))
    mass = np.where(ignored, 0.0, (p * weight).sum(axis=-1)).sum()
    value, each = reduced(losses, c, reduction, mass)
    slope = np.where(outside[..., None], np.nan, found["grad_logits"])
    return {"value": value, "grad_logits": np.where(ignored[..., None], 0.0, each[..., None] * slope)}


def reduced(losses: Array, c: Array, reduction: str, mass: Any) -> tuple[Array, Array]:
    """The losses as they are reduced, and the cotangent of each of them."""
    if reduction == "sum":
        return losses.sum(), c * np.ones(losses.shape)
    if reduction == "mean":
        return losses.sum() / mass, c / mass * np.ones(losses.shape)
    return losses, c


def sigmoid_of(x: Array) -> Array:
    t = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + t), t / (1 + t))


def softplus(x: Array) -> Array:
    grown: Array = np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))
    return grown


def sigmoid(x: Array, c: Array) -> dict[str, Array]:
    return {"value": sigmoid_of(x), "grad_logits": c * sigmoid_of(x) * sigmoid_of(-x)}


def log_sigmoid(x: Array, c: Array) -> dict[str, Array]:
    return {"value": -softplus(-x), "grad_logits": c * sigmoid_of(-x)}


def logit(p: Array, c: Array) -> dict[str, Array]:
    near = np.abs(p - 0.5) < 0.25
    value = np.where(near, np.log1p((2 * p - 1) / (1 - p)), np.log(p) - np.log1p(-p))
    outside = (p < 0) | (p > 1)
    return {"value": value, "grad_logits": np.where(outside, np.nan, c / (p * (1 - p)))}


def binary_cross_entropy(
    x: Array,
    z: Array,
    c: Array,
    weight: Array | float = 1.0,
    positive: Array | float = 1.0,
    smoothing: float = 0.0,
    reduction: str = "none",
) -> dict[str, Array]:
    q = (1 - smoothing) * z + smoothing / 2
    a, b = weight * (1 - q), weight * positive * q
    losses = np.where(a == 0, 0.0, a * softplus(x)) + np.where(b == 0, 0.0, b * softplus(-x))
    losses = np.where(np.isnan(x), np.nan, losses)
    value, each = reduced(losses, c, reduction, losses.size)
    slope = a * sigmoid_of(x) - b * sigmoid_of(-x)
    by_labels = weight * (1 - smoothing) * ((positive - 1) * softplus(-x) - x)
    by_labels = np.where(positive == 1, -weight * (1 - smoothing) * x, by_labels)
    return {"value": value, "grad_logits": each * slope, "grad_labels": each * by_labels}


def given_binary_cross_entropy(
    p: Array,
    z: Array,
    c: Array,
    weight: Array | float = 1.0,
    smoothing: float = 0.0,
    reduction: str = "none",
) -> dict[str, Array]:
    q = (1 - smoothing) * z + smoothing / 2
    a, b = weight * (1 - q), weight * q
    losses = -np.where(b == 0, 0.0, b * np.log(p)) - np.where(a == 0, 0.0, a * np.log1p(-p))
    outside = ~((p >= 0) & (p <= 1))
    value, each = reduced(np.where(outside, np.nan, losses), c, reduction, losses.size)
    # at an end the slope is that of the one term there is, or the loss infinite
    slope = np.where(p * (1 - p) == 0, a - b, weight * (p - q) / (p * (1 - p)))
    by_labels = -weight * (1 - smoothing) * logit(p, c)["value"]
    return {
        "value": value,
        "grad_logits": each * np.where(outside, np.nan, slope),
        "grad_labels": each * by_labels,
    }


def given_cross_entropy(
    p: Array,
    t: Array,
    c: Array,
    weight: Array | float = 1.0,
    smoothing: float = 0.0,
    reduction: str = "none",
) -> dict[str, Array]:
    q, gone = effective(t, weight, smoothing), -np.log(p)
    losses = charged(q, gone)
    value, each = reduced(losses, c, reduction, losses.size)
    grown = each[..., None]
    slope = np.where(q == 0, 0.0, -q / p)
    by_labels = grown * weight * (1 - smoothing) * gone
    return {"value": value, "grad_logits": grown * slope, "grad_labels": by_labels}


def given_sparse_cross_entropy(
    p: Array,
    y: Array,
    c: Array,
    weight: Array | float = 1.0,
    ignore: int | None = None,
    reduction: str = "none",
) -> dict[str, Array]:
    found = likelihood(np.log(p), y, c, weight, ignore, reduction)
    slope = found["grad_logits"]
    return {"value": found["value"], "grad_logits": np.where(slope == 0, 0.0, slope / p)}


def divergence(x: Array, p: Array, c: Array, reduction: str = "none") -> dict[str, Array]:
    gone = np.where(np.isnan(x), np.nan, 0.0)
    losses = np.where(p == 0, gone, p * (np.log(p) - x)).sum(axis=-1)
    value, each = reduced(losses, c, reduction, losses.size)
    grown = each[..., None]
    return {"value": value, "grad_logits": -grown * p, "grad_labels": grown * (np.log(p) - x + 1)}


def likelihood(
    x: Array,
    y: Array,
    c: Array,
    weight: Array | float = 1.0,
    ignore: int | None = None,
    reduction: str = "none",
) -> dict[str, Array]:
    n = x.shape[-1]
    ignored = y == ignore
    outside = (y < 0) | (y >= n)
    named = y[..., None] == np.arange(n)
    losses = np.where(named, -weight * x, 0.0).sum(axis=-1)
    losses = np.where(ignored, 0.0, np.where(outside, np.nan, losses))
    mass = np.where(ignored, 0.0, (named * weight).sum(axis=-1)).sum()
    value, each = reduced(losses, c, reduction, mass)
    slope = np.where(named, -each[..., None] * weight, 0.0)
    slope = np.where(outside[..., None], np.nan, slope)
    return {"value": value, "grad_logits": np.where(ignored[..., None], 0.0, slope)}


def log_target_divergence(x: Array, t: Array, c: Array, reduction: str = "none") -> dict[str, Array]:
    p, gone = np.exp(t), np.where(np.isnan(x), np.nan, 0.0)
    terms = np.where(p == 0, gone, p * (t - x))
    losses = terms.sum(axis=-1)
    value, each = reduced(losses, c, reduction, losses.size)
    grown = each[..., None]
    return {"value": value, "grad_logits": -grown * p, "grad_labels": grown * (terms + p)}


def log_ratio(p: Array, q: Array) -> Array:
    """``log(p/q)``, by log1p where they are within a factor of two."""
    near = np.abs(p - q) <= np.minimum(p, q)
    return np.where(near, np.log1p((p - q) / q), np.log(p) - np.log(q))


def less_log1p(r: Array) -> Array:
    """``r − log1p(r)`` of at most a half, by its series: the difference would cancel."""
    terms: Array = sum((-r) ** k / k for k in range(2, 70))  # type: ignore[assignment]
    return terms


def by_domain(p: Array, q: Array, inside: Array, nothing: Array | float) -> Array:
    """``nothing`` at a target of zero; infinite where one is outside; NaN of NaN."""
    there, zero = (p > 0) & (q > 0), (p == 0) & (q >= 0)
    lost = np.where(np.isnan(p) | np.isnan(q), np.nan, np.inf)
    return np.where(there, inside, np.where(zero, nothing, lost))


def moving(p: Array, q: Array, slope: Array) -> Array:
    """A derivative, where there is one."""
    return np.where((p >= 0) & (q > 0), slope, np.nan)


def relative_entropy(q: Array, p: Array, c: Array) -> dict[str, Array]:
    ratio = log_ratio(p, q)
    return {
        "value": by_domain(p, q, p * ratio, 0.0),
        "grad_logits": moving(p, q, -c * p / q),
        "grad_labels": moving(p, q, c * (ratio + 1)),
    }


def elementwise_divergence(q: Array, p: Array, c: Array) -> dict[str, Array]:
    ratio, r = log_ratio(p, q), (q - p) / p
    inside = np.where(np.abs(r) < 0.5, p * less_log1p(r), p * ratio - p + q)
    return {
        "value": by_domain(p, q, inside, q),
        "grad_logits": moving(p, q, c * (q - p) / q),
        "grad_labels": moving(p, q, c * ratio),
    }

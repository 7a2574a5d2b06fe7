"""Bounds of divergences in their other forms: SPEC.md 8.18."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from xent_conformance.reference.bounds.bound import Bound, tiers
from xent_conformance.reference.bounds.sizes import Sizes, rowsum
from xent_conformance.reference.formats import Floats

# --- by elements: a prediction q, a target p ------------------------------------------------------


@dataclass(frozen=True)
class Pair:
    """Prediction, target and their logarithms, where both are positive; 1 and 0 elsewhere."""

    q: Floats
    p: Floats
    logs: Floats
    """``|log p| + |log q|``."""
    signed: Floats
    """``log(p/q)``."""
    far: Floats
    """Whether the quotient is no normal number of the format."""

    @classmethod
    def of(cls, z: Sizes) -> Pair:
        x, label = z.inputs.logits, z.p
        there = (x > 0) & (label > 0) & np.isfinite(x) & np.isfinite(label)
        q, p = np.where(there, x, 1.0), np.where(there, label, 1.0)
        log_p, log_q = np.log(p), np.log(q)
        fmt, near = z.inputs.format, np.abs(p - q) <= np.minimum(p, q)
        signed = np.where(near, np.log1p((p - q) / q), log_p - log_q)
        low, high = np.log(fmt.smallest_normal), np.log(fmt.largest)
        far = np.asarray((signed < low) | (signed > high), dtype=np.float64)
        p = np.where(label == 0, 0.0, p)
        return cls(q, p, np.abs(log_p) + np.abs(log_q), signed, far)

    @property
    def log(self) -> Floats:
        return np.abs(self.signed)

    @property
    def near(self) -> Floats:
        """Whether the difference is exact: the two are within a factor of two."""
        return np.asarray(self.log <= np.log(2.0), dtype=np.float64)


def _log_accurate(z: Sizes, t: Pair) -> Floats:
    """``log(p/q)`` by log1p near one, by two logarithms where the quotient is no number, in units of u."""
    return (1.5 * z.Q + z.E + 1) * t.log + t.far * (z.E * t.logs + t.log)


def _log_stable(z: Sizes, t: Pair) -> Floats:
    """Of a rounded quotient, or the difference of two logarithms."""
    return (z.E + 1) * t.logs + z.Q + 2 * t.log


def _relative_entropy(z: Sizes) -> Bound:
    t = Pair.of(z)
    accurate = t.p * (_log_accurate(z, t) + t.log)
    stable = t.p * (_log_stable(z, t) + 2 * t.logs + t.log)
    return tiers(z, z.u * accurate, z.u * stable, 4.0)


def _elementwise_divergence(z: Sizes) -> Bound:
    t = Pair.of(z)
    terms = t.p * t.log + t.p + t.q
    value = z.u_value("value") / z.u
    relative = (z.E + 2 * z.Q + 4) * value
    apart = t.p * _log_accurate(z, t) + 2 * terms + value
    stable = t.p * (_log_stable(z, t) + 2 * t.logs + t.log) + 2 * terms + value
    return tiers(z, z.u * np.where(t.near > 0, relative, apart), z.u * stable, 6.0)


def _by_prediction(z: Sizes) -> Bound:
    """``−c p/q``."""
    t, c = Pair.of(z), np.abs(z.c)
    size = _quotient(z.u * c, t.p, t.q)
    return _divided(z, t, (z.Q + 2) * size, (3 * z.Q + 6) * size)


def _divergence_by_prediction(z: Sizes) -> Bound:
    """``c (q − p) / q``."""
    t, c = Pair.of(z), np.abs(z.c)
    ratio, slope = _quotient(z.u * c, t.p, t.q), _quotient(z.u * c, np.abs(t.q - t.p), t.q)
    return _divided(z, t, (z.Q + 3) * slope, (3 * z.Q + 6) * ratio + 3 * slope)


def _quotient(c: Floats, top: Floats, q: Floats) -> Floats:
    """``c top / q`` as a size: the product may be subnormal, and the quotient beyond binary64."""
    product, quotient = c * top / q, c * (top / q)
    both = np.isfinite(product) & np.isfinite(quotient)
    other = np.where(np.isfinite(product), product, quotient)
    return np.where(both, np.maximum(product, quotient), other)


def _divided(z: Sizes, t: Pair, accurate: Floats, stable: Floats) -> Bound:
    """``c p``, or ``c (q − p)``, may be subnormal, and is divided by ``q``; both tiers in units of one."""
    c = np.abs(z.c)
    lost = z.eta / t.q, np.minimum(z.tiny / t.q, np.maximum(c, 1.0))
    return tiers(z, accurate, stable, 4 + 4 * c, lost)


def _by_target(z: Sizes) -> Bound:
    """``c (log(p/q) + 1)``."""
    t, c = Pair.of(z), np.abs(z.c)
    slope = np.abs(t.signed + 1)
    accurate = c * (_log_accurate(z, t) + 2 * slope)
    stable = c * (_log_stable(z, t) + 2 * t.logs + 3 * z.Q + 8 + 3 * slope)
    return _over_target(z, t, accurate, stable)


def _divergence_by_target(z: Sizes) -> Bound:
    """``c log(p/q)``, behind which a 1 may have been added and taken away."""
    t, c = Pair.of(z), np.abs(z.c)
    accurate = c * (_log_accurate(z, t) + t.log)
    stable = c * (_log_stable(z, t) + 2 * t.logs + 3 * z.Q + 12 + 4 * t.log)
    return _over_target(z, t, accurate, stable)


def _over_target(z: Sizes, t: Pair, accurate: Floats, stable: Floats) -> Bound:
    """``c p`` may be subnormal, and is divided by ``p``."""
    c, there = np.abs(z.c), t.p > 0
    p = np.where(there, t.p, 1.0)
    lost = there * z.eta / p, np.minimum(there * z.tiny / p, np.maximum(c, 1.0))
    return tiers(z, z.u * accurate, z.u * stable, 4 + 4 * c, lost)


# --- of a target that is given by its logarithms --------------------------------------------------


class LogTarget:
    """``exp(t)``, and the sizes of ``t``, ``x`` and their difference; nothing of an infinite one."""

    def __init__(self, z: Sizes) -> None:
        self.mass: Floats = np.where(np.isneginf(z.p), 0.0, np.exp(np.where(np.isfinite(z.p), z.p, 0.0)))
        there = np.isfinite(z.p) & np.isfinite(z.inputs.logits)
        t, x = np.where(there, z.p, 0.0), np.where(there, z.inputs.logits, 0.0)
        self.t, self.x = np.abs(t), np.abs(x)
        self.difference, self.slope = np.abs(t - x), np.abs(t - x + 1)
        subnormal = np.where(self.mass < z.tiny, self.mass, 0.0)
        self.lost = np.minimum(subnormal, z.eta), subnormal
        """What the exponential loses, and what flushing takes of it."""


def _log_target(z: Sizes) -> Bound:
    t = LogTarget(z)
    apart = t.t + t.x
    accurate = rowsum(z.u * t.mass * (z.E + 2 + z.h_accurate) * t.difference)
    stable = rowsum(z.u * t.mass * (z.E * t.difference + (2 + z.h_stable) * apart + t.difference))
    products = [z.lost(t.mass * size) for size in (t.difference, t.t, t.x)]
    rounded = rowsum(t.lost[0] * apart) + sum(lost for lost, _ in products)
    flushed = rowsum(t.lost[1] * apart) + sum(lost for _, lost in products)
    return tiers(z, accurate, stable, 2.0, (rounded, flushed))


def _log_target_grad(z: Sizes) -> Bound:
    t, c = LogTarget(z), np.abs(z.c)
    size = z.u * c * t.mass
    return tiers(z, (z.E + 1) * size, (z.E + 2) * size, 2 + 2 * c, (c * t.lost[0], c * t.lost[1]))


def _log_target_grad_labels(z: Sizes) -> Bound:
    t, c = LogTarget(z), np.abs(z.c)
    accurate = c * t.mass * (t.difference + (z.E + 3) * t.slope)
    stable = c * t.mass * ((z.E + 4) * t.slope + 4 * t.difference + 3)
    share = c * (t.difference + 2)
    lost = share * t.lost[0], share * t.lost[1]
    return tiers(z, z.u * accurate, z.u * stable, 2 + 4 * share, lost)


DIVERGENCES: dict[tuple[str, str], Callable[[Sizes], Bound]] = {
    ("relative_entropy", "value"): _relative_entropy,
    ("relative_entropy", "grad_logits"): _by_prediction,
    ("relative_entropy", "grad_labels"): _by_target,
    ("elementwise_kl_divergence", "value"): _elementwise_divergence,
    ("elementwise_kl_divergence", "grad_logits"): _divergence_by_prediction,
    ("elementwise_kl_divergence", "grad_labels"): _divergence_by_target,
    ("kl_divergence_log_target", "value"): _log_target,
    ("kl_divergence_log_target", "grad_logits"): _log_target_grad,
    ("kl_divergence_log_target", "grad_labels"): _log_target_grad_labels,
}

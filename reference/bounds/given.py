"""Bounds of losses of a distribution that is given: SPEC.md 8.15, and 8.17."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from xent_conformance.reference.bounds.bound import Bound, tiers
from xent_conformance.reference.bounds.sizes import LEAST, Sizes, rowsum
from xent_conformance.reference.formats import Floats


def _formed(z: Sizes) -> float:
    """Roundings of a label that attributes have formed, or that comes in a wider format."""
    wider = z.inputs.labels_format not in (None, z.inputs.format)
    return z.kappa + wider


class _Divergence:
    """The target ``p``, its logarithm, and the sizes of what is subtracted, in units of ``z.u``."""

    def __init__(self, z: Sizes) -> None:
        smoothing = z.inputs.attributes.label_smoothing
        self.p: Floats = (1 - smoothing) * z.p + smoothing / max(z.inputs.n, 1)
        x = np.where(np.isfinite(z.inputs.logits), z.inputs.logits, 0.0)
        log_p = np.where(self.p > 0, np.log(np.where(self.p > 0, self.p, 1.0)), 0.0)
        self.log, self.x = z.u * np.abs(log_p), z.u * np.abs(x)
        self.difference = np.abs(z.u * log_p - z.u * x)
        self.slope = np.abs(z.u * (log_p + 1) - z.u * x)
        self.kappa = _formed(z)


def _divergence(z: Sizes) -> Bound:
    t = _Divergence(z)
    size = np.abs(z.weight) * t.p
    apart = t.log + t.x
    accurate = z.E * t.log + (2 + z.h_accurate) * t.difference + t.kappa * (t.difference + z.u)
    stable = (z.E + 2) * t.log + 2 * t.x + z.h_stable * apart + t.kappa * (apart + z.u)
    terms = [z.lost(size * (part / z.u)) for part in (t.difference, t.log, t.x)]
    lost = (sum(rounded for rounded, _ in terms), sum(flushed for _, flushed in terms))
    return tiers(z, rowsum(size * accurate), rowsum(size * stable), 2.0, lost)


def _divergence_grad_labels(z: Sizes) -> Bound:
    t, c = _Divergence(z), np.abs(z.c) * z.slope
    accurate = z.E * t.log + t.difference + 2 * t.slope + t.kappa * z.u
    stable = (z.E + 3) * t.log + (z.Q + 4 + t.kappa) * z.u + 3 * t.x
    # c p may be subnormal, and is divided by p
    with np.errstate(over="ignore", divide="ignore"):
        lost = z.eta / t.p, np.minimum(z.tiny / t.p, np.maximum(c, 1.0))
    return tiers(z, c * accurate, c * stable, 2 + 4 * c, lost)


def _grad(z: Sizes) -> Bound:
    """``−c q_i``: one product where no attribute is given, or two with what is added to it."""
    c, size = np.abs(z.c), z.u * np.abs(z.c * z.q)
    roundings = 2 + 2 * c * np.maximum(np.abs(z.weight), 1.0)
    return tiers(z, (1 + _formed(z)) * size, (2 + _formed(z)) * size, roundings)


def summed(z: Sizes, h: float) -> float:
    """Roundings of ``Σ q_i x_i``, in units of u: none where an index picks one of them, and nothing more."""
    a = z.inputs.attributes
    if not z.inputs.definition.selects or a.label_smoothing:
        return 1 + z.kappa + h
    return 1 + z.kappa if a.of_labels else 0.0


def _likelihood(z: Sizes) -> Bound:
    q = np.abs(z.q)
    x = np.where(np.isfinite(z.inputs.logits) & (q != 0), np.abs(z.inputs.logits), 0.0)
    size = rowsum(q * (z.u * x))
    accurate, stable = summed(z, z.h_accurate) * size, summed(z, z.h_stable) * size
    return tiers(z, accurate, stable, 2 + 2 * rowsum(q), z.lost(q * x))


class Categorical:
    """Given probabilities: ``−log p`` and ``1/p`` where there is one, and the effective labels' sizes."""

    def __init__(self, z: Sizes) -> None:
        inside = (z.inputs.logits > 0) & (z.inputs.logits <= 1)
        p = np.where(inside, z.inputs.logits, 1.0)
        self.log, self.p = -np.log(p), np.maximum(p, LEAST)
        self.q, self.formed = np.abs(z.q), _formed(z)


def alone(z: Sizes, h: float) -> float:
    """The sum over classes, in units of u: none where an index picks one of them."""
    picked = z.inputs.definition.selects and not z.inputs.attributes.label_smoothing
    return 0.0 if picked else h


def _categorical(z: Sizes) -> Bound:
    t = Categorical(z)
    size = rowsum(t.q * t.log)
    accurate = (z.E + 1 + t.formed + alone(z, z.h_accurate)) * size
    stable = (z.E + 2 + t.formed + alone(z, z.h_stable)) * size
    return tiers(z, z.u * accurate, z.u * stable, 2 + 2 * rowsum(t.q), z.lost(t.q * t.log))


def _categorical_grad(z: Sizes) -> Bound:
    t, c = Categorical(z), np.abs(z.c)
    slope, w = c * t.q / t.p, np.maximum(np.abs(z.weight), 1.0)
    divided = np.where(t.q == 0, 0.0, 1 / t.p)  # c q may be subnormal, and is divided by p
    lost = z.eta * divided, np.minimum(z.tiny * divided, np.maximum(c * w, 1.0))
    accurate, stable = (z.Q + 2 + t.formed) * slope, (z.Q + 3 + t.formed) * slope
    return tiers(z, z.u * accurate, z.u * stable, 2 + 2 * c * w, lost)


def _categorical_grad_labels(z: Sizes) -> Bound:
    t, c = Categorical(z), np.abs(z.c) * z.slope
    accurate, stable = (z.E + 2 + z.kappa) * t.log, (z.E + 3 + z.kappa) * t.log
    return tiers(z, z.u * c * accurate, z.u * c * stable, 2 + 2 * c)


GIVEN: dict[tuple[str, str], Callable[[Sizes], Bound]] = {
    ("kl_divergence", "value"): _divergence,
    ("kl_divergence", "grad_logits"): _grad,
    ("kl_divergence", "grad_labels"): _divergence_grad_labels,
    ("negative_log_likelihood", "value"): _likelihood,
    ("negative_log_likelihood", "grad_logits"): _grad,
    ("categorical_cross_entropy", "value"): _categorical,
    ("categorical_cross_entropy", "grad_logits"): _categorical_grad,
    ("categorical_cross_entropy", "grad_labels"): _categorical_grad_labels,
    ("sparse_categorical_cross_entropy", "value"): _categorical,
    ("sparse_categorical_cross_entropy", "grad_logits"): _categorical_grad,
}

"""Bounds of the sigmoid family: SPEC.md 8.7 – 8.9, and of a probability that is given, 8.16."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from xent_conformance.reference.bounds.before import own_error
from xent_conformance.reference.bounds.bound import Bound, tiers
from xent_conformance.reference.bounds.sizes import LEAST, LN2, Sizes
from xent_conformance.reference.formats import Floats


def _sigmas(z: Sizes) -> tuple[Floats, Floats]:
    """``σ(x), σ(−x)``."""
    return z.reference_sizes["sigma"], z.reference_sizes["mirror"]


def _u_softplus(z: Sizes) -> tuple[Floats, Floats]:
    """``u softplus(x), u softplus(−x)``; nothing where it is infinite: there the limit is exact."""
    both = (z.reference_sizes[name] for name in ("softplus", "softplus_minus"))
    positive, negative = (z.u * np.where(np.isinf(size), 0.0, size) for size in both)
    return positive, negative


def _moves(z: Sizes) -> tuple[Floats, Floats, Floats]:
    """What the arguments' own errors move ``σ``, ``softplus(x)`` and ``softplus(−x)`` by: SPEC.md 8.14."""
    sigma, mirror = _sigmas(z)
    e = z.unit * own_error(z.inputs, z.x)
    grown = np.expm1(np.minimum(e, 700.0))
    slope = np.minimum(sigma * mirror * grown, 1.0)
    rising, falling = (np.minimum(e, s * grown) for s in (sigma, mirror))
    scale = z.u / z.unit * (1 + (2 * z.E + z.Q + 6) * z.unit)  # what is rounded may have been moved
    return scale * slope, scale * rising, scale * falling


def _sigmoid(z: Sizes) -> Bound:
    sigma, _ = _sigmas(z)
    accurate = z.u * sigma * (2 * z.E + z.Q + 2) + _moves(z)[0]
    return tiers(z, accurate, accurate + z.u * (z.E / 2 + 2), 2.0)


def _sigmoid_grad(z: Sizes) -> Bound:
    sigma, mirror = _sigmas(z)
    c = np.abs(z.c)
    accurate = z.u * c * sigma * mirror * (2 * (2 * z.E + z.Q + 2) + 2) + c * _moves(z)[0]
    return tiers(z, accurate, accurate + z.u * c * (z.E + 5) * np.maximum(sigma, mirror), 2 + 4 * c)


def _log_sigmoid(z: Sizes) -> Bound:
    accurate = (2 * z.E + 3) * z.u * z.reference_sizes["softplus_minus"] + _moves(z)[2]
    return tiers(z, accurate, accurate + z.u * (z.E + 2), 2.0)


def _log_sigmoid_grad(z: Sizes) -> Bound:
    mirror, c = z.reference_sizes["mirror"], np.abs(z.c)
    accurate = z.u * c * mirror * (2 * z.E + z.Q + 4) + c * _moves(z)[0]
    return tiers(z, accurate, accurate + z.u * c * (z.E / 2 + 3), 2 + 4 * c)


def _logit(z: Sizes) -> Bound:
    uv = z.u_value("value")
    accurate = (z.E + z.Q + 3) * uv
    # log p and log(1 − p) apart: the smaller of the two is at most ln 2
    split = z.E * (uv + z.u * 2 * LN2) + uv
    return tiers(z, accurate, np.maximum(accurate, split) + z.u * (z.Q + 3), 2.0)


def _logit_grad(z: Sizes) -> Bound:
    ug = z.u_value("grad_logits")
    return tiers(z, (z.Q + 4) * ug, (2 * z.Q + 6) * ug, 2.0 + 2 * np.abs(z.c))


def pairs(z: Sizes) -> tuple[Floats, Floats, Floats, Floats]:
    """``|w (1 − z')|``, ``|w P z'|``, and what an implementation may split the latter into.

    ``l = 1 + (P − 1) z'`` multiplies ``softplus(−x)`` in the textbook's form with a positive weight; its
    two terms may be larger than it is.
    """
    smoothing, w = z.inputs.attributes.label_smoothing, np.abs(z.weight)
    label = (1 - smoothing) * z.p + smoothing / 2
    split = np.where(z.pos_weight == 1, 0.0, 1 + np.abs((z.pos_weight - 1) * label))
    other, chosen, split, w = np.broadcast_arrays(
        w * np.abs(1 - label), w * np.abs(z.pos_weight * label), w * split, w
    )
    return other, chosen, split, w


def _binary_cross_entropy(z: Sizes) -> Bound:
    positive, negative = _u_softplus(z)
    other, label, split, w = pairs(z)
    _, rising, falling = _moves(z)
    accurate = (2 * z.E + 6 + z.kappa) * (other * positive + label * negative)
    accurate = accurate + other * rising + label * falling
    textbook = 2 * z.ux * (label + other) + w * z.ux + np.maximum(w, split) * z.u * (z.E + 2)
    stable = accurate + textbook + 4 * split * negative
    return tiers(z, accurate, stable, 4.0 + 2 * w * np.maximum(np.abs(z.pos_weight), 1.0))


def _binary_cross_entropy_grad(z: Sizes) -> Bound:
    sigma, mirror = _sigmas(z)
    c = np.abs(z.c)
    other, label, split, w = pairs(z)
    accurate = z.u * c * (2 * z.E + z.Q + 6 + z.kappa) * (other * sigma + label * mirror)
    accurate = accurate + c * (other + label) * _moves(z)[0]
    textbook = z.u * c * (z.E / 2 + 3 + z.kappa / 2) * (w + label + split)
    scale = np.maximum(w * np.maximum(np.abs(z.pos_weight), 1.0), 1.0)
    return tiers(z, accurate, accurate + textbook, 2 + 4 * c * scale)


def _binary_cross_entropy_grad_labels(z: Sizes) -> Bound:
    c = np.abs(z.c)
    _, rising, falling = _moves(z)
    if z.inputs.attributes.of_labels:
        positive, negative = _u_softplus(z)
        c = c * z.slope
        accurate = np.abs(z.pos_weight) * falling + rising
        accurate = accurate + (2 * z.E + 8) * (np.abs(z.pos_weight) * negative + positive) + 2 * z.ux
        stable = accurate + 3 * z.ux + z.u * (1 + np.abs(z.pos_weight)) * (z.E + 4)
        return tiers(z, c * accurate, c * stable, 4 + 4 * c)
    own = c * (rising + falling)
    stable = c * ((2 * z.E + 4) * (z.ux + z.u * 2 * LN2) + 2 * z.u)
    return tiers(z, 2 * c * z.ux + own, stable + own, 2 + 2 * c)


class Probable:
    """Sizes of the two terms of a loss of given probabilities: ``a`` and ``b``, logarithms and slopes.

    At an end of [0, 1] a logarithm, or a slope, is 0 where the label takes it away, and infinite else.
    """

    def __init__(self, z: Sizes) -> None:
        p = z.inputs.logits
        below, above = (p > 0) & (p <= 1), (p >= 0) & (p < 1)
        smoothing, self.w = z.inputs.attributes.label_smoothing, np.abs(z.weight)
        label = (1 - smoothing) * z.p + smoothing / 2
        self.label = self.w * np.abs(label)
        self.a, self.b = self.w * np.abs(1 - label), np.abs(z.pos_weight) * self.label
        self.log = -np.log(np.where(below, p, 1.0))
        self.log_rest = -np.log1p(-np.where(above, p, 0.0))
        self.p = np.maximum(np.where(below, p, 1.0), LEAST)
        self.rest = np.where(above, 1 - p, 1.0)
        self.by_p, self.by_rest = self.b / self.p, self.a / self.rest
        signed = np.sign(1 - label) * self.by_rest - np.sign(z.pos_weight * label) * self.by_p
        self.slope = np.where(below & above, np.abs(signed), self.by_rest + self.by_p)
        wider = z.inputs.labels_format not in (None, z.inputs.format)
        self.rounded = self.label * (z.kappa if z.inputs.attributes.label_smoothing else wider)
        """What ``1 − z`` of a label that was rounded is off by, in units of u."""
        self.wider = self.w * np.abs(z.p) * wider


def _given_binary(z: Sizes) -> Bound:
    t = Probable(z)
    size = t.b * t.log + t.a * t.log_rest
    accurate = (z.E + 4 + z.kappa) * size + t.wider * (np.abs(z.pos_weight) * t.log + t.log_rest)
    stable = accurate + 2 * t.a + t.rounded * t.log_rest
    return tiers(z, z.u * accurate, z.u * stable, 4.0 + 2 * np.maximum(t.w, t.w * np.abs(z.pos_weight)))


def _given_binary_grad(z: Sizes) -> Bound:
    t, c = Probable(z), np.abs(z.c)
    apart = t.by_rest + t.by_p
    formed = z.kappa * apart + t.wider * (np.abs(z.pos_weight) / t.p + 1 / t.rest)
    accurate = (z.Q + 4) * (apart if z.inputs.attributes.of_labels else t.slope) + formed
    stable = (z.Q + 5) * apart + 2 * t.slope + formed + t.rounded / t.rest
    # c b may be subnormal, and is divided by p; or their difference, by both
    product = c * t.slope * t.p * t.rest
    divided = np.where(t.b == 0, 0.0, 1 / t.p) + np.where(t.a == 0, 0.0, 1 / t.rest)
    divided = divided + np.where(product < z.tiny, 1 / (t.p * t.rest), 0.0)
    lost = z.eta * divided, np.minimum(z.tiny * divided, np.maximum(c * t.w, 1.0))
    roundings = 2 + 4 * c * np.maximum(t.w * np.maximum(np.abs(z.pos_weight), 1.0), 1.0)
    return tiers(z, z.u * c * accurate, z.u * c * stable, roundings, lost)


def _given_binary_grad_labels(z: Sizes) -> Bound:
    t, c = Probable(z), np.abs(z.c) * z.slope
    extra = np.abs(z.pos_weight)
    logs = (z.E + 4 + z.kappa) * (extra * t.log + t.log_rest)
    value = np.abs(extra * t.log - t.log_rest)
    accurate = logs if z.inputs.attributes.pos_weight else (z.E + z.Q + 5 + z.kappa) * value
    stable = np.maximum(accurate, logs) + z.Q + 5
    return tiers(z, z.u * c * accurate, z.u * c * stable, 2 + 4 * c * np.maximum(extra, 1.0))


SIGMOID: dict[tuple[str, str], Callable[[Sizes], Bound]] = {
    ("sigmoid", "value"): _sigmoid,
    ("sigmoid", "grad_logits"): _sigmoid_grad,
    ("log_sigmoid", "value"): _log_sigmoid,
    ("log_sigmoid", "grad_logits"): _log_sigmoid_grad,
    ("logit", "value"): _logit,
    ("logit", "grad_logits"): _logit_grad,
    ("sigmoid_cross_entropy", "value"): _binary_cross_entropy,
    ("sigmoid_cross_entropy", "grad_logits"): _binary_cross_entropy_grad,
    ("sigmoid_cross_entropy", "grad_labels"): _binary_cross_entropy_grad_labels,
    ("binary_cross_entropy", "value"): _given_binary,
    ("binary_cross_entropy", "grad_logits"): _given_binary_grad,
    ("binary_cross_entropy", "grad_labels"): _given_binary_grad_labels,
}

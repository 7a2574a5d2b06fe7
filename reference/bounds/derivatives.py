"""Bounds of forward mode and second derivatives: SPEC.md 8.11.

Letters: ``V = Σ s_j |v_j|`` and ``W`` the same of the tangent centred on the largest class, ``t_i`` the
derivative of ``log s_i``, ``q`` effective labels, of which each has ``κ`` roundings (8.10). A uniform tangent
is exactly zero in the accurate tier only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from xent_conformance.reference.bounds.bound import Bound, tiers, weighted
from xent_conformance.reference.bounds.divergences import DIVERGENCES, LogTarget, Pair
from xent_conformance.reference.bounds.given import Categorical, alone, summed
from xent_conformance.reference.bounds.sigmoid import SIGMOID, Probable, pairs
from xent_conformance.reference.bounds.sizes import SCALE, Sizes, rowsum
from xent_conformance.reference.bounds.softmax import along
from xent_conformance.reference.formats import Floats


class _Moved:
    """Sizes of the tangent of a batch, and the error of ``t``, in units of u."""

    def __init__(self, z: Sizes) -> None:
        self.v = np.abs(z.v)
        self.w = np.abs(z.v - np.take_along_axis(z.v, z.k, axis=1))
        self.V, self.W = rowsum(z.s * self.v), rowsum(z.s * self.w)
        self.mean_accurate = rowsum(z.s * self.w * z.rho_accurate) + self.W * (2 + z.h_accurate)
        self.mean_stable = rowsum(z.s * self.v * z.rho_any) + self.V * (2 + z.h_stable)
        self.lost = _lost(z, np.maximum(self.v, self.w))
        self.accurate = 2 * self.w + self.mean_accurate
        self.stable = 2 * self.v + self.mean_stable

    def scaled(self, z: Sizes, factor: Floats) -> tuple[Floats, Floats]:
        """``factor · s_i t_i``, the factor a sum of labels or cotangents that is rounded too."""
        accurate, stable = along(z, z.v, (3 + z.kappa + z.h_accurate, 3 + z.kappa + 2 * z.h_stable))
        return factor * accurate, factor * stable


def _lost(z: Sizes, size: Floats) -> tuple[Floats, Floats]:
    """What underflow may take from ``Σ s_j v_j``: subnormal products, and subnormal exponentials."""
    products, most = z.lost(z.s * size), size.max(axis=1, keepdims=True)
    return products[0] + most * z.e_lost[0], products[1] + most * z.e_lost[1]


def _made(
    z: Sizes,
    bounds: tuple[Floats, Floats],
    lost: tuple[Floats | float, Floats | float] = (0.0, 0.0),
    factor: Floats | float = 1.0,
) -> Bound:
    """Products with cotangent and tangent may underflow one by one; ``factor`` multiplies the last."""
    roundings = (
        8 * (1 + np.abs(z.c).max(axis=1, keepdims=True)) * (1 + np.abs(z.v).max(axis=1, keepdims=True))
    )
    size: Floats | float = 1.0
    if z.p.size:  # a label of the sigmoid family is its own element's
        size = np.abs(z.q) if z.inputs.definition.elementwise else rowsum(np.abs(z.q))
    if z.inputs.definition.domain == "log_distributions":
        size = 1.0  # its labels multiply nothing
    counts = roundings * np.maximum(size, 1.0) * np.maximum(factor, 1.0)
    return tiers(z, z.u * bounds[0], z.u * bounds[1], counts, lost)


def _softmax_jvp(z: Sizes) -> Bound:
    m = _Moved(z)
    return _made(z, along(z, z.v), weighted(z.s, m.lost))


def _softmax_hvp(z: Sizes) -> Bound:
    m = _Moved(z)

    def tier(c: Floats, v: Floats, rho: Floats, h: float) -> Floats:
        C, V = rowsum(z.s * c), rowsum(z.s * v)
        sizes = (c + C) * (v + V) + rowsum(z.s * c * v) + C * V
        spread = (c + C) * rowsum(z.s * v * rho) + (v + V) * rowsum(z.s * c * rho) + rowsum(z.s * c * v * rho)
        return z.s * (sizes * (2 * rho + 10 + 3 * h) + 2 * spread)

    b = np.abs(z.c - np.take_along_axis(z.c, z.k, axis=1))
    c, v = np.maximum(np.abs(z.c), b), np.maximum(m.v, m.w)
    cm, vm = c.max(axis=1, keepdims=True), v.max(axis=1, keepdims=True)
    by_c, by_both = _lost(z, c), _lost(z, c * v)

    def lost(i: int) -> Floats:
        return np.asarray(4 * z.s * (vm * by_c[i] + cm * m.lost[i] + by_both[i]), dtype=np.float64)

    accurate = tier(b, m.w, z.rho_accurate, z.h_accurate)
    stable = tier(np.abs(z.c), m.v, z.rho_any, z.h_stable)
    return _made(z, (accurate, stable), (lost(0), lost(1)))


def _log_softmax_jvp(z: Sizes) -> Bound:
    m = _Moved(z)
    return _made(z, (m.accurate, m.stable), m.lost)


def _log_softmax_hvp(z: Sizes) -> Bound:
    m, factor = _Moved(z), rowsum(np.abs(z.c))
    return _made(z, m.scaled(z, factor), weighted(factor * z.s, m.lost), factor)


def _logsumexp_jvp(z: Sizes) -> Bound:
    m = _Moved(z)
    exact = z.u_value("jvp") / z.u
    return _made(z, (exact + m.mean_accurate, exact + m.mean_stable + m.V * _by_value(z)), m.lost)


def _logsumexp_hvp(z: Sizes) -> Bound:
    m = _Moved(z)
    accurate, stable = m.scaled(z, np.abs(z.c))
    by_value = np.abs(z.c) * z.s * 2 * ((m.v + m.V) * _by_value(z))
    return _made(z, (accurate, stable + by_value), weighted(np.abs(z.c) * z.s, m.lost))


def _by_value(z: Sizes) -> Floats:
    """Probabilities as ``exp(x − value)`` with the rounded value: SPEC.md 8.4."""
    reach = np.max(z.ux, axis=1, keepdims=True) + 2 * z.u * (z.L + z.E + 2)
    return np.where(np.ldexp(reach, -SCALE) < 1.0, z.grow(2 * reach / z.u), 0.0)


def _cross_entropy_jvp(z: Sizes) -> Bound:
    m, q = _Moved(z), np.abs(z.q)
    mass = rowsum(q)
    accurate = rowsum(q * m.accurate) + (2 + z.kappa + z.h_accurate) * rowsum(q * (m.w + m.W))
    products = 6 + z.kappa + 2 * z.h_stable
    stable = mass * (rowsum(z.s * m.v * z.rho_any) + m.V * products) + products * rowsum(q * m.v)
    return _made(z, (accurate, stable), weighted(2 * mass, m.lost))


def _cross_entropy_hvp(z: Sizes) -> Bound:
    m, factor = _Moved(z), np.abs(z.c) * rowsum(np.abs(z.q))
    return _made(z, m.scaled(z, factor), weighted(factor * z.s, m.lost))


def _sigmoid_hvp(z: Sizes) -> Bound:
    sigma, mirror = z.reference_sizes["sigma"], z.reference_sizes["mirror"]
    size = np.abs(z.c * z.v)
    accurate = size * sigma * mirror * np.abs(sigma - mirror) * (3 * (2 * z.E + z.Q + 2) + z.E + 4)
    textbook = (z.E + 5) * np.maximum(sigma, mirror) + sigma * mirror * (4 * z.E + 2 * z.Q + 10)
    return _made(z, (accurate, accurate + size * textbook))


def _slope(z: Sizes, size: Floats, extra: float, split: Floats | float = 0.0) -> tuple[Floats, Floats]:
    """``size · σ(x) σ(−x)``, of which an implementation may make larger terms, together ``split`` more."""
    sigma, mirror = z.reference_sizes["sigma"], z.reference_sizes["mirror"]
    accurate = size * sigma * mirror * (2 * (2 * z.E + z.Q + 2) + 4 + z.kappa)
    return accurate, accurate + (size + split) * (z.E + 5 + extra + z.kappa) * np.maximum(sigma, mirror)


def _log_sigmoid_hvp(z: Sizes) -> Bound:
    return _made(z, _slope(z, np.abs(z.c * z.v), z.E / 2 + 3))


def _binary_cross_entropy_hvp(z: Sizes) -> Bound:
    other, label, split, _ = pairs(z)
    size = np.abs(z.c * z.v)
    return _made(z, _slope(z, size * (other + label), z.E / 2 + 3, size * split))


def _logit_hvp(z: Sizes) -> Bound:
    p = z.inputs.logits
    accurate = (2 * z.Q + 8) * z.u_value("hvp") / z.u
    textbook = (2 * z.Q + 8) * np.abs(z.c * z.v) * (1 / p**2 + 1 / (1 - p) ** 2)
    return _made(z, (accurate, accurate + textbook), factor=1 / (p * (1 - p)) ** 2)


def _given_binary_hvp(z: Sizes) -> Bound:
    """Two terms of one sign; expanded, or by the rule of quotients, they are made of larger ones."""
    t, size = Probable(z), np.abs(z.c * z.v)
    p, rest = np.maximum(t.p, 2.0**-505), t.rest  # the square of less is no number of binary64
    accurate = (2 * z.Q + 8 + z.kappa) * (t.a / rest**2 + t.b / p**2)
    expanded = (t.a + t.b) * p**2 + 2 * t.b * p + t.b
    quotients = (t.a + t.b) * p * rest + np.abs(t.a * p - t.b * rest) * np.abs(1 - 2 * p)
    textbook = (2 * z.Q + 12 + z.kappa) * np.maximum(expanded, quotients) / (p * rest) ** 2
    textbook = textbook + t.rounded / rest**2
    return _made(z, (size * accurate, size * (accurate + textbook)), factor=1 / (p * rest) ** 2)


def _categorical_jvp(z: Sizes) -> Bound:
    t = Categorical(z)
    terms = t.q * np.abs(z.v) / t.p
    accurate = (z.Q + 2 + t.formed + alone(z, z.h_accurate)) * rowsum(terms)
    stable = (z.Q + 3 + t.formed + alone(z, z.h_stable)) * rowsum(terms)
    divided = rowsum(np.where(t.q == 0, 0.0, 1 / t.p))
    return _made(z, (accurate, stable), z.lost(terms), factor=divided)


def _categorical_hvp(z: Sizes) -> Bound:
    t = Categorical(z)
    p = np.maximum(t.p, 2.0**-505)  # the square of less is no number of binary64
    size = np.abs(z.c * z.v) * t.q / p**2
    stable = (2 * z.Q + 6 + t.formed) * size
    return _made(z, ((2 * z.Q + 4 + t.formed) * size, stable), factor=np.where(t.q == 0, 0.0, 1 / p**2))


def _linear_jvp(z: Sizes) -> Bound:
    """``Σ q_i v_i``."""
    terms = np.abs(z.q * z.v)
    size = rowsum(terms)
    accurate, stable = summed(z, z.h_accurate), summed(z, z.h_stable) + 1
    return _made(z, (accurate * size, stable * size), z.lost(terms))


def _ratio_hvp(z: Sizes) -> Bound:
    """``c v p / q²``: two quotients, or the reciprocal's square and its products."""
    t = Pair.of(z)
    q = np.maximum(t.q, 2.0**-505)  # the square of less is no number of binary64
    size = np.abs(z.c * z.v) * t.p / q**2
    factor = np.where(t.p == 0, 0.0, 1 / q**2)
    return _made(z, ((2 * z.Q + 4) * size, (4 * z.Q + 12) * size), factor=factor)


def _log_target_jvp(z: Sizes) -> Bound:
    """``Σ exp(t_i) v_i``."""
    t, v = LogTarget(z), np.abs(z.v)
    terms = t.mass * v
    rounded, flushed = z.lost(terms)
    lost = rounded + rowsum(t.lost[0] * v), flushed + rowsum(t.lost[1] * v)
    accurate, stable = (z.E + 1 + z.h_accurate) * rowsum(terms), (z.E + 2 + z.h_stable) * rowsum(terms)
    return _made(z, (accurate, stable), lost)


def _nothing(z: Sizes) -> Bound:
    """The second derivative of what is linear is exactly zero."""
    return tiers(z, np.zeros_like(z.v), np.zeros_like(z.v), 0.0)


def _along(operator: str) -> Callable[[Sizes], Bound]:
    """The jvp of an elementwise operator is its VJP with the tangent for the cotangent."""

    def of(z: Sizes) -> Bound:
        turned = replace(z.inputs, cotangent=z.v, tangent=np.zeros((0, 0)))
        values = {"grad_logits": z.values["jvp"]}
        return {**SIGMOID, **DIVERGENCES}[operator, "grad_logits"](Sizes(turned, values, z.reference_sizes))

    return of


MOVING: dict[tuple[str, str], Callable[[Sizes], Bound]] = {
    ("softmax", "jvp"): _softmax_jvp,
    ("softmax", "hvp"): _softmax_hvp,
    ("log_softmax", "jvp"): _log_softmax_jvp,
    ("log_softmax", "hvp"): _log_softmax_hvp,
    ("logsumexp", "jvp"): _logsumexp_jvp,
    ("logsumexp", "hvp"): _logsumexp_hvp,
    ("softmax_cross_entropy", "jvp"): _cross_entropy_jvp,
    ("softmax_cross_entropy", "hvp"): _cross_entropy_hvp,
    ("sparse_softmax_cross_entropy", "jvp"): _cross_entropy_jvp,
    ("sparse_softmax_cross_entropy", "hvp"): _cross_entropy_hvp,
    ("sigmoid", "jvp"): _along("sigmoid"),
    ("sigmoid", "hvp"): _sigmoid_hvp,
    ("log_sigmoid", "jvp"): _along("log_sigmoid"),
    ("log_sigmoid", "hvp"): _log_sigmoid_hvp,
    ("logit", "jvp"): _along("logit"),
    ("logit", "hvp"): _logit_hvp,
    ("sigmoid_cross_entropy", "jvp"): _along("sigmoid_cross_entropy"),
    ("sigmoid_cross_entropy", "hvp"): _binary_cross_entropy_hvp,
    ("binary_cross_entropy", "jvp"): _along("binary_cross_entropy"),
    ("binary_cross_entropy", "hvp"): _given_binary_hvp,
    ("categorical_cross_entropy", "jvp"): _categorical_jvp,
    ("categorical_cross_entropy", "hvp"): _categorical_hvp,
    ("sparse_categorical_cross_entropy", "jvp"): _categorical_jvp,
    ("sparse_categorical_cross_entropy", "hvp"): _categorical_hvp,
    ("kl_divergence", "jvp"): _linear_jvp,
    ("kl_divergence", "hvp"): _nothing,
    ("relative_entropy", "jvp"): _along("relative_entropy"),
    ("relative_entropy", "hvp"): _ratio_hvp,
    ("elementwise_kl_divergence", "jvp"): _along("elementwise_kl_divergence"),
    ("elementwise_kl_divergence", "hvp"): _ratio_hvp,
    ("kl_divergence_log_target", "jvp"): _log_target_jvp,
    ("kl_divergence_log_target", "hvp"): _nothing,
    ("negative_log_likelihood", "jvp"): _linear_jvp,
    ("negative_log_likelihood", "hvp"): _nothing,
}

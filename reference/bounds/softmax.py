"""Bounds of the softmax family: SPEC.md 8.2 – 8.6."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from xent_conformance.reference.bounds.bound import Bound, tiers, weighted
from xent_conformance.reference.bounds.sizes import SCALE, Sizes, rowsum
from xent_conformance.reference.formats import Floats


def _softmax(z: Sizes) -> Bound:
    roundings = np.where(np.isneginf(z.x), 0.0, 2.0)
    return tiers(z, z.u * z.s * z.rho_accurate, z.u * z.s * z.rho_stable, roundings)


def along(z: Sizes, v: Floats, more: tuple[float, float] = (0.0, 0.0)) -> tuple[Floats, Floats]:
    """``s_i (v_i − Σ s_j v_j)`` in both tiers, in units of u, with so many ``more`` roundings of a product.

    The error of ``s_i`` itself multiplies the difference, and not the two terms: a probability that is
    wrong by a tenth makes a gradient that is wrong by a tenth.
    """
    w = v - np.take_along_axis(v, z.k, axis=1)
    t = np.abs(w - rowsum(z.s * w))

    def tier(size: Floats, rho: Floats, h: float, more: float) -> Floats:
        mean = rowsum(z.s * size)
        summed = rowsum(z.s * size * rho) + mean * (z.Q + 1 + h)
        terms = (size + mean) * (z.Q + 2 + more) + summed
        found = z.s * (t * (rho + 2 + more) + terms * z.second(rho))
        return np.asarray(found, dtype=np.float64)

    accurate = tier(np.abs(w), z.rho_accurate, z.h_accurate, more[0])
    return accurate, tier(np.abs(v), z.rho_any, z.h_stable, more[1])


def _softmax_grad(z: Sizes) -> Bound:
    c = np.abs(z.c)
    accurate, stable = along(z, z.c)
    return tiers(z, z.u * accurate, z.u * stable, 2 + 4 * c + 4 * rowsum(c) * z.s)


def _log_softmax(z: Sizes) -> Bound:
    return tiers(z, z.log_softmax_accurate, z.log_softmax_stable, 2.0, z.e_lost)


def _balance(z: Sizes, p: Floats, c: Floats, products: float = 1.0) -> Bound:
    """``c (s_i Σp − p_i)``: SPEC.md 8.5. So many ``products`` of a label, each rounded."""
    size, c = np.abs(p), np.abs(c)
    total, whole = rowsum(size), rowsum(p)
    tail = z.others + z.rest * (z.D + 2 * z.E + z.Q + 3 + z.kappa + z.h_accurate)
    accurate = (
        z.s * np.abs(whole - p) * (z.rho_accurate + 3)
        + z.s * (total - size) * (z.h_accurate + z.kappa)
        + size * tail
    )
    # the error of s_i multiplies the sum of the labels as it is, that of the sum each label's size
    sums = total * (2 * products + z.kappa + z.h_stable) * z.second(z.rho_any)
    stable = z.s * (np.abs(whole) * (z.rho_any + 1) + sums) + (products + z.kappa) * size
    stable = stable + (1 + products) * np.abs(z.s * whole - p)
    roundings = 2 + c * (2 + 2 * total)
    return tiers(z, z.u * c * accurate, z.u * c * stable, roundings, weighted(2 * c * size, z.e_lost))


def _log_softmax_grad(z: Sizes) -> Bound:
    return _balance(z, z.c, np.ones((1, 1)), products=0.0)


def _logsumexp(z: Sizes) -> Bound:
    if z.inputs.attributes.weight:
        return _weighted_logsumexp(z)
    uv = z.u_value("value")
    own = z.u * (z.before.total * (1 + (z.E + 2) * z.unit) + (z.E + 2) * z.before.offset)
    accurate = z.u * (z.D + (z.E + z.h_accurate) * z.rest_k + (z.E + 1) * z.L) + uv + own
    return tiers(z, accurate, accurate + z.u * (z.D + z.E + 2 + z.h_stable) + uv, 2.0, z.e_lost)


class _Weighted:
    """Sizes of ``log Σ b_j exp(x_j)``: distances below the largest class that weighs anything (8.4)."""

    def __init__(self, z: Sizes) -> None:
        there = np.broadcast_to(z.weight != 0, z.inputs.logits.shape)
        x = np.where(there, z.inputs.logits, -np.inf)
        self.m = x.max(axis=1, keepdims=True)
        self.d = np.where(there, self.m - x, 0.0)
        self.size, self.L = np.abs(z.s), np.abs(z.L)
        self.D, self.total = rowsum(self.size * self.d), rowsum(self.size)
        # what the sum loses where a term is subnormal, of the sum
        sum_of_terms = np.exp(z.L)
        lost = z.lost(self.size * sum_of_terms)
        self.lost = lost[0] / sum_of_terms, lost[1] / sum_of_terms

    def sum_accurate(self, z: Sizes) -> Floats:
        """Relative error of the sum, in units of u: exponents, exponentials, products, additions."""
        return self.D + self.total * (z.E + 1 + z.h_accurate)

    def sum_stable(self, z: Sizes) -> Floats:
        exponents = self.D if z.narrow else 2 * self.D
        return exponents + self.total * (z.E + 1 + z.h_stable)


def _weighted_logsumexp(z: Sizes) -> Bound:
    w, uv = _Weighted(z), z.u_value("value")
    after = z.u * (z.E + 1) * w.L + 2 * uv
    accurate, stable = z.grow(w.sum_accurate(z)), z.grow(w.sum_stable(z))
    return tiers(z, z.u * accurate + after, z.u * stable + after, 2.0, w.lost)


def _weighted_logsumexp_grad(z: Sizes) -> Bound:
    w, c = _Weighted(z), np.abs(z.c)
    accurate = z.grow(w.d + w.sum_accurate(z) + z.E + z.Q + 3)
    stable = z.grow((1 if z.narrow else 2) * w.d + w.sum_stable(z) + z.E + z.Q + 3)
    by_value = 2 * z.u_value("value") + z.u * (w.d + w.L * (z.E + 1) + z.E + 3)
    by_value = np.where(np.ldexp(by_value, -SCALE) < 1.0, z.grow(by_value / z.u), 0.0)
    lost = weighted(c * w.size, w.lost)
    return tiers(z, z.u * c * w.size * accurate, z.u * c * w.size * (stable + by_value), 2 + 4 * c, lost)


def _logsumexp_grad(z: Sizes) -> Bound:
    if z.inputs.attributes.weight:
        return _weighted_logsumexp_grad(z)
    c = np.abs(z.c)
    by_value = z.u_value("value") + z.uell + z.u * (z.E + 2 + z.before.total + z.before.e)
    by_value = np.where(np.ldexp(by_value, -SCALE) < 1.0, z.grow(by_value / z.u), 0.0)
    stable = c * z.s * (z.rho_any + by_value + 1)
    return tiers(z, z.u * c * z.s * (z.rho_accurate + 1), z.u * stable, 2 + 2 * c)


def _cross_entropy(z: Sizes) -> Bound:
    size = np.abs(z.q)
    uf = rowsum(size * z.uell)
    accurate = rowsum(size * z.log_softmax_accurate) + (2 + z.kappa + z.h_accurate) * uf
    stable = rowsum(size * z.log_softmax_stable) + (2 + z.kappa + z.h_stable) * uf
    products = z.lost(size * (z.uell / z.u))
    sums = weighted(rowsum(size), z.e_lost)
    lost = (sums[0] + products[0], sums[1] + products[1])
    return tiers(z, accurate, stable, 2 + 2 * rowsum(size), lost)


def _cross_entropy_grad(z: Sizes) -> Bound:
    return _balance(z, z.q, z.c)


def _cross_entropy_grad_labels(z: Sizes) -> Bound:
    c = np.abs(z.c) * z.slope
    rounded = (1 + z.kappa) * z.uell
    accurate, stable = z.log_softmax_accurate + rounded, z.log_softmax_stable + rounded
    return tiers(z, c * accurate, c * stable, 2 + 2 * c, weighted(c, z.e_lost))


def _sparse_cross_entropy(z: Sizes) -> Bound:
    if z.inputs.attributes.of_labels:
        return _cross_entropy(z)
    y = np.argmax(z.p, axis=1)[:, None]
    pick = np.take_along_axis
    accurate, stable = pick(z.log_softmax_accurate, y, 1), pick(z.log_softmax_stable, y, 1)
    return tiers(z, accurate, stable, 2.0, z.e_lost)


SOFTMAX: dict[tuple[str, str], Callable[[Sizes], Bound]] = {
    ("softmax", "value"): _softmax,
    ("softmax", "grad_logits"): _softmax_grad,
    ("log_softmax", "value"): _log_softmax,
    ("log_softmax", "grad_logits"): _log_softmax_grad,
    ("logsumexp", "value"): _logsumexp,
    ("logsumexp", "grad_logits"): _logsumexp_grad,
    ("softmax_cross_entropy", "value"): _cross_entropy,
    ("softmax_cross_entropy", "grad_logits"): _cross_entropy_grad,
    ("softmax_cross_entropy", "grad_labels"): _cross_entropy_grad_labels,
    ("sparse_softmax_cross_entropy", "value"): _sparse_cross_entropy,
    ("sparse_softmax_cross_entropy", "grad_logits"): _cross_entropy_grad,
}

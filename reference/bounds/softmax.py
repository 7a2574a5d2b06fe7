"""Bounds of the softmax family: SPEC.md 8.2 – 8.6."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from xent_conformance.reference.bounds.bound import Bound, tiers, weighted
from xent_conformance.reference.bounds.sizes import SCALE, E, Q, Sizes, rowsum
from xent_conformance.reference.formats import Floats


def _softmax(z: Sizes) -> Bound:
    roundings = np.where(np.isneginf(z.inputs.logits), 0.0, 2.0)
    return tiers(z, z.u * z.s * z.rho_accurate, z.u * z.s * z.rho_stable, roundings)


def _softmax_grad(z: Sizes) -> Bound:
    w, c = np.abs(z.c - np.take_along_axis(z.c, z.k, axis=1)), np.abs(z.c)
    centred, plain = rowsum(z.s * w), rowsum(z.s * c)
    accurate = z.s * (
        (w + centred) * (z.rho_accurate + 3) + rowsum(z.s * w * z.rho_accurate) + centred * z.h_accurate
    )
    stable = z.s * ((c + plain) * (z.rho_any + 2) + rowsum(z.s * c * z.rho_any) + plain * (1 + z.h_stable))
    return tiers(z, z.u * accurate, z.u * stable, 2 + 4 * c + 4 * rowsum(c) * z.s)


def _log_softmax(z: Sizes) -> Bound:
    return tiers(z, z.log_softmax_accurate, z.log_softmax_stable, 2.0, z.e_lost)


def _balance(z: Sizes, p: Floats, c: Floats) -> Bound:
    """``c (s_i Σp − p_i)``: SPEC.md 8.5."""
    size, c = np.abs(p), np.abs(c)
    total = rowsum(size)
    tail = z.others + z.rest * (z.D + 2 * E + Q + 3 + z.kappa + z.h_accurate)
    accurate = (
        z.s * np.abs(rowsum(p) - p) * (z.rho_accurate + 3)
        + z.s * (total - size) * (z.h_accurate + z.kappa)
        + size * tail
    )
    stable = z.s * total * (z.rho_any + 3 + z.kappa + z.h_stable) + (3 + z.kappa) * size
    roundings = 2 + c * (2 + 2 * total)
    return tiers(z, z.u * c * accurate, z.u * c * stable, roundings, weighted(2 * c * size, z.e_lost))


def _log_softmax_grad(z: Sizes) -> Bound:
    return _balance(z, z.c, np.ones((1, 1)))


def _logsumexp(z: Sizes) -> Bound:
    uv = z.u_value("value")
    accurate = z.u * (z.D + (E + z.h_accurate) * z.rest_k + (E + 1) * z.L) + uv
    return tiers(z, accurate, accurate + z.u * (z.D + E + 2 + z.h_stable) + uv, 2.0, z.e_lost)


def _logsumexp_grad(z: Sizes) -> Bound:
    c = np.abs(z.c)
    by_value = z.u_value("value") + z.uell + z.u * (E + 2)
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
    if z.inputs.attributes.given:
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

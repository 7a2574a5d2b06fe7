"""How far from the truth a result may be: the accurate and the stable bound of every output.

Each bound is a formula derived in SPEC.md §8 and evaluated here, element by element, beside the
reference. Letters are those of SPEC.md (see :mod:`reference.sizes`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from reference.formats import Floats
from reference.inputs import Inputs
from reference.sizes import LN2, E, Q, Sizes, rowsum


@dataclass(frozen=True)
class Bound:
    """Absolute bounds on the error of each element, arrays of the output's shape.

    ``accurate`` and ``stable`` are the two tiers, gradual underflow included. ``flush`` is the largest
    magnitude that flushing subnormal numbers to zero can have taken away.
    """

    accurate: Floats
    stable: Floats
    flush: Floats


def bound(inputs: Inputs, output: str, values: Mapping[str, Floats], sizes: Mapping[str, Floats]) -> Bound:
    """The bound of one output of a batch, from its inputs, certified values and sizes.

    Elements where the reference is NaN or infinite have a meaningless bound; a judge never reads it.
    """
    with np.errstate(all="ignore"):
        return BOUNDS[inputs.operator, output](Sizes(inputs, values, sizes))


def _bound(
    z: Sizes,
    accurate: Floats,
    stable: Floats,
    roundings: Floats | float,
    lost: tuple[Floats | float, Floats | float] = (0.0, 0.0),
) -> Bound:
    """Two tiers, the number of roundings that may underflow, and what sums of subnormals may lose."""
    counts = np.asarray(roundings, dtype=np.float64)
    rounded, flushed = z.eta * counts + lost[0], z.tiny * counts + lost[1]
    first, second, flush = np.broadcast_arrays(accurate + rounded, stable + rounded, flushed)
    return Bound(first, np.maximum(first, second), flush)


def _weighted(weight: Floats, lost: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    return weight * lost[0], weight * lost[1]


# --- the softmax family (SPEC.md 8.2 – 8.6) ------------------------------------------------------


def _softmax(z: Sizes) -> Bound:
    roundings = np.where(np.isneginf(z.inputs.logits), 0.0, 2.0)
    return _bound(z, z.u * z.s * z.rho_accurate, z.u * z.s * z.rho_stable, roundings)


def _softmax_grad(z: Sizes) -> Bound:
    w, c = np.abs(z.c - np.take_along_axis(z.c, z.k, axis=1)), np.abs(z.c)
    centred, plain = rowsum(z.s * w), rowsum(z.s * c)
    accurate = z.s * (
        (w + centred) * (z.rho_accurate + 3) + rowsum(z.s * w * z.rho_accurate) + centred * z.h_accurate
    )
    stable = z.s * ((c + plain) * (z.rho_any + 2) + rowsum(z.s * c * z.rho_any) + plain * (1 + z.h_stable))
    return _bound(z, z.u * accurate, z.u * stable, 2 + 4 * c + 4 * rowsum(c) * z.s)


def _log_softmax(z: Sizes) -> Bound:
    return _bound(z, z.log_softmax_accurate, z.log_softmax_stable, 2.0, z.e_lost)


def _balance(z: Sizes, p: Floats, c: Floats) -> Bound:
    """``c (s_i Σp − p_i)``: SPEC.md 8.5."""
    size, c = np.abs(p), np.abs(c)
    total = rowsum(size)
    tail = z.others + z.rest * (z.D + 2 * E + Q + 3 + z.h_accurate)
    accurate = (
        z.s * np.abs(rowsum(p) - p) * (z.rho_accurate + 3) + z.s * (total - size) * z.h_accurate + size * tail
    )
    stable = z.s * total * (z.rho_any + 3 + z.h_stable) + 3 * size
    roundings = 2 + c * (2 + 2 * total)
    return _bound(z, z.u * c * accurate, z.u * c * stable, roundings, _weighted(2 * c * size, z.e_lost))


def _log_softmax_grad(z: Sizes) -> Bound:
    return _balance(z, z.c, np.ones((1, 1)))


def _logsumexp(z: Sizes) -> Bound:
    uv = z.u_value("value")
    accurate = z.u * (z.D + (E + z.h_accurate) * z.rest_k + (E + 1) * z.L) + uv
    return _bound(z, accurate, accurate + z.u * (z.D + E + 2 + z.h_stable) + uv, 2.0, z.e_lost)


def _logsumexp_grad(z: Sizes) -> Bound:
    c = np.abs(z.c)
    by_value = z.u_value("value") + z.uell + z.u * (E + 2)
    by_value = np.where(by_value < 1.0, z.grow(by_value / z.u), 0.0)
    stable = c * z.s * (z.rho_any + by_value + 1)
    return _bound(z, z.u * c * z.s * (z.rho_accurate + 1), z.u * stable, 2 + 2 * c)


def _cross_entropy(z: Sizes) -> Bound:
    size = np.abs(z.p)
    uf = rowsum(size * z.uell)
    accurate = rowsum(size * z.log_softmax_accurate) + (2 + z.h_accurate) * uf
    stable = rowsum(size * z.log_softmax_stable) + (2 + z.h_stable) * uf
    products = z.lost(size * (z.uell / z.u))
    sums = _weighted(rowsum(size), z.e_lost)
    lost = (sums[0] + products[0], sums[1] + products[1])
    return _bound(z, accurate, stable, 2 + 2 * rowsum(size), lost)


def _cross_entropy_grad(z: Sizes) -> Bound:
    return _balance(z, z.p, z.c)


def _cross_entropy_grad_labels(z: Sizes) -> Bound:
    c = np.abs(z.c)
    accurate, stable = z.log_softmax_accurate + z.uell, z.log_softmax_stable + z.uell
    return _bound(z, c * accurate, c * stable, 2 + 2 * c, _weighted(c, z.e_lost))


def _sparse_cross_entropy(z: Sizes) -> Bound:
    y = np.argmax(z.p, axis=1)[:, None]
    pick = np.take_along_axis
    accurate, stable = pick(z.log_softmax_accurate, y, 1), pick(z.log_softmax_stable, y, 1)
    return _bound(z, accurate, stable, 2.0, z.e_lost)


# --- the sigmoid family (SPEC.md 8.7 – 8.9) ------------------------------------------------------


def _sigmas(z: Sizes) -> tuple[Floats, Floats]:
    """``σ(x), σ(−x)``."""
    return z.reference_sizes["sigma"], z.reference_sizes["mirror"]


def _u_softplus(z: Sizes) -> tuple[Floats, Floats]:
    """``u softplus(x), u softplus(−x)``."""
    return z.u * z.reference_sizes["softplus"], z.u * z.reference_sizes["softplus_minus"]


def _sigmoid(z: Sizes) -> Bound:
    sigma, _ = _sigmas(z)
    accurate = z.u * sigma * (2 * E + Q + 2)
    return _bound(z, accurate, accurate + z.u * (E / 2 + 2), 2.0)


def _sigmoid_grad(z: Sizes) -> Bound:
    sigma, mirror = _sigmas(z)
    c = np.abs(z.c)
    accurate = z.u * c * sigma * mirror * (2 * (2 * E + Q + 2) + 2)
    return _bound(z, accurate, accurate + z.u * c * (E + 5) * np.maximum(sigma, mirror), 2 + 4 * c)


def _log_sigmoid(z: Sizes) -> Bound:
    accurate = (2 * E + 3) * z.u * z.reference_sizes["softplus_minus"]
    return _bound(z, accurate, accurate + z.u * (E + 2), 2.0)


def _log_sigmoid_grad(z: Sizes) -> Bound:
    mirror, c = z.reference_sizes["mirror"], np.abs(z.c)
    accurate = z.u * c * mirror * (2 * E + Q + 4)
    return _bound(z, accurate, accurate + z.u * c * (E / 2 + 3), 2 + 4 * c)


def _logit(z: Sizes) -> Bound:
    uv = z.u_value("value")
    accurate = (E + Q + 3) * uv
    # log p and log(1 − p) apart: the smaller of the two is at most ln 2
    split = E * (uv + z.u * 2 * LN2) + uv
    return _bound(z, accurate, np.maximum(accurate, split) + z.u * (Q + 3), 2.0)


def _logit_grad(z: Sizes) -> Bound:
    ug = z.u_value("grad_logits")
    return _bound(z, (Q + 4) * ug, (2 * Q + 6) * ug, 2.0 + 2 * np.abs(z.c))


def _binary_cross_entropy(z: Sizes) -> Bound:
    positive, negative = _u_softplus(z)
    label, other = np.abs(z.p), np.abs(1 - z.p)
    accurate = (2 * E + 6) * (other * positive + label * negative)
    stable = accurate + 2 * z.ux * (label + other) + z.ux + z.u * (E + 2)
    return _bound(z, accurate, stable, 4.0)


def _binary_cross_entropy_grad(z: Sizes) -> Bound:
    sigma, mirror = _sigmas(z)
    c, label, other = np.abs(z.c), np.abs(z.p), np.abs(1 - z.p)
    accurate = z.u * c * (2 * E + Q + 6) * (other * sigma + label * mirror)
    return _bound(z, accurate, accurate + z.u * c * (E / 2 + 3) * (1 + label), 2 + 4 * c)


def _binary_cross_entropy_grad_labels(z: Sizes) -> Bound:
    c = np.abs(z.c)
    stable = c * ((2 * E + 4) * (z.ux + z.u * 2 * LN2) + 2 * z.u)
    return _bound(z, 2 * c * z.ux, stable, 2 + 2 * c)


BOUNDS: dict[tuple[str, str], Callable[[Sizes], Bound]] = {
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
    ("sigmoid", "value"): _sigmoid,
    ("sigmoid", "grad_logits"): _sigmoid_grad,
    ("log_sigmoid", "value"): _log_sigmoid,
    ("log_sigmoid", "grad_logits"): _log_sigmoid_grad,
    ("logit", "value"): _logit,
    ("logit", "grad_logits"): _logit_grad,
    ("sigmoid_cross_entropy", "value"): _binary_cross_entropy,
    ("sigmoid_cross_entropy", "grad_logits"): _binary_cross_entropy_grad,
    ("sigmoid_cross_entropy", "grad_labels"): _binary_cross_entropy_grad_labels,
}

"""How far from the truth a result may be: the accurate and the stable bound of every output.

Each bound is a formula derived in SPEC.md §8 and evaluated here, element by element, beside the
reference. It is returned as a coefficient of ``u``, the unit roundoff of the output format, plus a
number of smallest subnormals ``η``, because gradual underflow rounds absolutely. Letters are those
of SPEC.md: ``d, s, D, L, ℓ`` of the softmax family, ``σ`` and ``f`` of the sigmoid family, ``c`` the
cotangent, ``E`` and ``Q`` the assumed errors of elementary functions and of division.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from reference.formats import Floats
from reference.inputs import Inputs

E = 6.0
"""exp, log, log1p: 3 ulp (OpenCL full profile), in units of u."""

Q = 5.0
"""Division: 2.5 ulp, in units of u."""

LN2 = 0.6931471805599453

SATURATED = 2.0**-6
"""A summation error beyond this, relative, is a defect however long the sum (SPEC.md §8.1)."""

_HUGE = 1e300  # keeps d·s finite where d exceeds binary64; s is 0 there


@dataclass(frozen=True)
class Bound:
    """``|error| <= u·coefficient + η·underflow``, for both tiers; arrays of the output's shape."""

    accurate: Floats
    stable: Floats
    underflow: Floats


@dataclass(frozen=True)
class Sizes:
    """What the bounds are made of, from the inputs and the certified results of one batch."""

    inputs: Inputs
    values: Mapping[str, Floats]
    reference_sizes: Mapping[str, Floats]

    @property
    def u(self) -> float:
        return self.inputs.format.u

    @property
    def c(self) -> Floats:
        """The cotangent, ``(rows, 1)`` or ``(rows, N)``."""
        return self.inputs.cotangent

    @property
    def p(self) -> Floats:
        """Dense labels; an index label as its one-hot row."""
        return self.inputs.dense_labels

    @cached_property
    def s(self) -> Floats:
        return self.reference_sizes["s"]

    @cached_property
    def d(self) -> Floats:
        """``max x − x_i``; 0 for an excluded class, where ``s`` is 0 and nothing is bounded by it."""
        x = self.inputs.logits
        with np.errstate(over="ignore", invalid="ignore"):
            d = np.minimum(np.max(x, axis=1, keepdims=True) - x, _HUGE)
        return np.where(np.isneginf(x), 0.0, d)

    @cached_property
    def D(self) -> Floats:
        """``Σ s_j d_j``."""
        return _sum(self.s * self.d)

    @cached_property
    def L(self) -> Floats:
        return self.reference_sizes["L"]

    @cached_property
    def rest(self) -> Floats:
        """``1 − s_i``; for the largest class as the reference knows it."""
        rest = 1.0 - self.s
        k = np.argmax(self.inputs.logits, axis=1)[:, None]
        np.put_along_axis(rest, k, self.reference_sizes["rest"], axis=1)
        return rest

    @cached_property
    def ell(self) -> Floats:
        """``|ℓ_i| = d_i + L``."""
        return self.d + self.L

    @cached_property
    def h_accurate(self) -> float:
        """Summation error of pairwise or blocked order, in units of u: ``(log2 N + 4) u_a / u``."""
        n = self.inputs.logits.shape[1]
        return float((n - 1).bit_length() + 4) * self.inputs.format.u_accumulate / self.u

    @cached_property
    def h_stable(self) -> float:
        """Summation error of any order, in units of u: ``N u_a / u``, at most ``SATURATED / u``."""
        n = self.inputs.logits.shape[1]
        return float(min(n * self.inputs.format.u_accumulate, SATURATED) / self.u)

    @cached_property
    def rho_accurate(self) -> Floats:
        """Relative error of a shifted softmax (SPEC.md 8.2), in units of u."""
        return self.grow(self.d + self.D + 2 * E + Q + 1 + self.h_accurate)

    @cached_property
    def rho_stable(self) -> Floats:
        return self.grow(self.d + self.D + 2 * E + Q + 1 + self.h_stable)

    @cached_property
    def rho_any(self) -> Floats:
        """Relative error of a probability by either textbook route: quotient, or exp of log-softmax."""
        by_log = self.grow(self.log_softmax_stable + E + 1)
        return np.maximum(self.rho_stable, by_log)

    @cached_property
    def log_softmax_accurate(self) -> Floats:
        """SPEC.md 8.3: conditioning ``Σ |δ_ij − s_j| d_j``, the sum ``R``, and the functions."""
        conditioning = self.rest * self.d + np.maximum(self.D - self.s * self.d, 0.0)
        return conditioning + self.h_accurate * self.rest_k + (E + 3) * self.ell

    @cached_property
    def log_softmax_stable(self) -> Floats:
        return self.log_softmax_accurate + self.D + E + 2 + self.h_stable

    @property
    def rest_k(self) -> Floats:
        return self.reference_sizes["rest"]

    def grow(self, rho: Floats) -> Floats:
        """First order made whole: ``exp(ρu) − 1 <= ρu / (1 − ρu/2)``, capped where nothing is left."""
        return rho / (1.0 - np.minimum(rho * self.u, 1.9) / 2.0)


def _sum(a: Floats) -> Floats:
    return np.asarray(a.sum(axis=1, keepdims=True), dtype=np.float64)


def _bound(accurate: Floats, stable: Floats, underflow: Floats | float) -> Bound:
    accurate, stable, counts = np.broadcast_arrays(accurate, stable, np.asarray(underflow, dtype=np.float64))
    return Bound(accurate, np.maximum(accurate, stable), counts)


# --- the softmax family (SPEC.md 8.2 – 8.6) ------------------------------------------------------


def _softmax(z: Sizes) -> Bound:
    excluded = np.isneginf(z.inputs.logits)
    return _bound(z.s * z.rho_accurate, z.s * z.rho_stable, np.where(excluded, 0.0, 2.0))


def _softmax_grad(z: Sizes) -> Bound:
    k = np.argmax(z.inputs.logits, axis=1)[:, None]
    w = np.abs(z.c - np.take_along_axis(z.c, k, axis=1))
    c = np.abs(z.c)
    centred, plain = _sum(z.s * w), _sum(z.s * c)
    accurate = z.s * (
        (w + centred) * (z.rho_accurate + 3) + _sum(z.s * w * z.rho_accurate) + centred * z.h_accurate
    )
    stable = z.s * ((c + plain) * (z.rho_any + 2) + _sum(z.s * c * z.rho_any) + plain * (1 + z.h_stable))
    return _bound(accurate, stable, 2 + 4 * c + 4 * _sum(c) * z.s)


def _log_softmax(z: Sizes) -> Bound:
    return _bound(z.log_softmax_accurate, z.log_softmax_stable, 2.0)


def _balance(z: Sizes, p: Floats, c: Floats) -> Bound:
    """``c (s_i Σp − p_i)``: SPEC.md 8.5."""
    size = np.abs(p)
    total = _sum(size)
    others = np.abs(_sum(p) - p)
    tail = np.maximum(z.D - z.s * z.d, 0.0) + z.rest * (z.D + 2 * E + Q + 3 + z.h_accurate)
    accurate = z.s * others * (z.rho_accurate + 3) + size * tail + z.s * (total - size) * z.h_accurate
    stable = z.s * total * (z.rho_any + 3 + z.h_stable) + 3 * size
    return _bound(np.abs(c) * accurate, np.abs(c) * stable, 2 + np.abs(c) * (2 + 2 * total))


def _log_softmax_grad(z: Sizes) -> Bound:
    return _balance(z, z.c, np.ones((1, 1)))


def _logsumexp(z: Sizes) -> Bound:
    value = np.abs(z.values["value"])
    conditioning = z.D + z.h_accurate * z.rest_k + (E + 2) * z.L
    return _bound(conditioning + value, conditioning + z.D + E + 2 + z.h_stable + 2 * value, 2.0)


def _logsumexp_grad(z: Sizes) -> Bound:
    c = np.abs(z.c)
    by_value = z.grow(z.ell + np.abs(z.values["value"]) + E + 2)  # exp(x_i − the rounded value)
    stable = z.rho_any + by_value + 1
    return _bound(c * z.s * (z.rho_accurate + 1), c * z.s * stable, 2 + 2 * c)


def _cross_entropy(z: Sizes) -> Bound:
    size = np.abs(z.p)
    f = _sum(size * z.ell)
    accurate = _sum(size * z.log_softmax_accurate) + (2 + z.h_accurate) * f
    stable = _sum(size * z.log_softmax_stable) + (2 + z.h_stable) * f
    return _bound(accurate, stable, 2 + 2 * _sum(size) + size.shape[1])


def _cross_entropy_grad(z: Sizes) -> Bound:
    return _balance(z, z.p, z.c)


def _cross_entropy_grad_labels(z: Sizes) -> Bound:
    c = np.abs(z.c)
    return _bound(c * (z.log_softmax_accurate + z.ell), c * (z.log_softmax_stable + z.ell), 2 + 2 * c)


def _sparse_cross_entropy(z: Sizes) -> Bound:
    y = np.argmax(z.p, axis=1)[:, None]
    pick = np.take_along_axis
    return _bound(pick(z.log_softmax_accurate, y, 1), pick(z.log_softmax_stable, y, 1), 2.0)


# --- the sigmoid family (SPEC.md 8.7 – 8.9) -----------------------------------------------------


def _sigmas(z: Sizes) -> tuple[Floats, Floats]:
    """``σ(x), σ(−x)``."""
    return z.reference_sizes["sigma"], z.reference_sizes["mirror"]


def _softplus_pair(z: Sizes) -> tuple[Floats, Floats]:
    """``softplus(x), softplus(−x)``."""
    return z.reference_sizes["softplus"], z.reference_sizes["softplus_minus"]


def _sigmoid(z: Sizes) -> Bound:
    sigma, _ = _sigmas(z)
    accurate = sigma * (2 * E + Q + 2)
    return _bound(accurate, accurate + E / 2 + 2, 2.0)


def _sigmoid_grad(z: Sizes) -> Bound:
    sigma, mirror = _sigmas(z)
    c = np.abs(z.c)
    accurate = c * sigma * mirror * (2 * (2 * E + Q + 2) + 2)
    return _bound(accurate, accurate + c * (E + 5) * np.maximum(sigma, mirror), 2 + 4 * c)


def _log_sigmoid(z: Sizes) -> Bound:
    _, f = _softplus_pair(z)
    accurate = (2 * E + 3) * f
    return _bound(accurate, accurate + E + 2, 2.0)


def _log_sigmoid_grad(z: Sizes) -> Bound:
    _, mirror = _sigmas(z)
    c = np.abs(z.c)
    accurate = c * mirror * (2 * E + Q + 4)
    return _bound(accurate, accurate + c * (E / 2 + 3), 2 + 4 * c)


def _logit(z: Sizes) -> Bound:
    x = np.abs(z.values["value"])
    split = x + 2 * LN2  # log p and log(1 − p) apart: the smaller of the two is at most ln 2
    accurate = (E + Q + 3) * x
    return _bound(accurate, np.maximum(accurate, E * split + x) + Q + 3, 2.0)


def _logit_grad(z: Sizes) -> Bound:
    g = np.abs(z.values["grad_logits"])
    return _bound((Q + 4) * g, (2 * Q + 6) * g, 2.0 + 2 * np.abs(z.c))


def _binary_cross_entropy(z: Sizes) -> Bound:
    positive, negative = _softplus_pair(z)
    x, label, other = np.abs(z.inputs.logits), np.abs(z.p), np.abs(1 - z.p)
    f = other * positive + label * negative
    accurate = (2 * E + 6) * f
    return _bound(accurate, accurate + 2 * x * (label + other) + x + E + 2, 4.0)


def _binary_cross_entropy_grad(z: Sizes) -> Bound:
    sigma, mirror = _sigmas(z)
    c, label, other = np.abs(z.c), np.abs(z.p), np.abs(1 - z.p)
    accurate = c * (2 * E + Q + 6) * (other * sigma + label * mirror)
    return _bound(accurate, accurate + c * (E / 2 + 3) * (1 + label), 2 + 4 * c)


def _binary_cross_entropy_grad_labels(z: Sizes) -> Bound:
    c, x = np.abs(z.c), np.abs(z.inputs.logits)
    return _bound(2 * c * x, c * ((2 * E + 4) * (x + 2 * LN2) + 2), 2 + 2 * c)


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


def bound(inputs: Inputs, output: str, values: Mapping[str, Floats], sizes: Mapping[str, Floats]) -> Bound:
    """The bound of one output of a batch, from its inputs, certified values and sizes.

    Elements where the reference is NaN or infinite have a meaningless bound; a judge never reads it.
    """
    with np.errstate(all="ignore"):
        return BOUNDS[inputs.operator, output](Sizes(inputs, values, sizes))

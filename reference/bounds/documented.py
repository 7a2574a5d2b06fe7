"""Bounds of documented definitions that are no loss of §0 at another argument: SPEC.md 8.20.

Two tiers would say the same: each definition is documented as the formula that it is computed by.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from xent_conformance.reference.bounds.bound import Bound, tiers
from xent_conformance.reference.bounds.sigmoid import Probable
from xent_conformance.reference.bounds.sizes import Sizes, rowsum
from xent_conformance.reference.formats import Floats

OfDefinition = Callable[[Sizes, float], Bound]
"""Of sizes and ε, as the format has it."""


# --- ε added to a probability ----------------------------------------------------------------------


class _Raised:
    """``p + ε`` and ``1 − p + ε``, which are one and two roundings off, and their logarithms."""

    def __init__(self, z: Sizes, eps: float) -> None:
        p = z.inputs.logits
        there = (p > -eps) & (p < 1 + eps)
        self.up = np.where(there, np.where(there, p, 0.0) + eps, 1.0)
        self.down = np.where(there, 1 - np.where(there, p, 0.0) + eps, 1.0)
        self.log, self.log_rest = np.abs(np.log(self.up)), np.abs(np.log(self.down))
        of = Probable(z)
        self.a, self.b, self.w, self.rounded, self.wider = of.a, of.b, of.w, of.rounded, of.wider


def _raised(z: Sizes, eps: float) -> Bound:
    t = _Raised(z, eps)
    terms = (z.E + 4 + z.kappa) * (t.b * t.log + t.a * t.log_rest) + t.b + 2 * t.a
    found = z.u * (terms + t.rounded * t.log_rest + t.wider * (t.log + t.log_rest))
    return tiers(z, found, found, 4.0 + 2 * t.w)


def _raised_grad(z: Sizes, eps: float) -> Bound:
    return _raised_slope(z, eps, np.abs(z.c))


def _raised_jvp(z: Sizes, eps: float) -> Bound:
    """Element by element it is the gradient, with the tangent for the cotangent."""
    return _raised_slope(z, eps, np.abs(z.v))


def _raised_slope(z: Sizes, eps: float, c: Floats) -> Bound:
    t = _Raised(z, eps)
    rounded = (t.rounded + t.wider) * (1 / t.down + 1 / t.up)
    size = (z.Q + 9 + z.kappa) * (t.a / t.down + t.b / t.up) + rounded
    divided = 1 / t.up + 1 / t.down  # c b may be subnormal, and is divided
    lost = z.eta * divided, np.minimum(z.tiny * divided, np.maximum(c * t.w, 1.0))
    return tiers(z, z.u * c * size, z.u * c * size, 2 + 4 * c * np.maximum(t.w, 1.0), lost)


def _raised_hvp(z: Sizes, eps: float) -> Bound:
    """Two squares of one sign, each of a sum that is one rounding off, or two."""
    t, c, v = _Raised(z, eps), np.abs(z.c), np.abs(z.v)
    rounded = (t.rounded + t.wider) * (1 / t.down**2 + 1 / t.up**2)
    size = (2 * z.Q + 12 + z.kappa) * (t.a / t.down**2 + t.b / t.up**2) + rounded
    divided = 1 / t.up**2 + 1 / t.down**2  # c b, and its product with v, may be subnormal, and are divided
    lost = (1 + v) * z.eta * divided, (1 + v) * np.minimum(z.tiny * divided, np.maximum(c * t.w, 1.0))
    return tiers(
        z, z.u * c * v * size, z.u * c * v * size, 2 + 4 * (1 + c) * (1 + v) * np.maximum(t.w, 1.0), lost
    )


def _raised_grad_labels(z: Sizes, eps: float) -> Bound:
    t, c = _Raised(z, eps), np.abs(z.c) * z.slope
    size = (z.E + 4 + z.kappa) * (t.log + t.log_rest) + 3
    return tiers(z, z.u * c * size, z.u * c * size, 4 + 4 * c)


# --- a divergence of what is clipped ---------------------------------------------------------------


class _Clipped:
    """The target and the prediction within ``[ε, 1]``, and the logarithm of their quotient."""

    def __init__(self, z: Sizes, eps: float) -> None:
        x = np.where(np.isnan(z.inputs.logits), 0.0, z.inputs.logits)
        self.t = np.clip(np.where(np.isnan(z.p), 1.0, z.p), eps, 1.0)
        self.p: Floats = np.clip(np.exp(np.minimum(x, 0.0)), eps, 1.0)
        self.log = np.abs(np.log(self.t) - np.log(self.p))
        self.slope = np.abs(np.log(self.t) - np.log(self.p) + 1)
        self.lost = z.eta / self.p
        """What a prediction loses that is subnormal, relative; of its logarithm absolute."""
        self.absolute = (z.E + z.Q) + (z.E + 2) * self.log
        """Of the logarithm of a rounded quotient, in units of u."""


def _clipped(z: Sizes, eps: float) -> Bound:
    t = _Clipped(z, eps)
    found = z.u * rowsum(t.t * (t.absolute + (1 + z.h_stable) * t.log))
    lost = rowsum(t.t * t.lost)
    return tiers(z, found, found, 2.0 + 2 * z.inputs.n, (lost, lost))


def _clipped_grad(z: Sizes, eps: float) -> Bound:
    """The derivative of each step in turn, of a prediction that is multiplied by what divides it."""
    t, c = _Clipped(z, eps), np.abs(z.c)
    found, lost = z.u * c * t.t * (4 * z.Q + z.E + 10), c * t.t * t.lost
    return tiers(z, found, found, 4 + 4 * c, (lost, lost + np.minimum(z.tiny / t.p, c)))


def _clipped_grad_labels(z: Sizes, eps: float) -> Bound:
    t, c = _Clipped(z, eps), np.abs(z.c)
    found = z.u * c * (t.absolute + 3 * z.Q + 6 + 2 * t.slope)
    lost = z.eta / t.t + c * t.lost, np.minimum(z.tiny / t.t, np.maximum(c, 1.0))
    return tiers(z, found, found, 4 + 4 * c, lost)


def _clipped_jvp(z: Sizes, eps: float) -> Bound:
    """The gradient's terms, and their sum."""
    t, v = _Clipped(z, eps), np.abs(z.v)
    terms = t.t * v
    found = z.u * rowsum(terms) * (4 * z.Q + z.E + 11 + z.h_stable)
    rounded, flushed = z.lost(terms)
    lost = rowsum(terms * t.lost)
    flush = flushed + lost + rowsum(np.minimum(z.tiny / t.p, 1.0) * v)
    return tiers(z, found, found, 2.0 + 4 * rowsum(v), (rounded + lost, flush))


def _clipped_hvp(z: Sizes, eps: float) -> Bound:
    """Exactly 0, which is ``1 − 2 + 1`` of the derivative of each step in turn: of four terms."""
    t, size = _Clipped(z, eps), np.abs(z.c * z.v)
    terms = 4 * size * t.t
    found = z.u * terms * (8 * z.Q + 2 * z.E + 18)
    lost = 2 * terms * t.lost
    counts = 4 * (1 + np.abs(z.c)) * (1 + np.abs(z.v)) * (1 + 1 / t.p)
    return tiers(z, found, found, counts, (lost, lost))


RAISED: Mapping[str, OfDefinition] = {
    "value": _raised,
    "grad_logits": _raised_grad,
    "grad_labels": _raised_grad_labels,
    "jvp": _raised_jvp,
    "hvp": _raised_hvp,
}

CLIPPED: Mapping[str, OfDefinition] = {
    "value": _clipped,
    "grad_logits": _clipped_grad,
    "grad_labels": _clipped_grad_labels,
    "jvp": _clipped_jvp,
    "hvp": _clipped_hvp,
}

"""What stands before the operator costs: SPEC.md 8.14.

The operator sees ``y_i = scale · x_i / temperature + bias_i``, rounded or not, as a compiler fuses it (of a
product with a matrix, which is exact, for ``x``): a logit with an error of its own, at most ``e_i``; at most
``g_i`` is that of a difference ``y_i − y_k``. All are in units of u.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from xent_conformance.reference.formats import Floats, Ints
from xent_conformance.reference.inputs import Inputs

_FLOOR = 1e-250
"""Stands for a probability that binary64 does not show, where an error may bring it back."""

_SMALL = 30.0
"""Up to here ``expm1`` keeps what a logarithm of a sum would lose; beyond nothing is lost."""


def seen(inputs: Inputs) -> Floats:
    """``y`` to binary64; −∞ where a mask takes the class away."""
    a, x = inputs.attributes, inputs.product
    if not a.around - {"cast", "times"}:
        return x
    bias = np.array(a.bias or (0.0,))
    with np.errstate(all="ignore"):
        y = x * a.scale / a.temperature + bias
    return np.where(np.array(a.mask), y, -np.inf) if a.mask else np.asarray(y, dtype=np.float64)


def products(inputs: Inputs) -> float:
    """Roundings of ``scale · x / temperature``, in units of u: a quotient may be by a reciprocal."""
    a, fmt = inputs.attributes, inputs.format
    quotient = 2.0 if fmt.u_accumulate < fmt.u else 6.0
    return (a.scale != 1.0) + quotient * (a.temperature != 1.0)


def own_error(inputs: Inputs, y: Floats) -> Floats:
    """``e``: roundings of the product, or the quotient, and of the sum; zero where nothing is computed."""
    a, fmt = inputs.attributes, inputs.format
    bias, roundings = np.array(a.bias or (0.0,)), products(inputs)
    with np.errstate(all="ignore"):
        found = roundings * np.abs(y - bias) + (np.abs(y) if a.bias else 0.0)
        found = found + (fmt.smallest_subnormal / fmt.u if roundings else 0.0)
    return np.where(np.isfinite(y), found, 0.0)


@dataclass(frozen=True)
class Before:
    """What the errors of a row's logits cost the softmax family; zeros where nothing stands before."""

    inputs: Inputs
    y: Floats
    reference_sizes: Mapping[str, Floats]
    own: Floats | None = None
    """``e`` in units of u, where a layer makes the logits (8.22)."""

    @property
    def u(self) -> float:
        return self.inputs.format.u

    @property
    def moving(self) -> bool:
        """Whether a logit has an error of its own."""
        return self.own is not None or bool(
            self.inputs.attributes.around - {"cast", "times", "mask", "matrix"}
        )

    @cached_property
    def k(self) -> Ints:
        return np.asarray(np.argmax(self.y, axis=1)[:, None], dtype=np.int64)

    @cached_property
    def log_s(self) -> Floats:
        """``log s``, which binary64 has where it does not have ``s``."""
        with np.errstate(all="ignore"):
            return self.y - np.take_along_axis(self.y, self.k, axis=1) - self.reference_sizes["L"]

    @cached_property
    def s(self) -> Floats:
        """Probabilities; those that an error may bring back from zero are not quite zero."""
        s = self.reference_sizes["s"]
        if not self.moving:
            return s
        return np.where(~np.isneginf(self.y) & (self.u * self.moves > 0.5) & (s < _FLOOR), _FLOOR, s)

    @cached_property
    def e(self) -> Floats:
        return own_error(self.inputs, self.y) if self.own is None else self.own

    @cached_property
    def g(self) -> Floats:
        """Zero where the logits are equal: the same number comes of the same numbers.

        Of a layer nobody promises that, for another place of a class may be another order of its sum.
        """
        if self.own is not None:
            largest = np.arange(self.inputs.n) == self.k
            return np.where(largest, 0.0, self.e + np.take_along_axis(self.e, self.k, axis=1))
        x, bias = self.inputs.product, np.array(self.inputs.attributes.bias or (0.0,) * self.inputs.n)
        equal = (x == np.take_along_axis(x, self.k, axis=1)) & (bias == bias[self.k])
        return np.where(equal, 0.0, self.e + np.take_along_axis(self.e, self.k, axis=1))

    @cached_property
    def offset(self) -> Floats:
        """``u e_k``, in units of u: the size that a fused difference has beside ``d_i``."""
        return self.u * np.take_along_axis(self.e, self.k, axis=1)

    @cached_property
    def moves(self) -> Floats:
        """The most that ``log s_i`` may move: ``log (s_i + Σ_{j≠i} s_j exp(g_i + g_j))``."""
        if not self.moving:
            return np.zeros_like(self.y)
        pairs = self.u * (self.g[:, :, None] + self.g[:, None, :])
        return (
            _log_mean_exp(self.log_s[:, None, :], np.where(np.eye(self.inputs.n, dtype=bool), 0.0, pairs))
            / self.u
        )

    @cached_property
    def total(self) -> Floats:
        """The most that ``log Σ exp y_j`` may move, ``(rows, 1)``: ``log Σ s_j exp e_j``."""
        if not self.moving:
            return np.zeros((len(self.y), 1))
        return _log_mean_exp(self.log_s, self.u * self.e)[:, None] / self.u

    def whole(self, rho: Floats, grow: Callable[[Floats], Floats]) -> Floats:
        """``exp(ρu) − 1`` of a probability, in units of u: as first order made whole while that is small.

        Beyond, what there is: nothing brings a probability above one.
        """
        if not self.moving:
            return grow(rho)
        r = self.u * rho
        with np.errstate(all="ignore"):
            most = np.exp(np.minimum(self.log_s + r, 0.0)) / (self.u * self.s)
        return np.where(r < 1.0, grow(rho), np.where(self.s > 0.0, most, 0.0))


def _log_mean_exp(log_s: Floats, t: Floats) -> Floats:
    """``log Σ_j s_j exp t_j`` along the last axis, of probabilities whose sum is one."""
    with np.errstate(all="ignore"):
        small = np.log1p((np.exp(log_s) * np.expm1(np.minimum(t, _SMALL))).sum(axis=-1))
        large = np.logaddexp.reduce(np.broadcast_to(log_s, t.shape) + t, axis=-1)
    whole = np.where(t.max(axis=-1) <= _SMALL, small, np.maximum(large, small))
    return np.asarray(whole, dtype=np.float64)

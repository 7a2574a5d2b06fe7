"""What the two families are made of: a row shifted by its maximum, and a logit mirrored at zero.

**Shifted.** ``d_i = max x − x_i ≥ 0`` so that nothing overflows; the class ``k`` of the maximum is
kept apart so that nothing cancels: with ``R = Σ_{i≠k} exp(−d_i)``, the sum is ``S = 1 + R``, its
logarithm ``L = log1p R`` and the complement of the largest probability ``1 − s_k = R/S``, all to full
relative accuracy. For one class ``R`` is exactly zero.

**Mirrored.** With ``e = exp(−|x|) ≤ 1``: ``σ(|x|) = 1/(1 + e)``, ``σ(−|x|) = e/(1 + e)`` and
``softplus(±|x|) = max(±|x|, 0) + log1p e``; every term is non-negative.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property

from flint import arb

from reference.ball import Number

ZERO, ONE = arb(0), arb(1)
INFINITY = float("inf")


class Undefined(Exception):
    """The row holds NaN, +∞, or no class at all: no softmax is defined on it."""


class Shifted:
    """The quantities of one row. A logit of −∞ excludes its class (SPEC.md §4): ``e_i = 0``."""

    def __init__(self, logits: Sequence[float]) -> None:
        if any(math.isnan(x) or x == INFINITY for x in logits):
            raise Undefined
        self.k = max(range(len(logits)), key=logits.__getitem__)
        if logits[self.k] == -INFINITY:
            raise Undefined
        self.m = m = arb(logits[self.k])
        self.excluded = [x == -INFINITY for x in logits]
        #: d_i, zero where the class is excluded (never read there)
        self.d: list[arb] = [ZERO if x == -INFINITY else m - arb(x) for x in logits]

    @cached_property
    def e(self) -> list[arb]:
        """``exp(−d_i)``; exactly zero for an excluded class, exactly one for class ``k``."""
        e = [(-d).exp() for d in self.d]
        for i, gone in enumerate(self.excluded):
            if gone:
                e[i] = ZERO
        e[self.k] = ONE
        return e

    @cached_property
    def R(self) -> arb:
        """``Σ_{i≠k} exp(−d_i)``."""
        return sum(self.e[: self.k], ZERO) + sum(self.e[self.k + 1 :], ZERO)

    @cached_property
    def L(self) -> arb:
        """``log Σ exp(−d_i) = log1p R``."""
        return self.R.log1p()

    @cached_property
    def s(self) -> list[arb]:
        """Probabilities."""
        inverse = ONE / (ONE + self.R)
        return [e * inverse for e in self.e]

    @cached_property
    def rest_k(self) -> arb:
        """``1 − s_k = R/S``, which does not cancel however confident the row is."""
        return self.R / (ONE + self.R)

    def rest(self, i: int) -> arb:
        """``1 − s_i``."""
        return self.rest_k if i == self.k else ONE - self.s[i]

    @cached_property
    def log_s(self) -> list[Number]:
        """``log s_i = −(d_i + L)``; −∞ for an excluded class."""
        return [-INFINITY if gone else -(d + self.L) for d, gone in zip(self.d, self.excluded, strict=True)]


class Mirrored:
    """The quantities of one logit ``x``, which may be ±∞ (limits, SPEC.md 5.2) but not NaN."""

    def __init__(self, x: float) -> None:
        self.x = x
        self.size = arb(abs(x)) if math.isfinite(x) else arb(0)
        self.e = (-self.size).exp() if math.isfinite(x) else ZERO

    @cached_property
    def _sigma(self) -> tuple[arb, arb]:
        t = ONE / (ONE + self.e)
        return (t, self.e * t) if self.x >= 0 else (self.e * t, t)

    @property
    def sigma(self) -> arb:
        """``σ(x)``, to relative accuracy on both sides."""
        return self._sigma[0]

    @property
    def sigma_minus(self) -> arb:
        """``σ(−x) = 1 − σ(x)``."""
        return self._sigma[1]

    @cached_property
    def _log1p_e(self) -> arb:
        return self.e.log1p()

    @property
    def softplus(self) -> Number:
        """``log(1 + exp(x))``."""
        return self._log1p_e if self.x < 0 else self._large()

    @property
    def softplus_minus(self) -> Number:
        """``log(1 + exp(−x))``."""
        return self._large() if self.x < 0 else self._log1p_e

    def _large(self) -> Number:
        return self.size + self._log1p_e if math.isfinite(self.x) else INFINITY

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
from operator import mul
from typing import TypeVar

from flint import arb, fmpq

from xent_conformance.reference.exact.ball import Number
from xent_conformance.reference.exact.row import Exact

T = TypeVar("T")

ZERO, ONE = arb(0), arb(1)
INFINITY = float("inf")


class Undefined(Exception):
    """The row holds NaN, +∞, or no class at all: no softmax is defined on it."""


def ball(x: Exact) -> arb:
    """A finite number as a ball: exact, or as narrow as the working precision allows."""
    return arb(x) if isinstance(x, float) else arb(fmpq(x.numerator, x.denominator))


def balls(numbers: Sequence[Exact]) -> list[arb]:
    """Each as a ball; an infinite one is exact too."""
    return [arb(x) if isinstance(x, float) else ball(x) for x in numbers]


def is_nan(x: Exact) -> bool:
    """Whether it is NaN; a fraction never is, however large."""
    return x != x  # nothing else is unlike itself


def nans(numbers: Sequence[Exact]) -> list[int]:
    """Where they are NaN; a call an element would cost more than the comparison."""
    return [i for i, x in enumerate(numbers) if x != x]


def is_finite(x: Exact) -> bool:
    return not isinstance(x, float) or math.isfinite(x)


def added(terms: Sequence[Number]) -> Number:
    """A sum in which NaN and infinities are what IEEE 754 makes of them."""
    special = [t for t in terms if isinstance(t, float)]
    return sum(special) if special else sum(terms, ZERO)


def times(factor: arb, v: Number) -> Number:
    """Where ``v`` is NaN or infinite, as IEEE 754 has it."""
    return float(factor) * v if isinstance(v, float) else factor * v


class Shifted:
    """The quantities of one row. A logit of −∞ excludes its class (SPEC.md §4): ``e_i = 0``.

    With ``copies`` every logit stands for so many classes.
    """

    def __init__(self, logits: Sequence[Exact], copies: int = 1) -> None:
        self.copies = copies
        if not logits or nans(logits) or INFINITY in logits:
            raise Undefined
        self.k = logits.index(max(logits))
        if logits[self.k] == -INFINITY:
            raise Undefined
        self.m = m = ball(logits[self.k])
        self.excluded = [x == -INFINITY for x in logits]
        #: d_i, zero where the class is excluded (never read there)
        self.d: list[arb] = [
            ZERO if gone else m - x for gone, x in zip(self.excluded, balls(logits), strict=True)
        ]

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
        others = sum(self.e[: self.k], ZERO) + sum(self.e[self.k + 1 :], ZERO)
        return self.copies * others + (self.copies - 1)

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
    """The quantities of a row of independent logits, ±∞ among them (limits, SPEC.md 5.2).

    Where a logit is NaN they mean nothing (they are those of 0); the operators put NaN there.
    """

    def __init__(self, logits: Sequence[Exact]) -> None:
        self.x: list[Exact] = [0.0 if x != x else x for x in logits]
        self._negative = [x < 0 for x in self.x]
        #: −|x|
        self._below = balls([x if x < 0 else -x for x in self.x])
        self._e = list(map(arb.exp, self._below))

    @cached_property
    def finite(self) -> list[bool]:
        return [-INFINITY < x < INFINITY for x in self.x]

    def _by_sign(self, positive: Sequence[T], negative: Sequence[T]) -> list[T]:
        return [b if n else a for n, a, b in zip(self._negative, positive, negative, strict=True)]

    @cached_property
    def _large(self) -> list[arb]:
        """``σ(|x|)``."""
        return [ONE / (ONE + e) for e in self._e]

    @cached_property
    def _small(self) -> list[arb]:
        """``σ(−|x|)``."""
        return list(map(mul, self._e, self._large))

    @cached_property
    def sigma(self) -> list[arb]:
        """``σ(x)``, to relative accuracy on both sides."""
        return self._by_sign(self._large, self._small)

    @cached_property
    def mirror(self) -> list[arb]:
        """``σ(−x) = 1 − σ(x)``."""
        return self._by_sign(self._small, self._large)

    @cached_property
    def _log1p_e(self) -> list[arb]:
        return list(map(arb.log1p, self._e))

    def _grown_where(self, larger: Sequence[bool]) -> list[Number]:
        """``log1p e``, and ``|x| + log1p e`` where ``larger``."""
        parts = zip(larger, self._log1p_e, self._below, self.finite, strict=True)
        return [(low - d if f else INFINITY) if grown else low for grown, low, d, f in parts]

    @cached_property
    def softplus(self) -> list[Number]:
        """``log(1 + exp(x))``."""
        return self._grown_where([not n for n in self._negative])

    @cached_property
    def softplus_minus(self) -> list[Number]:
        """``log(1 + exp(−x))``."""
        return self._grown_where(self._negative)

"""Intervals of what rounded steps may give, element by element: for formats in which no first order holds.

SPEC.md 8.19. Each step widens what its arguments may be by its own error, at both ends.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xent_conformance.reference.formats import Floats, Format

FUNCTION, QUOTIENT = 1.25, 1.0625
"""An elementary function, a quotient, in units of u: computed in 16 bits at least, and rounded back."""


@dataclass(frozen=True)
class Interval:
    """What a step may give: between ``low`` and ``high``."""

    fmt: Format
    low: Floats
    high: Floats

    @classmethod
    def exact(cls, fmt: Format, a: Floats | float) -> Interval:
        """A number that is given."""
        found = np.asarray(a, dtype=np.float64)
        return cls(fmt, found, found)

    def rounded(self, units: float = 1.0) -> Interval:
        """The same, off by so many units of u, and by what gradual underflow takes."""
        slack, eta = units * self.fmt.u, self.fmt.smallest_subnormal
        spread = [np.abs(a) * slack + eta for a in (self.low, self.high)]
        return Interval(self.fmt, self.low - spread[0], self.high + spread[1])

    def mapped(self, of: Callable[[Floats], Floats], units: float = FUNCTION) -> Interval:
        """Of a function that rises."""
        return Interval(self.fmt, of(self.low), of(self.high)).rounded(units)

    def __neg__(self) -> Interval:
        return Interval(self.fmt, -self.high, -self.low)

    def plus(self, other: Interval) -> Interval:
        return Interval(self.fmt, self.low + other.low, self.high + other.high).rounded()

    def minus(self, other: Interval) -> Interval:
        return self.plus(-other)

    def times(self, other: Interval) -> Interval:
        return self._of_ends(other, np.multiply).rounded()

    def over(self, other: Interval) -> Interval:
        """A quotient by what is positive."""
        positive = Interval(self.fmt, np.maximum(other.low, 0.0), other.high)
        return self._of_ends(positive, np.divide).rounded(QUOTIENT)

    def total(self) -> Interval:
        """The sum over a row: in a wider format, and rounded once."""
        n, fmt = self.low.shape[1], self.fmt
        low, high = (a.sum(axis=1, keepdims=True) for a in (self.low, self.high))
        spread = (
            n * fmt.u_accumulate * np.maximum(np.abs(self.low), np.abs(self.high)).sum(axis=1, keepdims=True)
        )
        return Interval(fmt, low - spread, high + spread).rounded()

    def within(self, low: float, high: float) -> Interval:
        """Where no number beyond these can come of it."""
        return Interval(self.fmt, np.maximum(self.low, low), np.minimum(self.high, high))

    def where(self, condition: NDArray[np.bool_], other: Interval) -> Interval:
        """This one, elsewhere the other."""
        low, high = (np.where(condition, a, b) for a, b in ((self.low, other.low), (self.high, other.high)))
        return Interval(self.fmt, low, high)

    def _of_ends(self, other: Interval, of: Callable[[Floats, Floats], Floats]) -> Interval:
        ends = [of(a, b) for a in (self.low, self.high) for b in (other.low, other.high)]
        return Interval(self.fmt, np.minimum.reduce(ends), np.maximum.reduce(ends))


def any_of(*forms: Interval) -> Interval:
    """What any of some forms may give: each is innocent."""
    return functools.reduce(_either, forms)


def product(*factors: Interval) -> Interval:
    """A product of some factors, in any order: what underflows on the way differs by it."""
    if len(factors) == 2:
        return factors[0].times(factors[1])
    rest = [(f, factors[:i] + factors[i + 1 :]) for i, f in enumerate(factors)]
    return any_of(*(product(*others).times(f) for f, others in rest))


def _either(a: Interval, b: Interval) -> Interval:
    return Interval(a.fmt, np.minimum(a.low, b.low), np.maximum(a.high, b.high))

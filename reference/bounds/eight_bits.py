"""Bounds in eight bits: SPEC.md 8.19. Intervals of the textbook's steps, for no first order holds there.

Two tiers would say the same: what is accurate is what is stable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from xent_conformance.reference.bounds.bound import Bound
from xent_conformance.reference.formats import EIGHT_BITS, Floats, Format
from xent_conformance.reference.inputs import Inputs

__all__ = ["EIGHT_BITS", "in_eight_bits"]

FUNCTION, QUOTIENT = 1.25, 1.0625
"""An elementary function, a quotient, in units of u: computed in 16 bits at least, and rounded back."""


@dataclass(frozen=True)
class Interval:
    """What a step may give, element by element: between ``low`` and ``high``."""

    fmt: Format
    low: Floats
    high: Floats

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

    def over(self, other: Interval) -> Interval:
        """A quotient of what is not negative by what is positive."""
        low, high = np.maximum(self.low, 0.0), np.maximum(self.high, 0.0)
        return Interval(self.fmt, low / other.high, high / np.maximum(other.low, 0.0)).rounded(QUOTIENT)

    def or_(self, other: Interval) -> Interval:
        """Either form is innocent."""
        return Interval(self.fmt, np.minimum(self.low, other.low), np.maximum(self.high, other.high))


def exact(fmt: Format, a: Floats | float) -> Interval:
    found = np.asarray(a, dtype=np.float64)
    return Interval(fmt, found, found)


class _Shifted:
    """The shifted exponentials, and their sum: wider, rounded once, and at least 1."""

    def __init__(self, fmt: Format, x: Floats) -> None:
        self.m = exact(fmt, x.max(axis=1, keepdims=True))
        self.d = exact(fmt, x - self.m.low).rounded()
        at_top = x == self.m.low
        e = self.d.mapped(np.exp)
        self.e = Interval(
            fmt, np.where(at_top, 1.0, np.maximum(e.low, 0.0)), np.where(at_top, 1.0, np.minimum(e.high, 1.0))
        )
        n = x.shape[1]
        total = Interval(fmt, self.e.low.sum(axis=1, keepdims=True), self.e.high.sum(axis=1, keepdims=True))
        self.S = total.rounded(1.0 + n * fmt.u_accumulate / fmt.u)

    @property
    def L(self) -> Interval:
        return Interval(self.S.fmt, np.maximum(self.S.low, 1.0), self.S.high).mapped(np.log)


def _softmax(fmt: Format, x: Floats) -> Interval:
    s = _Shifted(fmt, x)
    return s.e.over(s.S)


def _log_softmax(fmt: Format, x: Floats) -> Interval:
    s = _Shifted(fmt, x)
    return s.d.plus(-s.L)


def _logsumexp(fmt: Format, x: Floats) -> Interval:
    s = _Shifted(fmt, x)
    return s.m.plus(s.L)


def _sigmoid(fmt: Format, x: Floats) -> Interval:
    """``1/(1 + exp(−x))``, ``exp(x)/(1 + exp(x))``, ``(1 + tanh(x/2))/2``."""
    one = exact(fmt, np.ones_like(x))
    up, down = exact(fmt, x).mapped(np.exp), exact(fmt, -x).mapped(np.exp)
    half = exact(fmt, x / 2).rounded().mapped(np.tanh).plus(one)
    halved = Interval(fmt, half.low / 2, half.high / 2).rounded()
    return one.over(down.plus(one)).or_(up.over(up.plus(one))).or_(halved)


def _log_sigmoid(fmt: Format, x: Floats) -> Interval:
    """``−(max(−x, 0) + log1p(exp(−|x|)))``, by log1p or by log of a rounded sum."""
    e, one = exact(fmt, -np.abs(x)).mapped(np.exp), exact(fmt, np.ones_like(x))
    kept = Interval(fmt, np.maximum(e.low, 0.0), e.high)
    rest = kept.mapped(np.log1p).or_(kept.plus(one).mapped(np.log))
    return -exact(fmt, np.maximum(-x, 0.0)).plus(rest)


VALUES: dict[str, Callable[[Format, Floats], Interval]] = {
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "logsumexp": _logsumexp,
    "sigmoid": _sigmoid,
    "log_sigmoid": _log_sigmoid,
}


def in_eight_bits(inputs: Inputs, output: str, values: Mapping[str, Floats]) -> Bound:
    """The bound of a value; none, which is infinite, of what nothing is derived for (6.17)."""
    if output != "value" or inputs.operator not in VALUES or inputs.attributes.given:
        none = np.full_like(values[output], np.inf)
        return Bound(none, none, none)
    found, value = VALUES[inputs.operator](inputs.format, inputs.logits), values[output]
    bound = np.maximum(found.high - value, value - found.low)
    return Bound(bound, bound, np.full_like(bound, inputs.format.smallest_normal))

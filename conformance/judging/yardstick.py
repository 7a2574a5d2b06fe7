"""All that one output of a batch is measured with, made once for every answer to it.

Everything is measured in ulps of the exact value (SPEC.md §0). The reference's radius is subtracted
from every error, so an accusation is never the reference's own doubt.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from xent_conformance.reference.exact.enclosure import Enclosure
from xent_conformance.reference.formats import Floats, Format, Ints
from xent_conformance.reference.oracle import Truth

COARSE = 1100
"""``2**COARSE`` ulps of the smallest number are a number that binary64 has, and so is its largest in them."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Yardstick:
    """Exact values and bounds, ``(rows, elements)``, in ulps ``2**k`` of the exact values.

    ``hi + lo ± radius`` is the exact value in ulps; ``nearest`` the distance of the nearest number of the
    format from it, or −1 where that is an infinity, which nothing but itself is as near as.
    """

    format: Format
    exact: Enclosure
    k: NDArray[np.int32]
    hi: Floats
    lo: Floats
    radius: Floats
    rounded: Floats
    nearest: Floats
    accurate: Floats
    stable: Floats
    flushable: Mask
    special: Mask
    """The exact value is NaN or infinite by definition."""
    _truth: Truth
    _output: str

    @classmethod
    def of(cls, truth: Truth, output: str) -> Yardstick:
        """The yardstick of an output of a batch."""
        fmt, exact, bound = truth.inputs.format, truth.enclosure(output), truth.bound(output)
        exponents = fmt.ulp_exponent(exact.floor_log2())
        rounded, k = exact.round_to(fmt, exponents), exponents.astype(np.int32)
        scale = exact.exponent - k
        with np.errstate(all="ignore"):
            hi, lo, radius = (np.ldexp(part, scale) for part in (exact.hi, exact.lo, exact.radius))
            nearest = distance(np.ldexp(rounded, -k), hi, lo, radius)
            return cls(
                format=fmt,
                exact=exact,
                k=k,
                hi=hi,
                lo=lo,
                radius=radius,
                rounded=rounded,
                nearest=np.where(np.isinf(rounded), -1.0, nearest),
                accurate=np.ldexp(bound.accurate, -k),
                stable=np.ldexp(bound.stable, -k),
                flushable=np.abs(exact.approximate()) <= bound.flush,
                special=~np.isfinite(exact.hi),
                _truth=truth,
                _output=output,
            )

    @property
    def elements(self) -> int:
        """How many a row has."""
        return int(self.rounded.shape[1])

    @cached_property
    def _coarse(self) -> tuple[Floats, ...]:
        """``hi``, ``lo``, ``radius`` and the stable bound in units of ``2**COARSE`` ulps."""
        scale = self.exact.exponent - self.k - COARSE
        bound = np.ldexp(self._truth.bound(self._output).stable, -self.k - COARSE)
        parts = (np.ldexp(p, scale) for p in (self.exact.hi, self.exact.lo, self.exact.radius))
        return (*parts, bound)

    def far(self, got: Floats, rows: Ints, elements: Ints) -> tuple[Floats, Floats]:
        """Errors that are too large to be counted in ulps, and their stable bounds, in units of many of them.

        Beside a subnormal of binary64, one is more ulps than there are numbers, and so may be its bound.
        """
        hi, lo, radius, stable = (part[rows, elements] for part in self._coarse)
        return distance(np.ldexp(got, -self.k[rows, elements] - COARSE), hi, lo, radius), stable


MEASURED_WITH = (
    "k",
    "hi",
    "lo",
    "radius",
    "rounded",
    "nearest",
    "accurate",
    "stable",
    "flushable",
    "special",
)
"""What a yardstick has of every element, by name."""

Measure = Callable[[Truth, str], Yardstick]
"""``measure(truth, output)``: what an output of a batch is measured with."""


def distance(got: Floats, hi: Floats, lo: Floats, radius: Floats) -> Floats:
    """``|got − exact|`` less the radius, all in one unit."""
    return np.asarray(np.maximum(np.abs((got - hi) - lo) - radius, 0.0))

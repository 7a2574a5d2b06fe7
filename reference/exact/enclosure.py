"""Certified real numbers as arrays: ``(hi + lo ± radius) · 2**exponent``.

``hi + lo`` carries 106 bits, so a judge can measure even binary64 results in ulps with plain
vectorised NumPy. The power of two keeps results that binary64 itself cannot hold (a gradient of
1e-310, a loss of 3e308) as precise as all others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import sub

import numpy as np
from flint import arb
from numpy.typing import NDArray

from xent_conformance.reference.formats import Floats, Format, Ints

Bools = NDArray[np.bool_]

RELATIVE_BITS = 100
"""A ball is known when its relative radius is below ``2**-RELATIVE_BITS``."""

_PLAIN = (2.0**-900, 2.0**1000)
"""Magnitudes whose hi and lo are both normal binary64 numbers: no scaling needed."""

_NEGLIGIBLE = -1080
"""Certified below ``2**-1080`` is below half the smallest subnormal of every format: zero."""


@dataclass(frozen=True)
class Enclosure:
    """Certified values, all four arrays of one shape.

    A value known to be NaN or infinite by definition (SPEC.md §3–§5) has that as ``hi`` and nothing
    else; a value that could not be certified is never stored (see ``ball``).
    """

    hi: Floats
    lo: Floats
    radius: Floats
    exponent: Ints

    def reshape(self, *shape: int) -> Enclosure:
        return Enclosure(
            self.hi.reshape(shape),
            self.lo.reshape(shape),
            self.radius.reshape(shape),
            self.exponent.reshape(shape),
        )

    def __getitem__(self, rows: Ints) -> Enclosure:
        return Enclosure(self.hi[rows], self.lo[rows], self.radius[rows], self.exponent[rows])

    def approximate(self) -> Floats:
        """Nearest binary64 numbers (infinite where the value is beyond binary64)."""
        with np.errstate(over="ignore", under="ignore"):
            return np.ldexp(self.hi, self.exponent)

    def floor_log2(self) -> Ints:
        """``floor(log2 |value|)``; a large negative number for zero, 0 for NaN and infinities."""
        mantissa, exponent = np.frexp(np.where(np.isfinite(self.hi), self.hi, 1.0))
        result = exponent.astype(np.int64) - 1 + self.exponent
        # hi may be a power of two that the value lies just below
        below = (np.abs(mantissa) == 0.5) & (np.sign(self.lo) == -np.sign(mantissa)) & (self.lo != 0)
        return np.where(mantissa == 0, -(2**20), result - below)

    def round_to(self, fmt: Format, k: Ints | None = None) -> Floats:
        """Correctly rounded (to nearest, ties to even) into ``fmt``, returned as binary64 numbers.

        ``k``: the exponents of their ulps in ``fmt``, where they are known already.
        """
        k = fmt.ulp_exponent(self.floor_log2()) if k is None else k
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            scaled = np.ldexp(self.hi, self.exponent - k)
            nearest = np.rint(scaled)
            # rint saw a tie that lo breaks
            tie = (np.abs(scaled - nearest) == 0.5) & (self.lo != 0)
            nearest = np.where(tie, np.where(self.lo > 0, np.ceil(scaled), np.floor(scaled)), nearest)
            rounded = np.ldexp(nearest, k)
        rounded = np.where(np.abs(rounded) > fmt.largest, np.copysign(fmt.beyond, rounded), rounded)
        return np.where(np.isfinite(self.hi), rounded, self.hi)


def joined(parts: Sequence[Enclosure]) -> Enclosure:
    """Rows behind rows."""
    return Enclosure(
        np.concatenate([e.hi for e in parts]),
        np.concatenate([e.lo for e in parts]),
        np.concatenate([e.radius for e in parts]),
        np.concatenate([e.exponent for e in parts]),
    )


def nearest(values: Sequence[arb | float]) -> Floats:
    """The binary64 numbers nearest to their middles."""
    return np.fromiter(map(float, values), np.float64, len(values))


def enclose(values: Sequence[arb | float]) -> tuple[Enclosure, Bools]:
    """Balls (or the floats NaN, ±∞ for values infinite by definition) as an :class:`Enclosure`.

    Call it at the precision the balls were made at: ``lo`` is a difference taken in it. Returns the
    enclosure and a mask of the elements that are known well enough; the others hold
    whatever their midpoint was and must be recomputed at a higher precision.
    """
    hi = nearest(values)
    magnitude = np.abs(hi)
    # |value − hi − lo| <= 2**-100 |hi| (the ball) + 2**-106 |hi| (the rounding of lo)
    radius = magnitude * 2.0 ** (1 - RELATIVE_BITS)
    exponent = np.zeros(hi.shape, dtype=np.int64)
    plain = (magnitude > _PLAIN[0]) & (magnitude < _PLAIN[1])
    if plain.all():
        lo, known = _enclose_plain(values, hi)
        return Enclosure(hi, lo, radius, exponent), known

    lo, known = np.zeros_like(hi), np.ones(hi.shape, dtype=bool)
    radius[~plain] = 0.0
    where = np.flatnonzero(plain)
    lo[where], known[where] = _enclose_plain([values[i] for i in where.tolist()], hi[where])
    for i in np.flatnonzero(~plain).tolist():
        value = values[i]
        if not isinstance(value, float):
            known[i], hi[i], lo[i], radius[i], exponent[i] = _enclose_extreme(value)
    return Enclosure(hi, lo, radius, exponent), known


def _enclose_plain(balls: Sequence[arb], hi: Floats) -> tuple[Floats, Bools]:
    """(lo, known) of balls whose middle rounds to the normal numbers ``hi``."""
    lo = np.fromiter(map(float, map(sub, balls, hi.tolist())), np.float64, len(balls))
    bits = np.fromiter(map(arb.rel_accuracy_bits, balls), np.int64, len(balls))
    return lo, bits >= RELATIVE_BITS


def _enclose_extreme(value: arb) -> tuple[bool, float, float, float, int]:
    """(known, hi, lo, radius, exponent) of one ball that is zero, tiny, huge or not known."""
    if value.is_zero():
        return True, 0.0, 0.0, 0.0, 0
    if not value.is_finite():
        return False, float(value), 0.0, 0.0, 0
    if value.abs_upper() < arb(2) ** _NEGLIGIBLE:
        return True, 0.0, 0.0, 2.0**20, _NEGLIGIBLE - 20
    if value.rel_accuracy_bits() < RELATIVE_BITS:
        return False, float(value), 0.0, 0.0, 0
    mantissa, shift = value.mid().man_exp()
    shift = int(shift) + int(mantissa).bit_length()
    scaled = value * arb(2) ** -shift
    hi = float(scaled)
    return True, hi, float(scaled - hi), abs(hi) * 2.0 ** (1 - RELATIVE_BITS), shift

"""What a comparison in binary64 decides at once: correctly rounded, or off by less than an ulp.

Those are nearly all, of nearly all implementations, and no bound is needed for them. SPEC.md 8.21.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xent_conformance.frameworks.interface import Array
from xent_conformance.judging.yardstick import Mask
from xent_conformance.reference.formats import Floats, Format
from xent_conformance.sweep.values import Parts

_EXPONENT = np.uint64(0x7FF0000000000000)


@dataclass(frozen=True)
class Sieved:
    """Of each element: ``right``, correctly rounded; ``settled``, that or less than an ulp off; ``unsure``.

    What is not settled is looked at once more. ``unsure``: only the ball reference can tell. ``ulps`` is the
    error of what is settled.
    """

    right: Mask
    settled: Mask
    unsure: Mask
    ulps: Floats


def remainder(base: Floats | float, rest: Floats, total: Floats) -> Floats:
    """``base + rest − total`` exactly, for ``total`` their rounded sum; 0 where that is no number."""
    there = np.isfinite(total)
    back = total - base
    found = (base - (total - back)) + (rest - back)
    return np.where(there & np.isfinite(found), found, 0.0)


def sieve(fmt: Format, parts: Parts, relative: float, got: Array) -> Sieved:
    """Compare results in the format, of any shape, with values whose ``rest`` has a ``relative`` error."""
    base, rest = parts.base, parts.rest
    total = base + rest
    wide = got.astype(np.float64)
    carried, (below, above) = _rounded(fmt, total, 4.0 * relative, got, wide)
    ulps = np.abs((wide - base) - rest) / _ulp(fmt, base, rest, total)
    one, other = carried == below, carried == above
    right = one & other
    if np.isnan(total).any():
        right |= np.isnan(total) & np.isnan(wide)
    settled = right | (ulps < 1.0 - 2.0**fmt.precision * 8.0 * relative)
    unsure = one ^ other  # a midpoint is nearer than the error
    unsure |= _next_to_a_power(fmt, base, total, 4.0 * relative)
    if parts.terms is not None:
        unsure |= np.abs(rest) <= relative * parts.terms  # its sign is not known
    settled &= ~unsure
    return Sieved(right & settled, settled, unsure, ulps)


def _rounded(
    fmt: Format, total: Floats, error: float, got: Array, wide: Floats
) -> tuple[NDArray[np.floating], tuple[NDArray[np.floating], NDArray[np.floating]]]:
    """What came back, and the two numbers of the format that are nearest to the ends of what is known."""
    low, high = total * (1.0 - error), total * (1.0 + error)
    if fmt.dtype == np.float32:
        return got, (low.astype(np.float32), high.astype(np.float32))
    if fmt.dtype == np.float16:
        return got, (low.astype(np.float16), high.astype(np.float16))
    return wide, (fmt.nearest(low), fmt.nearest(high))  # a cast of a library may round twice


def _power(x: Floats) -> Floats:
    """``2^floor(log2 |x|)`` of a normal number; infinite where it is none."""
    return (x.view(np.uint64) & _EXPONENT).view(np.float64)


def _ulp(fmt: Format, base: Floats | float, rest: Floats, total: Floats) -> Floats:
    """SPEC.md §0: just below a power of two it is half of what it is there."""
    power = _power(total)
    at = np.flatnonzero(np.abs(total) == power)
    if at.size and not (np.ndim(base) == 0 and base == 0.0):
        own = np.broadcast_to(base, rest.shape).ravel()[at]
        sums = total.ravel()[at]
        low = remainder(own, rest.ravel()[at], sums)
        just_below = at[(np.sign(low) == -np.sign(sums)) & (low != 0)]
        power.ravel()[just_below] *= 0.5
    np.clip(power, 2.0**fmt.emin, 2.0**fmt.emax, out=power)
    power *= 2.0 ** (1 - fmt.precision)
    return power


def _next_to_a_power(fmt: Format, base: Floats | float, total: Floats, error: float) -> Mask:
    """Where it is not known on which side of a power of two a value is, unless that power is its base."""
    upper = _power(total * (1.0 + error))
    near = upper != _power(total * (1.0 - error))
    if near.any():
        near &= (upper > 2.0**fmt.emin) & (upper != np.abs(base)) & np.isfinite(total)
    return np.asarray(near)

"""The binary floating-point formats that are tested: precision, range, unit roundoff, ulp.

Four that everything is asked in, :data:`FORMATS`, and two of eight bits that one family asks
(:data:`EIGHT_BITS`); :data:`JUDGED` has them all.

Nothing here rounds by hand: :func:`ulp_exponent` says how far apart neighbours are, and
:mod:`xent_conformance.reference.exact.enclosure` does the rounding from a certified value.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Format:
    """A binary format with gradual underflow, by IEEE 754's names.

    ``precision`` counts the hidden bit; a normal number is ``1.f × 2**e`` with ``emin <= e <= emax``. Without
    ``infinite`` the patterns of the infinities are numbers, but for the last, which is NaN: OCP's E4M3.
    """

    name: str
    precision: int
    emin: int
    emax: int
    infinite: bool = True

    @cached_property
    def dtype(self) -> np.dtype[Any]:
        """The NumPy dtype that carries the bits (bfloat16 and eight bits come from ml_dtypes)."""
        return np.dtype(getattr(ml_dtypes, self.name, self.name))

    @cached_property
    def u(self) -> float:
        """Unit roundoff ``2**-p``: the largest relative error of one rounding to nearest."""
        return 2.0**-self.precision

    @cached_property
    def u_accumulate(self) -> float:
        """``u_a = min(u, 2**-24)``: 16-bit formats are expected to add in binary32 or better."""
        return min(self.u, 2.0**-24)

    @cached_property
    def smallest_subnormal(self) -> float:
        """``η = 2**(emin − p + 1)``: the spacing at zero, and the ulp there."""
        return 2.0 ** (self.emin - self.precision + 1)

    @cached_property
    def smallest_normal(self) -> float:
        """``2**emin``: below it a flushing machine returns zero."""
        return 2.0**self.emin

    @cached_property
    def largest(self) -> float:
        """The largest finite number."""
        last = 1 if self.infinite else 2  # where there is no infinity, the last significand is NaN's
        return (2.0 - last * 2.0 ** (1 - self.precision)) * 2.0**self.emax

    @cached_property
    def beyond(self) -> float:
        """What is beyond range when it is converted: +∞, or NaN where there is none (SPEC.md §0)."""
        return np.inf if self.infinite else np.nan

    def ulp_exponent(self, floor_log2: Ints) -> Ints:
        """The exponent ``k`` with ``ulp(x) = 2**k``, given ``floor(log2 |x|)``.

        SPEC.md §0: ``k = clamp(floor(log2 |x|), emin, emax) − p + 1``; zero and everything
        subnormal has the ulp of the smallest normal number, everything beyond the largest finite
        number the ulp of that number.
        """
        return np.minimum(np.maximum(floor_log2, self.emin), self.emax) - (self.precision - 1)

    def ulp(self, x: float) -> float:
        """The spacing of the format's numbers at ``x``, as SPEC.md §0 defines it."""
        floor_log2 = np.frexp(x)[1] - 1 if x else self.emin
        return float(2.0 ** int(self.ulp_exponent(np.array(floor_log2, dtype=np.int64))))

    def nearest(self, x: Floats) -> Floats:
        """Round binary64 numbers to this format (ties to even, ``beyond`` beyond range), exactly.

        Plain powers of two and ``rint``: no cast of a library that might round twice.
        """
        finite = np.isfinite(x)
        numbers = x if finite.all() else np.where(finite, x, 0.0)
        k = self.ulp_exponent(np.frexp(numbers)[1].astype(np.int64) - 1)
        rounded = np.ldexp(np.rint(np.ldexp(numbers, -k)), k)
        beyond = np.abs(rounded) > self.largest
        if beyond.any():
            rounded = np.where(beyond, np.copysign(self.beyond, rounded), rounded)
        return rounded if numbers is x else np.where(finite, rounded, x if self.infinite else np.nan)

    def hex(self, value: float) -> str:
        """The bits of ``value`` as this format stores them, e.g. ``0x3f80``.

        >>> BINARY16.hex(1.0)
        '0x3c00'
        """
        return "0x" + np.array(value, dtype=self.dtype).tobytes()[::-1].hex()


BINARY16 = Format("float16", precision=11, emin=-14, emax=15)
BFLOAT16 = Format("bfloat16", precision=8, emin=-126, emax=127)
BINARY32 = Format("float32", precision=24, emin=-126, emax=127)
BINARY64 = Format("float64", precision=53, emin=-1022, emax=1023)

E4M3 = Format("float8_e4m3fn", precision=4, emin=-6, emax=8, infinite=False)
E5M2 = Format("float8_e5m2", precision=3, emin=-14, emax=15)

FORMATS: dict[str, Format] = {f.name: f for f in (BINARY16, BFLOAT16, BINARY32, BINARY64)}
"""What every family asks, if it does not say otherwise."""

EIGHT_BITS: dict[str, Format] = {f.name: f for f in (E4M3, E5M2)}
"""OCP's formats of eight bits: asked of implementations that say that they take them, by one family."""

JUDGED: dict[str, Format] = {**FORMATS, **EIGHT_BITS}
"""Every format that a case may have."""


def native(array: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Exact binary64 carriers as the tested dtype's own bits."""
    with np.errstate(over="ignore", invalid="ignore"):
        return array.astype(dtype)

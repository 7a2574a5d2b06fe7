"""Reproducible inputs: raw words of a counter-based generator, turned into floats by exact arithmetic.

NumPy promises the bit stream of ``Philox.random_raw``, not the stream of its distributions, and no
libm is promised to agree with another. So nothing here is ``normal()`` or ``exp()``: only integers,
powers of two, sums that are exact, and one rounding to the format.
"""

from __future__ import annotations

import hashlib
import math

import numpy as np
from numpy.typing import NDArray

from xent_conformance.reference.formats import Floats, Format


def key_of(path: str) -> list[int]:
    """The key of the generator of a path: two words of 64 bits."""
    return [int(k) for k in np.frombuffer(hashlib.sha256(path.encode()).digest()[:16], dtype="<u8")]


class Words:
    """A stream of 64-bit words that belongs to a path, such as ``"softmax/ordinary/float32/n10"``."""

    def __init__(self, path: str) -> None:
        self._generator = np.random.Philox(key=np.array(key_of(path), dtype=np.uint64))

    def integers(self, bits: int, *shape: int) -> NDArray[np.int64]:
        """Uniform integers in ``[0, 2**bits)``, ``bits <= 63``."""
        raw = np.asarray(self._generator.random_raw(math.prod(shape)), dtype=np.uint64)
        return (raw >> np.uint64(64 - bits)).astype(np.int64).reshape(shape)

    def below(self, n: int, *shape: int) -> NDArray[np.int64]:
        """Integers in ``[0, n)`` for a small ``n`` (the bias is below ``n / 2**53``)."""
        return self.integers(53, *shape) % n

    def fractions(self, *shape: int, bits: int = 53) -> Floats:
        """Dyadic fractions in the open interval (0, 1): odd multiples of ``2**-(bits)``."""
        return np.ldexp((2 * self.integers(bits - 1, *shape) + 1).astype(np.float64), -bits)

    def bell(self, fmt: Format, scale: float, *shape: int) -> Floats:
        """Bell-shaped numbers of standard deviation about ``scale`` (a power of two), in ``fmt``.

        The sum of four uniform fractions of 40 bits, centred: exact in binary64, then rounded once.
        Its deviation is ``sqrt(4/12) = 0.577``, so it is doubled.
        """
        total = np.ldexp(self.integers(40, 4, *shape).astype(np.float64), -40).sum(axis=0) - 2.0
        return fmt.nearest(total * (2.0 * scale))

    def cotangent(self, *shape: int) -> Floats:
        """Non-zero multiples of 1/8 in [−2, 2]: exact in every format."""
        k = self.integers(5, *shape)
        return (k - np.where(k >= 16, 15, 16)).astype(np.float64) / 8.0

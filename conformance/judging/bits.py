"""Hashes of the bits of rows: equal where two runs returned the same, whatever the numbers say."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xent_conformance.reference.formats import JUDGED

Bits = NDArray[np.bytes_]
"""Sixteen hexadecimal digits a row, in ASCII; empty where nothing came back."""

DIGITS = np.dtype("S16")


def bits_of_rows(got: NDArray[Any]) -> Bits:
    """The hash of each row of ``(rows, ...)``."""
    rows = len(got)
    raw = memoryview(np.ascontiguousarray(got).tobytes())
    size = len(raw) // max(1, rows)
    row = (raw[i : i + size] for i in range(0, len(raw), max(1, size)))
    hashed = b"".join([hashlib.blake2b(bits, digest_size=8).digest() for bits in row])
    return np.frombuffer(hashed.hex().encode(), dtype=DIGITS)


@cache
def bits_of_nan(dtype: str, elements: int) -> frozenset[str]:
    """The hashes of a row of so many elements that is NaN alone, of either sign, in a format."""
    nan = np.array([np.nan, -np.nan], JUDGED[dtype].dtype)
    rows = np.repeat(nan[:, None], max(elements, 1), axis=1)
    return frozenset(bits.decode() for bits in bits_of_rows(rows).tolist())


def bits_of_all(got: NDArray[Any]) -> bytes:
    """The hash of all that came back, where it is not a number a row."""
    return hashlib.blake2b(got.tobytes(), digest_size=8).hexdigest().encode()

"""Arrays compared bit by bit, with one NaN for all: its payload says nothing, the sign of a zero does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from xent_conformance.frameworks.interface import Array

Mask = NDArray[np.bool_]


def other_bits(a: Array, b: Array) -> Mask:
    """Where two arrays differ, element by element; everywhere, if they have not one shape and format."""
    if (a.dtype, a.shape) != (b.dtype, b.shape):
        return np.ones(a.shape, dtype=np.bool_)
    unequal = np.asarray(_words(a) != _words(b))
    if unequal.any():
        unequal &= ~((a != a) & (b != b))
    return unequal


def other_rows(a: Array, b: Array) -> Mask:
    """Which rows differ, in any of their elements."""
    unequal = other_bits(a, b)
    return any_of_row(unequal)


def any_of_row(elements: Mask) -> Mask:
    """Which rows have an element that is true."""
    return np.asarray(elements.any(axis=tuple(range(1, elements.ndim))))


def _words(a: Array) -> Array:
    """The bits of every element, as an integer; a number that has more is itself.

    An extended number has ten bytes, and six of whatever was there before.
    """
    if a.dtype.hasobject or a.dtype.itemsize not in (1, 2, 4, 8):
        return a
    return np.ascontiguousarray(a).view(f"u{a.dtype.itemsize}").reshape(a.shape)

"""The same numbers in other memory: with gaps, garbage beside them, odd addresses, zero or negative strides.

Every gap is filled with NaN (or an absurd index), so that reading it cannot go unseen.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from xent_conformance.frameworks.interface import Array


def laid_out(name: str, a: Array, layout: str) -> Array:
    """``a`` with its elements in the memory layout of that name; equal to ``a`` element by element."""
    if a.ndim == 0:
        return np.array(a)  # ascontiguousarray would make a vector of it
    if layout == "contiguous":
        return np.ascontiguousarray(a)
    if layout in ("cotangent_broadcast", "logits_broadcast"):
        alone = layout == f"{name}_broadcast"
        return _broadcast(a) if alone else np.ascontiguousarray(a)
    if a.ndim == 1 and layout in ("transposed", "class_last"):
        return np.ascontiguousarray(a)
    return _LAYOUTS[layout](a)


def _garbage(a: Array, shape: tuple[int, ...]) -> Array:
    absurd = np.iinfo(a.dtype).max if a.dtype.kind in "iu" else np.nan
    return np.full(shape, absurd, dtype=a.dtype)


def _strided(a: Array) -> Array:
    """Every second element of a buffer, along every axis."""
    wide = _garbage(a, tuple(2 * n for n in a.shape))
    view = wide[tuple(slice(None, None, 2) for _ in a.shape)]
    view[...] = a
    return view


def _sliced(a: Array) -> Array:
    """The middle of a larger buffer."""
    wide = _garbage(a, tuple(n + 3 for n in a.shape))
    view = wide[tuple(slice(1, n + 1) for n in a.shape)]
    view[...] = a
    return view


def _misaligned(a: Array) -> Array:
    """Contiguous, one element behind an address that vector instructions like."""
    room = np.empty(a.size + 64 // a.dtype.itemsize + 1, dtype=a.dtype)
    start = (-room.ctypes.data % 64) // a.dtype.itemsize + 1
    view = room[start : start + a.size].reshape(a.shape)
    view[...] = a
    return view


def _reversed(a: Array) -> Array:
    """Negative strides along every axis."""
    back = tuple(slice(None, None, -1) for _ in a.shape)
    return np.ascontiguousarray(a[back])[back]


def _broadcast(a: Array) -> Array:
    """The first row with a stride of zero, and garbage behind it: what is broadcast must be equal."""
    first = _garbage(a, a.shape)[:1]
    first[...] = a[:1]
    view: Array = np.lib.stride_tricks.as_strided(first, shape=a.shape, strides=(0, *first.strides[1:]))
    return view


def _class_last(a: Array) -> Array:
    """Memory with the second axis innermost."""
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(a, 1, -1)), -1, 1)


_LAYOUTS: dict[str, Callable[[Array], Array]] = {
    "transposed": np.asfortranarray,
    "strided": _strided,
    "sliced": _sliced,
    "misaligned": _misaligned,
    "reversed": _reversed,
    "broadcast": _broadcast,
    "class_last": _class_last,
}

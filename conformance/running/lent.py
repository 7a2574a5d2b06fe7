"""A column of texts that looks at memory of others, and copies nothing: by the Arrow C data interface.

Of numbers Polars makes such a column from an array; of texts from whoever says in this way where they lie.
Sources: https://arrow.apache.org/docs/format/CDataInterface.html, and PyCapsuleInterface.html beside it.
"""

from __future__ import annotations

import ctypes
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

_AT, _LONG = ctypes.c_void_p, ctypes.c_int64


class _Schema(ctypes.Structure):
    """``struct ArrowSchema``: what the column is."""

    _fields_ = (
        ("format", ctypes.c_char_p),
        ("name", ctypes.c_char_p),
        ("metadata", ctypes.c_char_p),
        ("flags", _LONG),
        ("n_children", _LONG),
        *((name, _AT) for name in ("children", "dictionary", "release", "private_data")),
    )


class _Array(ctypes.Structure):
    """``struct ArrowArray``: where it lies."""

    _fields_ = (
        *((name, _LONG) for name in ("length", "null_count", "offset", "n_buffers", "n_children")),
        *((name, _AT) for name in ("buffers", "children", "dictionary", "release", "private_data")),
    )


_VIEWS_OF_TEXTS = b"vu"
"""The format: a view each, and the bytes of those that are longer than a view has room for."""

VIEW, INLINE, BEGIN = 16, 12, 4
"""Bytes of a view, of the longest text that lies in it, and of the begin that it has of a longer one."""

_lent: dict[int, object] = {}
"""What a column looks at, by its number, until it says that it does not any more."""

_numbers = itertools.count(1)


def _kept(function: Callable[[int], None]) -> Any:
    """The function for C, which may call it when a process ends and nothing else is there any more."""
    made = ctypes.CFUNCTYPE(None, _AT)(function)
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(made))
    return ctypes.cast(made, _AT).value


def _over(address: int) -> None:
    """Nobody looks at an array any more."""
    array = _Array.from_address(address)
    _lent.pop(array.private_data, None)
    array.release = None


def _forgotten(address: int) -> None:
    """Nobody asks what it is any more; it holds nothing."""
    _Schema.from_address(address).release = None


_OVER, _FORGOTTEN = _kept(_over), _kept(_forgotten)

_capsule = ctypes.pythonapi.PyCapsule_New
_capsule.restype, _capsule.argtypes = ctypes.py_object, (_AT, ctypes.c_char_p, _AT)


class _Texts:
    """Whom Polars asks where they lie."""

    def __init__(self, name: str, views: NDArray[np.uint8], lots: Sequence[NDArray[np.uint8]]) -> None:
        sizes = np.array([lot.nbytes for lot in lots], np.int64)
        # no bit says that something is missing; then the views, the bytes of each lot, and how many they are
        arrays: list[NDArray[Any]] = [views, *lots, sizes]
        buffers = (_AT * (1 + len(arrays)))(None, *(array.ctypes.data for array in arrays))
        self.number = next(_numbers)
        self._schema = _Schema(format=_VIEWS_OF_TEXTS, name=name.encode(), release=_FORGOTTEN)
        self._array = _Array(
            length=views.nbytes // VIEW,
            n_buffers=len(buffers),
            buffers=ctypes.addressof(buffers),
            release=_OVER,
            private_data=self.number,
        )
        _lent[self.number] = arrays, buffers

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        return (
            _capsule(ctypes.addressof(self._schema), b"arrow_schema", None),
            _capsule(ctypes.addressof(self._array), b"arrow_array", None),
        )


def texts(name: str, views: NDArray[np.uint8], lots: Sequence[NDArray[np.uint8]]) -> pl.Series:
    """The column of these views, whose longer texts lie in the lots that they name; nothing is checked.

    The arrays are kept until nobody has the column, or another that was made of it without a copy.
    """
    lender = _Texts(name, views, lots)
    try:
        return pl.Series(lender)
    except BaseException:
        _lent.pop(lender.number, None)
        raise

"""What memory holds that nobody has written, so that a call that returns it is seen (SPEC.md 7.13).

The GNU C library fills what it allocates with a byte of ours, and what is freed with its complement. What
differs between two calls under two fillings, and not between two under one, was read before it was written;
and it is the same in every run. Where there is another allocator, on a device say, nothing is filled.
"""

from __future__ import annotations

import ctypes
import functools
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np

from xent_conformance.frameworks.interface import Array
from xent_conformance.worker.bits import other_bits, other_rows
from xent_conformance.worker.delivery import AGAIN, CHANGED

UNWRITTEN = "#unwritten"
"""Ending of the name of an output; which rows of it are what memory held before."""

USUAL, OTHER = 0x7F, 0x2A
"""Bytes of a NaN, or of a number near the end of the range, and of a small one, in every format."""

PERTURB = -6
"""``M_PERTURB`` of <malloc.h>: its complement is what is allocated."""

FILLED_FROM_OUTSIDE = "MALLOC_PERTURB_"
"""The variable by which whoever has started this process fills its memory, too."""


@contextmanager
def filled(byte: int) -> Iterator[None]:
    """What is allocated meanwhile is filled with the byte, whichever thread asks for it."""
    mallopt = _mallopt()
    if mallopt is None:
        yield
        return
    mallopt(PERTURB, byte ^ 0xFF)
    try:
        yield
    finally:
        mallopt(PERTURB, _before())


def may_be_unwritten(results: Mapping[str, Array]) -> bool:
    """Whether a result has what memory is filled with, or what a function makes of it: no number, mostly."""
    return _mallopt() is not None and any(_odd(a) for name, a in results.items() if CHANGED not in name)


def _odd(a: Array) -> bool:
    # the formats that NumPy has not itself are V to it, as what has no numbers is
    if a.dtype.kind not in "fV" or "float" not in a.dtype.name or a.dtype.itemsize not in (1, 2, 4, 8):
        return False
    pattern = np.frombuffer(bytes([USUAL]) * a.dtype.itemsize, a.dtype)[0]
    return bool((~np.isfinite(a) | (a == pattern)).any())


def told_apart(
    other: Mapping[str, Array],
    usual: Mapping[str, Array],
    call: Callable[[int], Mapping[str, Array]],
    asked: tuple[int, int],
) -> dict[str, Array]:
    """Of outputs that are not the same twice: the rows that nobody has written, and the others once more.

    ``other`` came with memory that was filled by :data:`OTHER`, ``usual`` by :data:`USUAL`, in the order of
    ``asked``; ``call`` makes the call again. What nobody has written comes back as it did before wherever
    memory is filled as it was. The order is the opposite of the first: what is otherwise every second time,
    whatever memory holds, is not that.
    """
    again = {byte: call(byte) for byte in reversed(asked)} if _mallopt() is not None else {}
    usual_again, other_again = again.get(USUAL, {}), again.get(OTHER, {})
    found: dict[str, Array] = {}
    for o, a in other.items():
        b, left = usual[o], a
        four = [a, b, *(x[o] for x in (usual_again, other_again) if o in x and CHANGED not in o)]
        if len(four) == 4 and len({(x.dtype, x.shape) for x in four}) == 1:
            steady = ~other_rows(b, usual_again[o]) & ~other_rows(a, other_again[o])
            unwritten = other_rows(a, b) & steady
            found |= {o + UNWRITTEN: unwritten} if unwritten.any() else {}
            left = np.where(unwritten.reshape(-1, *[1] * (a.ndim - 1)), b, a) if a.ndim else a
        if other_bits(left, b).any():
            found[o + AGAIN] = left
    return found


@functools.cache
def _mallopt() -> Callable[[int, int], int] | None:
    if "CS_GNU_LIBC_VERSION" not in getattr(os, "confstr_names", {}):
        return None  # elsewhere a function of that name does something else, or nothing
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return None
    mallopt.argtypes, mallopt.restype = (ctypes.c_int, ctypes.c_int), ctypes.c_int
    found: Callable[[int, int], int] = mallopt
    return found


@functools.cache
def _before() -> int:
    """What the process was started with."""
    told = os.environ.get(FILLED_FROM_OUTSIDE, "")
    return int(told) if told.isdecimal() else 0

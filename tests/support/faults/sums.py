"""Orders of summation: every right answer and some wrong ones differ in nothing else.

A sum takes ``(rows, N)`` and gives ``(rows, 1)`` in the dtype it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Sum = Callable[[Array], Array]

LANES = 16

STEPS = 1024
"""A loop in Python takes so many steps at most; longer rows are summed in several lanes."""


def pairwise(a: Array) -> Array:
    """NumPy's own, along the innermost axis."""
    return a.sum(axis=1, keepdims=True)


def sequential(a: Array) -> Array:
    """One after the other, each sum rounded."""
    if not a.shape[1]:
        return np.zeros((len(a), 1), a.dtype)
    return np.add.accumulate(a, axis=1)[:, -1:]


def vector(a: Array) -> Array:
    """Sixteen lanes, each in order, then halves: a loop over a vector register."""
    width = max(1, -(-a.shape[1] // LANES))
    padded = np.zeros((len(a), width * LANES), a.dtype)
    padded[:, : a.shape[1]] = a
    found = np.add.accumulate(padded.reshape(len(a), width, LANES), axis=1)[:, -1]
    while found.shape[1] > 1:
        half = found.shape[1] // 2
        found = found[:, :half] + found[:, half:]
    return found


def wide(a: Array) -> Array:
    """In binary64, or with more digits still, rounded once."""
    more = np.longdouble if a.dtype == np.float64 else np.float64
    return a.astype(more).sum(axis=1, keepdims=True).astype(a.dtype)


def backwards(a: Array) -> Array:
    return sequential(a[:, ::-1])


def kahan(a: Array) -> Array:
    """Compensated: what each addition rounds away goes into the next one."""
    total = lost = np.zeros((len(a), lanes(a)), a.dtype)
    for column in columns(a, 0.0):
        wanted = column - lost
        new = total + wanted
        lost = (new - total) - wanted
        total = new
    if total.shape[1] > 1:
        total = kahan(total)
    return np.where(np.isfinite(total), total, sequential(a))  # ∞ − ∞ in what was lost


def lanes(a: Array) -> int:
    return max(1, -(-a.shape[1] // STEPS))


def columns(a: Array, padding: float) -> Iterator[Array]:
    """The columns of every lane, one step after the other: ``(rows, lanes)`` each."""
    width = lanes(a)
    steps = -(-a.shape[1] // width)
    padded = np.full((len(a), width * steps), padding, a.dtype)
    padded[:, : a.shape[1]] = a
    yield from np.moveaxis(padded.reshape(len(a), width, steps), 2, 0)

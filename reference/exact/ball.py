"""Exact inputs to certified results: the precision ladder.

A definition is evaluated in ball arithmetic (Arb, through python-flint) on the exact binary values
of the inputs. Precision doubles until every element of the row is known to ``2**-100`` relative, or
is certified to be below half the smallest subnormal of binary64. What is still unknown at the top
is *undecided*: there is no fallback to ordinary floating point.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import numpy as np
from flint import arb, ctx

from xent_conformance.reference.exact.enclosure import Bools, Enclosure, enclose, joined, nearest
from xent_conformance.reference.formats import Floats

PRECISIONS = (128, 256, 512, 1024, 2048, 4096)
"""Bits at which a row is tried, in turn."""

Number: TypeAlias = "arb | float"
"""A ball, or a Python float for a value that is NaN or infinite by definition."""

Values = dict[str, list[Number]]
"""The elements of each output of one row."""

SIZE = "_"
"""A name that starts so is a *size*: wanted to binary64 accuracy by the bounds, never judged."""

BLOCK = 1000
"""Elements of an output after which its balls are enclosed: more would have left the processor's cache."""

T = TypeVar("T")


@dataclass(frozen=True)
class Certified:
    """Certified outputs of a batch, ``(rows, elements)`` each, and the rows that stayed undecided."""

    outputs: dict[str, Enclosure]
    sizes: dict[str, Floats]
    undecided: Bools


def certify(
    define: Callable[[int], Values], rows: int, *, precisions: Sequence[int] = PRECISIONS
) -> Certified:
    """Evaluate ``define(row)`` for every row until all its elements are known.

    Returns enclosures of shape ``(rows, elements)`` for each output. Rows not known at the last
    precision are marked in ``undecided``; their numbers mean nothing.
    """
    outputs, sizes, undecided = _at_precision(define, range(rows), precisions[0])
    for bits in precisions[1:]:
        retry = np.flatnonzero(undecided)
        if retry.size == 0:
            break
        again, _, still = _at_precision(define, retry.tolist(), bits)
        for name, enclosure in again.items():
            _overwrite(outputs[name], retry, enclosure)
        undecided[retry] = still
    return Certified(outputs, sizes, undecided)


def _at_precision(
    define: Callable[[int], Values], rows: Sequence[int], bits: int
) -> tuple[dict[str, Enclosure], dict[str, Floats], Bools]:
    before = ctx.prec
    ctx.prec = bits
    try:
        blocks = [_enclosed(values, count) for values, count in _blocks(define, rows)]
    finally:
        ctx.prec = before
    outputs, sizes, undecided = zip(*blocks, strict=True) if blocks else ((), (), [np.zeros(0, dtype=bool)])
    return _columns(outputs, joined), _columns(sizes, np.concatenate), np.concatenate(undecided)


def _columns(blocks: Sequence[Mapping[str, T]], join: Callable[[list[T]], T]) -> dict[str, T]:
    """The parts of each name joined. Raises KeyError where a block lacks what another has."""
    names = dict.fromkeys(name for block in blocks for name in block)
    return {name: join([block[name] for block in blocks]) for name in names}


def _blocks(define: Callable[[int], Values], rows: Sequence[int]) -> Iterator[tuple[Values, int]]:
    """The elements of some rows at a time, row behind row, and of how many rows."""
    columns: Values = {}
    count = 0
    for row in rows:
        for name, values in define(row).items():
            columns.setdefault(name, []).extend(values)
        count += 1
        if max(map(len, columns.values())) >= BLOCK:
            yield columns, count
            columns, count = {}, 0
    if count:
        yield columns, count


def _enclosed(columns: Values, rows: int) -> tuple[dict[str, Enclosure], dict[str, Floats], Bools]:
    """Outputs, sizes and what is undecided of so many rows."""
    undecided = np.zeros(rows, dtype=bool)
    outputs, sizes = {}, {}
    for name, numbers in columns.items():
        if name.startswith(SIZE):
            sizes[name[len(SIZE) :]] = nearest(numbers).reshape(rows, -1)
            continue
        enclosure, known = enclose(numbers)
        outputs[name] = enclosure.reshape(rows, -1)
        undecided |= ~known.reshape(rows, -1).all(axis=1)
    return outputs, sizes, undecided


def _overwrite(
    target: Enclosure, rows: np.ndarray[tuple[int], np.dtype[np.int64]], source: Enclosure
) -> None:
    for name in ("hi", "lo", "radius", "exponent"):
        getattr(target, name)[rows] = getattr(source, name)

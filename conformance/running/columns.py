"""Columns of a table that lie in a file: what is looked at is in memory, and can be let go."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from itertools import chain, starmap

import numpy as np
import polars as pl
from numpy.typing import NDArray

from xent_conformance.reports.run.unusable import RunFileError
from xent_conformance.running.lent import BEGIN, INLINE, VIEW, texts
from xent_conformance.running.pages import Pages, damaged, let_go

Bytes = NDArray[np.uint8]

_AT_ONCE = 2**14
"""Texts that are laid out at a time: for all at once it takes as much memory as they do."""

_LARGEST = 2**31 - 1
"""Bytes of a lot: a view has four for a place in it."""


def filed(column: pl.Series, pages: Pages) -> pl.Series:
    """The same column, whose texts, numbers, or words' numbers are bytes of the file and nowhere else.

    One of anything else, one in which something is missing, and one that the disk does not take stay as they
    are. Raises RunFileError where the file has other bytes than were written.
    """
    kind = column.dtype
    if column.is_empty() or column.null_count():
        return column
    try:
        if kind == pl.String:
            return _texts(column, pages)
        if kind.is_numeric() or kind == pl.Categorical:
            return _numbers(column, pages)
    except OSError:
        pass
    return column


def _numbers(column: pl.Series, pages: Pages) -> pl.Series:
    kind = column.dtype
    numbers = np.ascontiguousarray(column.to_physical().to_numpy())
    written = numbers.view(np.uint8)
    page = pages.add([written.data])
    there = np.frombuffer(page, np.uint8)
    if not np.array_equal(there, written):  # as bytes, of which NaN is equal to itself
        raise _damaged(column)
    mapped = pl.Series(column.name, there.view(numbers.dtype))  # which makes no copy
    found = mapped if kind.is_numeric() else _words(mapped, kind)
    let_go(page)
    return found


def _words(numbers: pl.Series, kind: pl.DataType) -> pl.Series:
    """The words of these numbers. Polars 2 casts nothing to words that way, and before it has no other."""
    return numbers.cat.to(kind) if hasattr(numbers.cat, "to") else numbers.cast(kind)


def _texts(column: pl.Series, pages: Pages) -> pl.Series:
    """The views of all, and behind them the texts, a lot behind the other."""
    lots = [column[begin : begin + _AT_ONCE] for begin in range(0, len(column), _AT_ONCE)]
    ends = np.cumsum([VIEW * len(column), *(int(lot.str.len_bytes().sum()) for lot in lots)])
    if np.diff(ends).max() > _LARGEST:
        return column
    checksum = 0

    def laid_out() -> Iterator[memoryview]:
        nonlocal checksum
        for some in chain(starmap(_views, enumerate(lots)), map(_joined, lots)):
            checksum = zlib.crc32(some.data, checksum)
            yield some.data

    page = pages.add(laid_out())
    there = np.frombuffer(page, np.uint8)
    # looked for before anybody looks at them: other views would be read wherever they say
    if zlib.crc32(page) != checksum:
        raise _damaged(column)
    views, *joined = np.split(there, ends[:-1])
    found = texts(column.name, views, joined)
    let_go(page)
    return found


def _joined(lot: pl.Series) -> Bytes:
    """The texts, one behind the other."""
    return np.frombuffer(bytearray(lot.str.join("").item(), "utf-8"), np.uint8)


def _views(number: int, lot: pl.Series) -> Bytes:
    """Of each text how long it is, and it; where it is longer, its begin, the lot's ``number`` and its place.

    Source: https://arrow.apache.org/docs/format/Columnar.html#variable-size-binary-view-layout
    """
    joined, size = _joined(lot), lot.str.len_bytes().to_numpy().astype(np.int64)
    first, large = size.cumsum() - size, size > INLINE
    views = np.zeros((len(lot), VIEW), np.uint8)
    words = views.view(np.uint32)
    words[:, 0] = size
    words[large, 2], words[large, 3] = number, first[large]
    told = np.where(large, BEGIN, size)
    row = np.repeat(np.arange(len(lot)), told)
    at = np.arange(row.size) - np.repeat(told.cumsum() - told, told)
    views[row, 4 + at] = joined[first[row] + at]
    return views.reshape(-1)


def _damaged(column: pl.Series) -> RunFileError:
    return damaged(f"the column {column.name} of the verdicts")

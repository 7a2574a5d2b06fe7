"""Columns of a table that lie in a file: what is looked at is in memory, and can be let go."""

from __future__ import annotations

import numpy as np
import polars as pl

from xent_conformance.running.pages import Pages, damaged, let_go


def filed(column: pl.Series, pages: Pages) -> pl.Series:
    """The same column, whose numbers, or whose words' numbers, are bytes of the file and nowhere else.

    One of texts, one in which something is missing, and one that the disk does not take stay as they are.
    Raises RunFileError where the file has other numbers than were written.
    """
    kind = column.dtype
    if not (kind.is_numeric() or kind == pl.Categorical) or column.is_empty() or column.null_count():
        return column
    numbers = np.ascontiguousarray(column.to_physical().to_numpy())
    written = numbers.view(np.uint8)
    try:
        page = pages.add([written.data])
    except OSError:
        return column
    there = np.frombuffer(page, np.uint8)
    if not np.array_equal(there, written):  # as bytes, of which NaN is equal to itself
        raise damaged(f"the column {column.name} of the verdicts")
    mapped = pl.Series(column.name, there.view(numbers.dtype))  # which makes no copy
    found = mapped if kind.is_numeric() else _words(mapped, kind)
    let_go(page)
    return found


def _words(numbers: pl.Series, kind: pl.DataType) -> pl.Series:
    """The words of these numbers. Polars 2 casts nothing to words that way, and before it has no other."""
    return numbers.cat.to(kind) if hasattr(numbers.cat, "to") else numbers.cast(kind)

"""The order of the verdicts in a run file, which does not depend on which worker was faster."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
from numpy.typing import NDArray

from xent_conformance.reports.run.file import SCHEMA

Column = Callable[[str], pl.Series]
"""``column(name)``: one column of a table, as it is held in memory."""

Put = Callable[[pl.Series], pl.Series]
"""``put(column)``: the same column, where it is to be."""

_ORDER = ("framework", "implementation", "mode", "device", "case", "output")
"""Columns that name a verdict: in their order it does not matter which worker was faster."""


def order_of(column: Column) -> pl.Series:
    """The places of the verdicts in the order of a run file; ``column`` has each of its columns, by name.

    Words are sorted by their places among all words of a column: the texts themselves are much memory.
    """
    places = [_place(column(name)) for name in _ORDER]
    return pl.Series(np.lexsort(places[::-1]))


def _place(words: pl.Series) -> NDArray[np.int32]:
    """Of each word its place among those of the column in their order; what is missing comes first."""
    known = words.drop_nulls().unique().cast(pl.String).sort()
    return words.cast(pl.Enum(known)).to_physical().cast(pl.Int32).fill_null(-1).to_numpy()


def ordered(column: Column, put: Put = lambda column: column) -> pl.DataFrame:
    """The table of a run file in its order, each column where it is ``put``.

    A column at a time: the whole is there once, and not a second time beside its order.
    """
    order = order_of(column)

    def in_order(name: str) -> pl.Series:
        found = column(name)
        if found.dtype == pl.String:  # as they are and in order, texts are there twice
            found = put(found)
        return put(found.gather(order))

    return pl.DataFrame([in_order(name) for name in SCHEMA])

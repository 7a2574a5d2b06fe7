"""The order of the verdicts in a run file, which does not depend on which worker was faster."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

from xent_conformance.reports.run.file import SCHEMA, Put, here
from xent_conformance.reports.run.lexical import places

Column = Callable[[str], pl.Series]
"""``column(name)``: one column of a table, as it is held in memory."""

_ORDER = ("framework", "implementation", "mode", "device", "case", "output")
"""Columns that name a verdict: in their order it does not matter which worker was faster."""


def order_of(column: Column) -> pl.Series:
    """The places of the verdicts in the order of a run file; ``column`` has each of its columns, by name.

    Words are sorted by their places among all words of a column: the texts themselves are much memory.
    """
    found = [places(column(name)).to_numpy() for name in _ORDER]
    return pl.Series(np.lexsort(found[::-1]))


def ordered(column: Column, put: Put = here) -> pl.DataFrame:
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

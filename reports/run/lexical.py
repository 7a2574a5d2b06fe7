"""The order of words as numbers: words beside each other, or put together to be sorted, are much memory."""

from __future__ import annotations

import polars as pl


def places(words: pl.Series) -> pl.Series:
    """Of each word its place among those of the column in their order; what is missing comes first."""
    known = words.drop_nulls().unique().cast(pl.String).sort()
    return words.cast(pl.Enum(known)).to_physical().cast(pl.Int32).fill_null(-1)

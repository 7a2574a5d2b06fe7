"""The order of words as numbers: words beside each other, or put together to be sorted, are much memory."""

from __future__ import annotations

import polars as pl


def places(words: pl.Series) -> pl.Series:
    """Of each word its place among those of the column in their order; what is missing comes first."""
    return known_and_places(words)[1]


def known_and_places(words: pl.Series) -> tuple[pl.Series, pl.Series]:
    """The words of a column in their order, and of each row its place among them: -1 of what is missing."""
    known = words.drop_nulls().unique().cast(pl.String).sort()
    return known, words.cast(pl.Enum(known)).to_physical().cast(pl.Int32).fill_null(-1)

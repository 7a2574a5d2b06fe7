"""Findings: verdicts grouped by likely cause, worst first.

Verdicts of one implementation, output, clause and symptom are one finding, across its modes and
devices (``targets``), formats and cases; the worst row stands for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import polars as pl

from xent_conformance.reports.run.lexical import places
from xent_conformance.reports.run.words import FAULTS

WHO = ["framework", "version", "implementation", "machine"]

CAUSE = ["operator", *WHO, "formulation", "output", "clause", "level", "symptom"]


TARGETS = pl.concat_str("mode", "device", separator=" ").unique().sort().alias("targets")
"""The modes and devices of some rows."""


def worst_first(rows: pl.DataFrame) -> pl.DataFrame:
    """The largest error first, then the smallest n and id to read."""
    return rows[_worst_first(rows, "ulps")]


def _worst_first(rows: pl.DataFrame, size: str) -> pl.Series:
    """The places of the rows in that order."""
    order = pl.arg_sort_by(
        size, "n", places(rows["case"]), descending=[True, False, False], nulls_last=True, maintain_order=True
    )
    return rows.select(order).to_series()


def grouped(
    table: pl.DataFrame,
    cause: Sequence[str],
    *also: pl.Expr,
    where: pl.Expr | None = None,
    size: str = "ulps",
) -> pl.DataFrame:
    """Rows that share a cause as one, the worst first: how many, where, and in every column what it has.

    ``where``: which rows; unsaid, all. ``also``: what else is told of those that share a cause. What they are
    told and put in order by is there twice for a while; of the other columns nothing is but the worst.
    """
    told = (
        pl.col("dtype").unique().sort().alias("dtypes"),
        pl.col("family").unique().sort().alias("families"),
        TARGETS,
        *also,
    )
    which = None if where is None else table.select(where.fill_null(False).arg_true()).to_series()

    def rows(names: Iterable[str]) -> pl.DataFrame:
        some = table.select(*names)
        return some if which is None else some[which]

    order = _worst_first(rows([size, "n", "case"]), size)
    rank = np.empty(len(order), np.uint32)
    rank[order.to_numpy()] = np.arange(len(order))
    looked_at = dict.fromkeys([*cause, *(name for each in told for name in each.meta.root_names())])
    found = (
        rows(looked_at)
        .with_columns(_first=pl.Series(rank))
        .group_by(cause)
        .agg(pl.len().alias("count"), *told, pl.col("_first").min())
        .sort("_first")
    )
    worst = order.gather(found["_first"])
    others = table.select(name for name in table.columns if name not in cause)
    return found.drop("_first").hstack(others[worst if which is None else which.gather(worst)])


def findings(verdicts: pl.DataFrame) -> pl.DataFrame:
    """One row a finding: the cause, ``count`` of ``asked`` rows, dtypes, families, and its worst verdict.

    Sorted: must before should, what users call before the naive controls, wrong special values by
    count, then by ulps.
    """
    asked_of = ["operator", *WHO, "output"]
    counted = verdicts.lazy().group_by(asked_of).agg(pl.len().alias("asked"))
    asked = counted.collect(engine="streaming")  # in pieces: all of a run are much memory
    found = grouped(verdicts, CAUSE, where=pl.col("status").is_in(FAULTS)).join(
        asked, on=asked_of, how="left", nulls_equal=True
    )
    return found.sort(
        [
            pl.col("level") == "should",
            pl.col("formulation") == "naive",
            pl.col("ulps").fill_nan(float("inf")),
            "count",
            *CAUSE,
        ],
        descending=[False, False, True, True, *([False] * len(CAUSE))],
        maintain_order=True,
    )

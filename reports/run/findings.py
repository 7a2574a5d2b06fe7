"""Findings: verdicts grouped by likely cause, worst first.

Verdicts of one implementation, output, clause and symptom are one finding, across its modes and
devices (``targets``), formats and cases; the worst row stands for it.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from xent_conformance.reports.run.words import FAULTS

WHO = ["framework", "version", "implementation", "machine"]

CAUSE = ["operator", *WHO, "formulation", "output", "clause", "level", "symptom"]


TARGETS = pl.concat_str("mode", "device", separator=" ").unique().sort().alias("targets")
"""The modes and devices of some rows."""


def worst_first(rows: pl.DataFrame, size: str = "ulps") -> pl.DataFrame:
    """The largest error first, then the smallest n and id to read."""
    return rows.sort(
        [size, "n", "case"], descending=[True, False, False], nulls_last=True, maintain_order=True
    )


def grouped(ordered: pl.DataFrame, cause: Sequence[str]) -> pl.DataFrame:
    """Rows that share a cause as one: how many, where, and in every other column what the first has."""
    return ordered.group_by(cause, maintain_order=True).agg(
        pl.len().alias("count"),
        pl.col("dtype").unique().sort().alias("dtypes"),
        pl.col("family").unique().sort().alias("families"),
        TARGETS,
        *(pl.col(c).first() for c in ordered.columns if c not in cause),
    )


def findings(verdicts: pl.DataFrame) -> pl.DataFrame:
    """One row a finding: the cause, ``count`` of ``asked`` rows, dtypes, families, and its worst verdict.

    Sorted: must before should, what users call before the naive controls, wrong special values by
    count, then by ulps.
    """
    faults = verdicts.filter(pl.col("status").is_in(FAULTS))
    asked = verdicts.group_by(["operator", *WHO, "output"]).agg(pl.len().alias("asked"))
    found = grouped(worst_first(faults), CAUSE).join(
        asked, on=["operator", *WHO, "output"], how="left", nulls_equal=True
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

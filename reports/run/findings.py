"""Findings: verdicts grouped by likely cause, worst first.

Verdicts of one implementation, output, clause and symptom are one finding, across its modes and
devices (``targets``), formats and cases; the worst row stands for it.
"""

from __future__ import annotations

import polars as pl

from xent_conformance.reports.run.words import FAULTS

WHO = ["framework", "version", "implementation", "machine"]

CAUSE = ["operator", *WHO, "formulation", "output", "clause", "level", "symptom"]


def findings(verdicts: pl.DataFrame) -> pl.DataFrame:
    """One row a finding: the cause, ``count`` of ``asked`` rows, dtypes, families, and its worst verdict.

    Sorted: must before should, what users call before the naive controls, wrong special values by
    count, then by ulps.
    """
    faults = verdicts.filter(pl.col("status").is_in(FAULTS))
    asked = verdicts.group_by(["operator", *WHO, "output"]).agg(pl.len().alias("asked"))
    # the worst row first in each group: the largest error, then the smallest n and id to read
    ordered = faults.sort(
        ["ulps", "n", "case"], descending=[True, False, False], nulls_last=True, maintain_order=True
    )
    worst = [c for c in faults.columns if c not in CAUSE]
    grouped = ordered.group_by(CAUSE, maintain_order=True).agg(
        pl.len().alias("count"),
        pl.col("dtype").unique().sort().alias("dtypes"),
        pl.col("family").unique().sort().alias("families"),
        pl.concat_str("mode", "device", separator=" ").unique().sort().alias("targets"),
        pl.col("status").first().alias("_status"),
        *(pl.col(c).first() for c in worst if c not in ("status",)),
    )
    grouped = grouped.rename({"_status": "status"}).join(
        asked, on=["operator", *WHO, "output"], how="left", nulls_equal=True
    )
    return grouped.sort(
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

"""Two runs side by side, as they are told: every change by itself, the worst first."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import polars as pl

from xent_conformance.reports.run.file import Run

KEY = ("case", "output", "framework", "implementation", "mode", "device")
"""What makes two verdicts a pair. Versions and machines are what may differ."""


class Change(StrEnum):
    """What became of a verdict, worst first. Every pair has exactly one."""

    REGRESSED = "regressed"
    MISSING = "missing"
    NOT_COMPARABLE = "not comparable"
    DRIFTED = "drifted"
    FIXED = "fixed"
    IMPROVED = "improved"
    ADDED = "added"
    BITS = "bits changed"
    SAME = "same"


ABOUT: Mapping[Change, str] = {
    Change.REGRESSED: "worse than before: a clause that held is broken, or is broken in a worse way",
    Change.MISSING: "answered before, not asked or not answered now",
    Change.NOT_COMPARABLE: "the case, or the rule it is judged by, is another one under the same name",
    Change.DRIFTED: "the verdict is as before, the error has grown",
    Change.FIXED: "better than before: a clause that was broken holds",
    Change.IMPROVED: "the verdict is as before, the error has shrunk",
    Change.ADDED: "not asked before",
    Change.BITS: "other bits, no other change",
    Change.SAME: "the same bits, or the same refusal",
}


_OF_BEFORE = (Change.MISSING, Change.FIXED, Change.IMPROVED)


@dataclass(frozen=True)
class Comparison:
    """``pairs``: :data:`KEY`, ``change``, and every other column twice, ``…`` now and ``…_old`` before.

    ``environment``: ``(framework, what, before, now)`` where they differ.
    """

    pairs: pl.DataFrame
    environment: tuple[tuple[str, str, str, str], ...]
    old: Run
    new: Run

    def of(self, change: Change) -> pl.DataFrame:
        """The pairs with that change."""
        return self.pairs.filter(pl.col("change") == change.value)

    def counts(self) -> dict[Change, int]:
        """Pairs by change; they sum to the number of pairs."""
        found = dict(self.pairs["change"].value_counts().iter_rows())
        return {change: found.get(change.value, 0) for change in Change}

    def transitions(self) -> pl.DataFrame:
        """``status_old``, ``status``, ``count`` of the pairs that are in both runs and comparable."""
        both = self.pairs.filter(
            ~pl.col("change").is_in([Change.MISSING.value, Change.ADDED.value, Change.NOT_COMPARABLE.value])
        )
        return both.group_by("status_old", "status").agg(pl.len().alias("count")).sort("status_old", "status")

    def groups(self, change: Change) -> pl.DataFrame:
        """Pairs of one change by implementation, output and clause: how many, and the worst of them.

        Of what is no longer wrong, or no longer there, clause and worst case are those of before.
        """
        cause = ["operator", "framework", "implementation", "output", "clause", "symptom_old", "symptom"]
        gone = change in _OF_BEFORE
        sides = ("{}_old", "{}") if gone else ("{}", "{}_old")
        here = self.of(change).with_columns(
            pl.coalesce(side.format(c) for side in sides).alias(c)
            for c in ("operator", "clause", "level", "dtype")
        )
        size = "ulps_old" if gone else "ulps"
        ordered = here.sort([size, "n", "case"], descending=[True, False, False], nulls_last=True)
        rest = [c for c in here.columns if c not in cause]
        return (
            ordered.group_by(cause, maintain_order=True)
            .agg(
                pl.len().alias("count"),
                pl.concat_str("mode", "device", separator=" ").unique().sort().alias("targets"),
                pl.col("dtype").unique().sort().alias("dtypes"),
                *(pl.col(c).first() for c in rest),
            )
            .sort(["count", *cause], descending=[True, *[False] * len(cause)])
        )


LISTED = (
    Change.REGRESSED,
    Change.MISSING,
    Change.NOT_COMPARABLE,
    Change.DRIFTED,
    Change.FIXED,
    Change.IMPROVED,
    Change.BITS,
    Change.ADDED,
)
"""The changes whose groups are told, in that order; of what is the same there is nothing to tell."""


GROUPS = 500
"""Groups of one change that :func:`as_dict` lists; the totals count all."""


def as_dict(comparison: Comparison, *, limit: int = GROUPS) -> dict[str, Any]:
    """Everything that is shown of a comparison, for strict JSON: no NaN, no infinity."""
    counts = comparison.counts()
    return {
        "old": _side(comparison.old),
        "new": _side(comparison.new),
        "environment": [
            {"who": who, "what": what, "before": before, "now": now}
            for who, what, before, now in comparison.environment
        ],
        "pairs": comparison.pairs.height,
        "counts": {c.value: counts[c] for c in Change},
        "about": {c.value: ABOUT[c] for c in Change},
        "transitions": [
            {"before": before, "now": now, "count": count}
            for before, now, count in comparison.transitions().iter_rows()
        ],
        "groups": {c.value: _listed(comparison.groups(c), limit) for c in LISTED},
    }


def _side(run: Run) -> dict[str, Any]:
    """Which run it is."""
    tested = (f"{f['framework']} {f['version']}" for h in run.headers for f in h["frameworks"])
    return {
        "tested": list(dict.fromkeys(tested)),
        "created": [h["created"] for h in run.headers],
        "suite": list(dict.fromkeys(h["suite"] for h in run.headers)),
        "profiles": list(dict.fromkeys(h["selection"]["profile"] for h in run.headers)),
        "verdicts": run.verdicts.height,
    }


_CAUSE = (
    "operator",
    "framework",
    "implementation",
    "output",
    "clause",
    "level",
    "count",
    "targets",
    "dtypes",
)


_WORST = ("case", "mode", "device", "dtype")


_SIDE = ("version", "machine", "outcome", "message", "grade", "status", "symptom", "bits")


def _listed(groups: pl.DataFrame, limit: int) -> dict[str, Any]:
    """The first ``limit`` groups with the worst case of each, and how many groups and pairs there are."""
    return {
        "groups": groups.height,
        "pairs": int(groups["count"].sum()),
        "listed": [
            {f: row[f] for f in _CAUSE}
            | {
                "worst": {f: row[f] for f in _WORST}
                | {"before": _verdict(row, "_old"), "now": _verdict(row, "")}
            }
            for row in groups.head(limit).iter_rows(named=True)
        ],
    }


def _verdict(row: Mapping[str, Any], side: str) -> dict[str, Any] | None:
    """One verdict of a pair; None where that run has none. Numbers that may not be finite are text."""
    if row[f"status{side}"] is None:
        return None
    ulps = row[f"ulps{side}"]
    returned = row[f"grade{side}"] != "none"
    return {f: row[f"{f}{side}"] for f in _SIDE} | {
        "ulps": ulps if math.isfinite(ulps) else None,
        "got": repr(row[f"got{side}"]) if returned else "",
        "right": repr(row[f"rounded{side}"]) if returned else "",
    }

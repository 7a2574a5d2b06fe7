"""Two runs side by side: what became of every verdict. Nothing is netted: each pair has its own change."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import polars as pl

from xent_conformance.reports.run.file import Run
from xent_conformance.reports.run.words import Status

KEY = ("case", "output", "framework", "implementation", "mode", "device")
"""What makes two verdicts a pair. Versions and machines are what may differ."""

DRIFT_FACTOR = 2.0


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

_RANK = {
    Status.CONFORMS.value: 0,
    Status.OPEN.value: 0,
    Status.UNSUPPORTED.value: 1,
    Status.UNDECIDED.value: 1,
    Status.BREAKS_SHOULD.value: 2,
    Status.BREAKS_MUST.value: 3,
}
"""Worse is more. What was answered and is no longer offered is worse than before."""

_MEASURED = ("none", "lost relative accuracy", "beyond the stable bound")
_LOST = ("raised", "crashed", "timed out")


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


def called(run: Run) -> Run:
    """The run without naive formulations: they are controls, and nobody ships them."""
    return Run(run.verdicts.filter(pl.col("formulation") != "naive"), run.headers)


def compare(old: Run, new: Run, *, factor: float = DRIFT_FACTOR) -> Comparison:
    """What became of each verdict of ``old`` in ``new``; an error that grows by ``factor`` is drift."""
    before, now = (run.verdicts.sort([*KEY, "version", "machine"]) for run in (old, new))
    joined = _paired(before, now)
    pairs = joined.with_columns(_change(_changed_clauses(old, new), factor).alias("change"))
    return Comparison(pairs.drop("_old", "_new").sort([*KEY]), tuple(_environment(old, new)), old, new)


def _paired(before: pl.DataFrame, now: pl.DataFrame) -> pl.DataFrame:
    """Each verdict beside its earlier self, all columns of ``before`` as ``…_old``.

    A merged run may answer a case on several machines or with several versions. First those of the same
    machine and version are paired, then those of the same machine, then the rest in order; so every verdict
    of either side stands in one pair or alone, and none is lost.
    """
    before = before.with_columns(pl.lit(True).alias("_old")).with_row_index("_left")
    now = now.with_columns(pl.lit(True).alias("_new")).with_row_index("_right")
    left, right, pairs = before, now, []
    for same in ([*KEY, "version", "machine"], [*KEY, "machine"], [*KEY]):
        nth = pl.int_range(pl.len()).over(same).alias("_nth")
        found = left.with_columns(nth).join(right.with_columns(nth), on=[*same, "_nth"])
        pairs.append(found.select("_left", "_right"))
        left = left.join(found, on="_left", how="anti")
        right = right.join(found, on="_right", how="anti")
    before = before.rename({c: f"{c}_old" for c in before.columns if c not in (*KEY, "_old", "_left")})
    both = before.join(pl.concat(pairs), on="_left").join(now.drop(KEY), on="_right")
    parts = [both, before.filter(pl.col("_left").is_in(left["_left"].to_list())), right]
    return pl.concat([p.drop("_left", "_right", strict=False) for p in parts], how="diagonal")


def _change(changed_clauses: list[str], factor: float) -> pl.Expr:
    rank, rank_old = (pl.col(c).replace_strict(_RANK, default=0) for c in ("status", "status_old"))
    badness, badness_old = _badness("symptom"), _badness("symptom_old")
    broken = pl.col("status").is_in([Status.BREAKS_MUST.value, Status.BREAKS_SHOULD.value])
    grown, shrunk = _exceeds("ulps", "ulps_old", factor), _exceeds("ulps_old", "ulps", factor)
    numbers = pl.col("ulps").is_finite() & pl.col("ulps_old").is_finite()
    unbounded = pl.col("ulps").is_infinite() & pl.col("ulps_old").is_finite()
    other_rule = pl.col("clause").is_in(changed_clauses) | pl.col("clause_old").is_in(changed_clauses)
    return (
        pl.when(pl.col("_new").is_null())
        .then(pl.lit(Change.MISSING.value))
        .when(pl.col("_old").is_null())
        .then(pl.lit(Change.ADDED.value))
        .when((pl.col("hash") != pl.col("hash_old")) | other_rule)
        .then(pl.lit(Change.NOT_COMPARABLE.value))
        .when(rank > rank_old)
        .then(pl.lit(Change.REGRESSED.value))
        .when(rank < rank_old)
        .then(pl.lit(Change.FIXED.value))
        .when(broken & (badness > badness_old))
        .then(pl.lit(Change.REGRESSED.value))
        .when(broken & (badness < badness_old))
        .then(pl.lit(Change.IMPROVED.value))
        .when((numbers & grown) | unbounded)
        .then(pl.lit(Change.DRIFTED.value))
        .when(numbers & shrunk)
        .then(pl.lit(Change.IMPROVED.value))
        .when((pl.col("bits") != pl.col("bits_old")) | (pl.col("outcome") != pl.col("outcome_old")))
        .then(pl.lit(Change.BITS.value))
        .otherwise(pl.lit(Change.SAME.value))
    )


def _exceeds(one: str, other: str, factor: float) -> pl.Expr:
    """An error that is more than a rounding, and ``factor`` times the other, of which luck is no part.

    A result that happens to be exact is no better than one that is rounded correctly, half an ulp off.
    """
    return (pl.col(one) > 1.0) & (pl.col(one) > factor * pl.max_horizontal(other, pl.lit(0.5)))


def _badness(column: str) -> pl.Expr:
    """An error that is measured, then a wrong special value, then no answer at all."""
    return (
        pl.when(pl.col(column).is_in(_MEASURED))
        .then(0)
        .when(pl.col(column).is_in(_LOST))
        .then(2)
        .otherwise(1)
    )


def _changed_clauses(old: Run, new: Run) -> list[str]:
    """Clauses whose text or level is not the same in both."""
    a, b = old.header["clauses"], new.header["clauses"]
    return [
        c for c in {*a, *b} if json.dumps(a.get(c), sort_keys=True) != json.dumps(b.get(c), sort_keys=True)
    ]


def _environment(old: Run, new: Run) -> list[tuple[str, str, str, str]]:
    """``suite`` for what concerns all, then each worker's version and environment."""
    found = [
        ("suite", what, str(old.header[what]), str(new.header[what]))
        for what in ("suite", "corpus", "reference")
        if old.header[what] != new.header[what]
    ]
    before, now = _workers(old), _workers(new)
    for who in sorted({*before, *now}):
        a, b = before.get(who, {}), now.get(who, {})
        found += [
            (who, w, a.get(w, "—"), b.get(w, "—"))
            for w in [*a, *(w for w in b if w not in a)]
            if a.get(w) != b.get(w)
        ]
    return found


def _workers(run: Run) -> dict[str, dict[str, Any]]:
    return {
        f"{f['framework']}[{f['variant']}]" if f["variant"] else f["framework"]: {
            "version": f["version"],
            **{k: str(v) for k, v in f["environment"].items()},
        }
        for h in run.headers
        for f in h["frameworks"]
    }


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

"""Two runs side by side: what became of every verdict. Nothing is netted: each pair has its own change."""

from __future__ import annotations

import json
from typing import Any

import polars as pl

from xent_conformance.judging.bits import bits_of_nan
from xent_conformance.reference.formats import JUDGED
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.run.words import FAULTS, Status, Symptom
from xent_conformance.reports.text.numbers import NOTHING
from xent_conformance.reports.views.comparison import KEY, Change, Comparison, Difference
from xent_conformance.reports.views.slim import with_gaps

DRIFT_FACTOR = 2.0


_RANK = {status.value: status.rank for status in Status}

_MEASURED = (Symptom.NONE.value, Symptom.LOST_ACCURACY.value, Symptom.BEYOND_BOUND.value)
_LOST = (Symptom.RAISED.value, Symptom.CRASHED.value, Symptom.TIMED_OUT.value)


def compare(old: Run, new: Run, *, factor: float = DRIFT_FACTOR) -> Comparison:
    """What became of each verdict of ``old`` in ``new``; an error that grows by ``factor`` is drift."""
    before, now = (with_gaps(run).sort([*KEY, "version", "machine"]) for run in (old, new))
    joined = _paired(before, now)
    joined = joined.with_columns(_other=_other_bits(joined))
    pairs = joined.with_columns(_change(_changed_clauses(old, new), factor).alias("change")).drop("_other")
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


def _other_bits(joined: pl.DataFrame) -> pl.Series:
    """Which pairs have other bits. NaN is one value, whatever its sign, as within a run (worker/bits).

    A run file has a hash of a row, and no hash tells a sign but that of a row which is NaN alone: that is the
    same row. Of one that has numbers too, other bits may be those of a NaN, and whoever tells of it says so.
    """
    other = joined["bits"].cast(pl.String) != joined["bits_old"].cast(pl.String)
    one_nan = pl.col("got").is_nan() & pl.col("got_old").is_nan() & pl.col("dtype").is_in(list(JUDGED))
    nan = joined.with_row_index("_at").filter(other.fill_null(False) & one_nan)
    signs = [
        at
        for at, dtype, n, *bits in nan.select("_at", "dtype", "n", "bits", "bits_old").iter_rows()
        if any(bits_of_nan(dtype, elements).issuperset(bits) for elements in (1, n))
    ]
    return other.scatter(signs, False) if signs else other


def _change(changed_clauses: list[str], factor: float) -> pl.Expr:
    rank, rank_old = (pl.col(c).replace_strict(_RANK, default=0) for c in ("status", "status_old"))
    badness, badness_old = _badness("symptom"), _badness("symptom_old")
    broken = pl.col("status").is_in(FAULTS)
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
        .when(pl.col("_other") | (pl.col("outcome") != pl.col("outcome_old")))
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


def _environment(old: Run, new: Run) -> list[Difference]:
    """``suite`` for what concerns all, then each worker's version and environment."""
    found = [
        Difference("suite", what, str(old.header[what]), str(new.header[what]))
        for what in ("suite", "corpus", "reference")
        if old.header[what] != new.header[what]
    ]
    before, now = _workers(old), _workers(new)
    for who in sorted({*before, *now}):
        a, b = before.get(who, {}), now.get(who, {})
        found += [
            Difference(who, w, a.get(w, NOTHING), b.get(w, NOTHING))
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

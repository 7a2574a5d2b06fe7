"""Words of which a column can hold no other: a verdict with a strange one says nothing, and is refused.

What is counted, compared and gated is found by these words. One that nobody knows would be in no count: a
broken clause that is spelt otherwise would pass.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import polars as pl

from xent_conformance.reports.run.words import FAULTS, NAIVE, OUTPUTS, Grade, Outcome, Status, Symptom

LEVELS = ("must", "should", "open")
DTYPES = ("float16", "bfloat16", "float32", "float64", "float8_e4m3fn", "float8_e5m2")
FORMULATIONS = ("fused", "composed", NAIVE)

_ALWAYS: Mapping[str, Collection[str]] = {
    "outcome": tuple(Outcome),
    "grade": tuple(Grade),
    "status": tuple(Status),
    "symptom": tuple(Symptom),
    "level": LEVELS,
    "dtype": DTYPES,
    "output": OUTPUTS,
    "formulation": FORMULATIONS,
}
"""Columns whose words are the suite's own."""

_NUMBERS = {"n": (0, 1 << 26), "index": (0, 1 << 30), "exponent": (-(1 << 14), 1 << 14)}
"""What columns of whole numbers may hold: an exponent beyond makes a decimal of a million digits."""

_MAY_LACK = ("cause", "n", "index", "exponent")
"""Columns that a file of before has not, or of which it is looked at otherwise whether one is missing."""

LONGEST = 1 << 14
"""Bytes of a text in the table."""

_LEVEL_OF = {
    Status.BREAKS_MUST.value: "must",
    Status.BREAKS_SHOULD.value: "should",
    Status.OPEN.value: "open",
}
"""What a status says of the level."""


def told_by(header: Mapping[str, Any]) -> dict[str, Collection[str]]:
    """Columns whose words a header lists: operators, families, clauses, and who was asked."""
    asked = {f["framework"] for f in header["frameworks"]}
    return {
        "operator": header["operators"],
        "family": header["families"],
        "framework": asked | {name.partition("[")[0].partition(" ")[0] for name in header["planned"]},
    }


_FAULTY = pl.col("status").is_in(FAULTS)


def strange(verdicts: pl.DataFrame, levels: Mapping[str, str], also: Mapping[str, Collection[str]]) -> str:
    """The first value that is none of its column's words, and where it stands; empty where all are known.

    ``levels``: of each clause its level, by number; ``also``: what :data:`_ALWAYS` does not list.
    """
    for column, kind in verdicts.schema.items():
        if kind not in (pl.String(), pl.Categorical()):
            continue
        length = pl.col(column).cast(pl.String).str.len_bytes()
        if verdicts.select(pl.col(column).unique()).select((length > LONGEST).any()).item():
            at = verdicts.filter(length > LONGEST)
            return f"{_place(at)} has a {column} of more than {LONGEST:,} bytes"
    for column, known in {**_ALWAYS, "clause": levels, **also}.items():
        for value in verdicts[column].unique().sort():
            if value not in known:
                at, words = verdicts.filter(pl.col(column).eq_missing(value)), ", ".join(map(str, known))
                return f"{_place(at)} has {column} {cut(repr(value))}, which is none of {words}"
    pairs = verdicts.select("status", "level", "clause").unique(maintain_order=True)
    for status, level, clause in pairs.iter_rows():
        of_status, of_clause = _LEVEL_OF.get(status, level), levels[clause]
        if not level == of_status == of_clause:
            at = verdicts.filter(status=status, level=level, clause=clause)
            held = f"has status {status!r} at level {level!r} by clause {clause}"
            return f"{_place(at)} {held}, which is {of_clause}"
    return _odd(verdicts)


def _odd(verdicts: pl.DataFrame) -> str:
    """The first value that is missing, or out of all measure, and where it stands."""
    for column, (least, most) in _NUMBERS.items():
        outside = verdicts.filter(~pl.col(column).is_between(least, most).fill_null(False))
        if not outside.is_empty():
            return f"{_place(outside)} has {column} {outside[column][0]}, which no run gives"
    torn = verdicts.filter(pl.col("hi").is_finite() & ~pl.col("lo").is_finite())
    if not torn.is_empty():
        return f"{_place(torn)} has lo {torn['lo'][0]} beside a finite hi, which no run gives"
    if "cause" in verdicts.columns:
        right = verdicts.filter((pl.col("cause") != "") & ~(_FAULTY & (pl.col("formulation") != NAIVE)))
        if not right.is_empty():
            return f"{_place(right)} has the cause {cut(right['cause'][0])!r} of a fault, and none is charged"
    for column in verdicts.columns:
        if column not in _MAY_LACK and verdicts[column].null_count():
            return f"{_place(verdicts.filter(pl.col(column).is_null()))} has no {column}"
    return ""


def cut(value: Any) -> str:
    """A value in a sentence."""
    return str(value)[:160]


def _place(at: pl.DataFrame) -> str:
    """Where the first of some verdicts stands, and how many more there are."""
    row = {name: cut(value) for name, value in at.row(0, named=True).items()}
    more = f" (and {at.height - 1:,} more)" if at.height > 1 else ""
    return f"the verdict on {row['implementation']}, {row['output']} of {row['case']}{more},"

"""What a gate counts: causes, each one thing that is wrong; and where each of them shows."""

from __future__ import annotations

import polars as pl

from xent_conformance.decision.material import PLACE
from xent_conformance.reports.run.words import FAULTS, Symptom

UNIT = "_unit"

SPOT = (*PLACE, "family", "variant")
"""A place, and the kind of row that shows it."""

MEASURED = tuple(s.value for s in (Symptom.LOST_ACCURACY, Symptom.BEYOND_BOUND, Symptom.FLUSHED))
"""Symptoms of a number that is not near enough: a rounding moves it, and its size matters."""

_FINDING = ("operator", "framework", "implementation", "output", "clause", "symptom")


def with_units(verdicts: pl.DataFrame, side: str = "", *, diagnosed: bool = True) -> pl.DataFrame:
    """The verdicts with the cause that each belongs to: its own, or where nobody looked, its finding."""
    finding = pl.concat_str([pl.col(f"{c}{side}" if c not in PLACE else c) for c in _FINDING], separator=" ")
    known = pl.col(f"cause{side}").fill_null("") != ""
    unit = pl.when(known).then(pl.col(f"cause{side}")).otherwise(finding) if diagnosed else finding
    return verdicts.with_columns(unit.alias(f"{UNIT}{side}"))


def is_diagnosed(faults: pl.DataFrame) -> bool:
    """Whether somebody looked for causes: a run that has faults and no cause was written without."""
    return faults.is_empty() or bool((faults["cause"].fill_null("") != "").any())


def changes_meaning() -> pl.Expr:
    """Whether a verdict is of a kind that changes what is computed, and not how accurately.

    Other bits alone are a rounding, unless a must clause says that there are none.
    """
    bits = (pl.col("symptom") == Symptom.OTHER_BITS.value) & (pl.col("level") != "must")
    return pl.col("status").is_in(FAULTS) & ~pl.col("symptom").is_in(MEASURED) & ~bits

"""What is said by rule, of verdicts that no formula gives: what was not returned, and other bits.

What such a verdict says is its cause already, wherever it shows: an implementation that refuses what it
declares does one thing wrong, in however many cases.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from xent_conformance.reports.run.words import Symptom


@dataclass(frozen=True)
class Rule:
    """Verdicts of one symptom, and of one of the clauses where any is named."""

    name: str
    sentence: str
    source: str
    symptom: Symptom
    clauses: tuple[str, ...] = ()


RULES = (
    Rule(
        "refuses what it declares",
        "it raises for harmless numbers too: what is declared is not offered",
        "SPEC.md 1.7",
        Symptom.REFUSED,
    ),
    Rule(
        "raises for some numbers",
        "it raises where it should answer, and answers other numbers of the same kind",
        "SPEC.md 1.7",
        Symptom.RAISED,
    ),
    Rule("the process dies", "a crash takes the process with it", "SPEC.md 1.7", Symptom.CRASHED),
    Rule("does not come back", "the call runs into its time limit", "SPEC.md 1.7", Symptom.TIMED_OUT),
    Rule(
        "returns another format",
        "the numbers are right, and in another format than the logits",
        "SPEC.md 1.4",
        Symptom.WRONG_DTYPE,
    ),
    Rule(
        "returns another shape",
        "the result does not have the shape of the operator's",
        "SPEC.md 1.4",
        Symptom.WRONG_SHAPE,
    ),
    Rule(
        "changes its arguments",
        "what was given is not what is there after the call",
        "SPEC.md 7.11",
        Symptom.CHANGED_INPUTS,
    ),
    Rule(
        "differs from call to call",
        "the same call gives other bits",
        "SPEC.md 7.3",
        Symptom.OTHER_BITS,
        ("7.3",),
    ),
    Rule(
        "depends on its neighbours",
        "a row has other bits alone than in a batch, or elsewhere in it",
        "SPEC.md 7.4",
        Symptom.OTHER_BITS,
        ("7.4",),
    ),
    Rule(
        "depends on its place",
        "equal classes of one row have other bits: a vector loop and its tail",
        "SPEC.md 7.5",
        Symptom.OTHER_BITS,
        ("7.5",),
    ),
    Rule(
        "inference takes another path",
        "the value without gradients has other bits than the one that comes with them",
        "SPEC.md 7.8",
        Symptom.OTHER_BITS,
        ("7.8",),
    ),
)


def by_rule(verdicts: pl.DataFrame) -> pl.DataFrame:
    """``_id`` and ``hypothesis`` of the verdicts that a rule speaks of."""
    named = pl.lit(None, dtype=pl.String)
    for rule in RULES:
        mine = pl.col("symptom") == rule.symptom.value
        mine = mine & pl.col("clause").is_in(rule.clauses) if rule.clauses else mine
        named = pl.when(mine).then(pl.lit(rule.name)).otherwise(named)
    return verdicts.select("_id", hypothesis=named).drop_nulls("hypothesis")

"""What is said by rule, of verdicts that no formula gives: what was not returned, other bits, other forms.

What such a verdict says is its cause already, wherever it shows: an implementation that refuses what it
declares does one thing wrong, in however many cases. What is right in one call and wrong in the same made
again is wrong now and then, wherever that falls. And what is wrong in one form of a call alone, and right in
every other, is wrong by that form, whatever the numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from xent_conformance.cases.case import Batch
from xent_conformance.cases.form import Form
from xent_conformance.reports.run.words import ONCE_MORE, Outcome, Status, Symptom


@dataclass(frozen=True)
class Rule:
    """Verdicts of one symptom, where one is named, and of one of the clauses, where any is."""

    name: str
    sentence: str
    source: str
    symptom: Symptom | None = None
    clauses: tuple[str, ...] = ()


NAMED = {"_id": pl.UInt32(), "hypothesis": pl.Categorical()}
"""Verdicts that are explained, by what."""

_Key = tuple[object, ...]
"""A door, as Polars has it."""

CHANGING = Rule(
    "differs from call to call",
    "the same call gives other bits",
    "SPEC.md 7.3",
    Symptom.OTHER_BITS,
    ("7.3",),
)

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
        "memory that nobody wrote",
        "what is returned was in memory before: a number is read that is never written",
        "SPEC.md 7.13",
        Symptom.UNWRITTEN,
    ),
    CHANGING,
    Rule(
        "depends on its place",
        "a row, or one of two equal classes, has other bits elsewhere: a vector loop and its tail",
        "SPEC.md 7.4 and 7.5",
        Symptom.OTHER_BITS,
        ("7.4", "7.5"),
    ),
    Rule(
        "inference takes another path",
        "the value without gradients has other bits than the one that comes with them",
        "SPEC.md 7.8",
        Symptom.OTHER_BITS,
        ("7.8",),
    ),
    Rule(
        "a second backward finds nothing",
        "what was saved for the backward is freed, or written over, by the first one",
        "SPEC.md 7.9",
        clauses=("7.9",),
    ),
    Rule(
        "a gradient is not added",
        "a gradient is written where it should be added to the one that is there",
        "SPEC.md 7.10",
        clauses=("7.10",),
    ),
    Rule(
        "one array for two arguments",
        "an argument is written to before another that shares its memory is read",
        "SPEC.md 7.12",
        clauses=("7.12",),
    ),
    Rule(
        "a NaN is passed over",
        "a NaN goes in and a number comes out, whatever it is",
        "SPEC.md 3.2 and 5.8",
        Symptom.FINITE_FOR_NAN,
        ("3.2", "5.8"),
    ),
    Rule(
        "no example is not nothing",
        "a call without any example has a sum of 0, and no 0/0",
        "SPEC.md 2.7",
        clauses=("2.7",),
    ),
)


def by_rule(verdicts: pl.DataFrame) -> pl.DataFrame:
    """``_id`` and ``hypothesis`` of the verdicts that a rule speaks of."""
    named = pl.lit(None, dtype=pl.String)
    for rule in RULES:
        mine = pl.col("symptom") == rule.symptom.value if rule.symptom else pl.lit(True)
        mine = mine & pl.col("clause").is_in(rule.clauses) if rule.clauses else mine
        named = pl.when(mine).then(pl.lit(rule.name)).otherwise(named)
    return verdicts.select("_id", hypothesis=named.cast(NAMED["hypothesis"])).drop_nulls("hypothesis")


# --- an index that no class has, once it is cast ----------------------------------------------------------


INDEX_CAST = Rule(
    "an index is cast to the logits' format",
    "16 bits cannot count so far: the index is rounded to one that no class has, and is refused",
    "SPEC.md 6.3",
    Symptom.RAISED,
)


def by_index(
    broken: pl.DataFrame,
    verdicts: pl.LazyFrame,
    places: Mapping[str, tuple[Batch, int]],
    door: tuple[str, ...],
) -> pl.DataFrame:
    """``_id`` and ``hypothesis`` of the calls that raise, where a cast to the format of the logits makes an
    index of each one that no class has, and of none that the same door answers."""
    raised = broken.filter(pl.col("symptom") == Symptom.RAISED.value)
    lost = {
        key: rows
        for key, rows in raised.partition_by(*door, as_dict=True, maintain_order=True).items()
        if all(_lost_in_a_cast(c, places) for c in rows["case"])
    }
    right = _cases(verdicts.filter(pl.col("outcome") == "returned"), lost, door)
    named = [
        (i, INDEX_CAST.name)
        for key, rows in lost.items()
        if not any(_lost_in_a_cast(c, places) for c in right.get(key, ()))
        for i in rows["_id"]
    ]
    return pl.DataFrame(named, schema=NAMED, orient="row")


def _cases(
    verdicts: pl.LazyFrame, of: Mapping[_Key, pl.DataFrame], door: tuple[str, ...]
) -> dict[_Key, pl.Series]:
    """The cases of the doors that these rows are ``of``; of all doors they would be as many as there are."""
    if not of:
        return {}
    asked = pl.concat([rows.select(door).head(1) for rows in of.values()])
    found = verdicts.select(*door, "case").join(asked.lazy(), on=door, how="semi").unique().collect()
    return {key: rows["case"] for key, rows in found.partition_by(*door, as_dict=True).items()}


def _lost_in_a_cast(case: str, places: Mapping[str, tuple[Batch, int]]) -> bool:
    """Whether an index of the case names a class, and in the format of the logits none."""
    if case not in places or places[case][0].inputs.definition.labels != "index":
        return False
    batch, row = places[case]
    index = batch.inputs.labels[row] * batch.inputs.copies
    with np.errstate(over="ignore"):
        cast = index.astype(batch.inputs.format.dtype).astype(np.float64)
    inside = (index >= 0) & (index < batch.inputs.classes)
    return bool((inside & ~(cast < batch.inputs.classes)).any())


# --- now and then ------------------------------------------------------------------------------------


STEADY = 8
"""Who changes is as often wrong when asked once more as at first; of what is asked, some is asked once. One
that is wrong at first so many times as often is wrong in some other way besides."""


def by_repetition(
    broken: pl.DataFrame,
    left: pl.DataFrame,
    places: Mapping[str, tuple[Batch, int]],
    whose: tuple[str, ...],
) -> pl.DataFrame:
    """``_id`` and ``hypothesis`` of the numbers that are ``left`` of one who answered the same plain calls
    right and, when they were made again, wrong. That is no matter of a row, whatever rows it fell on."""
    again = broken.filter(pl.col("message") == ONCE_MORE, outcome=Outcome.RETURNED.value)
    plain = {case for case in again["case"].unique() if case in places and not places[case][0].form.again}
    changed = again.filter(pl.col("case").is_in(plain)).group_by(whose).agg(_changed=pl.len())
    numbers = left.filter(outcome=Outcome.RETURNED.value)
    wrong = numbers.group_by(whose).agg(_wrong=pl.len())
    changing = wrong.join(changed, on=whose).filter(pl.col("_wrong") <= STEADY * pl.col("_changed"))
    found = numbers.join(changing, on=whose, how="semi", maintain_order="left")
    return found.select("_id", hypothesis=pl.lit(CHANGING.name).cast(NAMED["hypothesis"]))


# --- one form of a call alone ------------------------------------------------------------------------

Shows = Callable[[Form], bool]

FORMS: Mapping[str, tuple[str, Shows]] = {
    "only into a given buffer": (
        "what is returned is right, and what is written into a buffer is not",
        lambda f: f.out,
    ),
    "only in another memory layout": (
        "strides are not looked at, or not all of them",
        lambda f: f.layout != "contiguous",
    ),
    "only along several axes": (
        "classes on more than one axis are not all looked at",
        lambda f: f.class_shape is not None or f.keepdims,
    ),
    "only with the classes on another axis": (
        "the class axis is not the one that is named, unless that is the last",
        lambda f: f.shape is not None and f.class_axis != len(f.shape),
    ),
    "only with other than two axes": (
        "tensors of more axes, or of one, are not taken for rows and classes",
        lambda f: f.shape is not None or f.each,
    ),
    "only in a format that is asked for": (
        "the result is computed before its format is changed",
        lambda f: bool(f.logits_dtype),
    ),
    "only with labels of another type": (
        "labels of another type are not read as what they are",
        lambda f: bool(f.label_dtype),
    ),
    "only in a call of more rows": (
        "rows that fill a call up have other results than the rows that they repeat",
        lambda f: bool(f.filled),
    ),
    "only when it is asked again": (
        "the call before, or beside, changes what comes back",
        lambda f: bool(f.again),
    ),
}
"""What is right in other forms of a call: a sentence, and whether a form is of this kind."""

FORM_RULES = tuple(Rule(name, said, "by comparison with other calls") for name, (said, _) in FORMS.items())


def by_form(
    left: pl.DataFrame, verdicts: pl.LazyFrame, places: Mapping[str, tuple[Batch, int]], door: tuple[str, ...]
) -> pl.DataFrame:
    """``_id`` and ``hypothesis`` of what is ``left`` of a door, where all of it is of one form of call, and
    plain calls of the same door conform."""
    shown: dict[_Key, tuple[pl.DataFrame, list[str]]] = {}
    for key, rows in left.partition_by(*door, as_dict=True, maintain_order=True).items():
        forms = [places[case][0].form for case in rows["case"] if case in places]
        alone = [name for name, (_, shows) in FORMS.items() if all(map(shows, forms))]
        if len(forms) == rows.height and alone:
            shown[key] = rows, alone
    conforming = verdicts.filter(pl.col("status") == Status.CONFORMS.value)
    right = _cases(conforming, {key: rows for key, (rows, _) in shown.items()}, door)
    named: list[tuple[int, str]] = []
    for key, (rows, alone) in shown.items():
        forms = [places[case][0].form for case in right.get(key, ()) if case in places]
        name = next((name for name in alone if not all(map(FORMS[name][1], forms))), None)
        named += [(i, name) for i in rows["_id"] if name]
    return pl.DataFrame(named, schema=NAMED, orient="row")

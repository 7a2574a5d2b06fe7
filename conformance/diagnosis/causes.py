"""Causes: one thing that is wrong, wherever it shows, in place of a line for every place where it does.

What one hypothesis explains, with one symptom, is one cause across implementations, formats, modes and
devices. What none explains is grouped by clause, output and symptom, and is called unexplained.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from xent_conformance.cases.case import Batch
from xent_conformance.cases.corpus import batches, digest
from xent_conformance.cases.profile import Profile
from xent_conformance.diagnosis.hypothesis import Hypothesis
from xent_conformance.diagnosis.predict import HYPOTHESES
from xent_conformance.diagnosis.rules import FORM_RULES, RULES, Rule, by_form, by_rule
from xent_conformance.diagnosis.weigh import DOOR, Explained, Weighing, explain, weigh, weighed
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.run.words import FAULTS, NAIVE, SYMPTOMS, Grade, Row, Symptom
from xent_conformance.reports.text.numbers import shortest
from xent_conformance.reports.views.causes import Cause

_SAID: tuple[Hypothesis | Rule, ...] = (*FORM_RULES, *RULES, *reversed(HYPOTHESES))
_BY_NAME = {said.name: said for said in _SAID}

UNEXPLAINED = ""
"""The hypothesis of what none explains."""


OFF = "wrong numbers"

KINDS = {
    symptom.value: OFF
    for symptom in (
        Symptom.LOST_ACCURACY,
        Symptom.BEYOND_BOUND,
        Symptom.FLUSHED,
        Symptom.INFINITE,
        Symptom.FINITE_FOR_INFINITE,
        Symptom.WRONG_INFINITY,
    )
}
"""How far a number is off, to infinity, is a matter of its row, and no other thing that is wrong."""


class OtherCorpus(ValueError):
    """The run asked other cases than this installation has; the message says what to do."""


def diagnosed(run: Run, oracle: Oracle) -> list[Cause]:
    """The causes of a run, those that break a must clause first, then by how many verdicts they explain.

    Naive formulations, the controls, are left out. Raises :class:`OtherCorpus` for a run of other cases.
    """
    for header in run.headers:
        profile = header["selection"]["profile"]
        if header["corpus"] != digest(profile):
            raise OtherCorpus(
                f"the run asked the cases of another version ({header['corpus'][:8]}, here "
                f"{digest(profile)[:8]}): ask again with this one, or diagnose it with that one"
            )
    profile = max((Profile(h["selection"]["profile"]) for h in run.headers), default=Profile.QUICK)
    return cause_of_each(run.verdicts, profile, oracle)[1]


def cause_of_each(verdicts: pl.DataFrame, profile: str, oracle: Oracle) -> tuple[pl.DataFrame, list[Cause]]:
    """The verdicts with the id of what is wrong, and the causes that these name (see :func:`diagnosed`).

    ``cause`` is null where a verdict is no fault, and of the naive formulations. Every other fault has one.
    """
    numbered = verdicts.with_row_index("_id")
    called = numbered.filter(pl.col("formulation") != NAIVE)
    places = _places(called, profile)
    explained = weigh(called, places, oracle)
    named = _named(called, explained, places)
    of_each = numbered.join(named.select("_id", "cause"), on="_id", how="left", maintain_order="left")
    return of_each.drop("_id"), _causes(named, explained)


def causes_of_each(verdicts: pl.DataFrame, profile: str, oracle: Oracle) -> dict[str, list[Cause]]:
    """The causes of each implementation, as if it had been asked alone; those without a fault have none."""
    numbered = verdicts.with_row_index("_id")
    places = _places(numbered, profile)
    doors: dict[str, list[Weighing]] = {}
    for door, found in weighed(numbered, places, oracle):
        doors.setdefault(door.door[DOOR.index("implementation")], []).append((door, found))
    causes = {}
    for (name,), mine in numbered.partition_by("implementation", as_dict=True, maintain_order=True).items():
        explained = explain(doors.get(str(name), []))
        causes[str(name)] = _causes(_named(mine, explained, places), explained)
    return causes


def _places(verdicts: pl.DataFrame, profile: str) -> Mapping[str, tuple[Batch, int]]:
    """The batch and the row of every case that was asked."""
    asked = batches(
        profile,
        operators=verdicts["operator"].unique().to_list(),
        families_=verdicts["family"].unique().to_list(),
        dtypes=verdicts["dtype"].unique().to_list(),
    )
    return {case.id: (batch, case.row) for batch in asked for case in batch.cases}


def _named(
    verdicts: pl.DataFrame, explained: Iterable[Explained], places: Mapping[str, tuple[Batch, int]]
) -> pl.DataFrame:
    """The broken verdicts, each with its ``hypothesis`` and the id of its ``cause``."""
    broken = verdicts.filter(pl.col("status").is_in(FAULTS))
    found = [(i, name) for e in explained for (name, _), ids in e.by.items() for i in ids]
    by = pl.DataFrame(found, schema={"_id": pl.UInt32, "hypothesis": pl.String}, orient="row")
    by = pl.concat([by, by_rule(broken)]).unique("_id", keep="first")
    left = broken.join(by, on="_id", how="anti", maintain_order="left")
    left = left.filter(pl.col("symptom") != Symptom.LOST_ACCURACY.value)
    by = pl.concat([by, by_form(left, verdicts, places, DOOR)])
    broken = broken.join(by, on="_id", how="left", maintain_order="left").with_columns(
        pl.col("hypothesis").fill_null(UNEXPLAINED)
    )
    kind = pl.col("symptom").replace_strict(KINDS, default=pl.col("symptom"))
    derived = pl.when(pl.col("output") == "value").then("output").otherwise(pl.lit("derivatives"))
    alone = pl.concat_str("clause", _family(), derived, kind, separator=" ")
    told = pl.when(pl.col("hypothesis") == UNEXPLAINED).then(alone).otherwise(pl.col("hypothesis"))
    written = told.str.to_lowercase()
    return broken.with_columns(cause=written.str.replace_all("[^a-z0-9]+", "-").str.strip_chars("-"))


def _family() -> pl.Expr:
    """The family of an operator: ``sigmoid`` or ``softmax``."""
    elementwise = [name for name, operator in OPERATORS.items() if operator.elementwise]
    return pl.when(pl.col("operator").is_in(elementwise)).then(pl.lit("sigmoid")).otherwise(pl.lit("softmax"))


def _causes(named: pl.DataFrame, explained: Iterable[Explained]) -> list[Cause]:
    conforming: dict[str, int] = {}
    for e in explained:
        for name in {name for name, _ in e.by}:
            conforming[name] = conforming.get(name, 0) + e.conforming
    causes = [
        _cause(rows, conforming.get(rows["hypothesis"][0], 0))
        for rows in named.partition_by("cause", maintain_order=True)
    ]
    return sorted(causes, key=lambda c: (c.level != "must", not c.hypothesis, -c.verdicts, c.id))


def _cause(rows: pl.DataFrame, conforming: int) -> Cause:
    name = rows["hypothesis"][0]
    hypothesis = _BY_NAME.get(name)
    worst = rows.sort(["ratio", "case"], descending=[True, False], nulls_last=True).row(0, named=True)

    def every(column: str) -> tuple[str, ...]:
        return tuple(sorted(rows[column].unique().to_list()))

    return Cause(
        id=rows["cause"][0],
        hypothesis=name,
        sentence=hypothesis.sentence if hypothesis else "",
        source=hypothesis.source if hypothesis else "",
        symptom=", ".join(s.value for s in SYMPTOMS if s.value in every("symptom")),
        level="must" if "must" in every("level") else "should",
        clauses=every("clause"),
        operators=every("operator"),
        outputs=every("output"),
        frameworks=every("framework"),
        implementations=every("implementation"),
        dtypes=every("dtype"),
        verdicts=rows.height,
        conforming=conforming,
        worst=worst["case"],
        answered=f"{worst['implementation']} {worst['mode']} {worst['device']}",
        returned=_number(worst, "got"),
        right=_number(worst, "rounded"),
    )


def _number(row: Row, column: str) -> str:
    """As it is written; empty where nothing was graded."""
    return "" if row["grade"] == Grade.NONE else shortest(row[column], row["dtype"])

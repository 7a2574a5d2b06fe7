"""Causes: one thing that is wrong, wherever it shows, in place of a line for every place where it does.

What one hypothesis explains, with one symptom, is one cause across implementations, formats, modes and
devices. What none explains is grouped by clause, output and symptom, and is called unexplained.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import polars as pl

from xent_conformance.cases.case import Batch
from xent_conformance.cases.corpus import batches, digest
from xent_conformance.cases.profile import Profile
from xent_conformance.diagnosis.predict import HYPOTHESES
from xent_conformance.diagnosis.weigh import Explained, weigh
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.run.words import FAULTS, NAIVE, Grade, Row
from xent_conformance.reports.text.numbers import shortest
from xent_conformance.reports.views.causes import Cause

_BY_NAME = {h.name: h for h in HYPOTHESES}

UNEXPLAINED = ""
"""The hypothesis of what none explains."""


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
    verdicts = run.verdicts.filter(pl.col("formulation") != NAIVE).with_row_index("_id")
    profile = max((Profile(h["selection"]["profile"]) for h in run.headers), default=Profile.QUICK)
    explained = list(weigh(verdicts, _places(verdicts, profile), oracle))
    return _causes(verdicts, explained)


def _places(verdicts: pl.DataFrame, profile: str) -> Mapping[str, tuple[Batch, int]]:
    """The batch and the row of every case that was asked."""
    asked = batches(
        profile,
        operators=verdicts["operator"].unique().to_list(),
        families_=verdicts["family"].unique().to_list(),
        dtypes=verdicts["dtype"].unique().to_list(),
    )
    return {case.id: (batch, case.row) for batch in asked for case in batch.cases}


def _causes(verdicts: pl.DataFrame, explained: Iterable[Explained]) -> list[Cause]:
    found = [
        (i, name, e.conforming, e.door) for e in explained for (name, _), ids in e.by.items() for i in ids
    ]
    by = pl.DataFrame(
        [(i, name) for i, name, _, _ in found],
        schema={"_id": pl.UInt32, "hypothesis": pl.String},
        orient="row",
    )
    held: dict[str, dict[tuple[str, ...], int]] = {}
    for _, name, conforming, door in found:
        held.setdefault(name, {})[door] = conforming
    broken = (
        verdicts.filter(pl.col("status").is_in(FAULTS))
        .join(by, on="_id", how="left", maintain_order="left")
        .with_columns(pl.col("hypothesis").fill_null(UNEXPLAINED))
    )
    alone = pl.col("hypothesis") == UNEXPLAINED
    key = pl.concat_str(pl.col("clause"), pl.col("output"), separator=" ")
    grouped = broken.with_columns(_key=pl.when(alone).then(key).otherwise(pl.lit("")))
    causes = [
        _cause(rows, sum(held.get(rows["hypothesis"][0], {}).values()))
        for rows in grouped.partition_by("hypothesis", "symptom", "_key", maintain_order=True)
    ]
    return sorted(causes, key=lambda c: (c.level != "must", not c.hypothesis, -c.verdicts, c.id))


def _cause(rows: pl.DataFrame, conforming: int) -> Cause:
    name, symptom, key = rows["hypothesis"][0], rows["symptom"][0], rows["_key"][0]
    hypothesis = _BY_NAME.get(name)
    worst = rows.sort(["ratio", "case"], descending=[True, False], nulls_last=True).row(0, named=True)

    def every(column: str) -> tuple[str, ...]:
        return tuple(sorted(rows[column].unique().to_list()))

    return Cause(
        id=re.sub(r"[^a-z0-9]+", "-", f"{name or key} {symptom}".lower()).strip("-"),
        hypothesis=name,
        sentence=hypothesis.sentence if hypothesis else "",
        source=hypothesis.source if hypothesis else "",
        symptom=symptom,
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

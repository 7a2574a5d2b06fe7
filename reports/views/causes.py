"""A cause: one thing that is wrong, wherever it shows. A run file names one of each broken verdict."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from xent_conformance.reports.run.file import Run, called
from xent_conformance.reports.run.words import FAULTS, NAIVE, SYMPTOMS, Grade, Row
from xent_conformance.reports.text.numbers import shortest


@dataclass(frozen=True)
class Cause:
    """One thing that is wrong. ``id`` lasts from run to run: it is made of what it is, not of where it shows.

    ``hypothesis``, ``sentence`` and ``source`` are empty where none explains it. ``conforming`` rows of the
    same implementations, outputs and formats were held against the hypothesis, and none contradicts it.
    ``worst`` is the case whose error is the largest share of its bound; ``implementation``, ``mode`` and
    ``device`` answered it.
    """

    id: str
    hypothesis: str
    sentence: str
    source: str
    symptom: str
    level: str
    clauses: tuple[str, ...]
    operators: tuple[str, ...]
    outputs: tuple[str, ...]
    frameworks: tuple[str, ...]
    implementations: tuple[str, ...]
    dtypes: tuple[str, ...]
    verdicts: int
    conforming: int
    worst: str
    implementation: str
    mode: str
    device: str
    returned: str
    right: str

    @property
    def title(self) -> str:
        """What gives this; where nothing explains it, what it looks like."""
        return _capital(self.hypothesis or f"{self.symptom} by clause {', '.join(self.clauses)}: unexplained")

    @property
    def answered(self) -> str:
        """Who answered the worst case, in words."""
        return f"{self.implementation} {self.mode} {self.device}"


def causes(run: Run) -> list[Cause]:
    """The causes that a run file names: must clauses first, the explained before the rest, then by verdicts.

    Naive formulations, the controls, have none.
    """
    named = broken(run).filter(pl.col("cause") != "")
    found = [_cause(rows, run) for rows in named.partition_by("cause", maintain_order=True)]
    return sorted(found, key=lambda c: (c.level != "must", not c.hypothesis, -c.verdicts, c.id))


def broken(run: Run) -> pl.DataFrame:
    """The verdicts that are wrong, of implementations that users call."""
    return called(run).verdicts.filter(pl.col("status").is_in(FAULTS))


def named(run: Run) -> Run:
    """The run, in which every broken verdict names a cause: those that nobody diagnosed by what they break.

    So each stands under one cause, whatever wrote the file. The naive formulations, the controls, name none.
    """
    undiagnosed = pl.col("status").is_in(FAULTS) & (pl.col("cause") == "") & (pl.col("formulation") != NAIVE)
    told = pl.concat_str("clause", "operator", "output", "symptom", separator=" ").str.to_lowercase()
    name = told.str.replace_all("[^a-z0-9]+", "-").str.strip_chars("-")
    cause = pl.when(undiagnosed).then(name).otherwise("cause")
    return Run(run.verdicts.with_columns(cause.alias("cause")), run.headers)


def _cause(rows: pl.DataFrame, run: Run) -> Cause:
    worst = rows.sort(["ratio", "case"], descending=[True, False], nulls_last=True).row(0, named=True)
    told = run.causes.get(worst["cause"], {})

    def every(column: str) -> tuple[str, ...]:
        return tuple(sorted(rows[column].unique().to_list()))

    return Cause(
        id=worst["cause"],
        hypothesis=told.get("hypothesis", ""),
        sentence=told.get("sentence", ""),
        source=told.get("source", ""),
        symptom=", ".join(s.value for s in SYMPTOMS if s.value in every("symptom")),
        level="must" if "must" in every("level") else "should",
        clauses=every("clause"),
        operators=every("operator"),
        outputs=every("output"),
        frameworks=every("framework"),
        implementations=every("implementation"),
        dtypes=every("dtype"),
        verdicts=rows.height,
        conforming=told.get("conforming", 0),
        worst=worst["case"],
        implementation=worst["implementation"],
        mode=worst["mode"],
        device=worst["device"],
        returned=_number(worst, "got"),
        right=_number(worst, "rounded"),
    )


def _number(row: Row, column: str) -> str:
    """As it is written; empty where nothing was graded."""
    return "" if row["grade"] == Grade.NONE else shortest(row[column], row["dtype"])


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]

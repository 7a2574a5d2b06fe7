"""The naive controls, in short: they are known to be wrong, and what matters is that the suite sees it.

One line for each, with the clauses that it breaks, over outputs and symptoms, and its worst row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from xent_conformance.reports.html.marks import LEVEL, Mark, control_id
from xent_conformance.reports.html.naming import Naming
from xent_conformance.reports.html.section import Material, Section
from xent_conformance.reports.run import commands
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.run.words import NAIVE, OUTPUTS, Row
from xent_conformance.reports.text.numbers import count
from xent_conformance.reports.text.wording import Answer, dtypes_text, in_order, plural, words


@dataclass(frozen=True)
class Broken:
    """The clauses of a level that a control breaks: ``1.1 in 505 of 2,333`` rows of those outputs."""

    mark: Mark
    clauses: str


@dataclass(frozen=True)
class Control:
    """One naive formulation of an operator; ``worst`` is its worst row, ``command`` shows it whole."""

    id: str
    implementation: str
    operator: str
    where: str
    broken: tuple[Broken, ...]
    outputs: str
    symptoms: str
    dtypes: str
    worst: str
    command: str


@dataclass(frozen=True)
class Controls:
    """``findings`` is their number before they are merged into lines; ``asked`` how many were asked."""

    findings: str
    asked: int
    controls: tuple[Control, ...]


def view(material: Material) -> Controls:
    """The findings of naive formulations; the clauses of each in the order of the frame, worst first."""
    findings, naming = material.findings, material.naming
    rows = findings.filter(pl.col("formulation") == NAIVE).to_dicts()
    by_control: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: naming.frameworks.index(row["framework"])):
        by_control.setdefault(control_id(row), []).append(row)
    naive = material.run.verdicts.filter(pl.col("formulation") == NAIVE)
    return Controls(
        findings=plural(len(rows), "finding"),
        asked=naive.select("framework", "version", "implementation", "operator").n_unique(),
        controls=tuple(_control(of_control, naming, material.run) for of_control in by_control.values()),
    )


def _control(rows: Sequence[Row], naming: Naming, run: Run) -> Control:
    first = rows[0]
    by_clause: dict[str, list[Row]] = {}
    for row in rows:
        by_clause.setdefault(row["clause"], []).append(row)

    levels = {row["level"] for row in rows}

    def every(column: str) -> list[str]:
        return sorted({value for row in rows for value in row[column]})

    return Control(
        id=control_id(first),
        implementation=first["implementation"],
        operator=first["operator"],
        where=naming.where_all({**first, "targets": every("targets")}),
        broken=tuple(_broken(level, by_clause) for level in LEVEL if level in levels),
        outputs=", ".join(words(o) for o in in_order(list({row["output"] for row in rows}), OUTPUTS)),
        symptoms=", ".join(dict.fromkeys(row["symptom"] for row in rows)),
        dtypes=dtypes_text(every("dtypes")),
        worst=Answer.of(first).sentence,
        command=commands.explain(run, first["case"], first["implementation"], first["device"]),
    )


def _broken(level: str, by_clause: Mapping[str, Sequence[Row]]) -> Broken:
    here = {clause: rows for clause, rows in by_clause.items() if rows[0]["level"] == level}
    return Broken(LEVEL[level], "; ".join(f"{clause} in {_rows(rows)}" for clause, rows in here.items()))


def _rows(rows: Sequence[Row]) -> str:
    asked = {row["output"]: row["asked"] for row in rows}
    return f"{count(sum(row['count'] for row in rows))} of {count(sum(asked.values()))}"


def _about(view: Controls) -> str:
    if not view.asked:
        return "none was asked"
    return f"{count(len(view.controls))} of {plural(view.asked, 'naive formulation')} seen to be wrong"


SECTION = Section("controls", "Naive controls", "controls.html", view, folded=True, about=_about)

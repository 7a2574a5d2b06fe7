"""The naive controls, in short: they are known to be wrong, and what matters is that the suite sees it.

One line for each implementation and clause, over outputs and symptoms, with its worst row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from xent_conformance.reports.html.marks import LEVEL, Mark, clause_anchor, control_id
from xent_conformance.reports.html.naming import Naming
from xent_conformance.reports.run.words import NAIVE, Row
from xent_conformance.reports.text.numbers import NOTHING, count
from xent_conformance.reports.text.wording import OUTPUTS, Answer, dtypes_text, in_order, words


@dataclass(frozen=True)
class Line:
    """One clause that the control breaks; ``returned`` and what follows are those of the worst row."""

    mark: Mark
    clause: str
    clause_link: str
    outputs: str
    symptoms: str
    rows: str
    dtypes: str
    returned: str
    right: str
    error: str
    case: str


@dataclass(frozen=True)
class Control:
    """One naive formulation of an operator."""

    id: str
    css: str
    implementation: str
    operator: str
    where: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Controls:
    """``findings`` is their number before they are merged into lines."""

    findings: str
    lines: str
    controls: tuple[Control, ...]


def controls(findings: pl.DataFrame, naming: Naming) -> Controls:
    """The findings of naive formulations; the lines of each in the order of the frame, worst first."""
    rows = findings.filter(pl.col("formulation") == NAIVE).to_dicts()
    by_control: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: naming.frameworks.index(row["framework"])):
        by_control.setdefault(control_id(row), []).append(row)
    found = tuple(_control(of_control, naming) for of_control in by_control.values())
    return Controls(count(len(rows)), count(sum(len(control.lines) for control in found)), found)


def _control(rows: Sequence[Row], naming: Naming) -> Control:
    first = rows[0]
    by_clause: dict[str, list[Row]] = {}
    for row in rows:
        by_clause.setdefault(row["clause"], []).append(row)
    targets = sorted({target for row in rows for target in row["targets"]})
    return Control(
        id=control_id(first),
        css=naming.css(first["framework"]),
        implementation=first["implementation"],
        operator=first["operator"],
        where=naming.where_all({**first, "targets": targets}),
        lines=tuple(_line(of_clause) for of_clause in by_clause.values()),
    )


def _line(rows: Sequence[Row]) -> Line:
    worst, answer = rows[0], Answer.of(rows[0])
    asked = {row["output"]: row["asked"] for row in rows}
    return Line(
        mark=LEVEL[worst["level"]],
        clause=worst["clause"],
        clause_link=clause_anchor(worst["clause"]),
        outputs=", ".join(words(output) for output in in_order(list(asked), OUTPUTS)),
        symptoms=", ".join(dict.fromkeys(row["symptom"] for row in rows)),
        rows=f"{count(sum(row['count'] for row in rows))} of {count(sum(asked.values()))}",
        dtypes=dtypes_text(list({dtype for row in rows for dtype in row["dtypes"]})),
        returned=answer.returned,
        right=answer.right or NOTHING,
        error=answer.error or NOTHING,
        case=worst["case"],
    )

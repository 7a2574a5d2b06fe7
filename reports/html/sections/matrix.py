"""Operator by operator: every target against every dtype and output."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from xent_conformance.reports.html.marks import STATUS, Mark, anchor, control_id, finding_id
from xent_conformance.reports.html.naming import Naming, target_order
from xent_conformance.reports.html.section import Material, Section
from xent_conformance.reports.run.file import TARGET
from xent_conformance.reports.run.words import GRADED, JUDGED, NAIVE, ORDINARY, Row
from xent_conformance.reports.text.numbers import ulps
from xent_conformance.reports.text.wording import DTYPES, OUTPUTS, in_order, words


@dataclass(frozen=True)
class Cell:
    """Whether clauses hold (over all families), and the worst found on ordinary logits."""

    mark: Mark
    link: str
    grade: str
    ulps: str


@dataclass(frozen=True)
class MatrixRow:
    """Targets of one framework that fared alike; ``who``: names, each with its modes and devices."""

    who: tuple[tuple[str, str], ...]
    naive: bool
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Matrix:
    """The table of one operator: ``dtypes`` times ``outputs`` columns."""

    id: str
    operator: str
    formula: str
    dtypes: tuple[str, ...]
    outputs: tuple[str, ...]
    rows: tuple[MatrixRow, ...]


_Links = Mapping[tuple[str, ...], str]
"""Status, operator, target, output and format: the id of the finding that says why."""

_NONE = Cell(Mark("", "", ""), "", "", "")
_HOLDS = Mark("●", "holds", "k")
_MUST = Mark("✕", "must", "m")
_SHOULD = Mark("▲", "should", "s")
_ABSENT = {**STATUS, "unsupported": Mark("–", "not offered", "u")}


def view(material: Material) -> tuple[Matrix, ...]:
    """One matrix for each operator that was asked, in the operators' own order."""
    run, naming = material.run, material.naming
    cells = _cells(run.verdicts)
    links = _links(material.findings)
    asked = in_order(run.verdicts["operator"].unique().to_list(), list(run.header["operators"]))
    found = []
    for operator in asked:
        here = [row for row in cells if row["operator"] == operator]
        dtypes = in_order(list({row["dtype"] for row in here}), list(DTYPES))
        outputs = in_order(list({row["output"] for row in here}), OUTPUTS)
        columns = [(dtype, output) for dtype in dtypes for output in outputs]
        found.append(
            Matrix(
                id=anchor("op", operator),
                operator=operator,
                formula=run.header["operators"].get(operator, ""),
                dtypes=tuple(dtypes),
                outputs=tuple(words(o) for o in outputs),
                rows=tuple(_rows(here, columns, links, naming)),
            )
        )
    return tuple(found)


def _rows(
    cells: Sequence[Row], columns: Sequence[tuple[str, str]], links: _Links, naming: Naming
) -> Iterable[MatrixRow]:
    """One for each target; those of a framework that read alike share it, and the links of the first."""
    by_target: dict[tuple[Any, ...], dict[tuple[str, str], Row]] = {}
    for row in cells:
        by_target.setdefault(target_order(naming, row), {})[row["dtype"], row["output"]] = row
    alike: dict[tuple[Any, ...], list[tuple[Row, tuple[Cell, ...]]]] = {}
    for _, of_target in sorted(by_target.items()):
        first = next(iter(of_target.values()))
        shown = tuple(_cell(of_target.get(column), links) for column in columns)
        read = tuple((cell.mark, cell.grade, cell.ulps) for cell in shown)
        alike.setdefault((first["framework"], first["formulation"] == NAIVE, read), []).append((first, shown))
    for (_, naive, _), found in alike.items():
        yield MatrixRow(tuple(naming.who([row for row, _ in found])), naive, found[0][1])


def _cells(verdicts: pl.DataFrame) -> list[dict[str, Any]]:
    """Counts by status over all families, worst grade and ulps over ordinary logits."""
    grade = pl.col("grade").replace_strict(list(GRADED), list(range(len(GRADED))), default=None)
    judged = pl.col("status").is_in(JUDGED)
    ordinary = (pl.col("family") == ORDINARY) & judged & (pl.col("grade") != "none")
    return (
        verdicts.group_by(["operator", *TARGET, "formulation", "dtype", "output"], maintain_order=True)
        .agg(
            *((pl.col("status") == status).sum().alias(status) for status in STATUS),
            grade.filter(ordinary).max().alias("worst_grade"),
            pl.col("ulps").filter(ordinary).max().alias("worst_ulps"),
        )
        .to_dicts()
    )


def _cell(row: Row | None, links: _Links) -> Cell:
    if row is None:
        return _NONE
    grade = "" if row["worst_grade"] is None else words(GRADED[row["worst_grade"]])
    # a wrong special value has no distance, and the worst of the others would look mild beside it
    error = "" if row["worst_ulps"] is None or grade == "wrong special" else ulps(row["worst_ulps"])
    if not any(row[status] for status in JUDGED):
        left = next(mark for status, mark in _ABSENT.items() if row[status])
        return Cell(left, "", "", "")
    for status, mark in (("breaks_must", _MUST), ("breaks_should", _SHOULD)):
        if row[status]:
            key = (status, *(row[k] for k in ("operator", *TARGET, "output", "dtype")))
            return Cell(mark, links.get(key, ""), grade, error)
    return Cell(_HOLDS, "", grade, error)


def _links(findings: pl.DataFrame) -> _Links:
    """The first finding of each cell, so that a mark leads to its reason; a control's lead to its lines."""
    links: dict[tuple[str, ...], str] = {}
    for row in findings.iter_rows(named=True):
        status = f"breaks_{row['level']}"
        reason = control_id(row) if row["formulation"] == NAIVE else finding_id(row)
        for dtype in row["dtypes"]:
            for target in row["targets"]:
                mode, _, device = target.partition(" ")
                found = {**row, "mode": mode, "device": device}
                key = (status, *(found[k] for k in ("operator", *TARGET, "output")), dtype)
                links.setdefault(key, reason)
    return links


SECTION = Section("matrix", "Matrix", "matrix.html", view, folded=True)

"""Operator by operator: every target against every dtype and output; frameworks side by side."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from xent_conformance.reports.html.marks import (
    STATUS,
    Mark,
    Naming,
    anchor,
    control_id,
    finding_id,
    target_order,
)
from xent_conformance.reports.run.file import TARGET, Run
from xent_conformance.reports.run.words import GRADED, JUDGED, NAIVE, Row
from xent_conformance.reports.text.numbers import NOTHING, ulps
from xent_conformance.reports.text.wording import DTYPES, OUTPUTS, in_order, words

ORDINARY = "ordinary"
"""The family whose errors are shown: the other families are made to be hard."""


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


@dataclass(frozen=True)
class Side:
    """One framework's worst found, and the target that it was found at."""

    ulps: str
    where: str
    worst: bool


@dataclass(frozen=True)
class SideRow:
    operator: str
    dtype: str
    sides: tuple[Side, ...]
    spread: str


@dataclass(frozen=True)
class SideBySide:
    frameworks: tuple[str, ...]
    rows: tuple[SideRow, ...]


_Links = Mapping[tuple[str, ...], str]
"""Status, operator, target, output and format: the id of the finding that says why."""

_NONE = Cell(Mark("", "", ""), "", "", "")
_HOLDS = Mark("●", "holds", "k")
_MUST = Mark("✕", "must", "m")
_SHOULD = Mark("▲", "should", "s")
_ABSENT = {**STATUS, "unsupported": Mark("–", "not offered", "u")}


def matrices(run: Run, findings: pl.DataFrame, naming: Naming) -> tuple[Matrix, ...]:
    """One matrix for each operator that was asked, in the operators' own order."""
    cells = _cells(run.verdicts)
    links = _links(findings)
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


def side_by_side(run: Run, naming: Naming) -> SideBySide:
    """The worst found of each framework on ordinary logits, value only, naive controls left out."""
    rows = run.verdicts.filter(
        (pl.col("family") == ORDINARY)
        & (pl.col("output") == "value")
        & (pl.col("formulation") != NAIVE)
        & pl.col("status").is_in(JUDGED)
        & ~pl.col("ulps").is_nan()
    )
    worst = rows.sort("ulps", descending=True, maintain_order=True).group_by(
        ["operator", "dtype", "framework"], maintain_order=True
    )
    found = {
        (row["operator"], row["dtype"], row["framework"]): row for row in worst.first().iter_rows(named=True)
    }
    frameworks = [f for f in naming.frameworks if any(key[2] == f for key in found)]
    result = []
    for operator in in_order(list({key[0] for key in found}), list(run.header["operators"])):
        for dtype in in_order(list({key[1] for key in found if key[0] == operator}), list(DTYPES)):
            here = {f: found[operator, dtype, f] for f in frameworks if (operator, dtype, f) in found}
            errors = [row["ulps"] for row in here.values()]
            most, least = max(errors), min(errors)
            result.append(
                SideRow(
                    operator=operator,
                    dtype=dtype,
                    sides=tuple(_side(here.get(f), most, least, naming) for f in frameworks),
                    spread=_spread(most, least) if len(here) > 1 else "",
                )
            )
    return SideBySide(tuple(frameworks), tuple(result))


def _side(row: dict[str, Any] | None, most: float, least: float, naming: Naming) -> Side:
    if row is None:
        return Side(NOTHING, "not offered", worst=False)
    text = words(row["grade"]) if row["grade"] == "wrong_special" else ulps(row["ulps"])
    return Side(text, f"{row['implementation']}, {naming.where(row)}", worst=row["ulps"] == most > least)


def _spread(most: float, least: float) -> str:
    return f"{ulps(most / least)}×" if least > 0 and math.isfinite(most) else NOTHING


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

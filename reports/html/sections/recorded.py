"""What was recorded and not judged: the answers to open clauses, side by side."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from xent_conformance.reports.html.marks import clause_anchor
from xent_conformance.reports.html.naming import Naming, target_order
from xent_conformance.reports.html.section import Material, Section
from xent_conformance.reports.run.words import NAIVE, Row
from xent_conformance.reports.text.wording import OUTPUTS, in_order, words

_Line = tuple[str, str, str]
"""Clause, variant and output."""


@dataclass(frozen=True)
class OpenRow:
    """What came back for one variant: a cell for each column of the table."""

    variant: str
    output: str
    clause: str
    clause_link: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class OpenTable:
    """One operator: a row for each variant, a column for each implementation.

    Outputs with the same answers share a row, and implementations with the same answers a column.
    """

    operator: str
    columns: tuple[tuple[str, ...], ...]
    rows: tuple[OpenRow, ...]


def view(material: Material) -> tuple[OpenTable, ...]:
    """What each implementation returned where the specification leaves the answer open."""
    run, naming = material.run, material.naming
    rows = run.verdicts.filter(pl.col("status") == "open").to_dicts()
    tables = []
    for operator in in_order(list({r["operator"] for r in rows}), list(run.header["operators"])):
        here = [r for r in rows if r["operator"] == operator]
        doors: dict[tuple[Any, ...], str] = {}
        for row in sorted(here, key=lambda r: target_order(naming, r)):
            doors.setdefault(_door(row), _door_name(row, naming))
        cells = {
            line: tuple(_summary([r for r in found if _door(r) == door], naming) for door in doors)
            for line, found in _lines(here).items()
        }
        tables.append(_folded(operator, tuple(doors.values()), cells))
    return tuple(tables)


def _folded(operator: str, names: Sequence[str], cells: Mapping[_Line, tuple[str, ...]]) -> OpenTable:
    """What is the same in every row is one column, and what is the same in every column one row."""
    columns: dict[tuple[str, ...], list[int]] = {}
    for i, _ in enumerate(names):
        columns.setdefault(tuple(answers[i] for answers in cells.values()), []).append(i)
    outputs: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    for (clause, variant, output), answers in cells.items():
        told = tuple(answers[alike[0]] for alike in columns.values())
        outputs.setdefault((clause, variant, told), []).append(words(output))
    return OpenTable(
        operator=operator,
        columns=tuple(tuple(names[i] for i in alike) for alike in columns.values()),
        rows=tuple(
            OpenRow(words(variant), ", ".join(of), clause, clause_anchor(clause), told)
            for (clause, variant, told), of in outputs.items()
        ),
    )


def _door(row: Row) -> tuple[Any, ...]:
    return (row["framework"], row["version"], row["implementation"])


def _door_name(row: Row, naming: Naming) -> str:
    several = row["framework"] in naming.many_versions
    version = f" {row['version']}" if several else ""
    return f"{row['implementation']}{version}{' (naive)' if row['formulation'] == NAIVE else ''}"


def _lines(rows: Sequence[Row]) -> Mapping[_Line, list[Row]]:
    """Rows by clause, variant and output, in that order."""
    lines: dict[_Line, list[Row]] = {}
    outputs = in_order(list({r["output"] for r in rows}), OUTPUTS)

    def key(row: Row) -> tuple[list[int], str, int]:
        number = [int(part) for part in row["clause"].split(".")]
        return number, row["variant"], outputs.index(row["output"])

    for row in sorted(rows, key=key):
        lines.setdefault((row["clause"], row["variant"], row["output"]), []).append(row)
    return lines


def _summary(rows: Sequence[Row], naming: Naming) -> str:
    """``NaN`` where all agree, else counts; modes apart where they differ."""
    by_mode: dict[str, Counter[str]] = {}
    for row in sorted(rows, key=lambda r: target_order(naming, r)):
        by_mode.setdefault(naming.where(row), Counter())[_kind(row)] += 1
    texts = {where: _counts(found) for where, found in by_mode.items()}
    if len(set(texts.values())) <= 1:
        return next(iter(texts.values()), "")
    return "; ".join(f"{where}: {text}" for where, text in texts.items())


def _counts(found: Counter[str]) -> str:
    if len(found) == 1:
        return next(iter(found))
    return ", ".join(
        f"{kind} ×{number}" for kind, number in sorted(found.items(), key=lambda kn: (-kn[1], kn[0]))
    )


def _kind(row: Row) -> str:
    if row["outcome"] != "returned" or row["grade"] == "none":
        return words(row["outcome"]) if row["outcome"] != "returned" else str(row["symptom"])
    got = row["got"]
    if math.isnan(got):
        return "NaN"
    if math.isinf(got):
        return "inf" if got > 0 else "-inf"
    return f"{got:g}" if got in (0.0, 1.0, -1.0) else "finite"


SECTION = Section("open", "Open", "recorded.html", view, folded=True)

"""What was recorded and not judged: open clauses side by side, and what could not be asked or decided."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from reports.html_words import (
    DTYPES,
    NAIVE,
    OUTPUTS,
    STATUS,
    Mark,
    Naming,
    Row,
    clause_anchor,
    in_order,
    target_order,
    words,
)
from reports.numbers import count
from reports.run_file import Run


@dataclass(frozen=True)
class OpenRow:
    variant: str
    output: str
    clause: str
    clause_link: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class OpenTable:
    """One operator: a row for each variant and output, a column for each implementation."""

    operator: str
    implementations: tuple[str, ...]
    rows: tuple[OpenRow, ...]


@dataclass(frozen=True)
class Unjudged:
    mark: Mark
    implementation: str
    where: str
    dtypes: str
    message: str
    verdicts: str


def open_tables(run: Run, naming: Naming) -> tuple[OpenTable, ...]:
    """What each implementation returned where the specification leaves the answer open."""
    rows = run.verdicts.filter(pl.col("status") == "open").to_dicts()
    tables = []
    for operator in in_order(list({r["operator"] for r in rows}), list(run.header["operators"])):
        here = [r for r in rows if r["operator"] == operator]
        doors: dict[tuple[Any, ...], str] = {}
        for row in sorted(here, key=lambda r: target_order(naming, r)):
            doors.setdefault(_door(row), _door_name(row, naming))
        lines = _lines(here)
        tables.append(
            OpenTable(
                operator=operator,
                implementations=tuple(doors.values()),
                rows=tuple(
                    OpenRow(
                        words(variant),
                        words(output),
                        clause,
                        clause_anchor(clause),
                        tuple(_summary([r for r in found if _door(r) == door], naming) for door in doors),
                    )
                    for (clause, variant, output), found in lines.items()
                ),
            )
        )
    return tuple(tables)


def unjudged(run: Run, naming: Naming) -> tuple[Unjudged, ...]:
    """Unsupported and undecided verdicts by implementation and message."""
    rows = run.verdicts.filter(pl.col("status").is_in(["unsupported", "undecided"]))
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows.iter_rows(named=True):
        key = (tuple(STATUS).index(row["status"]), target_order(naming, row), row["message"])
        groups.setdefault(key, []).append(row)
    return tuple(
        Unjudged(
            mark=STATUS[found[0]["status"]],
            implementation=found[0]["implementation"],
            where=naming.where(found[0]),
            dtypes=", ".join(in_order(list({r["dtype"] for r in found}), list(DTYPES))),
            message=found[0]["message"],
            verdicts=count(len(found)),
        )
        for _, found in sorted(groups.items(), key=lambda item: item[0])
    )


def _door(row: Row) -> tuple[Any, ...]:
    return (row["framework"], row["version"], row["implementation"])


def _door_name(row: Row, naming: Naming) -> str:
    several = row["framework"] in naming.many_versions
    version = f" {row['version']}" if several else ""
    return f"{row['implementation']}{version}{' (naive)' if row['formulation'] == NAIVE else ''}"


def _lines(rows: Sequence[Row]) -> Mapping[tuple[str, str, str], list[Row]]:
    """Rows by clause, variant and output, in that order."""
    lines: dict[tuple[str, str, str], list[Row]] = {}
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

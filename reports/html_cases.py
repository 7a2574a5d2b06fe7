"""The cases that findings point at: inputs to the last bit, and what every implementation answered.

Findings share cases, so each is written once and linked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import polars as pl

from reports.html_findings import answer_text, case_id, classes, error_text, right_text
from reports.html_words import OUTPUTS, STATUS, Mark, Naming, Row, in_order, target_order, words
from reports.numbers import elements, exact
from reports.run_file import Run

SHOWN = 16
"""Elements of a row that are written out."""

CONFORMING = 3
"""So many of the answers that conform are listed beside those that do not; the rest are counted."""


@dataclass(frozen=True)
class Answer:
    """One implementation's answer; modes that gave the same bits share a line."""

    mark: Mark
    implementation: str
    where: str
    index: str
    returned: str
    right: str
    error: str


@dataclass(frozen=True)
class Output:
    name: str
    exact: str
    answers: tuple[Answer, ...]
    more: int


@dataclass(frozen=True)
class Case:
    """``table`` is the inputs as aligned text, one element a line."""

    id: str
    name: str
    about: str
    table: str
    elided: str
    outputs: tuple[Output, ...]


def cases(run: Run, findings: pl.DataFrame, naming: Naming) -> tuple[Case, ...]:
    """One view for each case that stands for a finding, by name."""
    exhibits = {k: v for h in run.headers for k, v in h["exhibits"].items()}
    shown = findings.select("case", "output").unique()
    answers = run.verdicts.join(shown, on=["case", "output"], how="semi")
    by_case: dict[str, list[Row]] = {}
    for row in answers.iter_rows(named=True):
        by_case.setdefault(row["case"], []).append(row)
    return tuple(_case(name, by_case[name], exhibits.get(name), naming) for name in sorted(by_case))


def _case(name: str, rows: Sequence[Row], exhibit: Mapping[str, Any] | None, naming: Naming) -> Case:
    by_output: dict[str, list[Row]] = {}
    for row in rows:
        by_output.setdefault(row["output"], []).append(row)
    outputs = tuple(_output(o, by_output[o], naming) for o in in_order(list(by_output), OUTPUTS))
    first = rows[0]
    about = f"{first['dtype']}, N = {first['n']}, hash {first['hash']}"
    if exhibit is None:
        return Case(case_id(name), name, about, "", "The run file carries no inputs for this case.", outputs)
    carried = elements(exhibit["logits"], exhibit["dtype"])
    left = exhibit["n"] - min(SHOWN, len(carried))
    elided = f"… {left:,} more; `conformance explain` shows all." if left > 0 else ""
    if isinstance(exhibit["labels"], list):
        about += f", label: {classes(exhibit['labels'])}"
    if exhibit["asked"]:
        about += f"; {exhibit['asked']}"
    return Case(case_id(name), name, about, _table(exhibit), elided, outputs)


def _table(exhibit: Mapping[str, Any]) -> str:
    """Index, then decimal and bits of logits, labels and cotangent, in aligned columns."""
    carried = len(elements(exhibit["logits"], exhibit["dtype"]))
    columns = [("", [str(i) for i in range(min(SHOWN, carried))])]
    for field in ("logits", "labels", "cotangent", "tangent"):
        if isinstance(exhibit[field], list) or not exhibit[field]:
            continue
        row = elements(exhibit[field], exhibit["dtype"])[:SHOWN]
        columns += [(field, [e.decimal for e in row]), ("bits", [e.bits for e in row])]
    lines = []
    widths = [max(len(text) for text in (title, *cells)) for title, cells in columns]
    height = max(len(cells) for _, cells in columns)
    for i in range(-1, height):
        texts = [title if i < 0 else (cells[i] if i < len(cells) else "") for title, cells in columns]
        lines.append("  ".join(text.rjust(width) for text, width in zip(texts, widths, strict=True)).rstrip())
    return "\n".join(lines)


def _output(name: str, rows: Sequence[Row], naming: Naming) -> Output:
    ordered = sorted(rows, key=lambda row: target_order(naming, row))
    answers, conforming = [], 0
    for _, same in groupby(ordered, key=_sameness):
        alike = list(same)
        row = alike[0]
        conforming += row["status"] == "conforms"
        if row["status"] == "conforms" and conforming > CONFORMING:
            continue
        graded = row["grade"] != "none"
        answers.append(
            Answer(
                mark=STATUS[row["status"]],
                implementation=row["implementation"],
                where=", ".join(naming.where(r) for r in alike),
                index=str(row["index"]) if graded else "",
                returned=answer_text(row),
                right=right_text(row),
                error=error_text(row),
            )
        )
    values = {
        (r["index"], exact(r["hi"], r["lo"], r["exponent"])): None for r in ordered if r["grade"] != "none"
    }
    listed = "; ".join(f"[{index}] {text}" for index, text in sorted(values))
    return Output(words(name), listed, tuple(answers), max(conforming - CONFORMING, 0))


def _sameness(row: Row) -> tuple[Any, ...]:
    """Answers alike in all of this are one line: the same door, bits and verdict."""
    keys = ("framework", "implementation", "version", "bits", "status", "index", "outcome", "symptom")
    return tuple(row[k] for k in keys)

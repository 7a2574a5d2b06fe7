"""What was recorded and not judged: the answers to open clauses, side by side.

A line for each question: what came back, and from whom. What most answered names nobody, so that those stand
out who answered otherwise.
"""

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
from xent_conformance.reports.html.sections import refusals
from xent_conformance.reports.run.words import NAIVE, OUTPUTS, Outcome, Row, Status
from xent_conformance.reports.text.numbers import count
from xent_conformance.reports.text.wording import TOGETHER, in_order, joined, kind, plural, words
from xent_conformance.reports.views.opened import Opened

_Line = tuple[str, str, str]
"""Clause, kind of case and output."""

FEW = 4
"""Names that stand beside an answer even where it is what most answered."""


@dataclass(frozen=True)
class Answer:
    """What came back, and from whom: by name, or how many where it is what most answered.

    ``said``: the words of an error, if one was raised.
    """

    told: str
    who: str
    said: str = ""


_Answers = tuple[Answer, ...]


@dataclass(frozen=True)
class OpenRow:
    """What came back for one kind of case; kinds and outputs with the same answers share it."""

    kind: str
    output: str
    answers: _Answers


@dataclass(frozen=True)
class OpenClause:
    """The questions of one clause."""

    number: str
    link: str
    rows: tuple[OpenRow, ...]


@dataclass(frozen=True)
class OpenTable:
    """One operator."""

    operator: str
    clauses: tuple[OpenClause, ...]


@dataclass(frozen=True)
class Open:
    """The open answers that are shown, and to how many clauses.

    ``elsewhere``: those to wrong arguments, which stand under “Accepts and refuses”.
    """

    tables: tuple[OpenTable, ...]
    here: Opened
    clauses: str
    elsewhere: Opened


def view(material: Material) -> Open:
    """What each implementation returned where the specification leaves the answer open; no naive controls.

    Wrong arguments have a section of their own.
    """
    run, naming = material.run, material.naming
    every = run.verdicts.filter(pl.col("status") == Status.OPEN.value, pl.col("formulation") != NAIVE)
    chosen = every.filter(~pl.col("clause").is_in(list(refusals.CLAUSES)))
    rows = chosen.to_dicts()
    return Open(
        tuple(
            _table(operator, [r for r in rows if r["operator"] == operator], naming)
            for operator in in_order(list({r["operator"] for r in rows}), list(run.header["operators"]))
        ),
        Opened.of(chosen),
        plural(chosen["clause"].n_unique(), "clause"),
        Opened.of(every.filter(pl.col("clause").is_in(list(refusals.CLAUSES)))),
    )


def _table(operator: str, rows: Sequence[Row], naming: Naming) -> OpenTable:
    """Kinds with the same answers share a row, and so do outputs."""
    kinds: dict[tuple[str, str, _Answers], list[str]] = {}
    for (clause, what, output), found in _lines(rows).items():
        told = TOGETHER.get(what, words(what))
        kinds.setdefault((clause, words(output), _answers(found, naming)), []).append(told)
    clauses: dict[str, dict[tuple[str, _Answers], list[str]]] = {}
    for (clause, output, answers), of in kinds.items():
        clauses.setdefault(clause, {}).setdefault((", ".join(of), answers), []).append(output)
    return OpenTable(
        operator,
        tuple(
            OpenClause(
                clause,
                clause_anchor(clause),
                tuple(OpenRow(told, ", ".join(of), answers) for (told, answers), of in outputs.items()),
            )
            for clause, outputs in clauses.items()
        ),
    )


def _answers(rows: Sequence[Row], naming: Naming) -> _Answers:
    """What came back, most often first."""
    doors: dict[tuple[Any, ...], list[Row]] = {}
    for row in sorted(rows, key=lambda r: target_order(naming, r)):
        doors.setdefault(_door(row), []).append(row)
    who: dict[str, list[str]] = {}
    said: dict[str, list[str]] = {}
    for found in doors.values():
        told = _summary(found, naming)
        who.setdefault(told, []).append(_door_name(found[0], naming))
        said.setdefault(told, []).extend(r["message"] for r in found if r["outcome"] != Outcome.RETURNED)
    by_number = sorted(who, key=lambda answer: -len(who[answer]))
    most = by_number[0]
    return tuple(
        Answer(
            answer,
            _names(who[answer], len(doors), most=answer == most and len(who) > 1),
            refusals.in_their_words(said[answer])[0],
        )
        for answer in by_number
    )


def _names(names: Sequence[str], asked: int, *, most: bool) -> str:
    """Who answered so; of what most answered, how many."""
    if len(names) == asked > 1:
        return "all that were asked"
    if len(names) <= FEW or not most:
        return ", ".join(names)
    return f"the other {count(len(names))} of {count(asked)}"


def _door(row: Row) -> tuple[Any, ...]:
    return (row["framework"], row["version"], row["implementation"])


def _door_name(row: Row, naming: Naming) -> str:
    version = f" {row['version']}" if row["framework"] in naming.many_versions else ""
    return f"{row['implementation']}{version}"


def _lines(rows: Sequence[Row]) -> Mapping[_Line, list[Row]]:
    """Rows by clause, kind of case and output, in that order."""
    lines: dict[_Line, list[Row]] = {}
    outputs = in_order(list({r["output"] for r in rows}), OUTPUTS)

    def key(row: Row) -> tuple[list[int], bool, str, int]:
        number = [int(part) for part in row["clause"].split(".")]
        return number, kind(row) in TOGETHER, kind(row), outputs.index(row["output"])

    for row in sorted(rows, key=key):
        lines.setdefault((row["clause"], kind(row), row["output"]), []).append(row)
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


def _about(view: Open) -> str:
    here = f"{view.here.told('answer')}, {view.clauses}; not judged" if view.tables else ""
    elsewhere = view.elsewhere.told("answer")
    return (
        joined("; ", [here, f"{elsewhere}, under Accepts and refuses" if elsewhere else ""])
        or "none was asked"
    )


SECTION = Section("open", "Open answers", "recorded.html", view, folded=True, about=_about)

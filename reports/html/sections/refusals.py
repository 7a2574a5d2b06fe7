"""Accepts and refuses: what each implementation does with labels and arguments that are wrong or unusual.

An error in its own words, NaN, or a number as if nothing had happened.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import polars as pl

from xent_conformance.reports.html.marks import STATUS, Mark, anchor, clause_anchor
from xent_conformance.reports.html.naming import Naming
from xent_conformance.reports.html.section import Material, Section
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.run.words import NAIVE, Row, Status, Symptom
from xent_conformance.reports.text.numbers import count
from xent_conformance.reports.text.wording import (
    TOGETHER,
    cut,
    in_order,
    joined,
    kind,
    listed,
    plural,
    words,
)
from xent_conformance.reports.views.opened import Opened

SHORT = 90
"""Characters of a framework's words that are shown here; the findings show all."""


@dataclass(frozen=True)
class Answer:
    """One thing that was done, how often (empty where it was always), and the framework's words for it.

    ``gist`` is the first of the words without their numbers.
    """

    mark: Mark
    times: str
    said: str
    gist: str = field(default="", compare=False)


@dataclass(frozen=True)
class Cell:
    """What was done with one kind of wrong input, or alike with ``kinds`` of them side by side."""

    answers: tuple[Answer, ...]
    kinds: int


@dataclass(frozen=True)
class Line:
    """Implementations that answered everything alike; ``about`` names their frameworks and operators."""

    implementations: tuple[str, ...]
    about: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Table:
    """One kind of labels: a column for each kind of wrong input."""

    kinds: tuple[str, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Chapter:
    """One clause."""

    id: str
    title: str
    clause: str
    clause_link: str
    sentence: str
    open: Opened
    tables: tuple[Table, ...]


@dataclass(frozen=True)
class _Did:
    """What was done, in a word; ``silent``: a number came back as if nothing were wrong."""

    word: str
    silent: bool
    status: str
    said: str


_INACCURATE = (Symptom.LOST_ACCURACY.value, Symptom.FLUSHED.value)

_Read = Callable[[Row], _Did]


def view(material: Material) -> tuple[Chapter, ...]:
    """A chapter for each clause of wrong input that was asked, the gravest first."""
    run, naming = material.run, material.naming
    chapters = []
    for clause, (title, read, silence) in CLAUSES.items():
        rows = _asked(run.verdicts, clause)
        if rows.is_empty():
            continue
        did = [(row, read(row)) for row in rows.iter_rows(named=True)]
        chapters.append(
            Chapter(
                id=anchor("refusal", clause),
                title=title,
                clause=clause,
                clause_link=clause_anchor(clause) if clause in run.header["clauses"] else "",
                sentence=_sentence(did, silence),
                open=Opened.of(rows.filter(pl.col("clause") == clause)),
                tables=tuple(_tables(did, run, naming)),
            )
        )
    return tuple(chapters)


def _asked(verdicts: pl.DataFrame, clause: str) -> pl.DataFrame:
    """The rows that tested ``clause``, also those that broke another one by it (1.2, 1.4); no controls."""
    what = ["operator", "family", "variant", "output"]
    tested = verdicts.filter(pl.col("clause") == clause).select(what).unique()
    asked = (pl.col("status") != "unsupported") & (pl.col("formulation") != NAIVE)
    return verdicts.filter(asked).join(tested, on=what, how="semi", maintain_order="left")


def _failed(row: Row) -> _Did | None:
    if row["outcome"] == "returned":
        return None
    return _Did(words(row["outcome"]), False, row["status"], row["message"])


def _out_of_range(row: Row) -> _Did:
    """A NaN is right; any number is silent."""
    failed = _failed(row)
    if failed or row["message"]:
        return failed or _Did(row["symptom"], False, row["status"], _said(row))
    if math.isnan(row["got"]):
        return _Did("NaN", False, row["status"], "")
    return _Did("a finite number" if math.isfinite(row["got"]) else "infinite", True, row["status"], "")


def _measured(row: Row) -> _Did:
    """Where the labels have a meaning: the number that they mean, or another; how exact is told elsewhere."""
    failed = _failed(row)
    if failed or row["grade"] == "none":
        return failed or _Did(row["symptom"], False, row["status"], _said(row))
    if row["status"] == "conforms" or row["symptom"] in _INACCURATE:
        return _Did("as the formula", False, Status.CONFORMS.value, "")
    if math.isnan(row["got"]):
        return _Did("NaN", False, row["status"], "")
    if math.isinf(row["got"]):
        return _Did("infinite", False, row["status"], "")
    return _Did("another number", True, row["status"], "")


def _described(row: Row) -> _Did:
    """Arguments that do not fit are not measured: the message says what came back."""
    failed = _failed(row)
    if failed:
        return failed
    shape, _, content = _said(row).rpartition(", ")
    silent = content == "finite"
    return _Did("a finite number" if silent else content or "returned", silent, row["status"], shape)


def _said(row: Row) -> str:
    return str(row["message"]).removeprefix("returned ")


_NODE = re.compile(r"\{\{.*?\}\}\s*")
"""Where in a graph TensorFlow raised; it says so before it says what is wrong."""

_NUMBER = re.compile(r"-?\d+")

KINDS = {
    "minus_one": "−1",
    "minus_classes": "−N",
    "lowest": "−2⁶²",
    "classes": "N",
    "one_beyond": "N + 1",
    "far_beyond": "N + 1000",
    "wraps_in_32_bits": "2³² + 1",
    "logits_integers": "integers as logits",
    "labels_fewer_rows": "fewer labels than rows",
    "labels_extra_axis": "labels with an axis too many",
    "labels_more_classes": "labels of more classes",
    "labels_floats": "floats as index labels",
    "sum_half": "sum ½",
    "sum_two": "sum 2",
    "sum_eight": "sum 8",
    "zero": "all zero",
    "negative": "negative",
    "opposite": "−one-hot",
}
"""Words for kinds of wrong input; others are named as their variants are."""

CLAUSES: Mapping[str, tuple[str, _Read, str]] = {
    "6.4": ("An index out of range", _out_of_range, "gave a finite number or an infinity silently"),
    "6.13": ("Arguments that do not fit", _described, "returned finite numbers instead of an error"),
    "6.5": ("Labels of another type", _measured, "gave another number than the labels mean"),
    "6.1": ("Labels off the simplex: the loss", _measured, "gave another number than the formula"),
    "6.2": ("Labels off the simplex: the gradient", _measured, "gave another number than the derivative"),
}
"""Clause: title, how a row is read, and what silence means there."""


def _sentence(did: Sequence[tuple[Row, _Did]], silence: str) -> str:
    """How many raise, and how many are silent, in words."""
    doors: dict[tuple[str, str, str], list[_Did]] = {}
    for row, what in did:
        doors.setdefault((row["framework"], row["implementation"], row["operator"]), []).append(what)
    raised = sum(all(d.word == "raised" for d in found) for found in doors.values())
    silent = {key[1]: None for key, found in doors.items() if any(d.silent for d in found)}
    quiet = sum(any(d.silent for d in found) for found in doors.values())
    always = f"{count(raised) if raised else 'none'} always {'raise' if raised > 1 else 'raises'} an error"
    text = f"Of {plural(len(doors), 'implementation')} asked, {always}; "
    if not quiet:
        return f"{text}none {silence}."
    few = f" ({listed(sorted(silent))})" if len(silent) <= 4 else ""
    rest = len(doors) - raised - quiet
    return (
        f"{text}{count(quiet)} at least once {silence}{few}{f'; {count(rest)} did neither' if rest else ''}."
    )


def _tables(did: Sequence[tuple[Row, _Did]], run: Run, naming: Naming) -> Iterable[Table]:
    """Operators that were asked the same kinds share a table."""
    kinds: dict[str, dict[str, None]] = {}
    for row, _ in did:
        kinds.setdefault(row["operator"], {})[kind(row)] = None
    together: dict[tuple[str, ...], list[str]] = {}
    for operator in in_order(list(kinds), list(run.header["operators"])):
        together.setdefault(tuple(_in_order(kinds[operator])), []).append(operator)
    for variants, operators in together.items():
        heads = tuple(KINDS.get(v) or TOGETHER.get(v) or words(v) for v in variants)
        yield Table(heads, tuple(_lines(did, operators, variants, naming)))


def _in_order(kinds: Iterable[str]) -> list[str]:
    """Kinds that have words first, in their order; families of single cases last."""
    return sorted(in_order(list(kinds), list(KINDS)), key=lambda kind: kind in TOGETHER)


_Cells = tuple[tuple[Answer, ...], ...]


def _lines(
    did: Sequence[tuple[Row, _Did]], operators: Sequence[str], variants: Sequence[str], naming: Naming
) -> Iterable[Line]:
    """Frameworks in order."""
    doors: dict[tuple[Any, ...], dict[str, list[_Did]]] = {}
    for row, what in did:
        if row["operator"] in operators:
            version = f" {row['version']}" if row["framework"] in naming.many_versions else ""
            place = (naming.frameworks.index(row["framework"]), row["framework"] + version)
            operator = operators.index(row["operator"])
            door = doors.setdefault((*place, operator, row["implementation"]), {})
            door.setdefault(kind(row), []).append(what)
    alike: dict[_Cells, list[tuple[str, int, str]]] = {}
    for (_, framework, operator, name), by_variant in sorted(doors.items(), key=lambda item: item[0]):
        cells = tuple(_cell(by_variant.get(v, [])) for v in variants)
        alike.setdefault(cells, []).append((framework, operator, name))
    for cells, found in alike.items():
        frameworks = ", ".join(dict.fromkeys(framework for framework, _, _ in found))
        of = ", ".join(words(operators[i]) for i in sorted({i for _, i, _ in found}))
        names = tuple(dict.fromkeys(name for _, _, name in found))
        yield Line(names, f"{frameworks} · {of}", tuple(_side_by_side(cells)))


def _side_by_side(cells: _Cells) -> Iterable[Cell]:
    """Neighbours that differ in the numbers of a message only are one cell, with the words of the first."""
    for _, neighbours in groupby(cells, key=_but_for_numbers):
        alike = list(neighbours)
        yield Cell(alike[0], len(alike))


def _but_for_numbers(cell: tuple[Answer, ...]) -> list[tuple[Mark, str, str]]:
    return [(answer.mark, answer.times, answer.gist) for answer in cell]


def _cell(found: Sequence[_Did]) -> tuple[Answer, ...]:
    """What was done, the gravest status first; with counts where it was not always the same."""
    order = ("breaks_must", "breaks_should", "open", "undecided", "conforms")
    counts: Counter[tuple[str, str]] = Counter((d.status, d.word) for d in found)
    answers = []
    for status, word in sorted(counts, key=lambda key: (order.index(key[0]), -counts[key], key[1])):
        said = dict.fromkeys(d.said for d in found if (d.status, d.word) == (status, word) and d.said)
        times = f"{counts[status, word]}\u00a0of\u00a0{len(found)}" if len(counts) > 1 else ""
        mark = STATUS[status]
        told, gist = in_their_words(list(said))
        answers.append(Answer(Mark(mark.glyph, word, mark.css), times, told, gist))
    return tuple(answers)


def in_their_words(said: Sequence[str]) -> tuple[str, str]:
    """The first of a framework's messages, shortened, and the gist of it; both are empty for none.

    Those that differ from it in numbers only are no others.
    """
    lines = [" ".join(_NODE.sub("", text).split()) for text in said]
    gists = list(dict.fromkeys(_NUMBER.sub("0", line)[:SHORT] for line in lines))
    if not lines:
        return "", ""
    others = f" (and {len(gists) - 1} other)" if len(gists) > 1 else ""
    return f"{cut(lines[0], SHORT)}{others}", gists[0]


def _about(view: tuple[Chapter, ...]) -> str:
    if not view:
        return "none was asked"
    opened = sum((chapter.open for chapter in view), Opened())
    return joined(
        "; ", [f"{plural(len(view), 'kind')} of wrong or unusual input", opened.told("open answer")]
    )


SECTION = Section("refusals", "Accepts and refuses", "refusals.html", view, folded=True, about=_about)

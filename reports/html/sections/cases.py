"""The cases that findings point at: inputs to the last bit, and what every implementation answered.

Findings share cases, so each is written once and linked. Those of naive controls are not written out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xent_conformance.reports.html.marks import STATUS, Mark, case_id
from xent_conformance.reports.html.naming import Naming, target_order
from xent_conformance.reports.html.section import Material, Section
from xent_conformance.reports.run.words import NAIVE, Row
from xent_conformance.reports.text.numbers import NOTHING, Element, elements, exact
from xent_conformance.reports.text.wording import (
    OUTPUTS,
    Answer,
    classes,
    in_order,
    inputs_of,
    listed,
    plural,
    words,
)

SHOWN = 16
"""Elements of a row that are written out."""

CONFORMING = 2
"""So many kinds of answers that conform are listed beside those that do not; the rest are counted."""


@dataclass(frozen=True)
class Line:
    """One answer, and who gave it: names, each with its modes and devices."""

    mark: Mark
    who: tuple[tuple[str, str], ...]
    index: str
    returned: str
    right: str
    error: str


@dataclass(frozen=True)
class Output:
    """``left`` says what is not listed."""

    name: str
    exact: str
    answers: tuple[Line, ...]
    left: str


@dataclass(frozen=True)
class Case:
    """``table`` is the inputs as aligned text, one element a line; ``rank`` that of its first finding."""

    rank: int
    id: str
    name: str
    about: str
    table: str
    elided: str
    outputs: tuple[Output, ...]


def view(material: Material) -> tuple[Case, ...]:
    """One view for each case that stands for a finding that opens, by name."""
    shown = material.called.select("case", "output").unique()
    answers = material.run.verdicts.join(shown, on=["case", "output"], how="semi")
    by_case: dict[str, list[Row]] = {}
    for row in answers.iter_rows(named=True):
        by_case.setdefault(row["case"], []).append(row)
    exhibits, ranks = material.exhibits, material.ranks
    return tuple(
        _case(ranks[name], name, by_case[name], exhibits.get(name), material.naming)
        for name in sorted(by_case)
    )


def _case(
    rank: int, name: str, rows: Sequence[Row], exhibit: Mapping[str, Any] | None, naming: Naming
) -> Case:
    by_output: dict[str, list[Row]] = {}
    for row in rows:
        by_output.setdefault(row["output"], []).append(row)
    outputs = tuple(_output(o, by_output[o], naming) for o in in_order(list(by_output), OUTPUTS))
    first = rows[0]
    about = f"{first['dtype']}, N = {first['n']}, hash {first['hash']}"
    table, elided = "", "The run file carries no inputs for this case."
    if exhibit is not None:
        left = exhibit["n"] - min(SHOWN, len(elements(exhibit["logits"], exhibit["dtype"])))
        table = _table(exhibit, list(by_output))
        elided = f"… {left:,} more; `conformance explain` shows all." if left > 0 else ""
        about += f", label: {classes(exhibit['labels'])}" if isinstance(exhibit["labels"], list) else ""
        about += f"; {exhibit['asked']}" if exhibit["asked"] else ""
    return Case(rank, case_id(name), name, about, table, elided, outputs)


def _table(exhibit: Mapping[str, Any], outputs: Sequence[str]) -> str:
    """Index, then decimal and bits of the inputs that ``outputs`` depend on, in aligned columns.

    Where all elements but one at most are the same number, that stands below, once.
    """
    carried = len(elements(exhibit["logits"], exhibit["dtype"]))
    columns = [("", [str(i) for i in range(min(SHOWN, carried))])]
    below = []
    needed = {field for output in outputs for field in inputs_of(output)}
    for field in ("logits", "labels", "cotangent", "tangent"):
        if field not in needed or isinstance(exhibit[field], list) or not exhibit[field]:
            continue
        row = elements(exhibit[field], exhibit["dtype"])
        once = None if field == "logits" else _once(row, exhibit["n"])
        if once is not None:
            below.append(f"{field}{once}")
            continue
        columns += [(field, [e.decimal for e in row[:SHOWN]]), ("bits", [e.bits for e in row[:SHOWN]])]
    lines = []
    widths = [max(len(text) for text in (title, *cells)) for title, cells in columns]
    height = max(len(cells) for _, cells in columns)
    for i in range(-1, height):
        texts = [title if i < 0 else (cells[i] if i < len(cells) else "") for title, cells in columns]
        lines.append("  ".join(text.rjust(width) for text, width in zip(texts, widths, strict=True)).rstrip())
    return "\n".join([*lines, *below])


def _once(row: Sequence[Element], n: int) -> str | None:
    """The one number of all elements, or of all but one; None where there are more."""
    ((bits, times),) = Counter(e.bits for e in row).most_common(1)
    if len(row) - times > (len(row) > 2):
        return None
    usual = next(e for e in row if e.bits == bits)
    # a row may have one number of its own, or carry its first elements only
    reach = "" if len(row) == 1 else ", each" if len(row) == n else f", each of the first {len(row)}"
    but = [f" but [{i}]  {e.decimal}  {e.bits}" for i, e in enumerate(row) if e.bits != bits]
    return f"{reach}  {usual.decimal}  {usual.bits}{''.join(but)}"


def _output(name: str, rows: Sequence[Row], naming: Naming) -> Output:
    """Answers by implementation, naive controls counted only; the exact value where an answer is judged."""
    ordered = sorted(rows, key=lambda row: target_order(naming, row))
    called = [row for row in ordered if row["formulation"] != NAIVE]
    kinds: dict[tuple[Any, ...], list[Row]] = {}
    for row in called:
        kinds.setdefault(_kind(row), []).append(row)
    conforming = [kind for kind, alike in kinds.items() if alike[0]["status"] == "conforms"]
    more = conforming[CONFORMING:]
    answers = [alike for kind, alike in kinds.items() if kind not in more]
    judged = [alike[0] for alike in answers if alike[0]["grade"] != "none"]
    values = {(r["index"], exact(r["hi"], r["lo"], r["exponent"])) for r in judged}
    return Output(
        name=words(name),
        exact="; ".join(f"[{index}] {text}" for index, text in sorted(values)),
        answers=tuple(_answer(alike, naming) for alike in answers),
        left=_left(sum(len(kinds[kind]) for kind in more), len(ordered) - len(called)),
    )


def _kind(row: Row) -> tuple[Any, ...]:
    """Answers that read alike are one line: the same number in the same place, and the same verdict."""
    answer = Answer.of(row)
    return row["status"], row["index"], answer.returned, answer.right, answer.error


def _answer(alike: Sequence[Row], naming: Naming) -> Line:
    first, told = alike[0], Answer.of(alike[0])
    return Line(
        mark=STATUS[first["status"]],
        who=tuple(naming.who(alike)),
        index=str(first["index"]) if first["grade"] != "none" else "",
        returned=told.returned,
        right=told.right or NOTHING,
        error=told.error or NOTHING,
    )


def _left(conforming: int, naive: int) -> str:
    parts = [f"{plural(conforming, 'answer')} that {'conforms' if conforming == 1 else 'conform'}"] * (
        conforming > 0
    )
    parts += [f"{plural(naive, 'answer')} of naive controls"] * (naive > 0)
    return f"Not listed: {listed(parts)}." if parts else ""


SECTION = Section("cases", "Cases", "cases.html", view, folded=True)

"""One case as the page shows it: inputs to the last bit, and what every implementation answered to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xent_conformance.reports.html.marks import STATUS, Mark
from xent_conformance.reports.html.naming import Naming, target_order
from xent_conformance.reports.run.words import Row
from xent_conformance.reports.text.numbers import NOTHING, Element, elements
from xent_conformance.reports.text.wording import Answer, classes, inputs_of, plural

SHOWN = 4
"""Elements of a row that are written out."""

CONFORMING = 2
"""So many kinds of answers that conform are listed beside those that do not; the rest are counted."""

FIELDS = ("logits", "labels", "cotangent", "tangent")


@dataclass(frozen=True)
class Inputs:
    """The inputs of a row: a column of decimals with their bits for each name in ``heads``.

    ``about`` says the format, the length, the label and what was asked; ``below`` are inputs of one number.
    """

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    about: str
    below: tuple[str, ...]


@dataclass(frozen=True)
class Line:
    """One answer, and who gave it: names, each with its modes and devices."""

    mark: Mark
    who: tuple[tuple[str, str], ...]
    returned: str
    error: str


def inputs(exhibit: Mapping[str, Any], output: str) -> Inputs:
    """The inputs that ``output`` depends on, as far as the run file carries them."""
    dtype, n = exhibit["dtype"], exhibit["n"]
    carried = elements(exhibit["logits"], dtype)
    heads, columns, below = [], [], []
    for field in FIELDS:
        if field not in inputs_of(output) or isinstance(exhibit[field], list) or not exhibit[field]:
            continue
        row = elements(exhibit[field], dtype)
        once = None if field == "logits" else _once(row, n)
        if once is not None:
            below.append(f"{field}{once}")
            continue
        heads.append(field)
        columns.append(row)
    height = min(SHOWN, max((len(column) for column in columns), default=0))
    about = [dtype, f"N = {n:,}"]
    about += [f"{n - min(SHOWN, len(carried)):,} more"] if n > min(SHOWN, len(carried)) else []
    about += [f"label: {classes(exhibit['labels'])}"] if isinstance(exhibit["labels"], list) else []
    about += [exhibit["asked"]] if exhibit["asked"] else []
    return Inputs(
        heads=tuple(heads),
        rows=tuple((str(i), *_cells(columns, i)) for i in range(height)),
        about="; ".join(about),
        below=tuple(below),
    )


def _cells(columns: Sequence[Sequence[Element]], i: int) -> Iterable[str]:
    for column in columns:
        yield f"{column[i].decimal}  {column[i].bits}" if i < len(column) else ""


def _once(row: Sequence[Element], n: int) -> str | None:
    """The one number of all elements, or of all but one; None where there are more."""
    ((bits, times),) = Counter(e.bits for e in row).most_common(1)
    if len(row) - times > (len(row) > 2):
        return None
    usual = next(e for e in row if e.bits == bits)
    # a row may have one number of its own, or carry its first elements only
    reach = "" if len(row) == 1 else ", each" if len(row) == n else f", each of the first {len(row)}"
    but = [f" but [{i}] {e.decimal} {e.bits}" for i, e in enumerate(row) if e.bits != bits]
    return f"{reach} {usual.decimal} {usual.bits}{''.join(but)}"


def answers(rows: Iterable[Row], naming: Naming) -> tuple[tuple[Line, ...], str]:
    """What the implementations that users call answered to one output of a case, the wrong first.

    The second is how many answers that conform are not listed, in words.
    """
    kinds: dict[tuple[Any, ...], list[Row]] = {}
    for row in sorted(rows, key=lambda row: target_order(naming, row)):
        kinds.setdefault(_kind(row), []).append(row)
    order = list(STATUS)
    ordered = sorted(
        kinds.values(), key=lambda alike: (order.index(alike[0]["status"]) or len(order), -len(alike))
    )
    conforming = [alike for alike in ordered if alike[0]["status"] == "conforms"]
    more = sum(len(alike) for alike in conforming[CONFORMING:])
    listed = [alike for alike in ordered if not any(alike is other for other in conforming[CONFORMING:])]
    left = f"{plural(more, 'more answer')} {'conforms' if more == 1 else 'conform'}" if more else ""
    return tuple(_line(alike, naming) for alike in listed), left


def _kind(row: Row) -> tuple[Any, ...]:
    """Answers that read alike are one line: the same number in the same place, and the same verdict."""
    answer = Answer.of(row)
    return row["status"], row["index"], answer.returned, answer.right, answer.error


def _line(alike: Sequence[Row], naming: Naming) -> Line:
    first, told = alike[0], Answer.of(alike[0])
    at = f"[{first['index']}] " if first["grade"] != "none" and first["index"] else ""
    return Line(
        mark=STATUS[first["status"]],
        who=tuple(naming.who(alike)),
        returned=f"{at}{told.returned}",
        error=told.share or told.error or NOTHING,
    )

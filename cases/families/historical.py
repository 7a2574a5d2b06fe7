"""``historical``: the inputs of defects that were reported, with the numbers of the report.

The data is ``data/historical.json``; a variant is the report's id. Reports whose trigger another family
asks already have no row here (docs/HISTORICAL.md says which). Not in ``quick``. Nothing here looks a case
up: a test compares the data and the corpus.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any

import numpy as np

from xent_conformance.cases.case import Ask
from xent_conformance.cases.family import Family
from xent_conformance.cases.form import Form
from xent_conformance.cases.words import Words
from xent_conformance.reference.attributes import Attributes
from xent_conformance.reference.formats import Floats, Format
from xent_conformance.reference.operators import Operator

FAMILY = "historical"

KINDS = ("bug", "design/spec", "reporter-error/not-a-bug")
"""A mistake of the reporter is a trap: the suite must not flag what was complained of."""

Numbers = tuple[float, ...]


@dataclass(frozen=True)
class Row:
    """Inputs of one report, as they become cases: equal in everything but the numbers.

    ``logits`` holds a row each, or the examples of one group where the attributes reduce. ``clauses``
    has one clause a row, ``by_output`` the outputs with another. ``n`` is the row length: an elementwise
    operator's numbers are repeated up to it.
    """

    operator: str
    variant: str
    logits: tuple[Numbers, ...]
    labels: tuple[Numbers, ...]
    clauses: tuple[str, ...]
    by_output: Mapping[str, str]
    n: int
    dtypes: tuple[str, ...]
    attributes: Attributes
    form: Form
    tangent: tuple[Numbers, ...]
    cotangent: tuple[Numbers, ...]
    unit_cotangent: bool


@dataclass(frozen=True)
class Entry:
    """One report: covered by existing ``cases`` (patterns over ids), by its own ``rows``, or ``why_not``.

    ``shown_by`` names faults that rebuild the defect: a claim is what a test sees caught. ``recorded`` are
    patterns of cases that ask the trigger and do not judge what was reported: they claim nothing.
    """

    id: str
    link: str
    framework: str
    kind: str
    summary: str
    remark: str
    cases: tuple[str, ...]
    rows: tuple[Row, ...]
    why_not: str
    shown_by: tuple[str, ...]
    recorded: tuple[str, ...]

    @property
    def patterns(self) -> tuple[str, ...]:
        """Glob patterns of all case ids that ask what was reported, and judge it."""
        own = (f"{row.operator}/{FAMILY}/{row.variant}/*" for row in self.rows)
        return tuple(p for p in (*self.cases, *dict.fromkeys(own)) if p not in self.recorded)


@functools.cache
def entries() -> tuple[Entry, ...]:
    """All entries of ``data/historical.json``, in its order."""
    data = resources.files("xent_conformance.cases") / "data/historical.json"
    return tuple(entry_of(e) for e in json.loads(data.read_text(encoding="utf-8"))["entries"])


def entry_of(data: Mapping[str, Any]) -> Entry:
    """An entry as it stands in the data. Raises ValueError unless it says one thing, and what shows it."""
    said = [name for name in ("cases", "rows", "why_not") if data.get(name)]
    if len(said) != 1 and (said or not data.get("recorded")):
        raise ValueError(f"{data['id']} needs exactly one of cases, rows and why_not, has {said}")
    entry = Entry(
        data["id"],
        data["link"],
        data["framework"],
        data["kind"],
        data["summary"],
        data.get("remark", ""),
        tuple(data.get("cases", ())),
        tuple(_row(path_safe(data["id"]), row) for row in data.get("rows", ())),
        data.get("why_not", ""),
        tuple(data.get("shown_by", ())),
        tuple(data.get("recorded", ())),
    )
    if bool(entry.patterns) != bool(entry.shown_by):
        raise ValueError(f"{entry.id} claims {entry.patterns}, and is shown by {entry.shown_by}")
    if entry.why_not and entry.recorded:
        raise ValueError(f"{entry.id} says why no case asks it, and that cases record it")
    return entry


def path_safe(issue: str) -> str:
    """``pytorch#11752`` as a part of a case id: ``pytorch-11752``."""
    return issue.replace("#", "-")


def _row(issue: str, data: Mapping[str, Any]) -> Row:
    logits = _matrix(data["logits"])
    attributes: Mapping[str, Any] = data.get("attributes", {})
    given: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in attributes.items()}
    examples = len(logits) if "reduction" in given else None
    clauses = data["clause"] if isinstance(data["clause"], list) else [data["clause"]] * len(logits)
    form = data.get("form", {})
    return Row(
        operator=data["operator"],
        variant=f"{issue}+{data['name']}" if "name" in data else issue,
        logits=logits,
        labels=_matrix(data.get("labels", ())),
        clauses=tuple(clauses),
        by_output=data.get("by_output", {}),
        n=data.get("n", len(logits[0])),
        dtypes=tuple(data.get("dtypes", ("float32",))),
        attributes=Attributes(**given, examples=examples),
        form=Form(**{**form, "shape": tuple(form["shape"]) if "shape" in form else None}),
        tangent=_matrix(data.get("tangent", ())),
        cotangent=_matrix(data.get("cotangent", ())),
        unit_cotangent=data.get("unit_cotangent", False),
    )


def _matrix(rows: Any) -> tuple[Numbers, ...]:
    """Rows of numbers; infinities and NaN are strings in JSON."""
    return tuple(tuple(float(v) for v in row) for row in rows)


# --- the family ---


def _rows_of(operator: Operator) -> Iterator[Row]:
    return (row for entry in entries() for row in entry.rows if row.operator == operator.name)


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    """Every length has a row in every format: see the test."""
    return () if profile == "quick" else sorted({row.n for row in _rows_of(operator)})


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    for row in _rows_of(operator):
        if row.n == n and fmt.name in row.dtypes:
            yield from asks(row, operator, fmt)


def asks(row: Row, operator: Operator, fmt: Format) -> Iterator[Ask]:
    """The questions of a row: one for each row of logits, or one for the group that they are."""

    def rounded(numbers: Numbers) -> Floats:
        return fmt.nearest(np.resize(np.array(numbers, dtype=np.float64), row.n))

    def label(numbers: Numbers) -> Floats:
        return np.array(numbers) if operator.labels == "index" else rounded(numbers)

    def weights(numbers: Numbers) -> Numbers:
        return tuple(rounded(numbers).tolist()) if numbers else ()

    a = row.attributes
    a = replace(a, weight=weights(a.weight), pos_weight=weights(a.pos_weight))
    logits, labels = [rounded(x) for x in row.logits], [label(p) for p in row.labels]
    if a.grouped:
        yield Ask(row.variant, np.concatenate(logits), row.clauses[0], np.concatenate(labels), attributes=a)
        return
    for i, x in enumerate(logits):
        yield Ask(
            row.variant,
            x,
            row.clauses[i],
            labels[i] if labels else None,
            row.by_output,
            unit_cotangent=row.unit_cotangent,
            cotangent=rounded(row.cotangent[i]) if row.cotangent else None,
            tangent=rounded(row.tangent[i]) if row.tangent else None,
            attributes=a,
            form=row.form,
        )


HISTORICAL = Family(FAMILY, "inputs of reported defects, with the numbers of the report", _lengths, _rows)

"""Historical defects as data: what was reported, and which case asks it (``data/historical.json``).

``python -m docs.historical`` prints docs/HISTORICAL.md. Nothing here looks a case up: families are
made of this data, and a test compares both.
"""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from xent_conformance.cases.form import Form
from xent_conformance.reference.attributes import Attributes

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
    """One report: covered by existing ``cases`` (patterns over ids), by its own ``rows``, or ``why_not``."""

    id: str
    link: str
    framework: str
    kind: str
    summary: str
    remark: str
    cases: tuple[str, ...]
    rows: tuple[Row, ...]
    why_not: str

    @property
    def patterns(self) -> tuple[str, ...]:
        """Glob patterns of all case ids that ask what was reported."""
        own = (f"{row.operator}/{FAMILY}/{row.variant}/*" for row in self.rows)
        return (*self.cases, *dict.fromkeys(own))


@functools.cache
def entries() -> tuple[Entry, ...]:
    """All entries of ``data/historical.json``, in its order."""
    text = (
        resources.files("xent_conformance.cases").joinpath("data/historical.json").read_text(encoding="utf-8")
    )
    return tuple(entry_of(data) for data in json.loads(text)["entries"])


def entry_of(data: Mapping[str, Any]) -> Entry:
    """An entry as it stands in the data. Raises ValueError unless it says exactly one thing."""
    said = [name for name in ("cases", "rows", "why_not") if data.get(name)]
    if len(said) != 1:
        raise ValueError(f"{data['id']} needs exactly one of cases, rows and why_not, has {said}")
    return Entry(
        data["id"],
        data["link"],
        data["framework"],
        data["kind"],
        data["summary"],
        data.get("remark", ""),
        tuple(data.get("cases", ())),
        tuple(_row(path_safe(data["id"]), row) for row in data.get("rows", ())),
        data.get("why_not", ""),
    )


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


def page() -> str:
    """docs/HISTORICAL.md: for each report which case covers it, or why none can."""
    kinds = Counter(e.kind for e in entries())
    ways = {"existing cases": 0, "rows of the family `historical`": 0, "no case": 0}
    for entry in entries():
        ways["no case" if entry.why_not else "existing cases" if entry.cases else [*ways][1]] += 1
    lines = [
        "# Historical defects: which case covers which report",
        "",
        f"{len(entries())} reports of softmax and cross-entropy defects in real frameworks: "
        f"{', '.join(f'{n} {kind}' for kind, n in kinds.items())}. "
        f"Covered by {', by '.join(f'{how} {n}' for how, n in ways.items())}. "
        "The data is `cases/data/historical.json`; this page is what `python -m docs.historical` prints. "
        "A reporter's error is a trap: a test shows that the suite does not flag what was complained of.",
        "",
        "| report | kind | what went wrong | covered by |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| [{e.id}]({e.link}) | {e.kind} | {e.summary} | {_covered(e)} |"
        for e in sorted(entries(), key=lambda e: e.id.lower())
    ]
    return "\n".join(lines) + "\n"


def _covered(entry: Entry) -> str:
    if entry.why_not:
        return f"none: {entry.why_not}"
    cells = [f"`{pattern}`" for pattern in entry.patterns]
    return "<br>".join([*cells, entry.remark] if entry.remark else cells)


if __name__ == "__main__":
    print(page(), end="")

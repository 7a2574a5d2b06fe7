"""Findings and their drill-downs: what was returned, what is right, by how much, and how to see it again."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from reports.html_words import DTYPES, LEVEL, NAIVE, Mark, Naming, Row, anchor, clause_anchor, in_order, words
from reports.numbers import NOTHING, bits, count, elements, exact, shortest, ulps
from reports.run_file import Run

MESSAGE_LIMIT = 600
"""Characters shown of a framework's own words."""


@dataclass(frozen=True)
class Finding:
    """One row of the list and what opens under it."""

    id: str
    css: str
    mark: Mark
    implementation: str
    where: str
    operator: str
    output: str
    clause: str
    title: str
    clause_text: str
    clause_link: str
    symptom: str
    rows: str
    dtypes: str
    families: str
    returned: str
    right: str
    error: str
    unit: str
    case: str
    case_link: str
    facts: tuple[tuple[str, str], ...]
    message: str
    command: str


@dataclass(frozen=True)
class Group:
    """A list of findings under one heading."""

    id: str
    title: str
    about: str
    findings: tuple[Finding, ...]
    none: str


@dataclass(frozen=True)
class FindingList:
    groups: tuple[Group, ...]
    controls: Group


def finding_id(row: Row) -> str:
    keys = ("operator", "framework", "version", "implementation", "machine", "output")
    return anchor("f", *(row[k] for k in (*keys, "clause", "symptom")))


def case_id(case: str) -> str:
    return anchor("c", case)


def finding_list(run: Run, findings: pl.DataFrame, naming: Naming) -> FindingList:
    """All findings in the order of the frame, naive controls apart."""
    exhibits = {k: v for h in run.headers for k, v in h["exhibits"].items()}
    views = [
        (row["level"], row["formulation"] == NAIVE, _finding(row, exhibits, run.header["clauses"], naming))
        for row in findings.iter_rows(named=True)
    ]

    def of(level: str) -> tuple[Finding, ...]:
        return tuple(f for at, naive, f in views if at == level and not naive)

    must = Group(
        "must",
        "Must clauses broken",
        "Each is wrong by a rule that leaves no choice.",
        of("must"),
        "None: no implementation that users call breaks a must clause in this run.",
    )
    should = Group(
        "should",
        "Should clauses broken",
        "Each falls short of what a careful implementation reaches.",
        of("should"),
        "None: no implementation that users call breaks a should clause in this run.",
    )
    controls = Group(
        "controls",
        "Controls: naive formulations",
        "Known to be wrong, and asked to show that the suite sees it. Users are told not to write these.",
        tuple(f for _, naive, f in views if naive),
        "None.",
    )
    return FindingList((must, should), controls)


def answer_text(row: Row) -> str:
    """What came back, in a word: the number, or the outcome where there is none."""
    if row["outcome"] != "returned":
        return words(row["outcome"])
    return row["symptom"] if row["grade"] == "none" else shortest(row["got"], row["dtype"])


def right_text(row: Row) -> str:
    """The exact value rounded once to the format: the best answer there is."""
    return NOTHING if row["grade"] == "none" else shortest(row["rounded"], row["dtype"])


def error_text(row: Row) -> str:
    """Ulps; a dash where a wrong special value, or no number at all, leaves no distance to measure."""
    return NOTHING if row["grade"] in ("wrong_special", "none") else ulps(row["ulps"])


def with_bits(value: float, dtype: str) -> str:
    """Decimal and bits; a NaN has many patterns and the run file keeps none of them."""
    pattern = None if math.isnan(value) else bits(value, dtype)
    return f"{shortest(value, dtype)} ({pattern})" if pattern else shortest(value, dtype)


def _finding(
    row: Row, exhibits: Mapping[str, Any], clauses: Mapping[str, Mapping[str, str]], naming: Naming
) -> Finding:
    clause = clauses[row["clause"]]
    dtypes = in_order(row["dtypes"], list(DTYPES))
    message = row["message"]
    return Finding(
        id=finding_id(row),
        css=naming.css(row["framework"]),
        mark=LEVEL[row["level"]],
        implementation=row["implementation"],
        where=naming.where_all(row),
        operator=row["operator"],
        output=words(row["output"]),
        clause=row["clause"],
        title=clause["title"],
        clause_text=clause["text"],
        clause_link=clause_anchor(row["clause"]),
        symptom=row["symptom"],
        rows=f"{count(row['count'])} of {count(row['asked'])}",
        dtypes=" ".join(DTYPES.get(d, d) for d in dtypes),
        families=", ".join(words(f) for f in row["families"]),
        returned=answer_text(row),
        right=right_text(row),
        error=error_text(row),
        unit="" if error_text(row) == NOTHING else " ulp",
        case=row["case"],
        case_link=case_id(row["case"]),
        facts=tuple(_facts(row, exhibits.get(row["case"]))),
        message=message if len(message) <= MESSAGE_LIMIT else f"{message[:MESSAGE_LIMIT]}…",
        command=shlex.join(
            ["conformance", "explain", row["case"], "--implementation", row["implementation"]]
        ),
    )


def _facts(row: Row, exhibit: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    dtype = row["dtype"]
    if row["grade"] == "none":
        return [("Outcome", answer_text(row))]
    facts = [("Asked with", exhibit["asked"])] if exhibit and exhibit["asked"] else []
    facts += [
        ("Returned", with_bits(row["got"], dtype)),
        ("Right", f"{with_bits(row['rounded'], dtype)}, correctly rounded to {dtype}"),
        ("Exact value", _exact(row)),
        ("Error", _error(row)),
    ]
    if exhibit is None:
        return [*facts, ("Worst at", f"element {row['index']}")]
    if row["output"] == "value" and row["n"] > 1 and _scalar(exhibit):
        return [*facts, ("Worst at", "the one value of the row")]
    place = f"element {row['index']} of {row['n']}" if row["n"] > 1 else "the only element"
    return [*facts, ("Worst at", f"{place}: {_inputs_at(row['index'], exhibit)}")]


def _scalar(exhibit: Mapping[str, Any]) -> bool:
    """Whether the operator gives one value a row: then there is one cotangent a row."""
    return len(elements(exhibit["cotangent"], exhibit["dtype"])) == 1


def _exact(row: Row) -> str:
    text = exact(row["hi"], row["lo"], row["exponent"])
    return f"{text}, certified" if math.isfinite(row["hi"]) else f"{text}, by the clause"


def _error(row: Row) -> str:
    if row["grade"] == "wrong_special":
        return f"no distance in ulps: {row['symptom']}"
    ratio = row["ratio"]
    share = (
        f", {ulps(ratio)} times the stable bound"
        if math.isfinite(ratio)
        else ", where nothing but the exact value is right"
    )
    return f"{ulps(row['ulps'])} ulp{share}; grade: {words(row['grade'])}"


def classes(labels: Sequence[int]) -> str:
    """``class 3``, or the classes of a group of examples."""
    return f"class {labels[0]}" if len(labels) == 1 else f"classes {', '.join(map(str, labels))}"


def _inputs_at(index: int, exhibit: Mapping[str, Any]) -> str:
    dtype, parts = exhibit["dtype"], []
    for name, field in (
        ("logit", "logits"),
        ("label", "labels"),
        ("cotangent", "cotangent"),
        ("tangent", "tangent"),
    ):
        if isinstance(exhibit[field], list):
            parts.append(f"{name} {classes(exhibit[field])}")
            continue
        row = elements(exhibit[field], dtype)
        at = 0 if field == "cotangent" and len(row) == 1 else index
        if at < len(row):
            parts.append(f"{name} {row[at].decimal} ({row[at].bits})")
        elif row:
            return "beyond the elements that the run file carries"
    return ", ".join(parts)

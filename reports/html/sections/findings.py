"""Findings and their drill-downs: what was returned, what is right, by how much, and how to see it again.

Those of implementations that users call; the naive controls have a table of their own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import polars as pl

from xent_conformance.reports.html.marks import (
    LEVEL,
    Mark,
    Naming,
    case_id,
    clause_anchor,
    finding_id,
    of_called,
)
from xent_conformance.reports.run.commands import explain_command
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.run.words import Row
from xent_conformance.reports.text.numbers import NOTHING, bits, count, elements, exact, shortest, ulps
from xent_conformance.reports.text.wording import (
    answer_text,
    classes,
    dtypes_text,
    error_text,
    inputs_of,
    right_text,
    words,
)

if TYPE_CHECKING:
    from xent_conformance.reports.html.standing import Standing

MESSAGE_LIMIT = 600
"""Characters shown of a framework's own words."""


@dataclass(frozen=True)
class Finding:
    """One line of the list and what opens under it; ``rank`` counts from the worst of all, which is 0.

    ``alike`` is the name and id of a worse finding that has the same facts; they stand there. ``standing``
    is what the gate makes of it, ``waive`` how to accept what it does not; both only where there is a gate.
    """

    rank: int
    id: str
    css: str
    mark: Mark
    implementation: str
    where: str
    operator: str
    output: str
    clause: str
    title: str
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
    alike: tuple[str, str]
    command: str
    standing: Standing | None
    waive: str


@dataclass(frozen=True)
class Group:
    """A list of findings under one heading."""

    id: str
    title: str
    about: str
    findings: tuple[Finding, ...]
    none: str


def finding_groups(
    run: Run, findings: pl.DataFrame, naming: Naming, standings: Mapping[str, Standing]
) -> tuple[Group, ...]:
    """All findings that open in the order of the frame, which is must before should and worst first."""
    exhibits = {k: v for h in run.headers for k, v in h["exhibits"].items()}
    named = [plugin for h in run.headers for plugin in h["selection"].get("plugins", [])]
    levels: dict[str, list[Finding]] = {"must": [], "should": []}
    told: dict[tuple[Any, ...], Finding] = {}
    for rank, row in enumerate(of_called(findings).iter_rows(named=True)):
        clause = run.header["clauses"][row["clause"]]
        finding = _finding(rank, row, exhibits.get(row["case"]), clause, naming)
        finding = replace(
            finding,
            command=explain_command(row["case"], row["implementation"], named),
            standing=standings.get(finding.id),
            waive=_waive(row["level"], standings.get(finding.id)),
        )
        first = told.setdefault(_facts_of(finding), finding)
        if first is not finding:
            finding = replace(finding, facts=(), message="", alike=(first.implementation, first.id))
        levels[row["level"]].append(finding)

    must = Group(
        "must",
        "Must clauses broken",
        "Each is wrong by a rule that leaves no choice.",
        tuple(levels["must"]),
        "None: no implementation that users call breaks a must clause in this run.",
    )
    should = Group(
        "should",
        "Should clauses broken",
        "Each falls short of what a careful implementation reaches.",
        tuple(levels["should"]),
        "None: no implementation that users call breaks a should clause in this run.",
    )
    return must, should


def _waive(level: str, standing: Standing | None) -> str:
    """How to accept what no waiver accepts yet; empty where there is nothing to accept, or no gate."""
    if standing is None or standing.whole:
        return ""
    at = "" if level == "must" else f" --level {level}"
    return f"conformance waive RUN.parquet -o new-waivers.toml{at}"


def _facts_of(finding: Finding) -> tuple[Any, ...]:
    """What two findings of a framework share if it is the same answer to the same row."""
    return finding.css, finding.case, finding.output, finding.clause, finding.facts, finding.message


def _finding(
    rank: int, row: Row, exhibit: Mapping[str, Any] | None, clause: Mapping[str, str], naming: Naming
) -> Finding:
    message = row["message"]
    return Finding(
        rank=rank,
        id=finding_id(row),
        css=naming.css(row["framework"]),
        mark=LEVEL[row["level"]],
        implementation=row["implementation"],
        where=naming.where_all(row),
        operator=row["operator"],
        output=words(row["output"]),
        clause=row["clause"],
        title=clause["title"],
        clause_link=clause_anchor(row["clause"]),
        symptom=row["symptom"],
        rows=f"{count(row['count'])} of {count(row['asked'])}",
        dtypes=dtypes_text(row["dtypes"]),
        families=", ".join(words(f) for f in row["families"]),
        returned=answer_text(row),
        right=right_text(row),
        error=error_text(row),
        unit="" if error_text(row) == NOTHING else " ulp",
        case=row["case"],
        case_link=case_id(row["case"]),
        facts=tuple(_facts(row, exhibit)),
        message=message if len(message) <= MESSAGE_LIMIT else f"{message[:MESSAGE_LIMIT]}…",
        alike=("", ""),
        command="",
        standing=None,
        waive="",
    )


def _facts(row: Row, exhibit: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    if row["grade"] == "none":
        return [("Outcome", answer_text(row))]
    facts = [("Asked with", exhibit["asked"])] if exhibit and exhibit["asked"] else []
    facts += [("Bits", _bits(row)), ("Exact value", _exact(row)), ("Grade", _grade(row))]
    if exhibit is None:
        return [*facts, ("Worst at", f"element {row['index']}")]
    if row["output"] == "value" and row["n"] > 1 and _scalar(exhibit):
        return [*facts, ("Worst at", "the one value of the row")]
    place = f"element {row['index']} of {row['n']}" if row["n"] > 1 else "the only element"
    return [*facts, ("Worst at", f"{place}: {_inputs_at(row, exhibit)}")]


def _scalar(exhibit: Mapping[str, Any]) -> bool:
    """Whether the operator gives one value a row: then there is one cotangent a row."""
    return len(elements(exhibit["cotangent"], exhibit["dtype"])) == 1


def _exact(row: Row) -> str:
    text = exact(row["hi"], row["lo"], row["exponent"])
    return f"{text}, certified" if math.isfinite(row["hi"]) else f"{text}, by the clause"


def _bits(row: Row) -> str:
    """Of what the line above has in decimal."""
    returned, right = (_pattern(row[key], row["dtype"]) for key in ("got", "rounded"))
    return f"{row['dtype']}, returned {returned}, right {right}"


def _pattern(value: float, dtype: str) -> str:
    """A NaN has many patterns and the run file keeps none of them."""
    return (None if math.isnan(value) else bits(value, dtype)) or shortest(value, dtype)


def _grade(row: Row) -> str:
    if row["grade"] == "wrong_special":
        return "wrong special: no distance in ulps"
    ratio = row["ratio"]
    share = (
        f"{ulps(ratio)} times the stable bound"
        if math.isfinite(ratio)
        else "nothing but the exact value is right"
    )
    return f"{words(row['grade'])}; {share}"


def _inputs_at(row: Row, exhibit: Mapping[str, Any]) -> str:
    index, dtype, parts = row["index"], exhibit["dtype"], []
    for field in inputs_of(row["output"]):
        name = field.removesuffix("s")
        if isinstance(exhibit[field], list):
            parts.append(f"{name} {classes(exhibit[field])}")
            continue
        carried = elements(exhibit[field], dtype)
        at = 0 if field == "cotangent" and len(carried) == 1 else index
        if at < len(carried):
            parts.append(f"{name} {carried[at].decimal} ({carried[at].bits})")
        elif carried:
            return "beyond the elements that the run file carries"
    return ", ".join(parts)

"""Findings and their drill-downs: what was returned, what is right, by how much, and how to see it again.

Those of implementations that users call; the naive controls have a table of their own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from xent_conformance.reports.html.marks import LEVEL, Mark, case_id, clause_anchor, finding_id
from xent_conformance.reports.html.page import MESSAGE_LIMIT
from xent_conformance.reports.html.section import Material, Section
from xent_conformance.reports.html.sections.controls import Controls, controls
from xent_conformance.reports.html.standing import Standing, standings
from xent_conformance.reports.run import commands
from xent_conformance.reports.run.words import Row
from xent_conformance.reports.text.numbers import NOTHING, count, elements, exact, ulps
from xent_conformance.reports.text.wording import (
    Answer,
    bits_text,
    classes,
    cut,
    dtypes_text,
    inputs_of,
    words,
)


@dataclass(frozen=True)
class Finding:
    """One line of the list and what opens under it; ``rank`` counts from the worst of all, which is 0.

    ``alike`` is the name and id of a worse finding that has the same facts; they stand there. ``standing``
    is what the gate makes of it, ``waive`` how to accept what it does not; both only where there is a gate.
    ``script`` prints what repeats it elsewhere; empty where nothing can.
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
    note: str
    message: str
    alike: tuple[str, str]
    command: str
    script: str
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


@dataclass(frozen=True)
class View:
    """The findings that open, then the controls; ``filters``: style class and name of each framework."""

    groups: tuple[Group, ...]
    controls: Controls
    filters: tuple[tuple[str, str], ...]
    gated: bool


def view(material: Material) -> View:
    """All findings, in the order of the frame, which is must before should and worst first."""
    naming = material.naming
    return View(
        groups=tuple(_groups(material)),
        controls=controls(material.findings, naming),
        filters=tuple((naming.css(name), name) for name in naming.frameworks),
        gated=material.gate is not None,
    )


_LEVELS = {
    "must": ("Must clauses broken", "Each is wrong by a rule that leaves no choice."),
    "should": ("Should clauses broken", "Each falls short of what a careful implementation reaches."),
}


def _groups(material: Material) -> Iterable[Group]:
    gate = material.gate
    standing_of = {} if gate is None else standings(gate, material.findings)
    files = commands.Files() if gate is None else gate.files
    levels: dict[str, list[Finding]] = {level: [] for level in _LEVELS}
    told: dict[tuple[Any, ...], Finding] = {}
    for rank, row in enumerate(material.called.iter_rows(named=True)):
        finding = _finding(rank, row, material)
        standing = standing_of.get(finding.id)
        finding = replace(finding, standing=standing, waive=_waive(row["level"], standing, files))
        first = told.setdefault(_facts_of(finding), finding)
        if first is not finding:
            finding = replace(finding, facts=(), message="", alike=(first.implementation, first.id))
        levels[row["level"]].append(finding)
    for level, (title, about) in _LEVELS.items():
        none = f"None: no implementation that users call breaks a {level} clause in this run."
        yield Group(level, title, about, tuple(levels[level]), none)


def _waive(level: str, standing: Standing | None, files: commands.Files) -> str:
    """How to accept what no waiver accepts yet; empty where there is nothing to accept, or no gate."""
    if standing is None or standing.whole:
        return ""
    return files.waive(level=level)


def _facts_of(finding: Finding) -> tuple[Any, ...]:
    """What two findings of a framework share if it is the same answer to the same row."""
    return finding.css, finding.case, finding.output, finding.clause, finding.facts, finding.message


def _finding(rank: int, row: Row, material: Material) -> Finding:
    run, naming = material.run, material.naming
    answer, clause = Answer.of(row), run.clause(row["clause"])
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
        returned=answer.returned,
        right=answer.right or NOTHING,
        error=answer.error or NOTHING,
        unit=" ulp" if answer.error else "",
        case=row["case"],
        case_link=case_id(row["case"]),
        facts=tuple(_facts(row, material.exhibits.get(row["case"]))),
        note=clause["note"],
        message=cut(row["message"], MESSAGE_LIMIT),
        alike=("", ""),
        command=commands.explain(run, row["case"], row["implementation"], row["device"]),
        script=commands.script(run, row),
        standing=None,
        waive="",
    )


def _facts(row: Row, exhibit: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    if row["grade"] == "none":
        return [("Outcome", Answer.of(row).returned)]
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
    return f"{row['dtype']}, returned {bits_text(row, 'got')}, right {bits_text(row, 'rounded')}"


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


SECTION = Section("findings", "Findings", "findings.html", view, folded=True)

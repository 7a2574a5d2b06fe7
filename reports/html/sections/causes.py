"""What is wrong, each thing once: which formula gives the numbers that were returned, and where it shows.

A line for each cause, those of must clauses first; under it the findings in which it shows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from xent_conformance.reports.html.marks import LEVEL, Mark, cause_id, finding_id
from xent_conformance.reports.html.section import Material, Section
from xent_conformance.reports.run import commands
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.run.words import FAULTS
from xent_conformance.reports.text.numbers import NOTHING, count
from xent_conformance.reports.text.wording import OUTPUTS, dtypes_text, in_order, listed, plural, words
from xent_conformance.reports.views import causes as views

NAMED = 12
"""Findings that a cause leads to; of more it says how many."""


@dataclass(frozen=True)
class Cause:
    """One line, and what opens under it; ``findings`` are names and ids, ``more`` how many are left out."""

    id: str
    mark: Mark
    what: str
    symptom: str
    clauses: str
    where: str
    outputs: str
    verdicts: str
    dtypes: str
    returned: str
    right: str
    facts: tuple[tuple[str, str], ...]
    findings: tuple[tuple[str, str], ...]
    more: str
    command: str


@dataclass(frozen=True)
class Causes:
    """``explained`` says how many of the broken verdicts a hypothesis explains."""

    causes: tuple[Cause, ...]
    explained: str


def view(material: Material) -> Causes | None:
    """The causes of the run; None where its files name none."""
    run = material.run
    found = views.causes(run)
    if not found:
        return None
    explained, total = (sum(c.verdicts for c in found if c.hypothesis or every) for every in (False, True))
    leads = _leads(run)
    return Causes(
        causes=tuple(_cause(c, leads.get(c.id, ()), run) for c in found),
        explained=f"{count(explained)} of {plural(total, 'broken verdict')}",
    )


def _leads(run: Run) -> Mapping[str, Sequence[tuple[str, str]]]:
    """By cause, the findings in which it shows, the most verdicts first."""
    faults = run.verdicts.filter(pl.col("status").is_in(FAULTS), pl.col("cause") != "")
    key = ["operator", "framework", "version", "implementation", "machine", "output", "clause", "symptom"]
    columns = [*key, "formulation", "level", "cause"]
    order = faults.group_by(columns).len().sort(-pl.col("len").cast(pl.Int64), *key)
    found: dict[str, list[tuple[str, str]]] = {}
    for row in order.iter_rows(named=True):
        name = f"{row['implementation']} {words(row['output'])}, {row['clause']}"
        found.setdefault(row["cause"], []).append((name, finding_id(row)))
    return found


def _cause(c: views.Cause, leads: Sequence[tuple[str, str]], run: Run) -> Cause:
    more = len(leads) - NAMED
    facts = [("What gives this", c.sentence), ("Known from", c.source)] if c.hypothesis else []
    facts += [("Frameworks", listed(c.frameworks)), ("Implementations", listed(c.implementations))]
    facts += [("Operators", listed(c.operators)), ("Worst case", c.worst), ("Answered by", c.answered)]
    return Cause(
        id=cause_id(c.id),
        mark=LEVEL[c.level],
        what=c.hypothesis or "unexplained",
        symptom=c.symptom,
        clauses=", ".join(c.clauses),
        where=listed(c.frameworks),
        outputs=", ".join(words(o) for o in in_order(list(c.outputs), OUTPUTS)),
        verdicts=plural(c.verdicts, "verdict"),
        dtypes=dtypes_text(list(c.dtypes)),
        returned=c.returned or NOTHING,
        right=c.right or NOTHING,
        facts=tuple(facts),
        findings=tuple(leads[:NAMED]),
        more=plural(more, "more finding") if more > 0 else "",
        command=commands.explain(run, c.worst, c.implementation, c.device),
    )


SECTION = Section("causes", "Causes", "causes.html", view)

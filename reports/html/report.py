"""The HTML report: one self-contained page, a pure function of a run and its findings.

Nothing is fetched and no script is needed to read it; the links of waivers alone leave the page. Text from
frameworks is foreign and is always escaped; style classes and ids are made here, never from their names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from xent_conformance.reports.html.marks import Naming
from xent_conformance.reports.html.page import LIMIT, Budget, environment, fitted
from xent_conformance.reports.html.sections.about import about
from xent_conformance.reports.html.sections.against import against
from xent_conformance.reports.html.sections.cases import cases
from xent_conformance.reports.html.sections.controls import controls
from xent_conformance.reports.html.sections.findings import finding_groups
from xent_conformance.reports.html.sections.formulations import costs
from xent_conformance.reports.html.sections.gate import decision
from xent_conformance.reports.html.sections.matrix import matrices, side_by_side
from xent_conformance.reports.html.sections.recorded import open_tables, unjudged
from xent_conformance.reports.html.sections.refusals import refusals
from xent_conformance.reports.html.sections.summary import banner, counters, glance
from xent_conformance.reports.html.standing import standings
from xent_conformance.reports.run.file import Run


def render(
    run: Run, findings: pl.DataFrame, gate: Mapping[str, Any] | None = None, *, limit: int = LIMIT
) -> str:
    """The page for ``run``; ``findings`` are its verdicts grouped by likely cause, worst first.

    ``gate`` is a decision on the run (``Gate.as_dict()``); without one the page speaks of none. Of more than
    ``limit`` bytes only where it says so: the findings at the end of the list then do not open. The same
    inputs give the same text. Raises ValueError for a status that no counter holds.
    """
    naming = Naming.of(run)
    groups = finding_groups(run, findings, naming, {} if gate is None else standings(gate, findings))
    every_case = cases(run, findings, naming)
    whole: dict[str, Any] = {
        "banner": banner(run, findings, naming),
        "gate": None if gate is None else decision(gate, findings),
        "counters": counters(run.verdicts),
        "glance": glance(findings, run.header, naming),
        "groups": groups,
        "controls": controls(findings, naming),
        "filters": [(naming.css(name), name) for name in naming.frameworks],
        "matrices": matrices(run, findings, naming),
        "against": against(run),
        "sides": side_by_side(run, naming),
        "costs": costs(run, naming),
        "refusals": refusals(run, naming),
        "opens": open_tables(run, naming),
        "unjudged": unjudged(run, naming),
        "about": about(run),
    }
    template = environment().get_template("page.html")

    def page(budget: Budget) -> str:
        shown = [case for case in every_case if case.rank < budget.opened]
        return template.render(**whole, cases=shown, shown={case.id for case in shown}, budget=budget)

    return fitted(page, sum(len(group.findings) for group in groups), limit)

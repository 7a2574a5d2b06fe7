"""The HTML report: one self-contained page, a pure function of a run and its findings.

Nothing is fetched and no script is needed to read it; the links of waivers alone leave the page. Text from
frameworks is foreign and is always escaped; style classes and ids are made here, never from their names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from reports.html_about import about
from reports.html_against import against
from reports.html_budget import LIMIT, Budget, fitted
from reports.html_cases import cases
from reports.html_controls import controls
from reports.html_findings import finding_groups
from reports.html_formulations import costs
from reports.html_gate import decision, standings
from reports.html_matrix import matrices, side_by_side
from reports.html_page import environment
from reports.html_recorded import open_tables, unjudged
from reports.html_refusals import refusals
from reports.html_summary import banner, counters, glance
from reports.html_words import Naming
from reports.run_file import Run


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

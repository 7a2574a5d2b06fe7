"""The sections of the page: each a view of the run, and a template of its name."""

from __future__ import annotations

from xent_conformance.reports.html.sections import (
    against,
    cases,
    causes,
    clauses,
    counters,
    environment,
    findings,
    formulations,
    gate,
    matrix,
    modes,
    recorded,
    refusals,
    unjudged,
    upgrade,
)

SECTIONS = (
    counters.SECTION,
    causes.SECTION,
    findings.SECTION,
    gate.SECTION,
    matrix.SECTION,
    modes.SECTION,
    upgrade.SECTION,
    against.SECTION,
    formulations.SECTION,
    refusals.SECTION,
    recorded.SECTION,
    unjudged.SECTION,
    cases.SECTION,
    environment.SECTION,
    clauses.SECTION,
)
"""What stands below the first screen, in its order."""

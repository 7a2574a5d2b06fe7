"""The sections of the page: each a view of the run, and a template of its name."""

from __future__ import annotations

from xent_conformance.reports.html.sections import (
    causes,
    clauses,
    counters,
    environment,
    formulations,
    gate,
    matrix,
    recorded,
    refusals,
    unjudged,
)

SECTIONS = (
    counters.SECTION,
    causes.SECTION,
    gate.SECTION,
    matrix.SECTION,
    formulations.SECTION,
    refusals.SECTION,
    recorded.SECTION,
    unjudged.SECTION,
    environment.SECTION,
    clauses.SECTION,
)
"""What stands below the first screen, in its order."""

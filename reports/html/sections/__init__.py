"""The sections of the page: each a view of the run, and a template of its name."""

from __future__ import annotations

from xent_conformance.reports.html.sections import (
    accuracy,
    causes,
    clauses,
    counters,
    doors,
    environment,
    gate,
    recorded,
    refusals,
    unjudged,
)

SECTIONS = (
    counters.SECTION,
    causes.SECTION,
    accuracy.SECTION,
    doors.SECTION,
    gate.SECTION,
    refusals.SECTION,
    recorded.SECTION,
    unjudged.SECTION,
    environment.SECTION,
    clauses.SECTION,
)
"""What stands below the first screen, in its order."""

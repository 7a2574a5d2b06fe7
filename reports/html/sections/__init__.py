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
    modes,
    recorded,
    refusals,
    unjudged,
    upgrade,
)

SECTIONS = (
    causes.SECTION,
    accuracy.SECTION,
    doors.SECTION,
    modes.SECTION,
    upgrade.SECTION,
    gate.SECTION,
    counters.SECTION,
    refusals.SECTION,
    recorded.SECTION,
    unjudged.SECTION,
    environment.SECTION,
    clauses.SECTION,
)
"""What stands below the first screen: what is open, then what is folded."""

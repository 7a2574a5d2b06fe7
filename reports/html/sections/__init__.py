"""The sections of the page: each a view of the run, and a template of its name."""

from __future__ import annotations

from xent_conformance.reports.html.sections import (
    accuracy,
    causes,
    clauses,
    controls,
    counters,
    doors,
    environment,
    gate,
    modes,
    reading,
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
    reading.SECTION,
    clauses.SECTION,
    environment.SECTION,
    gate.SECTION,
    counters.SECTION,
    refusals.SECTION,
    recorded.SECTION,
    unjudged.SECTION,
    controls.SECTION,
)
"""What stands below the first screen: what is open, then what is folded."""

"""The sections of the page, in their order: each a view of the run and a template of its name."""

from xent_conformance.reports.html.sections import (
    against,
    banner,
    cases,
    clauses,
    counters,
    environment,
    findings,
    formulations,
    gate,
    matrix,
    recorded,
    refusals,
    unjudged,
)

BANNER = banner.SECTION
"""The first screen, above the navigation."""

SECTIONS = (
    counters.SECTION,
    findings.SECTION,
    gate.SECTION,
    matrix.SECTION,
    against.SECTION,
    formulations.SECTION,
    refusals.SECTION,
    recorded.SECTION,
    unjudged.SECTION,
    cases.SECTION,
    environment.SECTION,
    clauses.SECTION,
)

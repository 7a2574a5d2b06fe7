"""Which rooms of the house each room knows, as a plan: written by hand, from the ground up.

A room is a folder, or a module beside folders (:mod:`tests.support.house`). Below its name stands what it
knows, floor by floor; ``.`` is the floor's own package. Nothing may know what is written after it.
"""

from __future__ import annotations

PLAN = """
reference
reference/attributes
reference/clauses
reference/formats
reference/exact
    reference: attributes formats
reference/kept
reference/cache
    reference: exact kept
reference/operators
    reference: exact
reference/inputs
    reference: attributes exact formats operators
reference/bounds
    reference: attributes exact formats inputs
reference/sources
reference/oracle
    reference: bounds cache exact formats inputs operators sources
reference/documented
    reference: bounds exact formats inputs oracle

cases
cases/form
cases/case
    reference: attributes formats inputs
    cases: form
cases/pairwise
cases/recent
cases/smoke
cases/profile
cases/strategies
    reference: attributes formats inputs operators
    cases: form
cases/words
    reference: formats
cases/family
    reference: formats operators
    cases: case profile words
cases/families
    reference: attributes exact formats operators
    cases: case family form pairwise words
cases/corpus
    reference: formats inputs operators
    cases: case families family profile recent words
cases/digest
    reference: kept sources
    cases: corpus
cases/told
    reference: inputs
    cases: case form
cases/remembered
    reference: attributes formats inputs kept operators
    cases: case corpus form profile told
cases/outside
    reference: attributes clauses formats inputs operators
    cases: case corpus form words

reports
reports/atomic
reports/html
reports/run
    reports: atomic
reports/html/marks
    reports: run
reports/text
    reports: run
reports/html/page
    reports: text
reports/views
    reports: run text
reports/terminal
    reports: run text views
reports/ci
    reports: run text views
reports/html/charts
    reports: text views
reports/html/versions
    reports: html/charts html/marks html/page run text views
reports/html/naming
    reports: run
reports/html/section
    reports: html/marks html/naming run views
reports/html/standing
    reports: html/marks text views
reports/html/card
    reports: html/marks run text views
reports/html/cases
    reports: html/marks html/naming run text
reports/html/cause
    reports: html/cases html/marks html/page html/section html/standing run text views
reports/html/magnitudes
    reports: text views
reports/html/strips
    reports: text views
reports/html/places
    reports: html/naming text views
reports/html/ways
    reports: html/marks run text views
reports/html/swept
    reports: html/marks text
reports/html/sections
    reports: html/card html/cause html/magnitudes html/marks html/naming html/places
    reports: html/section html/standing html/strips html/swept html/ways run text views
reports/html/report
    reports: html/naming html/page html/section html/sections run views
reports/html/transitions
    reports: html/marks run text views
reports/html/comparison_head
    reports: html/marks html/page run text views
reports/html/comparison
    reports: html/comparison_head html/marks html/page html/standing html/transitions text views

conformance/explain
conformance/devices
conformance/frameworks
    conformance: devices
conformance/version
conformance/worker
    conformance: frameworks
conformance/discovery
    reference: formats operators
    cases: form profile
    reports: run
    conformance: devices frameworks worker
conformance/asking
    reference: formats kept operators
    cases: case corpus outside profile
    reports: run
    conformance: devices discovery frameworks worker
conformance/judging
    reference: cache clauses documented exact formats kept oracle sources
    cases: case digest
    reports: run
    conformance: asking discovery frameworks worker
conformance/decision
    reference: clauses formats operators
    cases: corpus profile
    reports: run text views
    conformance: asking discovery judging worker
conformance/configuration
    cases: profile
    conformance: decision
conformance/diagnosis
    reference: attributes cache formats inputs kept operators oracle sources
    cases: case corpus digest form profile
    reports: run
conformance/check_plugin
    reference: cache formats operators oracle
    cases: case corpus profile
    reports: run text
    conformance: asking discovery frameworks judging worker
conformance/running
    reference: cache clauses formats inputs operators oracle sources
    cases: case corpus digest outside profile remembered told
    reports: atomic run text views
    conformance: asking devices diagnosis discovery frameworks judging version worker
conformance/sweep
    reference: clauses exact formats inputs operators oracle sources
    cases: profile
    reports: atomic run text
    conformance: asking devices discovery frameworks judging running version worker
conformance/explain/wanted
    conformance: discovery
conformance/explain/case
    reference: cache operators oracle
    cases: case corpus outside profile
    reports: run views
    conformance: asking devices diagnosis discovery explain/wanted frameworks judging running
conformance/explain/changing
    reports: run text
conformance/explain/script
    reference: cache clauses formats operators oracle
    cases: case corpus profile words
    reports: run text views
    conformance: asking devices discovery explain/changing explain/wanted frameworks judging worker
conformance/explain/plain
    reference: clauses
    cases: case
    reports: ci text
    conformance: explain/case
conformance/explain/search
    reference: formats inputs operators oracle
    cases: case profile strategies
    conformance: asking discovery frameworks judging
conformance/explain/issue
    reference: clauses operators
    cases: case
    reports: run text views
    conformance: explain/case explain/script explain/wanted running
conformance/api
    reports: run
    conformance: asking discovery running
conformance/capturing
    reference: formats
    cases: corpus outside
    reports: atomic
    conformance: discovery
conformance/versions
    reference: cache kept sources
    cases: digest
    reports: atomic run text views
    conformance: asking decision devices diagnosis discovery judging running worker
conformance/fleet
    reference: cache oracle
    reports: atomic run
    conformance: asking devices discovery running versions worker
conformance/explain/printing
    reference: clauses
    cases: case
    reports: run terminal text views
    conformance: explain/case explain/changing explain/search
conformance/kernel
    reference: cache formats operators oracle
    cases: case corpus outside profile
    reports: atomic html/report run text views
    conformance: asking decision explain/case explain/printing explain/script explain/wanted frameworks
    conformance: discovery judging running
conformance/pytesting
    cases: case
    reports: run text views
    conformance: asking decision devices discovery frameworks kernel running
conformance
    conformance: api capturing kernel pytesting version
conformance/commands
    reference: cache clauses formats operators oracle
    cases: case corpus outside profile smoke
    reports: atomic ci html/comparison html/report html/section html/versions run terminal text views
    conformance: . asking capturing check_plugin configuration decision devices diagnosis explain/case
    conformance: explain/issue explain/plain explain/printing explain/script
    conformance: discovery explain/search explain/wanted fleet running sweep versions
conformance/__main__
    conformance: commands worker
"""


class PlanError(ValueError):
    """The plan itself is wrong; the message says where."""


def read(plan: str = PLAN) -> dict[str, set[str]]:
    """What each room may know. Raises :class:`PlanError` for an arrow to a room that is not above it."""
    found: dict[str, set[str]] = {}
    knows: set[str] = set()
    for line in filter(None, plan.splitlines()):
        if not line.startswith(" "):
            knows = found.setdefault(line, set())
            continue
        floor, _, rooms = line.strip().partition(":")
        for room in (floor if name == "." else f"{floor}/{name}" for name in rooms.split()):
            if room not in list(found)[:-1]:
                raise PlanError(f"{list(found)[-1]} knows {room}, which is not above it in the plan")
            knows.add(room)
    return found

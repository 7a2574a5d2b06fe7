"""A badge for a README: the endpoint of shields.io, https://shields.io/badges/endpoint-badge."""

from __future__ import annotations

from typing import Any

from xent_conformance.reports.text.wording import plural
from xent_conformance.reports.views.gate import FAILED, PASSED, Gate

LABEL = "conformance"


def render(gate: Gate) -> dict[str, Any]:
    """What a badge says of a decision. Missing evidence is grey: it is neither good nor bad."""
    message, color = {
        PASSED: (f"passed, {plural(gate.verdicts, 'verdict')}", "brightgreen"),
        FAILED: (f"failed, {plural(len(gate.blocking), 'reason')}", "red"),
    }.get(gate.status, ("no evidence", "lightgrey"))
    return {"schemaVersion": 1, "label": LABEL, "message": message, "color": color}

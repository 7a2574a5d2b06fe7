"""A badge for a README: the endpoint of shields.io, https://shields.io/badges/endpoint-badge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xent_conformance.reports.text.wording import plural

LABEL = "conformance"


def render(gate: Mapping[str, Any]) -> dict[str, Any]:
    """What a badge says of a decision. Missing evidence is grey: it is neither good nor bad."""
    blocking = sum(r["blocking"] for r in gate["reasons"])
    message, color = {
        0: (f"passed, {plural(gate['verdicts'], 'verdict')}", "brightgreen"),
        1: (f"failed, {plural(blocking, 'reason')}", "red"),
    }.get(gate["status"], ("no evidence", "lightgrey"))
    return {"schemaVersion": 1, "label": LABEL, "message": message, "color": color}

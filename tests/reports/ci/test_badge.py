"""The badge: what the endpoint of shields.io takes."""

from __future__ import annotations

import json

import pytest

from tests.support.decisions import gate, missing, reason
from xent_conformance.reports.ci.badge import render
from xent_conformance.reports.views.gate import Gate
from xent_conformance.reports.views.reasons import Kind


@pytest.mark.parametrize(
    ("told", "message", "color"),
    [
        (gate(), "passed, 100 verdicts", "brightgreen"),
        (gate(reason(blocking=False)), "passed, 100 verdicts", "brightgreen"),
        (gate(reason()), "failed, 1 reason", "red"),
        (gate(reason(), reason()), "failed, 2 reasons", "red"),
        (gate(missing(Kind.ABSENT), reason()), "no evidence", "lightgrey"),
    ],
)
def test_a_badge(told: Gate, message: str, color: str) -> None:
    badge = render(told)
    assert badge == {"schemaVersion": 1, "label": "conformance", "message": message, "color": color}
    json.dumps(badge, allow_nan=False)

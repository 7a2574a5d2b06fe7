"""A small table of versions, written by hand."""

from __future__ import annotations

from typing import Any

from xent_conformance.reports.text.wording import Answer
from xent_conformance.reports.views.versions import Cell, Lifetime, Line, Versions


def cell(**changes: Any) -> Cell:
    usual: dict[str, Any] = {
        "verdicts": 1200,
        "must": 0,
        "should": 3,
        "unsupported": 0,
        "worst": {"bfloat16": 36.7, "float32": 1.5},
        "changed": 0,
        "compared": 1200,
        "regressed": 0,
        "fixed": 0,
    }
    return Cell(**usual | changes)


def life(**changes: Any) -> Lifetime:
    usual: dict[str, Any] = {
        "implementation": "fake.softmax",
        "operator": "softmax",
        "output": "value",
        "clause": "1.1",
        "level": "must",
        "symptom": "beyond the stable bound",
        "formulation": "fused",
        "counts": (0, 4, 0),
        "case": "softmax/ordinary/unit/float32/n3/r0",
        "answer": Answer("0.5", "0.25", "2,000", "divergent", "returned", "", 2000.0),
        "steady": False,
    }
    return Lifetime(**usual | changes)


LINE = Line(
    "fake.softmax",
    "fused",
    (
        cell(changed=None, compared=None, regressed=None, fixed=None),
        cell(must=4, changed=17, regressed=4),
        cell(),
    ),
)
TABLE = Versions(
    framework="fake",
    versions=("1.0", "2.0", "10.0"),
    environments=(
        {"python": "3.11.7", "numpy": "2.4.6", "threads": "1"},
        {"python": "3.11.7", "numpy": "2.4.6", "threads": "1"},
        {"python": "3.11.7", "numpy": "2.4.7", "isa": "avx2"},
    ),
    complete=(True, True, True),
    profile="quick",
    date="2026-11-21",
    command="conformance matrix fake==1.0 fake==2.0 fake==10.0",
    lines=(LINE,),
    lifetimes=(life(), life(clause="1.2", level="should", counts=(3, 3, 3), steady=True)),
)

"""The header of a run file: what was asked, by what, and what a report needs beside the verdicts."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from xent_conformance import __version__
from xent_conformance.cases.corpus import digest, families
from xent_conformance.frameworks.interface import Implementation
from xent_conformance.reference.clauses import clauses
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.reference.sources import hash_of, of_reference
from xent_conformance.reports.run.findings import findings
from xent_conformance.running.exhibits import exhibits

INSTRUMENT = ("frameworks", "worker", "registry", "asking", "judging", "running")
"""Folders of ours that decide a verdict beside the reference: what is asked, of whom, how, and the judge."""


@functools.cache
def of_instrument() -> str:
    """Hash of the source of :data:`INSTRUMENT`; the corpus has its own digest."""
    return hash_of(Path(__file__).parents[1], INSTRUMENT)


def identity(selection: Mapping[str, Any]) -> dict[str, Any]:
    """What must be equal for two runs to have asked and judged the same."""
    return {
        "suite": __version__,
        "selection": dict(selection),
        "corpus": digest(selection["profile"]),
        "reference": of_reference(),
        "instrument": of_instrument(),
    }


def header(selection: Mapping[str, Any], verdicts: pl.DataFrame) -> dict[str, Any]:
    """What every header has; the runner adds who was asked, what was finished, and the time it took."""
    return {
        **identity(selection),
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "operators": {o.name: o.formula for o in OPERATORS.values()},
        "families": {f.name: f.about for f in families().values()},
        "clauses": {c.id: {"level": c.level, "title": c.title, "text": c.text} for c in clauses().values()},
        "exhibits": exhibits(findings(verdicts)["case"].unique().sort().to_list()),
    }


def listed(framework: str, implementation: Implementation) -> dict[str, str]:
    """An implementation as a header lists it."""
    i = implementation
    return {"framework": framework, "name": i.name, "operator": i.operator, "note": i.note}


def rounded(seconds: Mapping[str, float]) -> dict[str, float]:
    """Seconds to the millisecond."""
    return {what: round(value, 3) for what, value in seconds.items()}

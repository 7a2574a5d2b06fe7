"""Runs of a framework in several versions, written by hand."""

from __future__ import annotations

from typing import Any

import polars as pl

from xent_conformance.reports.run.file import SCHEMA, Run

BROKEN = {
    "breaks_must": {
        "grade": "divergent",
        "symptom": "beyond the stable bound",
        "clause": "1.1",
        "ulps": 2000.0,
    },
    "breaks_should": {
        "grade": "stable",
        "symptom": "lost relative accuracy",
        "clause": "1.2",
        "level": "should",
        "ulps": 40.0,
    },
    "unsupported": {"grade": "none", "outcome": "unsupported", "ulps": float("nan"), "bits": ""},
}
CLAUSES = {"1.1": {"level": "must"}, "1.2": {"level": "should"}}


def verdict(row: int = 0, **changes: Any) -> dict[str, Any]:
    """A verdict that conforms, on row ``row`` of ordinary logits; ``status`` brings what goes with it."""
    family, dtype = changes.get("family", "ordinary"), changes.get("dtype", "float32")
    usual: dict[str, Any] = {
        "case": f"softmax/{family}/unit/{dtype}/n3/r{row}",
        "hash": "0",
        "operator": "softmax",
        "family": "ordinary",
        "variant": "unit",
        "dtype": "float32",
        "n": 3,
        "framework": "fake",
        "implementation": "fake.softmax",
        "formulation": "fused",
        "mode": "eager",
        "device": "cpu",
        "machine": "here",
        "output": "value",
        "outcome": "returned",
        "message": "",
        "grade": "exact",
        "status": "conforms",
        "symptom": "none",
        "clause": "1.1",
        "level": "must",
        "ulps": 0.25,
        "ratio": 0.1,
        "index": 0,
        "got": 0.5,
        "hi": 0.25,
        "lo": 0.0,
        "exponent": 0,
        "rounded": 0.25,
        "bits": "0",
    }
    return usual | BROKEN.get(changes.get("status", ""), {}) | changes


def run(version: str, *rows: dict[str, Any], complete: bool = True, **environment: str) -> Run:
    """The run of one version."""
    frame = pl.DataFrame([{**r, "version": version} for r in rows], schema=SCHEMA, orient="row")
    worker = {"framework": "fake", "version": version, "variant": "", "devices": ["cpu"]}
    header = {
        "suite": "0",
        "corpus": "0",
        "reference": "0",
        "clauses": CLAUSES,
        "selection": {"profile": "quick"},
        "created": "2026-11-21T07:21:44+00:00",
        "planned": {"fake": 1},
        "finished": {"fake": int(complete)},
        "absent": [],
        "frameworks": [{**worker, "environment": {"python": "3.11.7", **environment}}],
    }
    return Run(frame, (header,))

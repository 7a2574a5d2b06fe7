"""What a person sees of a run before it has ended: the first finding."""

from __future__ import annotations

import polars as pl

from xent_conformance.reports.run.commands import Header, explain_early
from xent_conformance.reports.run.words import FAULTS, NAIVE
from xent_conformance.reports.text.wording import flat


def first_finding(verdicts: pl.DataFrame, asked: Header) -> str:
    """A line for the worst of these verdicts that break a clause; empty where none does, but controls.

    ``asked``: what of the run's header is known while it goes on.
    """
    broken = verdicts.filter(pl.col("status").is_in(FAULTS), pl.col("formulation") != NAIVE)
    if broken.is_empty():
        return ""
    must_first = [pl.col("level") != "must", -pl.col("ulps").fill_null(0.0), pl.col("case")]
    worst = broken.sort(must_first).row(0, named=True)
    who = " ".join(worst[name] for name in ("implementation", "mode", "device", "dtype"))
    what = f"{worst['output']} breaks clause {worst['clause']} ({worst['level']}): {worst['symptom']}"
    return flat(f"a first finding: {who}: {what}; {explain_early(worst, asked)}")

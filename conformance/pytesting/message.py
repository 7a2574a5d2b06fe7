"""The words of a conformance test that fails: the worst row whole, and the command that shows more."""

from __future__ import annotations

import polars as pl

from xent_conformance.reports.run import commands
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.run.findings import findings
from xent_conformance.reports.text import numbers
from xent_conformance.reports.text.wording import harmless, told_whole

SHOWN = 5
"""Causes that are told beside the worst, a line each."""


def divergence(faults: pl.DataFrame, rows: int, run: Run) -> str:
    """Verdicts of one group that break a clause and that no waiver accepts, among so many rows."""
    causes = findings(faults.drop("waiver"))
    row = causes.row(0, named=True)
    who = f"{row['implementation']} {row['mode']} {row['device']} {row['dtype']}"
    counted = f"{numbers.count(faults.height)} of {numbers.count(rows)} rows"
    lines = [
        f"{who}: {row['output']} of {row['operator']} diverges in {counted}; the worst:",
        *told_whole(row, run.clause(row["clause"]), rows, run.causes),
        f"  the row whole: {commands.explain(run, row['case'], row['implementation'], row['device'])}",
    ]
    others = causes.slice(1)
    for other in others.head(SHOWN).iter_rows(named=True):
        lines.append(
            f"  also clause {other['clause']} ({other['level']}): {other['symptom']} "
            f"in {other['count']} rows, at worst in {other['case']}"
        )
    if others.height > SHOWN:
        lines.append(f"  and {others.height - SHOWN} causes more")
    return "\n".join(map(harmless, lines))


def undecided(case: str, count: int, rows: int, run: Run) -> str:
    """Verdicts without a certified value."""
    return (
        f"the reference could not certify {count} of {rows} rows, so nobody knows what is right there\n"
        f"  the row whole: {commands.explain(run, case)}"
    )

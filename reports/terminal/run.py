"""What a run looks like in a terminal: a summary table, findings worst first."""

from __future__ import annotations

import polars as pl
from rich.console import Console

from xent_conformance.reports.run import commands
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.run.words import NAIVE, Status
from xent_conformance.reports.terminal.screen import left, say, table
from xent_conformance.reports.text.outside import told
from xent_conformance.reports.text.wording import Answer, flat, plural


def summary(run: Run, console: Console) -> None:
    """Counts by framework and status (they sum to the number of verdicts), then time and gaps.

    Naive formulations, the controls, have lines of their own: nobody ships them.
    """
    words = [status.word for status in Status]
    rows = []
    controls = run.verdicts.with_columns(_control=pl.col("formulation") == NAIVE).sort(
        "_control", maintain_order=True
    )
    for (framework, control), group in controls.group_by("framework", "_control", maintain_order=True):
        counts = dict(group["status"].value_counts().iter_rows())
        cells = [str(counts.get(status.value, 0)) for status in Status]
        name = f"{framework}, controls" if control else str(framework)
        rows.append((name, *cells, str(group.height)))
    table(
        console,
        ("framework", *words, "total"),
        rows,
        title=plural(run.verdicts.height, "verdict"),
        right=(*words, "total"),
    )
    for header in run.headers:
        seconds = ", ".join(f"{what} {s:.1f} s" for what, s in header["seconds"].items())
        say(console, f"time: {seconds}")
        for file in header.get("cases", ()):
            say(console, (flat(file["file"]), "bold"), ": ", "; ".join(told(file)) or "asked")
        for gap in header["not_installed"]:
            say(console, f"not asked: {gap['framework']}: {flat(gap['message'])}")
        for gap in header["absent"]:
            say(console, ("absent", "bold"), f": {gap['framework']}: {flat(gap['message'])}")
            say(console, f"  add it with: {gap['install']}")


def findings(frame: pl.DataFrame, console: Console, *, limit: int = 15) -> None:
    """The worst findings of the implementations users call; naive controls are only counted."""
    shown = frame.filter(pl.col("formulation") != NAIVE)
    must = shown.filter(pl.col("level") == "must").height
    controls = frame.height - shown.height
    say(
        console,
        (f"findings: {shown.height}", "bold"),
        f"; {must} break a must clause, {shown.height - must} a should clause "
        f"({controls} more are of naive formulations, the controls)",
    )
    for row in shown.head(limit).iter_rows(named=True):
        where = f"{row['implementation']} {', '.join(row['targets'])} {row['output']}"
        rows = f"{row['symptom']} in {row['count']} of {row['asked']} rows"
        say(console, f"  {row['clause']} ", (row["level"], "bold"), f"  {flat(where)}: {flat(rows)}")
        say(console, f"      worst: {flat(Answer.of(row).graded, 400)}")
        say(console, "      ", (flat(row["case"]), "dim"))
    page = commands.report(["RUN.parquet"], "FILE.html")
    left(console, shown.height - limit, "finding", f"`{page}` shows all")

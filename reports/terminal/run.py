"""What a run looks like in a terminal: a summary table, findings worst first."""

from __future__ import annotations

import polars as pl
from rich.console import Console
from rich.table import Table

from xent_conformance.reports.run.file import Run
from xent_conformance.reports.text.wording import answer, escape

STATUSES = ("conforms", "breaks_must", "breaks_should", "open", "unsupported", "undecided")


def summary(run: Run, console: Console) -> None:
    """Counts by framework and status (they sum to the number of verdicts), then time and gaps."""
    table = Table(title=f"{run.verdicts.height} verdicts", title_justify="left")
    table.add_column("framework")
    for status in STATUSES:
        table.add_column(status.replace("_", " "), justify="right")
    table.add_column("total", justify="right")
    for (framework,), group in run.verdicts.group_by(["framework"], maintain_order=True):
        counts = dict(group["status"].value_counts().iter_rows())
        cells = [str(counts.get(s, 0)) for s in STATUSES]
        table.add_row(escape(str(framework)), *cells, str(group.height))
    console.print(table)
    for header in run.headers:
        seconds = ", ".join(f"{what} {s:.1f} s" for what, s in header["seconds"].items())
        console.print(f"time: {seconds}")
        for gap in header["not_installed"]:
            console.print(f"not asked: {escape(gap['framework'])}: {escape(gap['message'])}")
        for gap in header["absent"]:
            console.print(
                f"[bold]absent[/bold]: {escape(gap['framework'])}: {escape(gap['message'])}\n"
                f"  add it with: {escape(gap['install'])}"
            )


def findings(frame: pl.DataFrame, console: Console, *, limit: int = 15) -> None:
    """The worst findings of the implementations users call; naive controls are only counted."""
    shown = frame.filter(pl.col("formulation") != "naive")
    must = shown.filter(pl.col("level") == "must").height
    controls = frame.height - shown.height
    console.print(
        f"[bold]findings: {shown.height}[/bold]; {must} break a must clause, {shown.height - must} a should "
        f"clause ({controls} more are of naive formulations, the controls)"
    )
    for row in shown.head(limit).iter_rows(named=True):
        where = f"{row['implementation']} {', '.join(row['targets'])} {row['output']}"
        console.print(
            f"  {row['clause']} [bold]{row['level']}[/bold]  {escape(where)}: {row['symptom']} "
            f"in {row['count']} of {row['asked']} rows"
        )
        console.print(f"      worst: {answer(row)}")
        console.print(f"      [dim]{escape(row['case'])}[/dim]")
    if shown.height > limit:
        console.print(
            f"… {shown.height - limit} more: `conformance report RUN.parquet -o FILE.html` shows all"
        )

"""``conformance list | report | check-plugin``: show what is there."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from conformance.commands.base import EVIDENCE, FAILED, USAGE, Plugin, app, console, fail, plug_in


class Listing(enum.StrEnum):
    """What ``conformance list`` can list."""

    OPERATORS = "operators"
    IMPLEMENTATIONS = "implementations"
    FAMILIES = "families"
    CLAUSES = "clauses"
    DEVICES = "devices"


WIDE = 160
"""Columns of a table whose names would be cut in a narrower terminal."""


@app.command("list")
def list_(what: Annotated[Listing, typer.Argument(help="What to list.")], plugin: Plugin = None) -> None:
    """List operators, implementations, families, clauses or devices."""
    from conformance import listing

    plug_in(plugin)
    table: Table = getattr(listing, what.value)()
    # names are whole, however narrow the terminal: the last columns fold, and if need be lines run over
    narrow = console.measure(table).minimum > console.width
    console.print(table, width=WIDE if narrow else None, soft_wrap=narrow)


@app.command()
def report(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN.parquet...", help="One or more run files.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE.html")] = Path("report.html"),
) -> None:
    """Write the HTML report of one or more run files (several are merged)."""
    from conformance.files import write_text
    from conformance.findings import findings
    from reports.html import render
    from reports.run_file import RunFileError, merge, read_run

    try:
        merged = merge([read_run(path) for path in runs])
    except RunFileError as error:
        raise fail(str(error), EVIDENCE) from None
    try:
        write_text(out, render(merged, findings(merged.verdicts)))
    except OSError as error:
        raise fail(f"{out} cannot be written: {error.strerror}", EVIDENCE) from None
    console.print(f"wrote {escape(str(out))} ({out.stat().st_size / 1e6:.2f} MB)")


@app.command("check-plugin")
def check_plugin(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME|MODULE", help="A framework, an entry point, or as for --plugin."),
    ],
) -> None:
    """Say what is wrong with an adapter, one line a problem, with what to do. Runs it in this process."""
    from conformance.check_plugin import check
    from conformance.plugins import PluginNotFound

    try:
        lines = check(name)
    except PluginNotFound as unknown:
        raise fail(str(unknown), USAGE) from None
    for line in lines:
        console.print(escape(line), soft_wrap=True)
    if lines:
        raise fail(f"{name} has {len(lines)} problem{'s' * (len(lines) > 1)}", FAILED)
    console.print(f"{escape(name)} is fine")

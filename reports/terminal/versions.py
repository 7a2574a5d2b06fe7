"""A table over versions in a terminal: counts, what moved, and which findings came and went."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from xent_conformance.reports.text.wording import number
from xent_conformance.reports.views.versions import Cell, Lifetime, Line, Versions


def show(table: Versions, console: Console) -> None:
    """Everything, of the implementations that users call; controls are in the HTML page and the JSON."""
    called = [line for line in table.lines if not line.control]
    console.print(_counts(table, called))
    console.print(
        "verdicts that break a must / a should clause · with other bits than in the version before "
        "· regressed, fixed"
    )
    _worst(table, called, console)
    _lives(table, console)
    for version, complete in zip(table.versions, table.complete, strict=True):
        if not complete:
            console.print(f"[bold]incomplete[/bold]: {escape(version)} did not answer all that it was asked")


def _counts(table: Versions, lines: list[Line]) -> Table:
    shown = Table(title=f"{table.framework}, version by version", title_justify="left")
    shown.add_column("implementation", overflow="fold")
    for version in table.versions:
        shown.add_column(escape(version), justify="right")
    for line in lines:
        shown.add_row(escape(line.implementation), *map(_cell, line.cells))
    return shown


def _cell(cell: Cell | None) -> str:
    if cell is None:
        return "not answered"
    broken = f"{cell.must} / {cell.should}"
    if cell.changed is None:
        return broken
    return f"{broken} · {cell.changed} of {cell.compared} · {cell.regressed} worse, {cell.fixed} better"


def _worst(table: Versions, lines: list[Line], console: Console) -> None:
    """The worst error by format, of those of which it is another one in some version."""
    moved = [(line, d) for line in lines for d in line.dtypes if len(set(line.worst(d))) > 1]
    every = sum(len(line.dtypes) for line in lines)
    console.print(
        f"worst error on ordinary rows: the same in every version for {every - len(moved)} of {every} "
        "implementations and formats"
    )
    for line, dtype in moved:
        told = " → ".join("—" if w is None else number(w) for w in line.worst(dtype))
        console.print(f"  {escape(line.implementation)} {dtype}: {told} ulp")


def _lives(table: Versions, console: Console) -> None:
    lives = [f for f in table.lifetimes if not f.control]
    moved = [f for f in lives if not f.steady]
    console.print(
        f"[bold]findings: {len(lives)}[/bold] in any version, {len(lives) - len(moved)} of them alike in all"
    )
    for life in moved:
        console.print(
            f"  {life.clause} [bold]{life.level}[/bold]  {escape(life.implementation)} {life.output}: "
            f"{life.symptom}; [bold]{escape(table.story(life))}[/bold] ({_counted(life)} verdicts)"
        )
        console.print(f"      [dim]{escape(life.case)}[/dim]")


def _counted(life: Lifetime) -> str:
    return " → ".join("—" if n is None else str(n) for n in life.counts)

"""How ``conformance explain`` is printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from xent_conformance.cases.case import Batch, Case
from xent_conformance.explain.case import answers, certified_digits
from xent_conformance.reference.clauses import clause
from xent_conformance.reports.text.wording import answer

SHOWN = 16


def show(batch: Batch, case: Case, pattern: str, console: Console, devices: Sequence[str] = ()) -> bool:
    """Print the case and every matching implementation's answer; False where none matches."""
    _inputs(batch, case, console)
    _exact(batch, case, console)
    found = False
    for answered in answers(batch, case, pattern, devices):
        found = True
        if answered.absent:
            console.print(f"\n{escape(answered.framework)}: not installed: {escape(answered.absent)}")
        if answered.lacks:
            console.print(f"\n{escape(answered.framework)}: {escape(answered.lacks)}")
        door = None
        for r in answered.rows:
            if door != (door := (r["implementation"], r["mode"], r["device"])):
                where = escape(f"{r['mode']} {r['device']}")
                console.print(f"\n[bold]{escape(r['implementation'])}[/bold] {where}")
            console.print(f"  {r['output']}: {r['status'].replace('_', ' ')}, {_clause(r['clause'])}")
            element = f"element {r['index']}: " if r["grade"] != "none" else ""
            console.print(f"    {element}{answer(r)}{_bits(batch, r)}")
    return found


def _clause(number: str) -> str:
    return f"clause {number} ({clause(number).level}) {escape(clause(number).title)}"


def _bits(batch: Batch, row: Mapping[str, Any]) -> str:
    if row["grade"] == "none":
        return ""
    fmt = batch.inputs.format
    return f"  {fmt.hex(row['got'])} against {fmt.hex(row['rounded'])}"


def _inputs(batch: Batch, case: Case, console: Console) -> None:
    inputs, fmt, row = batch.inputs, batch.inputs.format, case.row
    console.print(f"[bold]{escape(case.id)}[/bold]  {case.hash}")
    console.print(f"{inputs.definition.name} = {escape(inputs.definition.formula)}")
    console.print(f"{_clause(case.clause)}: {escape(clause(case.clause).text)}")
    if batch.manner:
        console.print(f"asked with {escape(batch.manner)}")
    table = Table(title="inputs", title_justify="left")
    columns = {
        "logits": inputs.logits[row],
        "labels": inputs.labels[row],
        "cotangent": inputs.cotangent[row],
        "tangent": inputs.tangent[row] if inputs.tangent.size else np.zeros(0),
    }
    table.add_column("element", justify="right")
    for name, values in columns.items():
        if values.size:
            table.add_column(name)
            table.add_column("bits")
    length = inputs.logits.shape[1]
    for i in range(min(length, SHOWN)):
        cells = [str(i)]
        for name, values in columns.items():
            if not values.size:
                continue
            if i >= values.size:
                cells += ["", ""]
            elif name == "labels" and inputs.definition.labels == "index":
                cells += [str(int(values[i])), ""]
            else:
                cells += [repr(float(values[i])), fmt.hex(float(values[i]))]
        table.add_row(*cells)
    console.print(table)
    if length > SHOWN:
        console.print(f"… {length - SHOWN} more elements")


def _exact(batch: Batch, case: Case, console: Console) -> None:
    for exact in certified_digits(batch, case):
        shown = exact.elements[:SHOWN]
        console.print(f"certified {exact.output}:")
        for i, text in enumerate(shown):
            console.print(f"  [{i}] {text}", markup=False)
        if len(exact.elements) > len(shown):
            console.print(f"  … {len(exact.elements) - len(shown)} more")

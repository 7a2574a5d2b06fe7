"""Tables of what there is: ``conformance list …``."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from cases.corpus import families as all_families
from cases.family import PROFILES
from conformance.process import FrameworkAbsent, Process, WorkerLost
from conformance.registry import FRAMEWORKS
from reference.clauses import clauses as all_clauses
from reference.operators import OPERATORS


def _table(*columns: str, folds: int = 1) -> Table:
    """A table whose last ``folds`` columns may fold; names never do."""
    table = Table()
    for i, column in enumerate(columns):
        fold = i >= len(columns) - folds
        table.add_column(column, overflow="fold", no_wrap=not fold)
    return table


def operators() -> Table:
    """Name, formula, labels and outputs of every operator."""
    table = _table("operator", "formula", "labels", "outputs")
    for o in OPERATORS.values():
        table.add_row(o.name, escape(o.formula), o.labels, " ".join(o.outputs))
    return table


def implementations() -> Table:
    """Every door, without importing its framework."""
    table = _table("framework", "implementation", "operator", "formulation", "modes", "note")
    for framework in FRAMEWORKS.values():
        modes = " ".join(framework.modes(PROFILES[-1]))
        for i in framework.implementations:
            table.add_row(framework.name, escape(i.name), i.operator, i.formulation, modes, escape(i.note))
    return table


def families() -> Table:
    """Every family with the operators and row lengths it asks."""
    table = _table("family", "about", "quick: operator n…", "standard adds", folds=3)
    for family in all_families().values():
        quick, more = [], []
        for o in OPERATORS.values():
            first = family.lengths(o, "quick")
            rest = [n for n in family.lengths(o, "standard") if n not in first]
            if first:
                quick.append(f"{o.name} {' '.join(map(str, first))}")
            if rest:
                more.append(f"{o.name} {' '.join(map(str, rest))}")
        table.add_row(family.name, escape(family.about), "\n".join(quick), "\n".join(more))
    return table


def clauses() -> Table:
    """Number, level and title of every clause of SPEC.md."""
    table = _table("clause", "level", "title")
    for c in all_clauses().values():
        table.add_row(c.id, c.level.value, escape(c.title))
    return table


def devices() -> Table:
    """Devices of every framework that is installed here. Starts each of them."""
    table = _table("framework", "version", "device", "setting")
    for framework in FRAMEWORKS.values():
        try:
            process = Process(framework.launch())
        except (FrameworkAbsent, WorkerLost) as absent:
            words = f"{absent}\nadd it with: {framework.install}"
            state = "not installed" if isinstance(absent, FrameworkAbsent) else "does not start"
            table.add_row(framework.name, state, "", escape(words))
            continue
        hello = process.hello
        process.close()
        setting = "\n".join(f"{k} = {v}" for k, v in hello["environment"].items())
        for device in hello["devices"]:
            table.add_row(framework.name, escape(hello["version"]), escape(device), escape(setting))
    return table

"""Tables of what there is: ``conformance list …``."""

from __future__ import annotations

from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from xent_conformance.asking.connection import FrameworkAbsent, WorkerLost
from xent_conformance.asking.process import connect
from xent_conformance.cases.corpus import families as all_families
from xent_conformance.cases.profile import Profile
from xent_conformance.reference.clauses import clauses as all_clauses
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.registry.devices import differs, kind_of
from xent_conformance.registry.doors import doors
from xent_conformance.registry.framework import FRAMEWORKS, Framework, Seat


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
    """Every door, without importing its framework; a mode is marked with the profile that adds it."""
    table = _table("framework", "implementation", "operator", "formulation", "modes", "note", folds=2)
    for row in doors():
        modes = " ".join(f"{m}({since})" if since != Profile.QUICK else m for m, since in row.modes.items())
        table.add_row(
            row.framework, escape(row.door.name), row.door.operator, row.door.formulation, modes,
            escape(row.door.note),
        )  # fmt: skip
    return table


def families() -> Table:
    """Every family with the operators and row lengths it asks."""
    table = _table("family", "about", "quick: operator n…", "standard and full add", folds=3)
    for family in all_families().values():
        quick, more = [], []
        for o in OPERATORS.values():
            first = family.lengths(o, "quick")
            rest = [n for n in family.lengths(o, "full") if n not in first]
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
    """Devices of every framework that is installed here, and their variants. Starts each of them."""
    table = _table("framework", "version", "device", "setting", folds=1)
    for framework in FRAMEWORKS.values():
        try:
            connection = connect(Seat(framework))
        except (FrameworkAbsent, WorkerLost) as absent:
            words = f"{absent}\nadd it with: {framework.install}"
            state = "not installed" if isinstance(absent, FrameworkAbsent) else "does not start"
            table.add_row(framework.name, state, "", escape(words))
            continue
        hello = connection.hello
        connection.close()
        setting = "\n".join(f"{k} = {v}" for k, v in hello["environment"].items())
        for device in hello["devices"]:
            table.add_row(framework.name, escape(hello["version"]), escape(device), escape(setting))
        for name, variant in framework.declaration.variants.items():
            sets = " ".join(f"{k}={v}" for k, v in variant.environment.items())
            asked = _asked(framework, name, hello["devices"])
            device = escape(Seat(framework, name).device(variant.device))
            table.add_row(framework.name, "", device, escape(f"{variant.about}; {sets}; {asked}"))
    return table


def _asked(framework: Framework, name: str, there: Sequence[str]) -> str:
    """When a variant is asked, or why it is not."""
    variant = framework.declaration.variants[name]
    if variant.device not in map(kind_of, there):
        return "not on this machine"
    if not differs(framework, name):
        return "no difference here"
    return f"asked from {variant.since} on" if variant.device == "cpu" else "asked where it is named"

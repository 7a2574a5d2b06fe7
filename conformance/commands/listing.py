"""Tables of what there is: ``conformance list …``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from rich.console import Console

from xent_conformance.asking.connection import FrameworkAbsent, WorkerLost
from xent_conformance.asking.process import connect
from xent_conformance.cases.corpus import families as all_families
from xent_conformance.cases.profile import Profile
from xent_conformance.reference.clauses import clauses as all_clauses
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.registry.devices import differs, kind_of
from xent_conformance.registry.doors import doors
from xent_conformance.registry.framework import FRAMEWORKS, Framework, Seat
from xent_conformance.reports.terminal.screen import table

ROWS = 2_000
"""Rows that are listed; plug-ins may add as many as they like."""

Rows = Iterator[tuple[str, ...]]


def show(what: str, console: Console) -> None:
    """A table of operators, implementations, families, clauses or devices, no wider than the console."""
    columns, _, names = _TABLES[what]
    table(console, columns, rows(what), names=columns[:names], limit=ROWS)


def rows(what: str) -> Rows:
    """What the table holds."""
    return _TABLES[what][1]()


def _operators() -> Rows:
    for o in OPERATORS.values():
        yield o.name, o.formula, o.labels, " ".join(o.outputs)


def _implementations() -> Rows:
    """Every door, without importing its framework; a mode is marked with the profile that adds it."""
    for row in doors():
        modes = " ".join(f"{m}({since})" if since != Profile.QUICK else m for m, since in row.modes.items())
        yield row.framework, row.door.name, row.door.operator, row.door.formulation, modes, row.door.note


def _families() -> Rows:
    """Every family with the operators and row lengths it asks."""
    for family in all_families().values():
        quick, more = [], []
        for o in OPERATORS.values():
            first = family.lengths(o, "quick")
            rest = [n for n in family.lengths(o, "full") if n not in first]
            if first:
                quick.append(f"{o.name} {' '.join(map(str, first))}")
            if rest:
                more.append(f"{o.name} {' '.join(map(str, rest))}")
        yield family.name, family.about, "\n".join(quick), "\n".join(more)


def _clauses() -> Rows:
    for c in all_clauses().values():
        yield c.id, c.level.value, c.title


def _devices() -> Rows:
    """Devices of every framework that is installed here, and their variants. Starts each of them."""
    for framework in FRAMEWORKS.values():
        try:
            connection = connect(Seat(framework))
        except (FrameworkAbsent, WorkerLost) as absent:
            state = "not installed" if isinstance(absent, FrameworkAbsent) else "does not start"
            yield framework.name, state, "", f"{absent}\nadd it with: {framework.install}"
            continue
        hello = connection.hello
        connection.close()
        setting = "\n".join(f"{k} = {v}" for k, v in hello["environment"].items())
        for device in hello["devices"]:
            yield framework.name, hello["version"], device, setting
        for name, variant in framework.declaration.variants.items():
            sets = " ".join(f"{k}={v}" for k, v in variant.environment.items())
            asked = _asked(framework, name, hello["devices"])
            device = Seat(framework, name).device(variant.device)
            yield framework.name, "", device, f"{variant.about}; {sets}; {asked}"


def _asked(framework: Framework, name: str, there: Sequence[str]) -> str:
    """When a variant is asked, or why it is not."""
    variant = framework.declaration.variants[name]
    if variant.device not in map(kind_of, there):
        return "not on this machine"
    if not differs(framework, name):
        return "no difference here"
    return f"asked from {variant.since} on" if variant.device == "cpu" else "asked where it is named"


_TABLES: Mapping[str, tuple[tuple[str, ...], Callable[[], Rows], int]] = {
    "operators": (("operator", "formula", "labels", "outputs"), _operators, 1),
    "implementations": (
        ("framework", "implementation", "operator", "formulation", "modes", "note"),
        _implementations,
        3,
    ),
    "families": (("family", "about", "quick: operator n…", "standard and full add"), _families, 1),
    "clauses": (("clause", "level", "title"), _clauses, 2),
    "devices": (("framework", "version", "device", "setting"), _devices, 3),
}
"""Columns, rows, and how many of the columns hold names: those fold last."""

"""Tables of what there is: ``conformance list …``."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console

from xent_conformance.cases.corpus import families as all_families
from xent_conformance.cases.profile import Profile
from xent_conformance.devices.names import kind_of
from xent_conformance.devices.variants import DRIVER
from xent_conformance.discovery.doors import doors
from xent_conformance.discovery.framework import FRAMEWORKS, Framework, Seat
from xent_conformance.discovery.seats import as_they_are, differs
from xent_conformance.reference.clauses import clauses as all_clauses
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.reports.terminal.screen import block, table
from xent_conformance.running.machine import Gone, There, heard

ROWS = 2_000
"""Rows that are listed; plug-ins may add as many as they like."""

NOT_HERE = "not on this machine"
"""When a variant of a kind of device is asked that nothing here has."""


@dataclass(frozen=True)
class Which:
    """What is listed: implementations of these frameworks and operators, or of all.

    ``interpreters``: by framework, the Python whose devices are listed, where it is not the one that runs us.
    """

    frameworks: Collection[str] = ()
    operators: Collection[str] = ()
    interpreters: Mapping[str, str] = field(default_factory=dict)


EVERY = Which()


Record = Mapping[str, Any]
"""An entry of a list, for programs (docs/JSON.md); a table shows it in a row."""


def show(what: str, console: Console, which: Which = EVERY) -> None:
    """A table of operators, implementations, families, clauses or devices, no wider than the console.

    Devices are a list, told as each framework has started.
    """
    if what == "devices":
        for r in _devices(which):
            head = " ".join(filter(None, (r["framework"], r["version"], r["device"])))
            block(console, head, [("", r["setting"])])
        return
    columns, _, _, names = _TABLES[what]
    table(console, columns, rows(what, which), names=columns[:names], limit=ROWS)


def records(what: str, which: Which = EVERY) -> Iterator[Record]:
    """What the list holds, for programs: always in the same order."""
    there = list(FRAMEWORKS)
    found = _TABLES[what][1](which)
    return iter(sorted(found, key=lambda r: there.index(r["framework"]))) if what == "devices" else found


def rows(what: str, which: Which = EVERY) -> Iterator[tuple[str, ...]]:
    """What the table holds."""
    return map(_TABLES[what][2], records(what, which))


def _operators(_: Which) -> Iterator[Record]:
    for o in OPERATORS.values():
        yield {"name": o.name, "formula": o.formula, "labels": o.labels, "outputs": list(o.outputs)}


def _operator(r: Record) -> tuple[str, ...]:
    return r["name"], r["formula"], r["labels"], " ".join(r["outputs"])


def _implementations(which: Which) -> Iterator[Record]:
    """Of each, without importing its framework; ``modes``: of each the smallest profile that asks it."""
    for row in doors():
        if which.frameworks and row.framework not in which.frameworks:
            continue
        if which.operators and row.door.operator not in which.operators:
            continue
        yield {
            "framework": row.framework,
            "name": row.door.name,
            "operator": row.door.operator,
            "formulation": row.door.formulation,
            "modes": {mode: str(since) for mode, since in row.modes.items()},
            "note": row.door.note,
        }


def _implementation(r: Record) -> tuple[str, ...]:
    """A mode is marked with the profile that adds it."""
    modes = " ".join(f"{m}({since})" if since != Profile.QUICK else m for m, since in r["modes"].items())
    return r["framework"], r["name"], r["operator"], r["formulation"], modes, r["note"]


def _families(_: Which) -> Iterator[Record]:
    """Every family with the row lengths that it asks of each operator, in ``quick`` and in ``full``."""
    for family in all_families().values():
        lengths = {
            profile: {o.name: [*found] for o in OPERATORS.values() if (found := family.lengths(o, profile))}
            for profile in ("quick", "full")
        }
        yield {"name": family.name, "about": family.about, **lengths}


def _family(r: Record) -> tuple[str, ...]:
    quick, more = [], []
    for operator, every in r["full"].items():
        first = r["quick"].get(operator, [])
        rest = [n for n in every if n not in first]
        if first:
            quick.append(f"{operator} {' '.join(map(str, first))}")
        if rest:
            more.append(f"{operator} {' '.join(map(str, rest))}")
    return r["name"], r["about"], "\n".join(quick), "\n".join(more)


def _clauses(_: Which) -> Iterator[Record]:
    for c in all_clauses().values():
        yield {"id": c.id, "level": c.level.value, "title": c.title, "text": c.text, "note": c.note}


def _clause(r: Record) -> tuple[str, ...]:
    return r["id"], r["level"], r["title"]


def _devices(which: Which = EVERY) -> Generator[Record, None, None]:
    """Devices of every framework that is installed here, and their variants, as each has started.

    Without a ``version`` it is a variant; without a ``device`` the framework does not start.
    """
    every = [seat for framework in FRAMEWORKS.values() for seat in as_they_are(framework)]
    seats = [seat.run_by(which.interpreters.get(seat.name)) for seat in every]
    settings = {seat.key for seat in seats if seat.variant}
    told: set[str] = set()
    with contextlib.closing(heard(seats)) as events:
        for event in events:
            framework, first = event.seat.framework, event.seat.name not in told
            told.add(framework.name)
            match event:
                case There(seat, hello):
                    yield from there(seat, hello)
                    yield from variants(framework, hello["devices"], settings) if first else ()
                case Gone(seat, message, install, broken) if first:
                    state = "does not start" if broken else "not installed"
                    how = f"{message}\nadd it with: {install}"
                    yield {"framework": seat.name, "version": state, "device": "", "setting": how}


def there(seat: Seat, hello: Mapping[str, Any]) -> Iterator[Record]:
    """The devices of a seat that has started."""
    setting = "\n".join(f"{k} = {v}" for k, v in hello["environment"].items())
    for device in hello["devices"]:
        told = {"framework": seat.name, "version": hello["version"]}
        yield {**told, "device": seat.device(device), "setting": setting}


def variants(framework: Framework, devices: Sequence[str], started: Collection[str] = ()) -> Iterator[Record]:
    """The variants of a framework that has these devices, but for those that are ``started`` themselves."""
    for name, variant in framework.declaration.variants.items():
        seat = Seat(framework, name)
        if seat.key in started:
            continue
        sets = " ".join(f"{k}={v}" for k, v in variant.environment.items())
        about = f"{variant.about}; {sets}; {_asked(framework, name, devices)}"
        device = seat.device(variant.device)
        yield {"framework": framework.name, "version": "", "device": device, "setting": about}


def _device(r: Record) -> tuple[str, ...]:
    return r["framework"], r["version"], r["device"], r["setting"]


def _asked(framework: Framework, name: str, there: Sequence[str]) -> str:
    """When a variant is asked, or why it is not."""
    variant = framework.declaration.variants[name]
    if DRIVER in variant.environment:  # a device that is there by its setting alone
        return f"asked where it is named, if {variant.environment[DRIVER]} is here"
    if variant.device not in map(kind_of, there):
        return NOT_HERE
    if not differs(framework, name):
        return "no difference here"
    return f"asked from {variant.since} on" if variant.device == "cpu" else "asked where it is named"


_TABLES: Mapping[
    str, tuple[tuple[str, ...], Callable[[Which], Iterator[Record]], Callable[[Record], tuple[str, ...]], int]
] = {
    "operators": (("operator", "formula", "labels", "outputs"), _operators, _operator, 1),
    "implementations": (
        ("framework", "implementation", "operator", "formulation", "modes", "note"),
        _implementations,
        _implementation,
        3,
    ),
    "families": (("family", "about", "quick: operator n…", "standard and full add"), _families, _family, 1),
    "clauses": (("clause", "level", "title"), _clauses, _clause, 2),
    "devices": (("framework", "version", "device", "setting"), _devices, _device, 3),
}
"""Columns, what they show, how, and how many of the columns hold names: those fold last."""

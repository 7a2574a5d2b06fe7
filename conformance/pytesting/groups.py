"""The conformance tests there are: one a door, mode, device, format, operator, output and family of cases.

They are found without starting a framework, in one order everywhere, as pytest-xdist wants it. What of
them is left after ``-k`` narrows the run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, NamedTuple

from xent_conformance.asking.selection import Selection
from xent_conformance.cases.case import Batch
from xent_conformance.decision.waivers import Waiver, matching
from xent_conformance.devices.names import split
from xent_conformance.discovery.framework import FRAMEWORKS, Seat
from xent_conformance.frameworks.interface import Question
from xent_conformance.reports.run.file import Run


class Group(NamedTuple):
    """The verdicts that one test is about. The fields are columns of the run file."""

    framework: str
    implementation: str
    mode: str
    device: str
    dtype: str
    operator: str
    output: str
    family: str

    @property
    def place(self) -> Group:
        """The group without its output: what is asked in one call."""
        return self._replace(output="")

    @property
    def seat(self) -> str:
        """The worker that answers, as a run file names it: ``torch``, ``torch[isa=avx2]``."""
        variant = split(self.device)[1]
        return f"{self.framework}[{variant}]" if variant else self.framework


def names(groups: Sequence[Group]) -> list[str]:
    """What each test is called; the framework is named where two have a door of one name."""
    doors = {(g.framework, g.implementation) for g in groups}
    doors |= {(f.name, i.name) for f in FRAMEWORKS.values() for i in f.declaration.implementations}
    shared = {name for name, frameworks in Counter(i for _, i in doors).items() if frameworks > 1}
    return [
        "-".join(
            (f"{g.framework}/{g.implementation}" if g.implementation in shared else g.implementation, *g[2:])
        )
        for g in groups
    ]


def same_device(asked: str, there: str) -> bool:
    """Whether ``there`` is the device that was named: ``cuda`` names ``cuda:0`` too."""
    (name, variant), (found, setting) = split(asked), split(there)
    return variant == setting and name in (found, found.partition(":")[0])


def of_selection(selection: Selection) -> list[Group]:
    """What a run of the selection would answer. Naive formulations are controls, and no tests."""
    found: dict[Group, None] = {}
    batches = list(selection.batches())
    for seat in selection.seats():
        naive = _naive(seat)
        for batch in batches:
            for q in selection.questions(seat, batch, selection.possible):
                if (q.implementation, q.operator) not in naive:
                    found |= dict.fromkeys(_group(seat, batch, q, output) for output in q.due)
    return list(found)


def of_run(run: Run, frameworks: Sequence[str] = (), devices: Sequence[str] = ()) -> list[Group]:
    """What a run file holds, of those frameworks and devices if any are named."""
    import polars as pl

    called = run.verdicts.filter(pl.col("formulation") != "naive")
    found = called.select(Group._fields).unique(maintain_order=True)
    groups = [Group(*row) for row in found.iter_rows()]
    return [
        g
        for g in groups
        if (not frameworks or g.framework in frameworks)
        and (not devices or any(same_device(d, g.device) for d in devices))
    ]


def place_of(waiver: Waiver, groups: Iterable[Group]) -> list[Group]:
    """The groups in which a witness of the waiver must still fail."""
    parts = [case.split("/") for case in waiver.witnesses]
    witnessed = {(p[0], p[1], p[3]) for p in parts if len(p) == 6}
    return [
        g
        for g in groups
        if g.framework == waiver.framework
        and matching([g.output], waiver.outputs)
        and (g.operator, g.family, g.dtype) in witnessed
        and matching([g.operator], waiver.operators)
        and matching([g.implementation], waiver.implementations)
        and matching([g.mode], waiver.modes)
        and matching([g.device], waiver.devices)
    ]


def _group(seat: Seat, batch: Batch, q: Question, output: str = "") -> Group:
    device, dtype = seat.device(q.device), batch.inputs.format.name
    return Group(seat.name, q.implementation, q.mode, device, dtype, q.operator, output, batch.family)


def _naive(seat: Seat) -> set[tuple[str, str]]:
    return {(i.name, i.operator) for i in seat.declaration.implementations if i.formulation == "naive"}


@dataclass(frozen=True)
class Narrowed(Selection):
    """Of a selection, what the ``places`` of some tests need, and nothing beside."""

    places: frozenset[Group] = field(default=frozenset(), repr=False)

    @classmethod
    def to(cls, selection: Selection, groups: Iterable[Group]) -> Narrowed:
        """The selection without what no test of these groups needs."""
        places = frozenset(g.place for g in groups)
        plain = {f.name: getattr(selection, f.name) for f in fields(Selection)}
        narrow = {
            name: tuple(sorted({getattr(p, column) for p in places}))
            for name, column in (("operators", "operator"), ("dtypes", "dtype"), ("families", "family"))
        }
        return cls(**plain | narrow, places=places)

    def _check_named(self) -> None:
        """The tests that are left may need nothing of a framework that was named."""

    @cached_property
    def _frames(self) -> frozenset[tuple[str, str, str]]:
        return frozenset((p.operator, p.family, p.dtype) for p in self.places)

    def batches(self) -> Iterator[Batch]:
        """Those of the selection of which a place has operator, family and format."""
        return (b for b in super().batches() if (b.operator, b.family, b.inputs.format.name) in self._frames)

    def questions(self, seat: Seat, batch: Batch, devices: Sequence[str]) -> list[Question]:
        """Those of the selection that a place is about."""
        return [q for q in super().questions(seat, batch, devices) if self._wants(seat, batch, q)]

    def _wants(self, seat: Seat, batch: Batch, q: Question) -> bool:
        """A device that a worker has may be named by its kind in a place."""
        kind = replace(q, device=q.device.partition(":")[0])
        return any(_group(seat, batch, asked) in self.places for asked in (q, kind))

    def as_dict(self) -> dict[str, Any]:
        """As the selection that it narrows: the command that is made of it asks at least as much."""
        return {f.name: getattr(self, f.name) for f in fields(Selection)}

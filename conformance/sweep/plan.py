"""What a sweep asks of whom, in chunks that are numbered; which of them are a shard's."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from xent_conformance.cases.profile import Profile
from xent_conformance.devices.names import split
from xent_conformance.discovery.framework import FRAMEWORKS, Framework, Seat
from xent_conformance.discovery.names import UnknownName, check_name
from xent_conformance.discovery.seats import check_devices
from xent_conformance.frameworks.interface import Implementation, Manner, Question
from xent_conformance.reference.formats import JUDGED
from xent_conformance.reference.operators import OPERATORS as ALL_OPERATORS
from xent_conformance.reference.sources import hash_of, of_reference
from xent_conformance.sweep import values
from xent_conformance.sweep.ground import DTYPES, OPERATORS, Ground, grounds
from xent_conformance.version import __version__

INSTRUMENT = ("frameworks", "worker", "judging", "sweep")
"""Folders of ours that decide what is counted, beside the reference."""

CHUNK = {"float16": 2**12, "bfloat16": 2**12, "float32": 2**22}
"""Points that are asked at once."""

CHUNK_OF_PAIRS = 2**20

LABELS = (0, 1)


@functools.cache
def of_instrument() -> str:
    """Hash of the source of :data:`INSTRUMENT`."""
    return hash_of(Path(__file__).parents[1], INSTRUMENT)


class UnknownShard(ValueError):
    """What is no shard; the message says how one is written."""


@dataclass(frozen=True)
class Shard:
    """Every ``count``-th chunk from number ``index`` on, which counts from 1."""

    index: int = 1
    count: int = 1

    @classmethod
    def of(cls, text: str) -> Shard:
        """The shard that ``3/16`` names. Raises :class:`UnknownShard`."""
        found = re.fullmatch(r"(\d+)/(\d+)", text)
        if not found or not 1 <= int(found[1]) <= int(found[2]):
            raise UnknownShard(f"{text!r} is no shard: an index and a count, --shard 1/16 to --shard 16/16")
        return cls(int(found[1]), int(found[2]))

    def has(self, chunk: int) -> bool:
        return chunk % self.count == self.index - 1

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


@dataclass(frozen=True)
class Chunk:
    """Points ``start`` to ``stop`` of a ground."""

    number: int
    ground: Ground
    start: int
    stop: int


@dataclass(frozen=True)
class Plan:
    """One implementation in one format, mode and device: every point, for every output and hard label."""

    seat: Seat
    implementation: str
    operator: str
    dtype: str
    outputs: tuple[str, ...]
    labels: tuple[int, ...]
    mode: str
    device: str
    size: int

    @property
    def asked(self) -> dict[str, Any]:
        """What must be equal for two parts to be of one sweep, beside who answered."""
        told = {k: v for k, v in asdict(self).items() if k != "seat"}
        return {
            "suite": __version__,
            "reference": of_reference(),
            "instrument": of_instrument(),
            "framework": self.seat.name,
            **told,
            "outputs": list(self.outputs),
            "labels": list(self.labels),
            "device": self.seat.device(self.device),
        }

    @cached_property
    def grounds(self) -> list[Ground]:
        return grounds(self.operator, self.dtype, self.labels)

    @cached_property
    def chunks(self) -> list[Chunk]:
        """All of them; a chunk has the same number in whatever shard."""
        return chunks(self.grounds, self.size)

    @property
    def question(self) -> Question:
        return Question(self.implementation, self.operator, self.mode, self.device, self.outputs)


def chunks(grounds: Sequence[Ground], size: int) -> list[Chunk]:
    """The points of all grounds, one after another, ``size`` at a time."""
    found: list[Chunk] = []
    for ground in grounds:
        for start in range(0, ground.points, size):
            found.append(Chunk(len(found), ground, start, min(start + size, ground.points)))
    return found


def plan(
    implementation: str,
    operator: str | None = None,
    dtype: str = "float32",
    *,
    outputs: Sequence[str] = (),
    labels: Sequence[int] = (),
    mode: str | None = None,
    device: str = "cpu",
    interpreters: Mapping[str, str] | None = None,
    size: int | None = None,
) -> Plan:
    """What ``conformance sweep`` is asked for, every name checked. Raises :class:`~.names.UnknownName`.

    No outputs are all that can be swept, and no labels both; ``size``: points of a chunk, not the usual.
    ``interpreters``: by framework, the Python that has it, where it is not ours.
    """
    dtype = check_name("dtype", dtype, JUDGED)
    framework, door = _door(implementation, operator)
    if dtype not in DTYPES:
        raise UnknownName(f"{dtype} is not swept: there are {', '.join(DTYPES)}")
    pairs = door.operator in values.PAIRS
    if pairs and dtype == "float32":
        raise UnknownName(f"pairs of float32 are 2^64: {door.operator} is swept in float16 and bfloat16")
    variant = split(device)[1]
    check_devices([device], [framework])
    seat = Seat(framework, variant).run_by((interpreters or {}).get(framework.name))
    modes = seat.modes(Profile.FULL)
    mode = check_name("mode", mode, modes) if mode else modes[0]
    declared = framework.declaration
    if not declared.asks(door.name, mode, dtype):
        raise UnknownName(f"{door.name} is not asked in {dtype} in mode {mode}")
    able = Ground(door.operator, JUDGED[dtype]).outputs if declared.autodiff else ("value",)
    outputs = tuple(check_name("output", output, able) for output in outputs)
    wanted = tuple(o for o in able if not outputs or o in outputs)
    lacks = {o: declared.withheld(door.name, mode, dtype, Manner(), o, variant) for o in wanted}
    offered = tuple(o for o in wanted if not lacks[o])
    for output in outputs or (() if offered else wanted):
        if lacks[output]:
            raise UnknownName(f"{door.name} does not offer {output} in {dtype}: {lacks[output]}")
    if wrong := set(labels) - set(LABELS):
        raise UnknownName(f"a hard label is 0 or 1, not {min(wrong)}")
    labelled = door.operator == "sigmoid_cross_entropy"
    if labels and not labelled:
        raise UnknownName(f"{door.operator} has no label")
    usual = CHUNK_OF_PAIRS if pairs else CHUNK[dtype]
    return Plan(
        seat,
        door.name,
        door.operator,
        dtype,
        offered,
        tuple(sorted(set(labels) or LABELS)) if labelled else (),
        mode,
        split(device)[0],
        size or usual,
    )


def _door(implementation: str, operator: str | None) -> tuple[Framework, Implementation]:
    """The framework that has an implementation of that operator, or of the only one that it computes."""
    if operator is not None:
        operator = check_name("operator", operator, ALL_OPERATORS)
        if operator not in OPERATORS:
            raise UnknownName(f"{operator} is not swept: there are {', '.join(OPERATORS)}")
    every = [(f, i) for f in FRAMEWORKS.values() for i in f.declaration.implementations]
    implementation = check_name("implementation", implementation, [i.name for _, i in every])
    own = [(f, i) for f, i in every if i.name == implementation]
    found = [
        (f, i) for f, i in own if i.operator == operator or (operator is None and i.operator in OPERATORS)
    ]
    if not found:
        computes = ", ".join(i.operator for _, i in own)
        due = operator or f"any of {', '.join(OPERATORS)}"
        raise UnknownName(f"{implementation} computes {computes}, and not {due}")
    if len({i.operator for _, i in found}) > 1:
        raise UnknownName(f"{implementation} computes several operators: name one with --operator")
    return found[0]

"""What hypotheses say of calls, gathered by the doors that have returned them, a call at a time.

Which of them are asked about a call hangs on the calls of its doors before it, and on nothing else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from xent_conformance.cases.case import Batch
from xent_conformance.diagnosis.marks import Marks, marks
from xent_conformance.diagnosis.predict import HYPOTHESES, Name, names
from xent_conformance.diagnosis.said import Call, Said

OTHER = {h.name for h in HYPOTHESES} - {h.name for h in HYPOTHESES if h.rounds or h.steps or h.rank <= 2}
"""Other functions than the right one: who computes them is not merely inaccurate."""

Ids = NDArray[np.uint32]
"""Numbers of verdicts."""

Piece = tuple[Batch, str, Call]
"""A batch, the name of an output, and what its doors returned there."""


@dataclass(frozen=True)
class Weighed:
    """Of one door: which broken verdicts a hypothesis explains, and how often it is contradicted."""

    name: Name
    explained: Marks
    """Of places among the door's broken verdicts: see :attr:`~.choice.Explained.ids`."""
    contradicted: int
    severe: bool = True
    """Whether one of them at least is more than a loss of relative accuracy."""


@dataclass
class Door:
    """What has been weighed so far."""

    ids: list[Ids] = field(default_factory=list)
    """The numbers of its broken verdicts, a call behind the other: no verdict is in two."""
    broken: int = 0
    conforming: int = 0
    explained: dict[Name, Marks] = field(default_factory=dict)
    contradicted: set[Name] = field(default_factory=set)
    of_severe: set[Name] = field(default_factory=set)
    """What explains one of those that are severe."""

    @property
    def weighed(self) -> list[Weighed]:
        return [
            Weighed(name, marked, int(name in self.contradicted), name in self.of_severe)
            for name, marked in self.explained.items()
        ]

    def take(self, ids: Ids, conforming: int) -> int:
        """The broken verdicts of a call, beside so many that conform; the place of the first."""
        first = self.broken
        self.ids.append(ids)
        self.broken += ids.size
        self.conforming += conforming
        return first

    def explains(self, name: Name, met: Marks, severe: Marks, first: int) -> None:
        """Of the verdicts of a call those that are ``met``; ``first``: the place of its first."""
        if name not in self.contradicted:
            self.explained[name] = self.explained.get(name, 0) | met << first
            if met & severe:
                self.of_severe.add(name)


def say(pieces: Iterable[Piece], said: Said) -> None:
    """Have said what :func:`weigh_call` asks about these calls in their order; no other has their doors."""
    doors: defaultdict[int, Door] = defaultdict(Door)
    for batch, output, call in pieces:
        weigh_call(batch, output, call, doors, said)


def weigh_call(
    batch: Batch, output: str, call: Call, doors: Sequence[Door] | Mapping[int, Door], said: Said
) -> None:
    """Enter into ``doors``, by their numbers in the call, what is said of what each has returned."""
    begins = np.flatnonzero(np.diff(call.door, prepend=-1))  # a door's rows are one behind the other
    mine = [doors[i] for i in call.door[begins].tolist()]
    sizes = np.diff(begins, append=call.ids.size)
    broken = np.add.reduceat(call.bad, begins, dtype=np.int64)
    ends = broken.cumsum()
    ids = call.ids[call.bad].astype(np.uint32)
    there = list(zip((ends - broken).tolist(), ends.tolist(), strict=True))
    first = [
        door.take(ids[begin:end], size - (end - begin))
        for door, (begin, end), size in zip(mine, there, sizes.tolist(), strict=True)
    ]
    severe = marks(call.severe[call.bad])
    sayings = said.of(batch, output, call, _wanted(names(batch.inputs, output), call, mine))
    if not sayings:
        return
    contradicted, met = (
        np.logical_or.reduceat(np.stack(masks), begins, axis=1)
        for masks in ([s.contradicted for s in sayings], [s.met for s in sayings])
    )
    for i, k in np.argwhere(contradicted).tolist():
        mine[k].contradicted.add(sayings[i].name)
    marked = {i: marks(sayings[i].met[call.bad]) for i in np.flatnonzero(met.any(axis=1)).tolist()}
    for i, k in np.argwhere(met).tolist():
        begin, end = there[k]
        alone = (1 << end) - (1 << begin)
        mine[k].explains(sayings[i].name, (marked[i] & alone) >> begin, (severe & alone) >> begin, first[k])


def _wanted(asked: Iterable[Name], call: Call, doors: Collection[Door]) -> list[Name]:
    """What may still explain something: see :mod:`~xent_conformance.diagnosis.choice`."""
    refused = set.intersection(*(door.contradicted for door in doors))
    left = [name for name in asked if name not in refused]
    if call.severe.any():
        return left
    seen = set[Name]().union(*(door.of_severe for door in doors))
    return [name for name in left if name[0] not in OTHER or name in seen]

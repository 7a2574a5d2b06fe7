"""A run in parts, for several machines: each batch is in one of them, and all cost about the same.

Which batch is in which part depends on what is asked and on this suite, and on nothing that a machine has of
its own: any scheduler that gives an index and a count can start them. All answers to a batch are in one part,
and so are all batches of a kind (:mod:`.shares`), so that the parts together are the same run.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from xent_conformance.asking.selection import Selection
from xent_conformance.cases.case import Batch
from xent_conformance.discovery.framework import Seat
from xent_conformance.discovery.names import UnknownName
from xent_conformance.running.costs import Costs, Weights, suspects
from xent_conformance.running.shares import Kind, kind_of


@dataclass(frozen=True)
class Group:
    """Batches that stay together, and about how many seconds they take."""

    batches: tuple[Batch, ...]
    seconds: float


def groups(selection: Selection) -> list[Group]:
    """What is asked, in the order of the corpus; what no framework is asked is left out."""
    costs = Costs.read()
    weights = Weights(selection.profile, costs)
    # variants of devices are left out: which of them there are depends on the machine
    seats = [seat for f in selection.chosen_frameworks() for seat in _plain(selection, f.name)]
    same = _Same()
    seconds: dict[str, float] = {}
    batches: dict[str, Batch] = {}
    for batch in selection.batches():
        for seat in seats:
            if questions := selection.questions(seat, batch, selection.possible):
                kind = kind_of(seat, batch, questions)
                same.join(batch.id, (seat.key, kind) if isinstance(kind, str) else kind)
                seconds.setdefault(batch.id, costs.certifying * batch.inputs.logits.size)
                seconds[batch.id] += weights.seconds(seat, batch.id, questions)
                seconds[batch.id] += costs.of_losses(seat.name, suspects(batch, questions))
                batches[batch.id] = batch
    found: dict[Kind, list[str]] = {}
    for name in batches:
        found.setdefault(same.root(name), []).append(name)
    return [
        Group(tuple(batches[name] for name in names), sum(seconds[name] for name in names))
        for names in found.values()
    ]


def _plain(selection: Selection, name: str) -> Iterator[Seat]:
    return (seat for seat in selection.seats() if seat.name == name and not seat.variant)


class _Same:
    """What belongs together because it shares something."""

    def __init__(self) -> None:
        self._of: dict[Kind, Kind] = {}

    def root(self, one: Kind) -> Kind:
        """The one that stands for all that belong together."""
        while (above := self._of.setdefault(one, one)) != one:
            self._of[one] = self._of[above]
            one = above
        return one

    def join(self, one: Kind, other: Kind) -> None:
        """They belong together from now on."""
        self._of[self.root(other)] = self.root(one)


def divided(found: list[Group], of: int) -> list[list[Group]]:
    """The groups in so many parts: the dearest first, each to the part that has least."""
    parts: list[list[Group]] = [[] for _ in range(of)]
    load = [(0.0, i) for i in range(of)]
    for group in sorted(found, key=lambda g: -g.seconds):
        seconds, i = heapq.heappop(load)
        parts[i].append(group)
        heapq.heappush(load, (seconds + group.seconds, i))
    return parts


@dataclass(frozen=True)
class Shard(Selection):
    """Of a selection the part ``index`` of ``of``, counted from one."""

    index: int = 1
    of: int = 1

    @classmethod
    def part(cls, selection: Selection, words: str) -> Shard:
        """``3/16`` of a selection. Raises :class:`UnknownName` for what is no such part."""
        told = re.fullmatch(r"([0-9]+)/([0-9]+)", words)
        index, of = map(int, told.groups()) if told else (0, 0)
        if not 1 <= index <= of:
            raise UnknownName(f"--shard {words}: a part and their number are needed, as in 3/16")
        plain = {field.name: getattr(selection, field.name) for field in fields(Selection)}
        shard = cls(**plain, index=index, of=of)
        if of > (most := len(groups(selection))):
            raise UnknownName(
                f"--shard {words}: what is asked can be divided into {most} at most; --shard 1/{most}"
            )
        return shard

    @property
    def whole(self) -> Selection:
        """The selection that it is a part of."""
        return Selection(**{field.name: getattr(self, field.name) for field in fields(Selection)})

    def _check_named(self) -> None:
        """What is asked for by name may be asked in another part."""

    def _asks_anything(self, seats: Any) -> bool:
        return True

    @cached_property
    def _mine(self) -> frozenset[str]:
        mine = divided(groups(self.whole), self.of)[self.index - 1]
        return frozenset(batch.id for group in mine for batch in group.batches)

    def batches(self) -> Iterator[Batch]:
        """Those of the part, in the order of the corpus."""
        return (batch for batch in super().batches() if batch.id in self._mine)

    def as_dict(self) -> Mapping[str, Any]:
        """The selection, and which part of it."""
        plain = {field.name: getattr(self, field.name) for field in fields(Selection)}
        return {**plain, "shard": (f"{self.index}/{self.of}",)}

"""Crews of a framework and of a mode of it alone, whose workers are stubs: each does what a test says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from xent_conformance.discovery.framework import FRAMEWORKS, Seat
from xent_conformance.running.conversation import Event, Idle
from xent_conformance.running.crew import Crew
from xent_conformance.running.crews import bequeath, in_crews
from xent_conformance.running.shares import Piece, Share
from xent_conformance.running.turns import Turns


@dataclass
class Connection:
    """Says hello, and remembers which seat it was started for."""

    seat: str
    hello: dict[str, Any] = field(default_factory=lambda: {"devices": ["cpu"], "import_s": 1.0})
    starts: int = 1
    closed: int = 0
    patience: object = field(default_factory=object)

    def close(self) -> None:
        self.closed += 1


@dataclass
class Memory:
    """So many gigabytes are free; a worker holds one."""

    free: float = 8.0
    RESERVE: int = 2**29

    def available(self) -> int:
        return int(self.free * 1e9)

    def held(self, leader: int) -> int:
        return 10**9


class CountedTurns(Turns):
    """Counts whose turn it was."""

    def __init__(self) -> None:
        super().__init__(2)
        self.begun = self.ended = 0

    def begin(self, progress: float) -> None:
        self.begun += 1
        super().begin(progress)

    def end(self) -> None:
        self.ended += 1
        super().end()


@dataclass
class Two:
    """A framework and a mode of it alone; who was asked what, and what each does when it is asked."""

    crews: dict[str, Crew] = field(default_factory=dict)
    connections: list[Connection] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Whose worker was asked a batch of whom."""
    when: Callable[[str, str], object] = lambda mine, of: None
    changes: Callable[[Connection], None] = lambda connection: None
    starts: Callable[[str], None] = lambda seat: None
    memory: Memory = field(default_factory=Memory)

    def connect(self, seat: Seat) -> Any:
        self.starts(seat.key)
        self.connections.append(Connection(seat.key))
        self.changes(self.connections[-1])
        return self.connections[-1]

    def put(self, seat: Seat, batch: Any, devices: Any) -> Any:
        return [SimpleNamespace(seat=seat.key, mode="", implementation="", device="cpu")]

    def events(
        self,
        jobs: int = 2,
        tell: Callable[[str], None] = lambda words: None,
        until: Callable[[Any], object] = lambda event: None,
    ) -> list[Event]:
        """What the reader sees, each told of as it is seen."""
        bequeath(self.crews, few=False)
        found = []
        for event in in_crews(self.crews, jobs, tell):
            if not isinstance(event, Idle):
                found.append(event)
                until(event)
        return found


def two_crews(monkeypatch: pytest.MonkeyPatch, many: int) -> Iterator[Two]:
    """Each is asked so many batches, and each of these is a kind; what a fixture yields."""
    made = Two()

    class Asking:
        def __init__(self, connection: Connection, batch: Any, questions: Any) -> None:
            self._mine, self._of = connection.seat, questions[0].seat

        def begin(self) -> None:
            """Of stubs nobody is told beforehand."""

        def read(self) -> bool:
            made.asked.append((self._mine, self._of))
            made.when(self._mine, self._of)
            return False

        def answers(self) -> tuple[()]:
            return ()

    monkeypatch.setattr("xent_conformance.running.conversation.Asking", Asking)
    for seat in (Seat(FRAMEWORKS["torch"]), Seat(FRAMEWORKS["torch"], apart="compile")):
        batches: list[Any] = [SimpleNamespace(id=f"{seat.key} {i}") for i in range(many)]
        share = Share([[Piece(batch, batch.id, 1.0)] for batch in batches])
        made.crews[seat.key] = Crew(seat, share, made.put, made.connect, made.memory)
    yield made
    assert [c.closed for c in made.connections] == [1] * len(made.connections), "each is closed once"

"""Where a seat for one mode has its own worker, that helps the seat beside it when it has done."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.by_hand import Install
from tests.support.fakes_of_modes import HELPED, NOTES
from xent_conformance.asking.connection import WorkerLost
from xent_conformance.asking.selection import Selection
from xent_conformance.discovery.framework import FRAMEWORKS, Seat
from xent_conformance.reference.oracle import Oracle
from xent_conformance.running import crews, room
from xent_conformance.running.conversation import Absent, Answered, Ended, Event
from xent_conformance.running.crew import Crew
from xent_conformance.running.crews import bequeath, in_crews
from xent_conformance.running.engine import run
from xent_conformance.running.shares import Piece, Share

PLAIN, ALONE = "torch", "torch compile"
BATCHES = 3
WAITS = 60.0


@dataclass
class _Connection:
    """Says hello, and remembers which seat it was started for."""

    seat: str
    hello: dict[str, Any] = field(default_factory=lambda: {"devices": ["cpu"], "import_s": 1.0})
    starts: int = 1
    closed: int = 0
    patience: object = None

    def close(self) -> None:
        self.closed += 1


@dataclass
class Two:
    """A framework and a mode of it alone; who was asked what, and what each does when it is asked."""

    crews: dict[str, Crew] = field(default_factory=dict)
    connections: list[_Connection] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Whose worker was asked a batch of whom."""
    when: Callable[[str, str], None] = lambda mine, of: None
    changes: Callable[[_Connection], None] = lambda connection: None

    def connect(self, seat: Seat) -> Any:
        self.connections.append(_Connection(seat.key))
        self.changes(self.connections[-1])
        return self.connections[-1]

    def put(self, seat: Seat, batch: Any, devices: Any) -> Any:
        return [SimpleNamespace(seat=seat.key, mode="", implementation="", device="cpu")]

    def events(self, jobs: int = 2) -> list[Event]:
        bequeath(self.crews, few=False)
        return list(in_crews(self.crews, jobs))


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> Iterator[Two]:
    """Each has batches, and each of these is a kind."""
    made = Two()

    class Asking:
        def __init__(self, connection: _Connection, batch: Any, questions: Any) -> None:
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
        batches: list[Any] = [SimpleNamespace(id=f"{seat.key} {i}") for i in range(BATCHES)]
        share = Share([[Piece(batch, batch.id, 1.0)] for batch in batches])
        made.crews[seat.key] = Crew(seat, share, made.put, made.connect, room)
    yield made
    assert [c.closed for c in made.connections] == [1] * len(made.connections), "each is closed once"


def _answered(events: list[Event]) -> Counter[str]:
    found = [e.batch.id for e in events if isinstance(e, Answered)]
    return Counter(found)


def _whole() -> Counter[str]:
    return Counter(f"{seat} {i}" for seat in (PLAIN, ALONE) for i in range(BATCHES))


def _until_it_is_helped(two: Two) -> threading.Event:
    """The framework's own worker waits in its first batch until another has been asked for it."""
    helped = threading.Event()

    def when(mine: str, of: str) -> None:
        if (mine, of) == (ALONE, PLAIN):
            helped.set()
        elif mine == PLAIN:
            assert helped.wait(WAITS)

    two.when = when
    return helped


def test_it_answers_what_nobody_has_taken(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    """No third is started, not even where that would pay, and the seat ends with the last of its answers."""
    monkeypatch.setattr(crews, "PAYS", 0.0)
    _until_it_is_helped(two)
    events = two.events()
    assert _answered(events) == _whole()
    assert (ALONE, PLAIN) in two.asked and [c.seat for c in two.connections] in (
        [PLAIN, ALONE],
        [ALONE, PLAIN],
    )
    ends = [e for e in events if isinstance(e, Ended)]
    assert sorted((e.seat, e.starts) for e in ends) == [(PLAIN, 1), (ALONE, 1)]
    last = max(i for i, e in enumerate(events) if isinstance(e, Answered) and e.seat == PLAIN)
    assert last < next(i for i, e in enumerate(events) if isinstance(e, Ended) and e.seat == PLAIN)
    assert {key: crew.most for key, crew in two.crews.items()} == {PLAIN: 2, ALONE: 1}


def test_what_it_took_to_import_is_told_once(two: Two) -> None:
    _until_it_is_helped(two)
    events = two.events()
    told = Counter((e.seat, e.hello["import_s"]) for e in events if type(e).__name__ == "Started")
    assert told == {(PLAIN, 1.0): 1, (ALONE, 1.0): 1, (PLAIN, 0.0): 1}


def test_who_says_another_thing_of_itself_is_of_no_use(two: Two) -> None:
    def changes(connection: _Connection) -> None:
        if connection.seat == ALONE:
            connection.hello["devices"] = ["cpu", "cuda:0"]

    two.changes = changes
    assert _answered(two.events()) == _whole()
    assert (ALONE, PLAIN) not in two.asked


@pytest.mark.parametrize("full", ["closed", "over"])
def test_whom_it_cannot_help(full: str, two: Two) -> None:
    """One that gets no more workers, as where memory is short, and one whose last worker has ended."""
    over = threading.Event()
    two.crews[PLAIN].closed = full == "closed"

    def when(mine: str, of: str) -> None:
        if full == "over" and mine == ALONE:
            assert over.wait(WAITS)

    two.when = when
    bequeath(two.crews, few=False)
    events = []
    for event in in_crews(two.crews, 2):
        events.append(event)
        if isinstance(event, Ended) and event.seat == PLAIN:
            over.set()
    assert _answered(events) == _whole()
    assert (ALONE, PLAIN) not in two.asked


def test_one_that_is_lost_while_it_helps_gives_back_what_it_has_taken(two: Two) -> None:
    helped = threading.Event()

    def when(mine: str, of: str) -> None:
        if (mine, of) == (ALONE, PLAIN):
            helped.set()
            raise WorkerLost("it died")
        if mine == PLAIN:
            assert helped.wait(WAITS)

    two.when = when
    said: list[str] = []
    bequeath(two.crews, few=False)
    events = list(in_crews(two.crews, 2, said.append))
    assert _answered(events) == _whole()
    assert not [e for e in events if isinstance(e, Absent)], "nothing is missing"
    assert said == [
        "torch: a worker cannot go on, and the others do without it: the worker does not start: it died"
    ]


def test_a_run_is_the_same_with_it(
    install: Install, forked: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Verdict for verdict; one process was asked both modes, and the other one of them."""
    install(fake="tests.support.fakes_of_modes:WaitsToBeHelped")
    asked = Selection("quick", operators=("softmax",), dtypes=("float32",))
    found = {}
    for jobs in (1, 2):
        notes = tmp_path / str(jobs)
        notes.mkdir()
        monkeypatch.setenv(NOTES, str(notes))
        monkeypatch.setenv(HELPED, "" if jobs == 1 else "yes")
        found[jobs] = run(asked, None, oracle=Oracle(), jobs=jobs)
        modes: dict[str, set[str]] = {}
        for note in notes.glob("* *"):
            modes.setdefault(note.name.split(" ")[0], set()).add(note.name.split(" ")[1])
        own = [{"compile", "eager"}] if jobs == 1 else [{"compile", "eager"}, {"eager"}]
        assert sorted(modes.values(), key=len, reverse=True) == own
    assert found[1].verdicts.equals(found[2].verdicts) and found[2].complete
    assert found[2].header["workers"]["most"] == {"fake": 2, "fake compile": 1}

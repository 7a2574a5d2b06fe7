"""Seats that are begun early: taken once, raised to whoever takes them, closed where nobody does."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import pytest

from tests.support.by_hand import batch
from xent_conformance.asking.connection import Connection, FrameworkAbsent
from xent_conformance.discovery.framework import FRAMEWORKS, Seat
from xent_conformance.running import opening
from xent_conformance.running.early import Early

SEAT, OTHER = Seat(FRAMEWORKS["numpy"]), Seat(FRAMEWORKS["torch"])


class Reached:
    """A connection that notes that it was closed."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    def close(self) -> None:
        self.closed.set()


class Reach:
    """Connects when it is let; notes each connection."""

    def __init__(self) -> None:
        self.let = threading.Event()
        self.made: list[Reached] = []

    def __call__(self, seat: Seat) -> Any:
        assert self.let.wait(10)
        if seat is OTHER:
            raise FrameworkAbsent("no module named torch")
        self.made.append(Reached())
        return self.made[-1]


def test_what_was_begun_is_taken_once() -> None:
    reach = Reach()
    with Early(reach, 2) as early:
        early.begin(SEAT)
        reach.let.set()
        first: Connection = early(SEAT)
        assert first is reach.made[0] and early(SEAT) is reach.made[1]
    assert not any(made.closed.is_set() for made in reach.made), "they are whose who took them"


def test_who_is_not_there_is_told_to_who_takes_it() -> None:
    reach = Reach()
    reach.let.set()
    with Early(reach, 2) as early:
        early.begin(OTHER)
        with pytest.raises(FrameworkAbsent, match="torch"):
            early(OTHER)


@pytest.mark.parametrize("late", [False, True], ids=["there", "still starting"])
def test_what_nobody_has_taken_is_closed(late: bool) -> None:
    reach = Reach()
    with Early(reach, 2) as early:
        early.begin(SEAT)
        if not late:
            reach.let.set()
            early._begun[SEAT.key]._done.wait(10)
    reach.let.set()
    for _ in range(1000):
        if reach.made:
            break
        threading.Event().wait(0.01)
    assert reach.made[0].closed.wait(10)


def test_who_has_started_a_worker_stays_until_all_is_over() -> None:
    """A worker dies with the thread that has started it."""
    reach = Reach()
    reach.let.set()
    with Early(reach, 2) as early:
        early.begin(SEAT)
        early(SEAT)
        (thread,) = [t for t in threading.enumerate() if t.name == f"begin-{SEAT.key}"]
        thread.join(0.05)
        assert thread.is_alive()
    thread.join(10)
    assert not thread.is_alive()


def test_no_more_are_begun_at_a_time_than_there_are_processors() -> None:
    reach, third = Reach(), Seat(FRAMEWORKS["jax"])
    begun: list[Seat] = []

    def connect(seat: Seat) -> Any:
        begun.append(seat)
        return reach(seat)

    with Early(connect, 1) as early:
        early.begin(SEAT)
        for _ in range(1000):
            if begun:
                break
            threading.Event().wait(0.01)
        early.begin(third)
        threading.Event().wait(0.05)
        assert begun == [SEAT], "the other waits for its place"
        reach.let.set()
        assert early(third) is reach.made[1] and begun == [SEAT, third]


def test_who_has_no_place_yet_when_all_is_over_is_not_begun() -> None:
    reach, third = Reach(), Seat(FRAMEWORKS["jax"])
    with Early(reach, 1) as early:
        early.begin(SEAT)
        early.begin(third)
        waiting = [each._done for each in early._begun.values()]
    reach.let.set()
    assert all(done.wait(10) for done in waiting) and len(reach.made) == 1


class Asks:
    """Asks everybody each batch but who is for a mode alone; notes who was begun when the corpus is made."""

    def __init__(self, begun: list[str], **narrowed: Any) -> None:
        self._begun, self._narrowed = begun, narrowed
        self.at_first: list[str] = []
        self.batches_made = 0

    def seats(self, interpreters: Mapping[str, str]) -> list[Seat]:
        return [OTHER, Seat(FRAMEWORKS["torch"], apart="compile")]

    def batches(self) -> Iterator[Any]:
        self.at_first += self._begun
        for _ in range(3):
            self.batches_made += 1
            yield batch("softmax", [[0.0]])

    possible = ("cpu",)

    def questions(self, seat: Seat, batch: Any, devices: Any) -> list[Any]:
        return [] if seat.apart else ["a question"]

    def as_dict(self) -> dict[str, Any]:
        return {"profile": "quick", "frameworks": ("torch",), "operators": (), **self._narrowed}


class Begins(Early):
    """Notes who is begun, and begins nobody."""

    begun: ClassVar[list[str]]

    def begin(self, seat: Seat) -> None:
        self.begun.append(seat.key)


@pytest.mark.parametrize(
    ("narrowed", "jobs", "begun", "batches_made"),
    [
        ({}, 2, ["torch compile", "torch"], 0),
        ({}, 1, ["torch"], 0),
        ({"operators": ("softmax",)}, 2, ["torch"], 3),
        ({"operators": ("softmax",)}, 1, ["torch"], 1),
        ({"shard": ("1/2",)}, 2, ["torch"], 3),
    ],
)
def test_where_all_is_asked_everybody_begins_and_no_corpus_is_made(
    narrowed: dict[str, Any],
    jobs: int,
    begun: list[str],
    batches_made: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """First who has a mode to begin; where less is asked, who is asked something, as soon as that is seen.

    Where jobs are few, not who is left a worker.
    """
    Begins.begun = []
    monkeypatch.setattr(opening, "Early", Begins)
    asked: Any = Asks(Begins.begun, **narrowed)
    with opening.opened(asked, jobs=jobs):
        pass
    assert begun == Begins.begun
    assert (asked.at_first, asked.batches_made) == ([], batches_made)


def test_no_corpus_is_made_to_the_end_for_who_is_asked_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    Begins.begun = []
    monkeypatch.setattr(opening, "Early", Begins)
    monkeypatch.setattr(opening, "LOOKED_AT", 2)
    asked: Any = Asks(Begins.begun, operators=("softmax",))
    with opening.opened(asked, jobs=2):
        pass
    assert Begins.begun == ["torch"] and asked.batches_made == 2


def test_nobody_begins_who_may_have_nothing_left_to_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor whoever answers in this process."""
    Begins.begun = []
    monkeypatch.setattr(opening, "Early", Begins)
    asked: Any = Asks(Begins.begun)
    with opening.opened(asked, jobs=2, begin=False), opening.opened(asked, inside=Reach()):
        pass
    assert not Begins.begun and not asked.batches_made

"""Who answers next: whoever is furthest behind, and nobody waits for one that hangs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.corpus import of_corpus
from xent_conformance.running import turns as turning
from xent_conformance.running.shares import Piece, Share, Taker
from xent_conformance.running.turns import Turns


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.001)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody gives up."""
    monkeypatch.setattr(turning, "PATIENCE", 60.0)


def _waiting(turns: Turns, progress: float, told: list[float]) -> threading.Thread:
    """Waits for a turn, notes that it has it, and keeps it."""

    def wait() -> None:
        turns.begin(progress)
        told.append(progress)

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


@pytest.mark.usefixtures("patient")
def test_who_is_furthest_behind_comes_first() -> None:
    turns, told = Turns(1), list[float]()
    turns.begin(0.0)
    for i, progress in enumerate((0.9, 0.1, 0.5)):
        _waiting(turns, progress, told)
        _until(lambda i=i: len(turns._waiting) == i + 1)  # type: ignore[misc]
    for many in (1, 2, 3):
        turns.end()
        _until(lambda many=many: len(told) == many)  # type: ignore[misc]
    assert told == [0.1, 0.5, 0.9]


@pytest.mark.usefixtures("patient")
def test_so_many_answer_at_a_time() -> None:
    turns, told = Turns(2), list[float]()
    for progress in (0.0, 0.0):
        _waiting(turns, progress, told).join(10)
    third = _waiting(turns, 0.5, told)
    third.join(0.05)
    assert told == [0.0, 0.0] and third.is_alive()
    turns.end()
    third.join(10)
    assert told == [0.0, 0.0, 0.5]


def test_nobody_waits_for_ever_for_one_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turning, "PATIENCE", 0.01)
    turns, told = Turns(1), list[float]()
    turns.begin(0.0)
    for progress in (0.1, 0.2):
        _waiting(turns, progress, told).join(10)
    assert told == [0.1, 0.2]
    monkeypatch.setattr(turning, "PATIENCE", 60.0)
    for _ in range(2):
        turns.end()
    fourth = _waiting(turns, 0.0, told)
    fourth.join(0.05)
    assert fourth.is_alive(), "what was taken beside the others is given back as well"
    turns.end()
    fourth.join(10)
    assert not fourth.is_alive()


class Noted(Turns):
    """Notes who began and ended a turn."""

    def __init__(self) -> None:
        super().__init__(9)
        self.seen: list[Any] = []

    def begin(self, progress: float) -> None:
        self.seen.append(progress)
        super().begin(progress)

    def end(self) -> None:
        self.seen.append("end")
        super().end()


def test_a_turn_lasts_from_a_batch_to_its_answer() -> None:
    batch: Any = of_corpus("quick", operators=["softmax"], dtypes=["float32"])[0]
    turns, pieces = Noted(), [Piece(batch, "kind", seconds) for seconds in (1.0, 3.0)]
    taker = Taker(Share([pieces]), turns=turns)
    next(taker)
    taker.answered()
    taker.answered()
    next(taker)
    assert turns.seen == [0.0, "end", 0.25]
    taker.close()  # the worker is lost
    taker.close()
    assert turns.seen == [0.0, "end", 0.25, "end"]
    assert Share([]).progress == 1.0 and Share([[SimpleNamespace(seconds=0.0)]]).progress == 1.0  # type: ignore[list-item]


def _pieces(many: int) -> list[Piece]:
    batches: Any = of_corpus("quick", operators=["softmax"], dtypes=["float32"])
    return [Piece(batch, "kind", 1.0) for batch in batches[:many]]


def test_what_follows_is_what_is_given_next() -> None:
    """In the kind that was begun, and in the next, which is taken for it."""
    pieces = _pieces(4)
    share = Share([pieces[:2], pieces[2:]])
    taker, given = Taker(share), list[str]()
    for piece in pieces:
        assert taker.following() is piece.batch is taker.following()
        given.append(next(taker).id)
        taker.answered()
    assert taker.following() is None and given == [p.batch.id for p in pieces]
    assert share.answered == 4.0 and not share.kinds


def test_nothing_follows_where_others_may_answer_first() -> None:
    taker = Taker(Share([_pieces(2)]), turns=Turns(1))
    assert taker.following() is None
    next(taker)
    assert taker.following() is None


def test_what_follows_is_given_back_too() -> None:
    """A worker that is lost while the last of a kind is told of has taken the next kind."""
    pieces = _pieces(3)
    share = Share([pieces[:1], pieces[1:]])
    taker = Taker(share)
    next(taker)
    assert taker.following() is pieces[1].batch and share.kinds == 0
    taker.close()
    assert sum(1 for _ in Taker(share)) == 3


def test_who_is_not_to_go_on_is_asked_once() -> None:
    """A worker that ends because memory is short is no longer counted: the next would be told to go on."""
    asked: list[bool] = []

    def goes_on() -> bool:
        asked.append(bool(asked))
        return asked[-1]

    pieces = _pieces(2)
    taker = Taker(Share([pieces[:1], pieces[1:]]), goes_on)
    assert next(taker) is pieces[0].batch
    assert taker.following() is None
    assert list(taker) == [] and asked == [False]

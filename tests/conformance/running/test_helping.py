"""Where a seat for one mode has its own worker, that helps the seat beside it when it has done."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.by_hand import Install
from tests.support.fakes_of_modes import HELPED, NOTES
from tests.support.two_crews import Connection, CountedTurns, Two, two_crews
from xent_conformance.asking.connection import WorkerLost
from xent_conformance.asking.selection import Selection
from xent_conformance.reference.oracle import Oracle
from xent_conformance.running import crew, crews
from xent_conformance.running.conversation import Absent, Answered, Ended, Event, Started
from xent_conformance.running.engine import run

PLAIN, ALONE = "torch", "torch compile"
BATCHES = 4
WAITS = 60.0


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> Iterator[Two]:
    yield from two_crews(monkeypatch, BATCHES)


def _answered(events: list[Event]) -> Counter[str]:
    found = [e.batch.id for e in events if isinstance(e, Answered)]
    return Counter(found)


def _whole() -> Counter[str]:
    return Counter(f"{seat} {i}" for seat in (PLAIN, ALONE) for i in range(BATCHES))


def _until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + WAITS
    while not true() and time.monotonic() < end:
        time.sleep(0.001)


def _holding(two: Two, until: Callable[[], bool], helping: Callable[[], object] = lambda: None) -> None:
    """The framework's own worker is held ``until`` that is so; whoever helps is ``helping`` in each batch."""
    first = threading.Lock()

    def when(mine: str, of: str) -> None:
        if (mine, of) == (ALONE, PLAIN):
            helping()
        elif mine == PLAIN and first.acquire(blocking=False):
            _until(until)

    two.when = when


def _is_helped(two: Two) -> Callable[[], bool]:
    return lambda: (ALONE, PLAIN) in two.asked


def _is_alone(two: Two) -> Callable[[], bool]:
    """The other has ended."""
    return lambda: any(c.seat == ALONE and c.closed for c in two.connections)


@pytest.mark.parametrize("last", ["own", "helping"])
def test_it_answers_what_nobody_has_taken(last: str, two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    """No third is started, not even where that would pay; the seat ends with the last of its workers."""
    monkeypatch.setattr(crews, "PAYS", 0.0)
    plain = two.crews[PLAIN]
    own = _is_helped if last == "helping" else _is_alone
    _holding(two, own(two), lambda: _until(lambda: last == "own" or plain.alive == 1))
    events = two.events()
    assert _answered(events) == _whole()
    assert (ALONE, PLAIN) in two.asked and sorted(c.seat for c in two.connections) == [PLAIN, ALONE]
    ends = [e for e in events if isinstance(e, Ended)]
    assert sorted((e.seat, e.starts) for e in ends) == [(PLAIN, 1), (ALONE, 1)]
    answered = max(i for i, e in enumerate(events) if isinstance(e, Answered) and e.seat == PLAIN)
    assert answered < next(i for i, e in enumerate(events) if isinstance(e, Ended) and e.seat == PLAIN)
    assert {key: crew.most for key, crew in two.crews.items()} == {PLAIN: 2, ALONE: 1}


def test_one_that_has_done_before_the_other_has_started_waits_for_it(two: Two) -> None:
    two.starts = lambda seat: _until(lambda: seat == ALONE or len(two.asked) == BATCHES)
    _holding(two, _is_helped(two))
    assert _answered(two.events()) == _whole()
    assert (ALONE, PLAIN) in two.asked and sorted(c.seat for c in two.connections) == [PLAIN, ALONE]


def test_it_waits_for_none_that_does_not_start(two: Two) -> None:
    def starts(seat: str) -> None:
        _until(lambda: seat == ALONE or len(two.asked) == BATCHES)
        if seat == PLAIN:
            raise WorkerLost("it died")

    two.starts = starts
    events = two.events()
    assert {e.seat for e in events if isinstance(e, Answered)} == {ALONE}
    assert [e.seat for e in events if isinstance(e, Absent)] == [PLAIN]


def test_nobody_reads_of_it_any_more(two: Two) -> None:
    """A reader that has left tells no seat that its worker does not start."""

    def starts(seat: str) -> None:
        raise WorkerLost("it died")

    plain, two.starts = two.crews[PLAIN], starts
    plain.alive = 1
    with pytest.raises(WorkerLost):
        plain._reached(1, plain.seat)
    found: list[object] = []
    connection: Any = Connection(ALONE)
    joining = threading.Thread(target=lambda: found.append(plain._joined_by(connection)), daemon=True)
    joining.start()
    joining.join(WAITS)
    assert found == [None]


def test_a_seat_without_a_worker_is_joined_by_nobody(two: Two) -> None:
    plain = two.crews[PLAIN]
    mine = plain._reached(1, plain.seat)
    assert plain.share.kinds and plain._joined_by(Connection(ALONE)) is None  # type: ignore[arg-type]
    mine.close()


def test_where_jobs_are_left_another_is_started(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    """One process is one, whomever it answers."""
    monkeypatch.setattr(crews, "PAYS", 0.0)
    second = iter((False, True))
    third: Callable[[], bool] = lambda: len(two.connections) == 3  # noqa: E731
    _holding(two, third, lambda: _until(third) if next(second, True) else None)
    assert _answered(two.events(3)) == _whole()
    assert sorted(c.seat for c in two.connections) == [PLAIN, PLAIN, ALONE]


def test_what_it_took_to_import_is_told_once(two: Two) -> None:
    _holding(two, _is_helped(two))
    events = two.events()
    told = Counter((e.seat, e.hello["import_s"]) for e in events if isinstance(e, Started))
    assert told == {(PLAIN, 1.0): 1, (ALONE, 1.0): 1, (PLAIN, 0.0): 1}


def test_the_patience_with_the_seat_is_one(two: Two) -> None:
    _holding(two, _is_helped(two))
    two.events()
    a, b = two.connections
    assert a.patience is b.patience


def test_it_answers_in_the_turns_of_the_seat(two: Two) -> None:
    turns = two.crews[PLAIN]._turns = CountedTurns()
    _holding(two, _is_helped(two))
    assert _answered(two.events()) == _whole()
    assert (turns.begun, turns.ended) == (BATCHES, BATCHES)


@pytest.mark.parametrize(
    "why", ["no more workers", "says another thing", "lost", "a GPU", "no memory", "done"]
)
def test_where_it_does_not_help(why: str, two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is it a worker of the seat then, not even one that has nothing to do."""
    plain = two.crews[PLAIN]

    def changes(connection: Connection) -> None:
        if why == "a GPU" or (why == "says another thing" and connection.seat == ALONE):
            connection.hello["devices"] = ["cpu", "cuda:0"]

    def when(mine: str, of: str) -> None:
        if mine == PLAIN and (why != "done" or not plain.share.kinds):
            _until(_is_alone(two))
        elif mine == ALONE and why == "done":  # the other has taken all
            _until(lambda: not plain.share.kinds)
        elif why == "lost":
            raise WorkerLost("it died")

    two.changes, two.when = changes, when
    plain.closed, two.memory.free = why == "no more workers", 0.1 if why == "no memory" else 8.0
    whole = {batch: n for batch, n in _whole().items() if why != "lost" or not batch.startswith(ALONE)}
    assert _answered(two.events()) == whole
    assert (ALONE, PLAIN) not in two.asked and plain.most == 1


def test_where_memory_becomes_short_it_ends(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "LOOKS", 0.0)

    def helping() -> None:
        two.memory.free = 0.1

    _holding(two, _is_alone(two), helping)
    said: list[str] = []
    assert _answered(two.events(tell=said.append)) == _whole()
    assert said == ["torch: 0.1 GB of memory are free: one of 2 workers ends"]
    assert two.asked.count((ALONE, PLAIN)) == 1


@pytest.mark.parametrize("told", [Absent, Ended])
def test_who_is_told_as_over_is_over(told: type[Event], two: Two) -> None:
    """Its last worker was lost: what that has left is missing, and nothing comes of it any more.

    Not even while the reader still notes so.
    """
    over = threading.Event()

    def when(mine: str, of: str) -> None:
        if mine == PLAIN:
            raise WorkerLost("it died")
        over.wait(WAITS)

    def until(event: Any) -> None:
        if (type(event), event.seat) == (told, PLAIN):
            over.set()
            mine = next(c for c in two.connections if c.seat == ALONE)
            _until(lambda: mine.closed > 0 or (ALONE, PLAIN) in two.asked)

    two.when = when
    events = two.events(until=until)
    assert {e.seat for e in events if isinstance(e, Answered)} == {ALONE}
    assert [e.seat for e in events if isinstance(e, Absent)] == [PLAIN]
    assert [e.seat for e in events if isinstance(e, Ended)] == [PLAIN, ALONE]


def test_one_that_is_lost_while_it_helps_gives_back_what_it_has_taken(two: Two) -> None:
    def dies() -> None:
        raise WorkerLost("it died")

    _holding(two, _is_helped(two), dies)
    said: list[str] = []
    events = two.events(tell=said.append)
    assert _answered(events) == _whole()
    assert not [e for e in events if isinstance(e, Absent)], "nothing is missing"
    assert said == [
        "torch: a worker cannot go on, and the others do without it: the worker does not start: it died"
    ]


def test_its_restarts_are_those_of_the_seat_that_it_helps(two: Two) -> None:
    def restarts() -> None:
        next(c for c in two.connections if c.seat == ALONE).starts += 1

    _holding(two, _is_alone(two), restarts)
    ends = {e.seat: e.starts for e in two.events() if isinstance(e, Ended)}
    assert ends == {PLAIN: 1 + two.asked.count((ALONE, PLAIN)), ALONE: 1}


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
    (fake,) = found[2].header["frameworks"]
    assert fake["import_s"] > 0, "what the first worker's took, and not what the help did"

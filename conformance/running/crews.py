"""Several workers of one seat, as many as there are cores and memory for: the events are those of one.

Each seat has a worker from the beginning. Where fewer work than jobs are allowed, the seat that has most left
gets one more, if that saves more than its start costs: by what it has taken so far, on this machine and with
what is compiled already. Where memory is short there is none more, and one of several ends.

Where there are fewer jobs than seats, a seat that is for a mode alone has no worker from the beginning: it is
left that of the seat beside it, which has imported the framework, when that has nothing more to answer.
"""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from xent_conformance.asking.connection import Connection, WorkerLost
from xent_conformance.devices.names import kind_of as device_kind
from xent_conformance.discovery.framework import Seat
from xent_conformance.reports.text.wording import plural
from xent_conformance.running import room as memory_of_this_machine
from xent_conformance.running.conversation import (
    Absent,
    Answered,
    Connect,
    Ended,
    Event,
    Idle,
    Put,
    Started,
    Stream,
    Threads,
    conversation,
)
from xent_conformance.running.shares import Share, Taker
from xent_conformance.running.turns import Turns

PAYS = 2.0
"""One more worker is started where it is to answer so many times as long as it takes to start."""

GB = 1e9


class Memory(Protocol):
    """What says how much memory there is: :mod:`.room`."""

    RESERVE: int

    def available(self) -> int | None:
        """Bytes that may be taken."""

    def held(self, leader: int) -> int | None:
        """Bytes that a worker has taken."""


class Crew:
    """The workers of one seat."""

    def __init__(
        self,
        seat: Seat,
        share: Share,
        put: Put,
        connect: Connect,
        memory: Memory,
        turns: Turns | None = None,
    ) -> None:
        self.seat, self.share = seat, share
        self._put, self._connect, self._memory, self._turns = put, connect, memory, turns
        self._lock = threading.Lock()
        self._hello: Mapping[str, Any] | None = None
        self._first: Connection | None = None
        self._working: set[int] = set()
        self._began: dict[int, float] = {}
        self._worked = 0.0
        self.number = 0
        """Workers that were begun so far."""
        self.most = 0
        """Of those that worked at a time."""
        self.alive = 0
        self._reached_ever, self._restarts = False, 0
        self.closed = False
        """Whether it gets no more workers."""
        self.start_s = 0.0
        self.told: list[str] = []
        self.lost: Absent | None = None
        """Why one of several could not go on."""
        self.again = True
        """Whether one may be begun for what the last of several could not answer; once."""
        self.heirs: list[Crew] = []
        """Who is left the first worker that has nothing more to answer."""
        self.left_by: dict[int, list[Crew]] = {}
        """Who was left which worker."""

    # --- in the thread of a worker ---

    def stream(self) -> Stream:
        """What one more worker answers."""
        self.number += 1
        self.alive += 1
        self.most = max(self.most, self.alive)
        number = self.number
        taker = Taker(self.share, lambda: self._goes_on(number), self._turns)
        return self._life(number, taker)

    def _life(self, number: int, taker: Taker) -> Stream:
        """What it answers, and then what it answers those to whom it is left; its end is that of all."""
        left: list[Connection] = []
        reach = functools.partial(self._reached, number)
        lost, ended = False, Ended(self.seat.key, 0)
        try:
            for event in _answering(taker, conversation(self.seat, taker, self._put, reach, left.append)):
                lost |= isinstance(event, Absent)
                if isinstance(event, Ended):
                    ended = event
                else:
                    yield event
            while left and not lost and (heir := self._next_heir(number)) is not None:
                yield from heir._inheriting(left.pop(), left.append)
        finally:
            for connection in left:
                connection.close()
        yield ended

    def _inheriting(self, connection: Connection, end: Callable[[Connection], None]) -> Stream:
        """What a worker answers that is left to it, but for its end."""
        self.most = 1
        taker = Taker(self.share, turns=self._turns)
        for event in _answering(taker, conversation(self.seat, taker, self._put, lambda _: connection, end)):
            if isinstance(event, Started):
                yield Started(event.seat, {**event.hello, "import_s": 0.0})  # it was told with the first
            elif not isinstance(event, Ended):
                yield event

    def _next_heir(self, number: int) -> Crew | None:
        with self._lock:
            if not self.heirs or self.share.kinds:
                return None
            heir = self.heirs.pop(0)
            self.left_by.setdefault(number, []).append(heir)
        return heir

    def _reached(self, number: int, seat: Seat) -> Connection:
        """A worker that says of itself what the first has said, and shares the patience with it."""
        start = time.monotonic()
        connection = self._connect(seat)
        now = {name: told for name, told in connection.hello.items() if name != "import_s"}
        with self._lock:
            self.start_s = time.monotonic() - start
            if self._first is None or self._hello is None:
                self._first, self._hello = connection, now
            elif self._hello != now:
                connection.close()
                raise WorkerLost("it says another thing of itself than the first worker did")
            else:
                connection.patience = self._first.patience
            self._began[number] = time.monotonic()
            self._working.add(number)
        return connection

    def _goes_on(self, number: int) -> bool:
        """Whether a worker takes one more kind: where memory is short, all but one end."""
        with self._lock:
            if len(self._working) < 2:
                return True
            free = self._memory.available()
            if free is None or free >= self._memory.RESERVE:
                return True
            self._working.discard(number)
            self.closed = True
            self._note(
                f"{_gb(free)} of memory are free: one of {plural(len(self._working) + 1, 'worker')} ends"
            )
        return False

    # --- in the thread of the reader ---

    def ended(self, number: int, starts: int) -> None:
        """One of them has ended, which was started so many times."""
        with self._lock:
            self.alive -= 1
            self._reached_ever |= starts > 0
            self._restarts += max(starts - 1, 0)
            self._working.discard(number)
            began = self._began.pop(number, None)
            self._worked += 0.0 if began is None else time.monotonic() - began

    @property
    def starts(self) -> int:
        """How often it was started, as if one had answered all: once, and again after each loss."""
        return self._reached_ever + self._restarts

    @property
    def left(self) -> float:
        """Seconds that a new worker would have to answer, were what is left spread over all."""
        with self._lock:
            worked = self._worked + sum(time.monotonic() - began for began in self._began.values())
        answered = self.share.answered
        if not answered or not self.share.kinds:
            return 0.0
        return self.share.left * worked / answered / (self.alive + 1)

    def has_room(self, leader: int | None) -> bool:
        """Whether there is memory for one more; where there is not, it is told and not looked for again."""
        free = self._memory.available()
        holds = None if leader is None else self._memory.held(leader)
        if free is None or holds is None or free >= holds + self._memory.RESERVE:
            return True
        self.closed = True
        workers = plural(self.alive, "worker")
        self._note(f"{workers} and no more: {_gb(free)} of memory are free, and one holds {_gb(holds)}")
        return False

    @property
    def leader(self) -> int | None:
        """The process of the first worker, where it is one."""
        return getattr(self._first, "pid", None)

    def _note(self, words: str) -> None:
        self.told.append(f"{self.seat.key}: {words}")


def _answering(taker: Taker, events: Stream) -> Stream:
    """The events, of which the taker is told what is answered."""
    try:
        with contextlib.closing(events):
            for event in events:
                if isinstance(event, Answered):
                    taker.answered()
                elif isinstance(event, Absent):
                    taker.close()
                yield event
    finally:
        taker.close()


def bequeath(crews: Mapping[str, Crew]) -> None:
    """Who is for a mode alone is left a worker by the seat beside it, where that is asked as well."""
    for crew in crews.values():
        beside = crews.get(replace(crew.seat, apart="").key)
        if crew.seat.apart and beside is not None:
            beside.heirs.append(crew)


def in_crews(
    crews: Mapping[str, Crew], jobs: int, tell: Callable[[str], None] = lambda words: None
) -> Stream:
    """The events of all seats, at most ``jobs`` workers at a time, but one for each seat.

    ``tell`` is given a line where memory decides.
    """
    with Threads() as threads:
        numbers: dict[str, int] = {}

        def begin(crew: Crew) -> None:
            stream = crew.stream()
            name = f"{crew.seat.key} {crew.number}"
            numbers[name] = crew.number
            threads.start(name, stream)

        waiting = [heir for crew in crews.values() for heir in crew.heirs]
        for crew in crews.values():
            if crew not in waiting:
                begin(crew)
        told = dict.fromkeys(crews, 0)
        for name, event in threads:
            if isinstance(event, Idle):
                yield event
                continue
            # the seat's, whoever has left it the worker
            yield from _of_one(crews[event.seat], numbers[name], event, begin)
            if isinstance(event, (Answered, Ended)) and sum(c.alive for c in crews.values()) < jobs:
                _one_more(crews, begin)
            for key, each in crews.items():
                for words in each.told[told[key] :]:
                    tell(words)
                told[key] = len(each.told)


def _of_one(crew: Crew, number: int, event: Event, begin: Callable[[Crew], None]) -> Stream:
    """The event as the reader is to see it, to whom all workers of a seat are one."""
    match event:
        case Absent(key, message) if crew.alive > 1 or (crew.number > 1 and crew.again):
            crew.closed, crew.lost = True, event
            crew.told.append(f"{key}: a worker cannot go on, and the others do without it: {message}")
        case Ended(key, starts):
            crew.ended(number, starts)
            for heir in crew.left_by.pop(number, ()):
                yield Ended(heir.seat.key, 0)
            if crew.alive:
                return
            if crew.lost is not None and crew.share.kinds:  # what it gave back came too late for the others
                crew.lost, crew.again = None, False
                begin(crew)
                return
            yield Ended(key, crew.starts)
            while crew.heirs:  # none of its workers could be left to them
                begin(crew.heirs.pop(0))
        case Answered(_, _, answers):
            if any(device_kind(answer.question.device) != "cpu" for answer in answers):
                crew.closed = True  # the memory of an accelerator is its worker's
            yield event
        case Started():
            yield event
        case _:
            yield event


def _one_more(crews: Mapping[str, Crew], begin: Callable[[Crew], None]) -> None:
    """A worker for the seat that has most left, where it pays and there is memory."""
    left, crew = max(
        ((c.left, c) for c in crews.values() if c.alive and not c.closed),
        key=lambda found: found[0],
        default=(0.0, None),
    )
    if crew is not None and left > PAYS * crew.start_s and crew.has_room(crew.leader):
        begin(crew)


def _gb(size: int) -> str:
    return f"{size / GB:.1f} GB"


def crew_of(seat: Seat, share: Share, put: Put, connect: Connect, turns: Turns | None) -> Crew:
    """The workers of a seat on this machine."""
    return Crew(seat, share, put, connect, memory_of_this_machine, turns)

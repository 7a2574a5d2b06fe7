"""The workers of one seat, of which the reader sees one: each takes what is left of the seat's batches.

Whoever has nothing more to answer is left to a seat for a mode alone, or helps the seat beside its own:
:mod:`.crews` says which.
"""

from __future__ import annotations

import contextlib
import functools
import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
    Put,
    Started,
    Stream,
    conversation,
)
from xent_conformance.running.shares import Share, Taker
from xent_conformance.running.turns import Turns

GB = 1e9

LOOKS = 0.5
"""Seconds between two looks at how much memory there is: a batch may take less than the look."""


class Memory(Protocol):
    """What says how much memory there is: :mod:`.room`."""

    RESERVE: int

    def available(self) -> int | None:
        """Bytes that may be taken."""

    def held(self, leader: int) -> int | None:
        """Bytes that a worker has taken."""


@dataclass(frozen=True)
class Help:
    """That a worker was the one of this ``number`` of another ``crew`` too, and started again meanwhile."""

    crew: Crew
    number: int
    restarts: int = 0


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
        self._changed = threading.Condition()
        self._hello: Mapping[str, Any] | None = None
        self._first: Connection | None = None
        self._working: set[int] = set()
        self._began: dict[int, float] = {}
        self._worked, self._looked = 0.0, -math.inf
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
        self.beside: Crew | None = None
        """Whom a worker helps that has nothing more to answer here."""
        self.helped: dict[int, Help] = {}
        """Whom which worker has helped."""

    # --- in the thread of a worker ---

    def stream(self) -> tuple[int, Stream]:
        """The number of one more worker, and what it answers."""
        with self._changed:
            number = self._numbered()
        taker = Taker(self.share, lambda: self._goes_on(number), self._turns)
        return number, self._life(number, taker)

    def _numbered(self) -> int:
        """The number of one more worker."""
        self.number += 1
        self.alive += 1
        self.most = max(self.most, self.alive)
        return self.number

    def _life(self, number: int, taker: Taker) -> Stream:
        """What it answers, and then whom it is left to, or whom it helps; its end is that of all."""
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
            if left and not lost and self.beside is not None:
                yield from self._helping(self.beside, number, left)
        finally:
            for connection in left:
                connection.close()
        yield ended

    def _inheriting(self, connection: Connection, end: Callable[[Connection], None]) -> Stream:
        """What a worker answers that is left to it, but for its end."""
        self.most = 1
        yield from self._going_on(Taker(self.share, turns=self._turns), connection, end)

    def _helping(self, beside: Crew, number: int, left: list[Connection]) -> Stream:
        """What a worker answers for the seat beside its own, if it is of use there, but for its end."""
        connection = left[0]
        before = connection.starts
        if (there := beside._joined_by(connection)) is None:
            return
        taker = Taker(beside.share, lambda: beside._goes_on(there), beside._turns)
        yield from beside._going_on(taker, left.pop(), left.append)
        self.helped[number] = Help(beside, there, connection.starts - before)

    def _joined_by(self, connection: Connection) -> int | None:
        """The number of a worker that was another seat's; None where it is of no use here.

        Whose last worker has ended or is lost is told as over, and what says another thing of itself is
        another. Of a seat whose worker is about to say something it is waited for.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._first is not None or self.closed or not self.alive)
            if not self.alive or self.closed or not self.share.kinds or self._first is None:
                return None
            if _of_itself(connection) != self._hello or _has_accelerator(connection):
                return None
            if self._short_of() is not None:
                return None
            connection.patience = self._first.patience
            number = self._numbered()
            self._works(number)
        return number

    def _going_on(self, taker: Taker, connection: Connection, end: Callable[[Connection], None]) -> Stream:
        """What a worker answers that was there before, but for its end."""
        for event in _answering(taker, conversation(self.seat, taker, self._put, lambda _: connection, end)):
            if isinstance(event, Started):
                yield Started(event.seat, {**event.hello, "import_s": 0.0})  # it was told with its own seat
            elif not isinstance(event, Ended):
                yield event

    def _next_heir(self, number: int) -> Crew | None:
        with self._changed:
            if not self.heirs or self.share.kinds:
                return None
            heir = self.heirs.pop(0)
            self.left_by.setdefault(number, []).append(heir)
        return heir

    def _reached(self, number: int, seat: Seat) -> Connection:
        """A worker that says of itself what the first has said, and shares the patience with it."""
        start = time.monotonic()
        try:
            connection = self._connect(seat)
        except BaseException:
            with self._changed:  # who waits for what it says waits for nothing
                self.closed = True
                self._changed.notify_all()
            raise
        now = _of_itself(connection)
        with self._changed:
            self.start_s = time.monotonic() - start
            if self._first is None or self._hello is None:
                self._first, self._hello = connection, now
            elif self._hello != now:
                connection.close()
                raise WorkerLost("it says another thing of itself than the first worker did")
            else:
                connection.patience = self._first.patience
            self._works(number)
            self._changed.notify_all()
        return connection

    def _works(self, number: int) -> None:
        self._began[number] = time.monotonic()
        self._working.add(number)

    def _goes_on(self, number: int) -> bool:
        """Whether a worker takes one more kind: where memory is short, all but one end."""
        with self._changed:
            if len(self._working) < 2 or (now := time.monotonic()) < self._looked + LOOKS:
                return True
            self._looked = now
            if (free := self._short_of()) is None:
                return True
            self._working.discard(number)
            self.closed = True
            self._note(
                f"{_gb(free)} of memory are free: one of {plural(len(self._working) + 1, 'worker')} ends"
            )
        return False

    def _short_of(self) -> int | None:
        """The bytes of memory that are free, where they are too few; else None."""
        free = self._memory.available()
        return None if free is None or free >= self._memory.RESERVE else free

    # --- in the thread of the reader ---

    def lose(self, lost: Absent) -> bool:
        """Whether others do without a worker that cannot go on; in any case nobody joins them."""
        with self._changed:
            others = self.alive > 1 or (self.number > 1 and self.again)
            self.closed = True
            self._changed.notify_all()
            if others:
                self.lost = lost
                self._note(f"a worker cannot go on, and the others do without it: {lost.message}")
        return others

    def ended(self, number: int, starts: int) -> None:
        """One of them has ended, which was started so many times."""
        with self._changed:
            self.alive -= 1
            self._reached_ever |= starts > 0
            self._restarts += max(starts - 1, 0)
            self._working.discard(number)
            began = self._began.pop(number, None)
            self._worked += 0.0 if began is None else time.monotonic() - began
            self._changed.notify_all()

    @property
    def starts(self) -> int:
        """How often it was started, as if one had answered all: once, and again after each loss."""
        return self._reached_ever + self._restarts

    @property
    def left(self) -> float:
        """Seconds that a new worker would have to answer, were what is left spread over all."""
        with self._changed:
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


def _of_itself(connection: Connection) -> Mapping[str, Any]:
    """What a worker says of itself, whatever its start took."""
    return {name: told for name, told in connection.hello.items() if name != "import_s"}


def _has_accelerator(connection: Connection) -> bool:
    """One worker has its memory: that of the seat, whatever it is asked."""
    return any(device_kind(device) != "cpu" for device in connection.hello["devices"])


def _gb(size: int) -> str:
    return f"{size / GB:.1f} GB"


def crew_of(seat: Seat, share: Share, put: Put, connect: Connect, turns: Turns | None) -> Crew:
    """The workers of a seat on this machine."""
    return Crew(seat, share, put, connect, memory_of_this_machine, turns)

"""What happens while a seat is asked its batches, as a stream of events; several are asked at a time.

One thread a worker asks; whoever reads the stream certifies and judges. An adapter in this process is asked
by the reader itself: its tensors, contexts and debuggers belong to the thread that called.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self, runtime_checkable

from xent_conformance.asking.answer import Answer
from xent_conformance.asking.asker import Asking
from xent_conformance.asking.connection import Connection, FrameworkAbsent, WorkerLost
from xent_conformance.cases.case import Batch
from xent_conformance.discovery.framework import Seat
from xent_conformance.frameworks.interface import Question

AHEAD = 2**26
"""Bytes of answers that may wait to be read; a worker that is so much faster than the judge waits for it."""

LOOKS_UP = 0.2
"""Seconds after which a reader that waits looks up: there may be something put aside to do."""


@dataclass(frozen=True)
class Started:
    """The seat is there, and says of itself what ``hello`` holds."""

    seat: str
    hello: Mapping[str, Any]


@dataclass(frozen=True)
class Absent:
    """The seat cannot be asked, or not any more; the message says why.

    ``lacks``, ``broken``: see :class:`~xent_conformance.asking.connection.FrameworkAbsent`.
    """

    seat: str
    message: str
    lacks: str = ""
    broken: bool = False


@dataclass(frozen=True)
class Answered:
    """All questions about one batch have their answers."""

    seat: str
    batch: Batch
    answers: Sequence[Answer]

    @property
    def size(self) -> int:
        """Bytes of its results."""
        return sum(array.nbytes for answer in self.answers for array in answer.results.values())


@dataclass(frozen=True)
class Ended:
    """Nothing more comes of the seat, which was started so many times."""

    seat: str
    starts: int


@dataclass(frozen=True)
class Idle:
    """Nothing has come for a moment: time for what the reader has put aside."""


Event = Started | Absent | Answered | Ended | Idle

Connect = Callable[[Seat], Connection]
Put = Callable[[Seat, Batch, Sequence[str]], Sequence[Question]]
"""``put(seat, batch, devices)``: the questions."""


Stream = Generator[Event, None, None]
"""Events in their order; closed, it ends what it has started."""


def conversation(
    seat: Seat,
    batches: Iterable[Batch],
    put: Put,
    connect: Connect,
    end: Callable[[Connection], None] = lambda connection: connection.close(),
) -> Stream:
    """Start the seat, ask it every batch, and ``end`` it."""
    connection: Connection | None = None
    try:
        connection = connect(seat)
        yield Started(seat.key, connection.hello)
        devices = connection.hello["devices"]
        under_way: Asking | None = None
        for batch in batches:
            asking = under_way or _asking(connection, batch, put(seat, batch, devices))
            under_way = None
            if asking.read() and (follows := _following(batches)) is not None:
                # computed while the answers to this one are looked at, and told of
                under_way = _asking(connection, follows, put(seat, follows, devices))
                under_way.begin()
            yield Answered(seat.key, batch, asking.answers())
    except FrameworkAbsent as absent:
        yield Absent(seat.key, str(absent), absent.lacks, absent.broken)
    except WorkerLost as lost:
        yield Absent(seat.key, f"the worker does not start: {lost}", broken=True)
    finally:
        if connection is not None:
            end(connection)
    yield Ended(seat.key, 0 if connection is None else connection.starts)


def _asking(connection: Connection, batch: Batch, questions: Sequence[Question]) -> Asking:
    return Asking(connection, batch, there(questions, connection.hello))


def _following(batches: Iterable[Batch]) -> Batch | None:
    """The batch that comes next, where that is certain and it may be asked at once."""
    return batches.following() if isinstance(batches, Foreseen) else None


@runtime_checkable
class Foreseen(Protocol):
    """Batches of which the next may be known before it comes."""

    def following(self) -> Batch | None:
        """The next; None where nobody knows yet, or it is not to be asked before it comes."""


def there(questions: Sequence[Question], hello: Mapping[str, Any]) -> list[Question]:
    """Those that can be asked: what the machine or the version lacks is no fault of the framework's."""
    missing, older = hello.get("missing", {}), hello.get("older", {})
    return [q for q in questions if q.mode not in missing and q.implementation not in older]


def one_by_one(conversations: Iterable[Stream]) -> Stream:
    """Each in turn, in this thread."""
    for each in conversations:
        yield from each


def together(conversations: Mapping[str, Stream], at_once: int | None = None) -> Stream:
    """All at once, or so many of them, in their order, a thread each.

    What a thread raises is raised here; leaving the stream ends them all.
    """
    waiting = iter(conversations.items())
    with Threads() as threads:
        for name, each in itertools.islice(waiting, at_once):
            threads.start(name, each)
        for _, event in threads:
            if isinstance(event, Ended):
                for name, each in itertools.islice(waiting, 1):
                    threads.start(name, each)
            if not isinstance(event, Idle):
                yield event


class Threads:
    """Streams that are read in threads of their own, and whose events come here in the order of time."""

    def __init__(self) -> None:
        self._events: deque[tuple[str, Event | BaseException]] = deque()
        self._size = 0
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._running: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()

    def start(self, name: str, stream: Stream) -> None:
        """Read one more; it ends with :class:`Ended`. No two that run may have one name."""
        self._running.add(name)
        threading.Thread(target=self._pump, args=(name, stream), name=f"ask-{name}", daemon=True).start()

    @property
    def running(self) -> int:
        """Streams that have not ended."""
        return len(self._running)

    def __iter__(self) -> Iterator[tuple[str, Event]]:
        """The events, each with the name of its stream, until all have ended; :class:`Idle` is nobody's."""
        while self._running:
            found = self._next()
            if found is None:
                yield "", Idle()
                continue
            name, event = found
            if isinstance(event, BaseException):
                raise event
            if isinstance(event, Ended):
                self._running.discard(name)
            yield name, event

    def _pump(self, name: str, stream: Stream) -> None:
        """The thread of one worker."""
        with contextlib.closing(stream):
            try:
                for event in stream:
                    self._tell(name, event)
                    if self._stop.is_set():
                        break
            except BaseException as unexpected:  # noqa: BLE001  # handed to the reader, which raises it
                self._tell(name, unexpected)

    def _next(self) -> tuple[str, Event | BaseException] | None:
        """The next event; None where there is none for a moment."""
        with self._changed:
            if not self._events:
                self._changed.wait(LOOKS_UP)
            if not self._events:
                return None
            found = self._events.popleft()
            self._size -= _size(found[1])
            self._changed.notify_all()
            return found

    def _tell(self, name: str, event: Event | BaseException) -> None:
        """Wait for room among the events, but not for a reader that has stopped reading."""
        with self._changed:
            while self._events and self._size + _size(event) > AHEAD and not self._stop.is_set():
                self._changed.wait(LOOKS_UP)
            self._events.append((name, event))
            self._size += _size(event)
            self._changed.notify_all()


def _size(event: Event | BaseException) -> int:
    return event.size if isinstance(event, Answered) else 0

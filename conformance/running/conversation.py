"""What happens while a seat is asked its batches, as a stream of events; several are asked at a time.

One thread a worker asks; whoever reads the stream certifies and judges. An adapter in this process is asked
by the reader itself: its tensors, contexts and debuggers belong to the thread that called.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xent_conformance.asking.asker import Answer, ask
from xent_conformance.asking.connection import Connection, FrameworkAbsent, WorkerLost
from xent_conformance.cases.case import Batch
from xent_conformance.frameworks.interface import Question
from xent_conformance.registry.framework import Seat

AHEAD = 8
"""Events that may wait to be read: a worker that is faster than the judge waits for it."""

LOOKS_UP = 0.2
"""Seconds after which a reader that waits looks up: where Polars is imported, its handler of Ctrl-C has the
system go on with a wait for a lock, which no exception ends then."""


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


@dataclass(frozen=True)
class Ended:
    """Nothing more comes of the seat, which was started so many times."""

    seat: str
    starts: int


Event = Started | Absent | Answered | Ended

Connect = Callable[[Seat], Connection]
Put = Callable[[Seat, Batch, Sequence[str]], Sequence[Question]]
"""``put(seat, batch, devices)``: the questions."""


Stream = Generator[Event, None, None]
"""Events in their order; closed, it ends what it has started."""


def conversation(seat: Seat, batches: Iterable[Batch], put: Put, connect: Connect) -> Stream:
    """Start the seat, ask it every batch, and end it."""
    connection: Connection | None = None
    try:
        connection = connect(seat)
        yield Started(seat.key, connection.hello)
        for batch in batches:
            # what this machine lacks is no fault of the framework's
            missing = connection.hello.get("missing", {})
            due = put(seat, batch, connection.hello["devices"])
            questions = [q for q in due if q.mode not in missing]
            yield Answered(seat.key, batch, ask(connection, batch, questions))
    except FrameworkAbsent as absent:
        yield Absent(seat.key, str(absent), absent.lacks, absent.broken)
    except WorkerLost as lost:
        yield Absent(seat.key, f"the worker does not start: {lost}", broken=True)
    finally:
        if connection is not None:
            connection.close()
    yield Ended(seat.key, 0 if connection is None else connection.starts)


def one_by_one(conversations: Iterable[Stream]) -> Stream:
    """Each in turn, in this thread."""
    for each in conversations:
        yield from each


def together(conversations: Mapping[str, Stream]) -> Stream:
    """All at once, a thread each. What a thread raises is raised here; leaving the stream ends them all."""
    events: queue.Queue[tuple[str, Event | BaseException]] = queue.Queue(maxsize=AHEAD)
    stop = threading.Event()
    for name, each in conversations.items():
        threading.Thread(
            target=_pump, args=(name, each, events, stop), name=f"ask-{name}", daemon=True
        ).start()
    running = set(conversations)
    try:
        while running:
            try:
                name, event = events.get(timeout=LOOKS_UP)
            except queue.Empty:
                continue
            if isinstance(event, BaseException):
                raise event
            if isinstance(event, Ended):
                running.discard(name)
            yield event
    finally:
        stop.set()


def _pump(
    name: str,
    conversation: Stream,
    events: queue.Queue[tuple[str, Event | BaseException]],
    stop: threading.Event,
) -> None:
    """The thread of one worker."""

    def tell(event: Event | BaseException) -> None:
        """Wait for room in the queue, but not for a reader that has stopped reading."""
        while not stop.is_set():
            with contextlib.suppress(queue.Full):
                events.put((name, event), timeout=LOOKS_UP)
                break

    with contextlib.closing(conversation):
        try:
            for event in conversation:
                tell(event)
                if stop.is_set():
                    break
        except BaseException as unexpected:  # noqa: BLE001  # handed to the reader, which raises it
            tell(unexpected)

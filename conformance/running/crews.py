"""Several workers of one seat, as many as there are cores and memory for: the events are those of one.

Each seat has a worker from the beginning. Where fewer work than jobs are allowed, the seat that has most left
gets one more, if that saves more than its start costs: by what it has taken so far, on this machine and with
what is compiled already. Where memory is short there is none more, and one of several ends.

Where there are fewer jobs than seats, a seat that is for a mode alone has no worker from the beginning: it is
left that of the seat beside it, which has imported the framework, when that has nothing more to answer. Where
it has one, that helps the seat beside it in the end: one more need not be started.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from xent_conformance.devices.names import kind_of as device_kind
from xent_conformance.running.conversation import (
    Absent,
    Answered,
    Ended,
    Event,
    Idle,
    Stream,
    Threads,
)
from xent_conformance.running.crew import Crew

PAYS = 2.0
"""One more worker is started where it is to answer so many times as long as it takes to start."""


def bequeath(crews: Mapping[str, Crew], *, few: bool) -> None:
    """Who is for a mode alone is left a worker by the seat beside it, or has one that helps there in the end.

    The one where there are ``few`` jobs, the other where each has a worker.
    """
    for crew in crews.values():
        beside = crews.get(replace(crew.seat, apart="").key)
        if crew.seat.apart and beside is not None:
            if few:
                beside.heirs.append(crew)
            else:
                crew.beside = beside


def in_crews(
    crews: Mapping[str, Crew], jobs: int, tell: Callable[[str], None] = lambda words: None
) -> Stream:
    """The events of all seats, at most ``jobs`` workers at a time, but one for each seat.

    ``tell`` is given a line where memory decides.
    """
    with Threads() as threads:
        numbers: dict[str, int] = {}

        def begin(crew: Crew) -> None:
            number, stream = crew.stream()
            name = f"{crew.seat.key} {number}"
            numbers[name] = number
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
            if isinstance(event, (Answered, Ended)) and threads.running < jobs:
                _one_more(crews, begin)
            for key, each in crews.items():
                for words in each.told[told[key] :]:
                    tell(words)
                told[key] = len(each.told)


def _of_one(crew: Crew, number: int, event: Event, begin: Callable[[Crew], None]) -> Stream:
    """The event as the reader is to see it, to whom all workers of a seat are one."""
    match event:
        case Absent() if crew.lose(event):
            return
        case Ended(key, starts):
            crew.ended(number, starts)
            for heir in crew.left_by.pop(number, ()):
                yield Ended(heir.seat.key, 0)
            if (help_ := crew.helped.pop(number, None)) is not None:
                over = Ended(help_.crew.seat.key, 1 + help_.restarts)
                yield from _of_one(help_.crew, help_.number, over, begin)
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

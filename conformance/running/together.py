"""What hypotheses say of calls, said by several processes, before the driver asks about them one by one.

Nothing is decided here: a saying is a function of the call alone (:mod:`xent_conformance.diagnosis.said`).
What no process has said the driver says itself.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Sequence

from xent_conformance.diagnosis.doors import Piece
from xent_conformance.diagnosis.said import Said
from xent_conformance.diagnosis.sayings import Packed
from xent_conformance.running.assistant import Assistant, Gone
from xent_conformance.running.sayer import Pieces

CALLS = 64
"""So many calls a process must have before it: it takes a third of their time to start."""


def say_together(
    lists: Iterable[Sequence[Piece]], said: Said, jobs: int, between: Callable[[], None] = lambda: None
) -> None:
    """Have said what is asked of these calls, by at most ``jobs`` processes, and keep it in ``said``.

    No two of the ``lists`` have a door in common. ``between`` two of them something else may be done. Truths
    come from the oracle's cache: without one nothing is said ahead. One process is no faster than none.
    """
    cache = said.oracle.cache
    if cache is None or jobs < 2:
        return
    due: queue.SimpleQueue[Pieces | None] = queue.SimpleQueue()
    found: queue.SimpleQueue[dict[bytes, Packed]] = queue.SimpleQueue()
    assistants: list[Assistant] = []
    threads: list[threading.Thread] = []
    calls = 0
    try:
        for pieces in lists:
            calls += len(pieces)
            known = dict(said.at(*piece) for piece in pieces)
            due.put((pieces, {place: of for place, of in known.items() if of.names}))
            while len(assistants) < min(jobs, calls // CALLS):
                assistant = Assistant.started("xent_conformance.running.sayer", str(cache))
                if assistant is None:
                    break
                assistants.append(assistant)
                threads.append(threading.Thread(target=_say, args=(assistant, due, found), daemon=True))
                threads[-1].start()
            between()
        for _ in threads:
            due.put(None)
        for thread in threads:
            thread.join()
    finally:
        for assistant in assistants:
            assistant.kill()
    while not found.empty():
        said.take(found.get())


def _say(
    assistant: Assistant,
    due: queue.SimpleQueue[Pieces | None],
    found: queue.SimpleQueue[dict[bytes, Packed]],
) -> None:
    """The thread of a process, until there is nothing left for it."""
    try:
        while (pieces := due.get()) is not None:
            if told := assistant.ask(pieces):
                found.put(told)
    except Gone:  # the driver does it; others do what is left
        return
    finally:
        assistant.end()

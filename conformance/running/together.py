"""A diagnosis for which several processes say what hypotheses say of calls.

Nothing is decided there: a saying is a function of the call alone (:mod:`xent_conformance.diagnosis.said`).
What no process has said the driver says itself.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterable, Sequence

from xent_conformance.cases.case import Batch
from xent_conformance.diagnosis.causes import diagnose, unsaid
from xent_conformance.diagnosis.doors import Piece
from xent_conformance.diagnosis.said import Said
from xent_conformance.diagnosis.sayings import Packed
from xent_conformance.reports.run.file import Run
from xent_conformance.running.assistant import Assistant, Gone
from xent_conformance.running.sayer import Pieces

FEW = 16
"""So many calls the driver says itself before others help: mostly an earlier run has said all of them."""

CALLS = 64
"""So many calls a process must have before it, or its start takes longer than it helps."""

LARGE = 2**22
"""Logits of a batch, and copies of them, that the driver looks at itself: what is computed of so many is
much memory, and takes so long that a process would seem to be silent.
"""

WAITING = 16
"""So many lists wait for each process; who would look for more waits too, for they are memory."""

SILENCE = 60.0
"""After so many seconds in which nobody was given a list, nor answered, the driver says the rest itself."""

SLICE = 0.2
"""Seconds between two looks at who still lives."""


class _Much(Exception):
    """There is more to say than the driver says alone."""


def diagnose_together(
    run: Run, asked: Sequence[Batch], said: Said, jobs: int, between: Callable[[], None]
) -> Run:
    """As :func:`~xent_conformance.diagnosis.causes.diagnose`, with at most ``jobs`` processes that help.

    They take truths from the oracle's cache: without one there are none.
    """
    if said.oracle.cache is None or jobs < 2:
        return diagnose(run, asked, said, between)
    begun = said.computed

    def a_few() -> None:
        between()
        if said.computed - begun > FEW:
            raise _Much

    try:
        return diagnose(run, asked, said, a_few)
    except _Much:
        say_together(unsaid(run.verdicts, asked, said), said, jobs, between)
    return diagnose(run, asked, said, between)


def say_together(
    lists: Iterable[Sequence[Piece]], said: Said, jobs: int, between: Callable[[], None] = lambda: None
) -> None:
    """Have said what is asked of these calls, by processes, and keep it in ``said``.

    No two of the ``lists`` have a door in common. ``between`` two of them something else may be done. One
    process alone is slower than none. Lists with a :data:`LARGE` batch are left to the driver.
    """
    with contextlib.closing(_Sayers(said, jobs)) as sayers:
        waiting: list[Sequence[Piece]] = []
        calls = many = 0
        for pieces in lists:
            between()
            if large(pieces):
                continue
            calls, many = calls + len(pieces), many + 1
            waiting.append(pieces)
            if (wanted := min(jobs, calls // CALLS, many)) < 2:
                continue
            if said.full or not sayers.started(wanted) or not all(map(sayers.give, waiting)):
                return
            waiting.clear()
        sayers.wait()


def large(pieces: Iterable[Piece]) -> bool:
    """Whether a batch of these is too much for several processes at a time."""
    return any(batch.inputs.logits.size * batch.inputs.copies > LARGE for batch, _, _ in pieces)


class _Sayers:
    """Processes that say of lists of calls, each with a thread that waits for it."""

    def __init__(self, said: Said, jobs: int) -> None:
        assert said.oracle.cache is not None  # where they find the truths
        self._said, self._cache = said, str(said.oracle.cache)
        self._due: queue.Queue[Pieces | None] = queue.Queue(WAITING * jobs)
        self._found: queue.SimpleQueue[dict[bytes, Packed] | None] = queue.SimpleQueue()
        self._all: list[Assistant] = []
        self._over = 0
        self._heard = 0.0

    def started(self, many: int) -> bool:
        """Whether any live, when there were to be so many."""
        while len(self._all) < many:
            assistant = Assistant.started("xent_conformance.running.sayer", self._cache)
            if assistant is None:
                break
            self._all.append(assistant)
            name = f"say-{len(self._all)}"
            threading.Thread(target=self._say, args=(assistant,), name=name, daemon=True).start()
        return self._live

    @property
    def _live(self) -> bool:
        return self._over < len(self._all)

    def give(self, pieces: Sequence[Piece]) -> bool:
        """Whether somebody will take it."""
        known = dict(self._said.at(*piece) for piece in pieces)
        given = pieces, {place: of for place, of in known.items() if of.names}
        return self._put(given)

    def wait(self) -> None:
        """Until all is said that was given."""
        for _ in self._all:
            self._put(None)
        while self._live and self._hear():
            pass

    def close(self) -> None:
        """Nobody waits for them any more."""
        for assistant in self._all:
            assistant.kill()
        for _ in self._all:
            with contextlib.suppress(queue.Full):  # then none of them waits for more, but finds itself gone
                self._due.put_nowait(None)

    def _put(self, given: Pieces | None) -> bool:
        while self._live:
            with contextlib.suppress(queue.Full):
                self._due.put_nowait(given)
                self._heard = time.monotonic()  # who had nothing to say was not silent
                return True
            if not self._hear():
                break
        return False

    def _hear(self) -> bool:
        """Wait for what is said next; whether anything was said lately."""
        with contextlib.suppress(queue.Empty):
            told = self._found.get(timeout=SLICE)
            self._heard = time.monotonic()
            if told is None:
                self._over += 1
            else:
                self._said.take(told)
        return time.monotonic() - self._heard < SILENCE

    def _say(self, assistant: Assistant) -> None:
        """The thread of a process, until there is nothing left for it."""
        try:
            while (pieces := self._due.get()) is not None:
                self._found.put(assistant.ask(pieces) or {})
        except Gone:  # the driver does it; others do what is left
            return
        finally:
            assistant.end()
            self._found.put(None)

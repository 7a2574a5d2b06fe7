"""Workers of frameworks that tests lend each other, one after the other: a framework takes seconds to start.

Who connects is lent a worker that was started in the same way and that nobody else has, or a new one. What
is asked crosses the same pipe of the same process; what it knew of who had it before is forgotten.
"""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from xent_conformance.asking.connection import Reply
from xent_conformance.asking.patience import ANSWER_SECONDS, Patience
from xent_conformance.asking.process import Process, Started
from xent_conformance.discovery.framework import Launch
from xent_conformance.frameworks.interface import Array, Question

MOST_IDLE = 4
"""So many wait for who wants them next; each holds hundreds of megabytes."""

STARTERS = 16
"""So many workers start at a time, at most."""

OF_A_TEST = ("PYTEST_CURRENT_TEST", "XDG_CACHE_HOME")
"""Variables that tell tests apart and that no worker reads: what it may keep is told by its launch."""

Key = tuple[object, ...]
T = TypeVar("T")


class Lent:
    """A worker for as long as somebody has it: closed, it waits for the next."""

    def __init__(self, workers: Workers, key: Key, process: Process) -> None:
        self._workers, self._key, self._process = workers, key, process
        self._due = 0
        process.starts, process.patience, process.canaries, process.asserting = 1, Patience(), {}, set()

    def ask(self, questions: Sequence[Question], arrays: Mapping[str, Array]) -> Iterator[Reply]:
        """As the worker is asked; what it has not answered yet is in its pipe."""
        self._due += len(questions)
        for reply in self._process.ask(questions, arrays):
            self._due -= 1
            yield reply

    def restart(self) -> None:
        self._due = 0
        self._workers.run(self._process.restart)

    def close(self) -> None:
        """Give it back; one that is dead or owes an answer is of no use to anybody."""
        self._workers.back(self._key, self._process, whole=not self._due)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._process, name)


class Workers:
    """In place of :class:`Process`, which it starts where no worker waits."""

    def __init__(self) -> None:
        self._idle: list[tuple[Key, Process]] = []
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(STARTERS)
        self.started = 0

    def run(self, start: Callable[[], T]) -> T:
        """In a thread that outlives whoever asks: a worker ends with the thread that started it."""
        return self._threads.submit(start).result()

    def __call__(
        self, launch: Launch, *, answer_seconds: float = ANSWER_SECONDS, opened: Started | None = None
    ) -> Lent:
        """``opened`` is told of nobody: who is lent to many runs gives way in none."""
        key = _key(launch)
        with self._lock:
            mine = next((i for i, (k, _) in enumerate(self._idle) if k == key), None)
            found = None if mine is None else self._idle.pop(mine)[1]
        if found is not None and found._process.poll() is not None:  # it was ended meanwhile
            found.close()
            found = None
        if found is None:
            self.started += 1
            found = self.run(functools.partial(Process, launch, answer_seconds=answer_seconds))
        found.answer_seconds = answer_seconds
        return Lent(self, key, found)

    def back(self, key: Key, process: Process, *, whole: bool) -> None:
        if not whole or process._process.poll() is not None:
            process.close()
            return
        with self._lock:
            if all(process is not p for _, p in self._idle):  # closed once more
                self._idle.append((key, process))
            over = [] if len(self._idle) <= MOST_IDLE else [self._idle.pop(0)[1]]
        for longest in over:
            longest.close()

    def close(self) -> None:
        """End all that nobody has."""
        while self._idle:
            self._idle.pop()[1].close()
        self._threads.shutdown()


def _key(launch: Launch) -> Key:
    ours = frozenset((k, v) for k, v in os.environ.items() if k not in OF_A_TEST)
    told = frozenset(launch.environment.items())
    return launch.adapter, launch.interpreter, tuple(launch.search), tuple(launch.lent), told, ours

"""Truths that are not remembered yet, certified ahead by processes of their own, while frameworks answer.

Nobody waits for another: a worker asks on, the driver judges what has its truth already, and what is due and
has been begun by nobody the driver certifies itself. Results go through the oracle's cache, so a run without
one has no such processes.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from xent_conformance.cases.case import Batch
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.oracle import Oracle
from xent_conformance.running.assistant import Assistant, Gone
from xent_conformance.running.conversation import Absent, Answered, Ended, Event

PAYS_SECONDS = 1.0
"""So much work a process must have before it: it takes half of that to start."""

LARGEST = 2**22
"""Logits of a batch that is sent; what is larger the driver certifies itself."""

SILENCE = 300.0
"""Seconds in which no process has ended with anything: one that is waited for is ended, and the driver does
it. A process that has a core ends with the largest batch in much less."""

HELD = 2**26
"""Bytes of answers that may wait for their truths; where it is more, the oldest is judged first."""


class Ahead:
    """At most ``jobs`` processes that certify the batches in their order; as a context it ends them."""

    def __init__(self, oracle: Oracle, batches: Iterable[Batch], jobs: int, second: float) -> None:
        """``second``: about how many seconds an element of logits takes to certify."""
        self._cache = oracle.cache
        self._changed = threading.Condition()
        self._due: OrderedDict[str, Inputs] = OrderedDict()
        self._begun: dict[str, Assistant] = {}
        self._fresh: list[str] = []
        self._ended = False
        self._processes: list[Assistant] = []
        for batch in {batch.id: batch for batch in batches}.values() if jobs else ():
            path = oracle.path(batch.inputs)
            if path is not None and batch.inputs.logits.size <= LARGEST and not path.is_file():
                self._due[batch.inputs.digest] = batch.inputs
        seconds = second * sum(inputs.logits.size for inputs in self._due.values())
        self.many = min(jobs, int(seconds / PAYS_SECONDS), len(self._due))
        if self.many < 1:
            self._due.clear()

    def __enter__(self) -> Self:
        for i in range(self.many):
            threading.Thread(target=self._certify, name=f"certify-{i}", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._ended = True
            self._due.clear()
            for process in self._processes:
                process.kill()

    def ready(self, batch: Batch) -> bool:
        """Whether its truth is remembered, or nobody is at it: it can be judged now."""
        with self._changed:
            return batch.inputs.digest not in self._due and batch.inputs.digest not in self._begun

    def fresh(self) -> list[str]:
        """The digests of what processes have ended with since it was asked last."""
        with self._changed:
            found, self._fresh = self._fresh, []
            return found

    def wait(self, digest: str) -> None:
        """Until it is ready; what nobody has begun is the caller's, and is ready then."""
        with self._changed:
            self._due.pop(digest, None)
            while digest in self._begun:
                if not self._changed.wait(SILENCE) and digest in self._begun:
                    self._begun[digest].kill()  # its thread is told that it is gone

    # --- in the thread of a process ---

    def _certify(self) -> None:
        assert self._cache is not None  # or nothing were due
        process = self._started(self._cache)
        if process is None:
            return
        try:
            while (digest := self._taken(process)) is not None:
                inputs, name = digest
                try:
                    process.ask(inputs)
                finally:
                    with self._changed:
                        del self._begun[name]
                        self._fresh.append(name)
                        self._changed.notify_all()
        except Gone:  # the driver does it, and what is left
            return
        finally:
            process.end()

    def _started(self, cache: Path) -> Assistant | None:
        """A process; None where the run has ended or the system starts none: the driver certifies then."""
        with self._changed:
            if self._ended:
                return None
            process = Assistant.started("xent_conformance.running.certifier", str(cache))
            if process is not None:
                self._processes.append(process)
            return process

    def _taken(self, process: Assistant) -> tuple[Inputs, str] | None:
        with self._changed:
            if not self._due:
                return None
            name, inputs = self._due.popitem(last=False)
            self._begun[name] = process
            return inputs, name


def when_ready(events: Iterable[Event], ahead: Ahead) -> Iterator[Event]:
    """The events, an answer when its truth is there; what is told of a seat comes after its answers."""
    waiting = _Waiting()
    for event in events:
        match event:
            case Answered() if not ahead.ready(event.batch):
                waiting.add(event)
            case Absent() | Ended() if waiting.many[event.seat]:
                waiting.later[event.seat].append(event)
            case _:
                yield event
        for digest in ahead.fresh():
            yield from waiting.taken(digest)
        while waiting.size > HELD:
            yield from waiting.oldest(ahead)
    while waiting:
        yield from waiting.oldest(ahead)


class _Waiting:
    """Answers by the digest of the truth that each waits for, the oldest first."""

    def __init__(self) -> None:
        self.many: Counter[str] = Counter()
        self.later: defaultdict[str, list[Absent | Ended]] = defaultdict(list)
        self.size = 0
        self._of: dict[str, list[Answered]] = {}

    def __bool__(self) -> bool:
        return bool(self._of)

    def add(self, event: Answered) -> None:
        self._of.setdefault(event.batch.inputs.digest, []).append(event)
        self.many[event.seat] += 1
        self.size += event.size

    def taken(self, digest: str) -> Iterator[Event]:
        """Those that wait for this truth, each with what was to be told after the last of its seat."""
        for event in self._of.pop(digest, ()):
            self.many[event.seat] -= 1
            self.size -= event.size
            yield event
            if not self.many[event.seat]:
                yield from self.later.pop(event.seat, ())

    def oldest(self, ahead: Ahead) -> Iterator[Event]:
        """Those that have waited longest, when their truth is there or nobody's."""
        digest = next(iter(self._of))
        ahead.wait(digest)
        return self.taken(digest)

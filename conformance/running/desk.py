"""Answers on their way to the journal: collected until there are many, judged at once, and written."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Self

import polars as pl

from xent_conformance.judging.rows import Answered, verdicts
from xent_conformance.running.distances import Distances
from xent_conformance.running.journal import Journal
from xent_conformance.running.memory import Kept

VERDICTS, ELEMENTS, SECONDS = 8192, 2**19, 5.0
"""What is waiting is judged when it has so many verdicts or elements, or has waited so long."""

FIRST_SECONDS = 0.5
"""What comes first waits no longer, where somebody is told."""

Judged = Callable[[pl.DataFrame], None]
"""``judged(verdicts)``: told of each lot when it is judged."""


class Desk:
    """What was answered and is not judged yet; as a context it is left clear."""

    def __init__(
        self,
        journal: Journal | Kept,
        distances: Distances | None = None,
        judged: Judged | None = None,
        cleared: Callable[[], None] = lambda: None,
    ) -> None:
        """``distances``: measured between the answers, and kept with them; ``cleared``: called when it is."""
        self._journal, self._judged, self._cleared = journal, judged, cleared
        self._distances = Distances() if distances is None else distances
        self._patience = SECONDS if judged is None else FIRST_SECONDS
        self._clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def _clear(self) -> None:
        self._waiting: list[Answered] = []
        self._done: list[tuple[str, str]] = []
        self._verdicts = self._elements = 0
        self._since = time.monotonic()

    def add(self, seat: str, batch: str, answers: list[Answered]) -> None:
        """All answers of a seat to a batch."""
        self._waiting += answers
        self._done.append((seat, batch))
        for a in answers:
            self._verdicts += len(a.batch.cases) * len(a.answer.question.due)
            self._elements += sum(got.size for got in a.answer.results.values())

    @property
    def full(self) -> bool:
        """Whether it is time to judge."""
        many = self._verdicts >= VERDICTS or self._elements >= ELEMENTS
        return many or time.monotonic() - self._since > self._patience

    def clear(self) -> None:
        """Judge what is waiting, and put it into the journal.

        Where that is interrupted, what was waiting still is.
        """
        if self._done:
            judged, done = verdicts(self._waiting).frame(), self._done
            self._clear()
            self._patience = SECONDS
            self._journal.add(done, judged, self._distances.taken())
            if self._judged is not None:
                self._judged(judged)
            self._cleared()

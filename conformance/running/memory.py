"""Finished batches in memory alone, where nobody wants a run on disk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Self

import polars as pl

from xent_conformance.reports.run.file import HELD, Put, held, here
from xent_conformance.running.distances import Measured
from xent_conformance.running.order import ordered

Done = Sequence[tuple[str, str]]
"""Seats, each with the id of a batch that it has answered."""


class Kept:
    """The verdicts of a run that nobody wants on disk."""

    asked_again: Sequence[str] = ()

    def __init__(self) -> None:
        self._parts: list[pl.DataFrame] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is left."""

    def met(self, seat: str, hello: Mapping[str, object]) -> None:
        """Nothing was answered before."""

    def done(self, framework: str) -> set[str]:
        """Nothing was answered before."""
        return set()

    def holds(self, framework: str, batch: str) -> bool:
        """Nothing was answered before."""
        return False

    def measured(self) -> Iterable[Measured]:
        """Nothing was answered before."""
        return ()

    def compared(self, batch: str) -> None:
        """There is nothing on disk."""

    def add(self, done: Done, verdicts: pl.DataFrame, measured: Measured | None = None) -> None:
        """Keep the verdicts on finished batches."""
        self._parts.append(held(verdicts))

    @property
    def many(self) -> int:
        """Verdicts so far."""
        return sum(part.height for part in self._parts)

    def verdicts(self, put: Put = here) -> pl.DataFrame:
        """All verdicts, in the order of a run file, each column where it is ``put``."""
        every = pl.concat(self._parts) if self._parts else pl.DataFrame(schema=HELD)
        return ordered(every.get_column, put)

    def end(self) -> None:
        """There is nothing on disk."""

    def remove(self) -> None:
        """There is nothing on disk."""

"""What came back about a batch: results row by row, and for the rows that have none the reason."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from xent_conformance.asking.arrays import filled_rows
from xent_conformance.asking.connection import Reply
from xent_conformance.cases.case import Batch
from xent_conformance.frameworks.interface import Array, Question
from xent_conformance.reports.run.words import Outcome
from xent_conformance.worker.bits import other_rows
from xent_conformance.worker.delivery import AGAIN, CHANGED
from xent_conformance.worker.unwritten import UNWRITTEN


@dataclass(frozen=True)
class Failure:
    """Why a row has no answer, in the framework's own words."""

    outcome: Outcome
    message: str


@dataclass
class Answer:
    """``results[output]`` has a row for each row asked; ``failures[output]`` says which do not count.

    ``copies[output]`` has, of a row that was repeated to fill a call up, a copy that came back with other
    bits than the row; ``changed`` the arguments that the call changed, by row; ``unwritten[output]`` the rows
    that are what memory held before.
    """

    question: Question
    results: dict[str, Array] = field(default_factory=dict)
    failures: dict[str, dict[int, Failure]] = field(default_factory=dict)
    copies: dict[str, dict[int, Array]] = field(default_factory=dict)
    changed: dict[int, set[str]] = field(default_factory=dict)
    unwritten: dict[str, set[int]] = field(default_factory=dict)
    compile_s: float = 0.0
    kernel_s: float = 0.0
    apart: bool = False
    """Whether its rows were asked apart, so that each has its own outcome."""

    def charge(self, rows: Array, output: str, failure: Failure) -> None:
        """These rows have no such output, for this reason."""
        self.failures.setdefault(output, {}).update(dict.fromkeys(rows.tolist(), failure))

    def take(self, batch: Batch, rows: Array, reply: Reply) -> None:
        """A reply about these rows; what it has not is charged to all of them."""
        self.record(batch, rows, reply)
        for output, failure in failures_of(reply).items():
            self.charge(rows, output, failure)

    def record(self, batch: Batch, rows: Array, reply: Reply) -> None:
        """What a reply about these rows has."""
        total = len(batch.inputs)
        self.compile_s += reply.compile_s
        self.kernel_s += reply.kernel_s
        filled = filled_rows(batch)
        for output, array in reply.results.items():
            if CHANGED in output:
                self._note_changed(output.partition(CHANGED)[0], rows, array)
                continue
            if output.endswith(UNWRITTEN):
                told = self.unwritten.setdefault(output.removesuffix(UNWRITTEN), set())
                told.update(rows[array[: len(rows)]].tolist())  # what fills a call up repeats the rows
                continue
            if array.ndim and len(array) == filled > len(rows):
                self._note_copies(output.removesuffix(AGAIN), rows, array)
            if output.endswith(AGAIN) and len(array) == self.question.manner.rows:
                whole = self.results.setdefault(output, np.zeros_like(array))
                whole = self.results[output] = whole.copy()
                whole[rows] = array[: len(rows)]
            elif array.ndim == 0 or len(array) != filled:
                self.results[output] = array  # not a value a row: the verdict will say so
            elif len(rows) == total:
                self.results[output] = array[:total]
            else:
                whole = self.results.setdefault(output, np.zeros((total, *array.shape[1:]), array.dtype))
                whole[rows] = array[: len(rows)]

    def _note_copies(self, output: str, rows: Array, array: Array) -> None:
        """Keep a copy of each row that came back with other bits (SPEC.md 7.4); most rows have none."""
        copies = array[len(rows) :]
        original = np.arange(len(copies)) % len(rows)
        differing = np.flatnonzero(other_rows(array[original], copies))
        found, first = np.unique(original[differing], return_index=True)
        for row, i in zip(rows[found].tolist(), differing[first].tolist(), strict=True):
            self.copies.setdefault(output, {}).setdefault(row, copies[i])

    def _note_changed(self, argument: str, rows: Array, changed: Array) -> None:
        """Keep which rows of an argument the call has changed (SPEC.md 7.11)."""
        for row in rows[changed[: len(rows)]].tolist():
            self.changed.setdefault(row, set()).add(argument)


def failures_of(reply: Reply) -> dict[str, Failure]:
    """By output, why a reply has it not."""
    return {o: Failure(Outcome(f["outcome"]), f["message"]) for o, f in reply.failures.items()}

"""Five rows of whom some are guilty: what is right for the others, and how many calls are made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tests.support import fakes
from tests.support.by_hand import NAN
from xent_conformance.asking.answer import Answer
from xent_conformance.asking.arrays import arrays_of
from xent_conformance.asking.connection import Reply
from xent_conformance.asking.process import Process
from xent_conformance.cases.case import Batch
from xent_conformance.frameworks.interface import Question
from xent_conformance.reports.run.words import Outcome

CLEAN = [[0.0, 1.0, 2.0], [3.0, 3.0, -3.0], [10.0, 0.0, 0.5], [-1.0, 4.0, 4.0], [7.0, 7.0, 7.0]]
POISON = [NAN, 0.0, 1.0]


def rows_of(*poisoned: int) -> list[list[float]]:
    """Five clean rows, but for the poisoned ones."""
    return [POISON if i in poisoned else row for i, row in enumerate(CLEAN)]


def right_of(batch: Batch) -> dict[str, np.ndarray]:
    """What the fakes that are right return for the whole batch."""
    arrays = arrays_of(batch)
    return fakes.exact_outputs(batch.operator, arrays["logits"], arrays.get("labels"), arrays["cotangent"])


def check(answer: Answer, batch: Batch, guilty: set[int], outcome: Outcome, *words: str) -> None:
    """Exactly the guilty rows fail, with this outcome in these words; the others are right."""
    right = right_of(batch)
    for output in answer.question.outputs:
        failures = answer.failures.get(output, {})
        assert set(failures) == guilty, output
        for failure in failures.values():
            assert failure.outcome is outcome
            assert failure.message in words
        for i in set(range(len(batch.inputs))) - guilty:
            assert np.array_equal(answer.results[output][i], right[output][i]), (output, i)


class Counted:
    """A process that counts the calls and the rows of each."""

    def __init__(self, inner: Process) -> None:
        self.inner = inner
        self.canaries = inner.canaries
        self.asserting = inner.asserting
        self.patience = inner.patience
        self.rows: list[int] = []

    @property
    def calls(self) -> int:
        return len(self.rows)

    def ask(self, questions: Sequence[Question], arrays: dict[str, np.ndarray]) -> Iterator[Reply]:
        assert len({len(a) for a in arrays.values()}) == 1
        self.rows.append(len(arrays["logits"]))
        return self.inner.ask(questions, arrays)

    def restart(self) -> None:
        self.inner.restart()

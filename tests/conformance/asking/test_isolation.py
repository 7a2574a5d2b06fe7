"""A fault is charged to the rows that cause it: the others keep right answers, and it costs few calls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from tests.support.by_hand import NAN, batch, process, question
from tests.support.guilty_rows import CLEAN, POISON, Counted, check, right_of, rows_of
from xent_conformance.asking import isolation
from xent_conformance.asking.arrays import ROWS, WIDE
from xent_conformance.asking.asker import ask
from xent_conformance.asking.connection import Reply, WorkerLost
from xent_conformance.frameworks.interface import Question
from xent_conformance.reports.run.words import Outcome

pytestmark = pytest.mark.usefixtures("forked")

RAISED = "ValueError: I do not like NaN"
KILLED = "worker killed by signal 9: my last words"


@pytest.mark.parametrize("guilty", [{0}, {0, 3}, {0, 1, 2, 3, 4}], ids=str)
def test_a_call_that_raises(guilty: set[int]) -> None:
    b = batch("softmax", rows_of(*guilty))
    with process("Raises") as worker:
        (answer,) = ask(worker, b, [question()])
        check(answer, b, guilty, Outcome.RAISED, RAISED)
        assert worker.starts == 1


@pytest.mark.parametrize("guilty", [{0}, {0, 3}, {0, 1, 2, 3, 4}], ids=str)
def test_a_call_that_crashes(guilty: set[int]) -> None:
    b = batch("softmax", rows_of(*guilty))
    with process("Crashes") as worker:
        (answer,) = ask(worker, b, [question()])
        check(answer, b, guilty, Outcome.CRASHED, KILLED)
        assert worker.starts > len(guilty)


def test_a_call_that_raises_and_none_of_whose_rows_does_is_charged_whole() -> None:
    """What is wrong with it is what its rows are together; of two rows there is nothing to say."""
    words = "IndexError: index 2 is out of bounds for axis 1 with size 2"
    with process("RaisesTogether") as worker:
        counted = Counted(worker)
        b = batch("softmax", CLEAN)
        (answer,) = ask(counted, b, [question()])  # type: ignore[arg-type]
        check(answer, b, {0, 1, 2, 3, 4}, Outcome.RAISED, f"{words} {isolation.APART}")
        assert counted.calls == 1 + 4 + 1  # the whole, two, three, of which one and two, and the whole again
        two = batch("softmax", CLEAN[:2])
        (answer,) = ask(worker, two, [question()])
        check(answer, two, set(), Outcome.RETURNED)


class LostOnce(Counted):
    """Somebody else ends its process at the first call."""

    def ask(self, questions: Sequence[Question], arrays: dict[str, np.ndarray]) -> Iterator[Reply]:
        if not self.rows:
            self.rows.append(len(arrays["logits"]))
            raise WorkerLost(KILLED)
        return super().ask(questions, arrays)


def test_a_call_that_was_lost_and_then_raises_is_searched_as_if_it_had_not_been_lost() -> None:
    """No row of it takes the process along, nor the whole of it; it raises, and none of its rows does."""
    words = "IndexError: index 2 is out of bounds for axis 1 with size 2"
    b = batch("softmax", CLEAN)
    with process("RaisesTogether") as worker:
        (answer,) = ask(LostOnce(worker), b, [question()])  # type: ignore[arg-type]
    check(answer, b, {0, 1, 2, 3, 4}, Outcome.RAISED, f"{words} {isolation.APART}")


def test_a_call_that_raises_once_and_not_again_is_charged_nobody() -> None:
    b = batch("softmax", CLEAN)
    with process("RaisesOnce") as worker:
        (answer,) = ask(worker, b, [question("softmax", "value")])
    check(answer, b, set(), Outcome.RETURNED)


def test_the_guilty_rows_of_a_call_that_raises_are_not_the_first() -> None:
    b = batch("softmax", rows_of(2, 4))
    with process("Raises") as worker:
        (answer,) = ask(worker, b, [question()])
        check(answer, b, {2, 4}, Outcome.RAISED, RAISED)


def test_the_guilty_rows_of_a_call_that_crashes_are_not_the_first() -> None:
    b = batch("softmax", rows_of(2, 4))
    with process("Crashes") as worker:
        (answer,) = ask(worker, b, [question()])
        check(answer, b, {2, 4}, Outcome.CRASHED, KILLED)


def test_a_call_that_hangs() -> None:
    b = batch("softmax", rows_of(0)[:2])
    with process("Hangs", answer_seconds=2.0) as worker:
        (answer,) = ask(worker, b, [question("softmax", "value")])
        check(answer, b, {0}, Outcome.TIMED_OUT, "no answer within 2 s; killed")
        assert worker.starts == 3  # the first, one after both rows, one after the guilty row


def test_a_value_is_had_where_only_its_gradient_crashes() -> None:
    """As where it raises: what can be had is had."""
    b = batch("softmax", rows_of(1))
    with process("GradientCrashes") as worker:
        (answer,) = ask(worker, b, [question()])
    assert set(answer.failures) == {"grad_logits"}
    assert np.array_equal(answer.results["value"], right_of(b)["value"], equal_nan=True)


@pytest.mark.parametrize("operator", ["sparse_softmax_cross_entropy", "softmax_cross_entropy"])
def test_labels_stay_with_their_rows(operator: str) -> None:
    """Halves of a batch take their own labels and cotangents along."""
    dense = operator == "softmax_cross_entropy"
    labels = np.eye(3)[[0, 1, 2, 0, 1]].tolist() if dense else [[0.0], [1.0], [2.0], [0.0], [1.0]]
    b = batch(operator, rows_of(1), labels=labels)
    with process("Raises") as worker:
        (answer,) = ask(worker, b, [question(operator)])
        check(answer, b, {1}, Outcome.RAISED, RAISED)


def test_only_the_output_that_raised_is_asked_apart() -> None:
    b = batch("softmax", rows_of(3))
    with process("GradientRaisesOnNan") as worker:
        (answer,) = ask(worker, b, [question()])
    assert set(answer.failures) == {"grad_logits"}
    assert set(answer.failures["grad_logits"]) == {3}
    right = right_of(b)
    assert np.array_equal(answer.results["value"], right["value"], equal_nan=True)
    clean = [0, 1, 2, 4]
    assert np.array_equal(answer.results["grad_logits"][clean], right["grad_logits"][clean])


@pytest.mark.parametrize(("fake", "odd"), [("Raises", NAN), ("RaisesOnThrees", 3.0)])
def test_every_innocent_row_keeps_its_answer(fake: str, odd: float) -> None:
    """However many are guilty beside it: every second one of 64, whether they are suspect or not.

    A search that ends after 40 calls charged innocent rows of PyTorch's BCELoss with their neighbours' NaN.
    """
    rows = batch("softmax", [[odd if i % 2 else 0.5, 1.0] for i in range(64)])
    with process(fake) as worker:
        (answer,) = ask(worker, rows, [question()])
        assert worker.starts == 1
    for output in ("value", "grad_logits"):
        assert set(answer.failures[output]) == set(range(1, 64, 2))
        assert (answer.results[output][::2] != 0).any(axis=1).all() or output == "grad_logits"


def test_isolation_ends_where_every_row_is_guilty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Past so many processes, the rows that are left share the outcome of their call."""
    monkeypatch.setattr(isolation, "LIVES", 6)
    b = batch("softmax", [POISON] * 50)
    with process("Crashes") as worker:
        counted = Counted(worker)
        (answer,) = ask(counted, b, [question()])  # type: ignore[arg-type]
        check(answer, b, set(range(50)), Outcome.CRASHED, RAISED, KILLED)
        # the lives, the call that failed first, and the other half at each depth; each once more
        assert 7 <= counted.calls <= 7 + 6 + 7
        clean = batch("softmax", CLEAN)
        (answer,) = ask(worker, clean, [question()])
        check(answer, clean, set(), Outcome.RETURNED)


@pytest.mark.parametrize(
    ("rows", "n", "filled"),
    [(5, 3, ROWS), (ROWS + 6, 3, ROWS + 6), (5, WIDE, 5)],
    ids=["few", "many", "wide"],
)
def test_parts_of_a_batch_are_filled_up(rows: int, n: int, filled: int) -> None:
    """A compiler sees one shape a batch, however its rows are asked apart."""
    b = batch("softmax", [[NAN if i == 0 else float(i)] + [0.0] * (n - 1) for i in range(rows)])
    with process("Raises") as worker:
        counted = Counted(worker)
        (answer,) = ask(counted, b, [question("softmax", "value")])  # type: ignore[arg-type]
    check(answer, b, {0}, Outcome.RAISED, RAISED)
    assert set(counted.rows) == {filled}
    assert counted.calls > 1
    assert answer.results["value"].shape == (rows, n)

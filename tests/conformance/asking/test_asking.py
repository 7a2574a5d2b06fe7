"""A fault is charged to the rows that cause it: the others keep right answers, the worker goes on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest

from tests.support import fakes
from tests.support.by_hand import INFINITY, NAN, batch, process, question
from xent_conformance.asking import asker
from xent_conformance.asking.asker import ROWS, WIDE, Answer, arrays_of, ask
from xent_conformance.asking.connection import Reply
from xent_conformance.asking.process import Process
from xent_conformance.cases.case import Batch
from xent_conformance.frameworks.interface import Question
from xent_conformance.reports.run.words import Outcome

CLEAN = [[0.0, 1.0, 2.0], [3.0, 3.0, -3.0], [10.0, 0.0, 0.5], [-1.0, 4.0, 4.0], [7.0, 7.0, 7.0]]
POISON = [NAN, 0.0, 1.0]


def _rows(*poisoned: int) -> list[list[float]]:
    """Five clean rows, but for the poisoned ones."""
    return [POISON if i in poisoned else row for i, row in enumerate(CLEAN)]


def _right(b: Batch) -> dict[str, np.ndarray]:
    arrays = arrays_of(b)
    return fakes.exact_outputs(b.operator, arrays["logits"], arrays.get("labels"), arrays["cotangent"])


def _check(answer: Answer, b: Batch, guilty: set[int], outcome: Outcome, *words: str) -> None:
    """Exactly the guilty rows fail, with this outcome in these words; the others are right."""
    right = _right(b)
    for output in answer.question.outputs:
        failures = answer.failures.get(output, {})
        assert set(failures) == guilty, output
        for failure in failures.values():
            assert failure.outcome is outcome
            assert failure.message in words
        for i in set(range(len(b.inputs))) - guilty:
            assert np.array_equal(answer.results[output][i], right[output][i]), (output, i)


RAISED = "ValueError: I do not like NaN"
KILLED = "worker killed by signal 9: my last words"


@pytest.mark.parametrize("guilty", [{0}, {0, 3}, {0, 1, 2, 3, 4}], ids=str)
def test_a_call_that_raises(guilty: set[int]) -> None:
    b = batch("softmax", _rows(*guilty))
    with process("Raises") as worker:
        (answer,) = ask(worker, b, [question()])
        _check(answer, b, guilty, Outcome.RAISED, RAISED)
        assert worker.starts == 1


@pytest.mark.parametrize("guilty", [{0}, {0, 3}, {0, 1, 2, 3, 4}], ids=str)
def test_a_call_that_crashes(guilty: set[int]) -> None:
    b = batch("softmax", _rows(*guilty))
    with process("Crashes") as worker:
        (answer,) = ask(worker, b, [question()])
        _check(answer, b, guilty, Outcome.CRASHED, KILLED)
        assert worker.starts > len(guilty)


def test_a_call_that_raises_and_none_of_whose_rows_does_is_charged_whole() -> None:
    """What is wrong with it is what its rows are together; of two rows there is nothing to say."""
    words = "IndexError: index 2 is out of bounds for axis 1 with size 2"
    with process("RaisesTogether") as worker:
        counted = _Counted(worker)
        b = batch("softmax", CLEAN)
        (answer,) = ask(counted, b, [question()])  # type: ignore[arg-type]
        _check(answer, b, {0, 1, 2, 3, 4}, Outcome.RAISED, f"{words} {asker.APART}")
        assert counted.calls == 1 + 4 + 1  # the whole, two, three, of which one and two, and the whole again
        two = batch("softmax", CLEAN[:2])
        (answer,) = ask(worker, two, [question()])
        _check(answer, two, set(), Outcome.RETURNED)


def test_a_call_that_raises_once_and_not_again_is_charged_nobody() -> None:
    b = batch("softmax", CLEAN)
    with process("RaisesOnce") as worker:
        (answer,) = ask(worker, b, [question("softmax", "value")])
    _check(answer, b, set(), Outcome.RETURNED)


def test_the_guilty_rows_of_a_call_that_raises_are_not_the_first() -> None:
    b = batch("softmax", _rows(2, 4))
    with process("Raises") as worker:
        (answer,) = ask(worker, b, [question()])
        _check(answer, b, {2, 4}, Outcome.RAISED, RAISED)


def test_the_guilty_rows_of_a_call_that_crashes_are_not_the_first() -> None:
    b = batch("softmax", _rows(2, 4))
    with process("Crashes") as worker:
        (answer,) = ask(worker, b, [question()])
        _check(answer, b, {2, 4}, Outcome.CRASHED, KILLED)


def test_a_call_that_hangs() -> None:
    b = batch("softmax", _rows(0)[:2])
    with process("Hangs", answer_seconds=2.0) as worker:
        (answer,) = ask(worker, b, [question("softmax", "value")])
        _check(answer, b, {0}, Outcome.TIMED_OUT, "no answer within 2 s; killed")
        assert worker.starts == 3  # the first, one after both rows, one after the guilty row


def test_later_questions_are_answered_after_a_crash() -> None:
    """The worker's death costs the question that killed it, whichever of the questions it is."""
    b = batch("softmax", _rows(0))
    harmless = question("softmax", "value")
    with process("GradientCrashes") as worker:
        before, crashed, after = ask(worker, b, [harmless, question(), harmless])
        right = _right(b)["value"]
        for answer in (before, after):
            assert not answer.failures
            assert np.array_equal(answer.results["value"], right, equal_nan=True)
        assert {output: set(rows) for output, rows in crashed.failures.items()} == {"grad_logits": {0}}
        assert crashed.failures["grad_logits"][0].outcome is Outcome.CRASHED
        assert "worker killed by signal 9" in crashed.failures["grad_logits"][0].message
        clean = batch("log_softmax", CLEAN)
        (answer,) = ask(worker, clean, [question("log_softmax")])
        _check(answer, clean, set(), Outcome.RETURNED)


def test_a_value_is_had_where_only_its_gradient_crashes() -> None:
    """As where it raises: what can be had is had."""
    b = batch("softmax", _rows(1))
    with process("GradientCrashes") as worker:
        (answer,) = ask(worker, b, [question()])
    assert set(answer.failures) == {"grad_logits"}
    assert np.array_equal(answer.results["value"], _right(b)["value"], equal_nan=True)


@pytest.mark.parametrize("operator", ["sparse_softmax_cross_entropy", "softmax_cross_entropy"])
def test_labels_stay_with_their_rows(operator: str) -> None:
    """Halves of a batch take their own labels and cotangents along."""
    dense = operator == "softmax_cross_entropy"
    labels = np.eye(3)[[0, 1, 2, 0, 1]].tolist() if dense else [[0.0], [1.0], [2.0], [0.0], [1.0]]
    b = batch(operator, _rows(1), labels=labels)
    with process("Raises") as worker:
        (answer,) = ask(worker, b, [question(operator)])
        _check(answer, b, {1}, Outcome.RAISED, RAISED)


def test_only_the_output_that_raised_is_asked_apart() -> None:
    b = batch("softmax", _rows(3))
    with process("GradientRaisesOnNan") as worker:
        (answer,) = ask(worker, b, [question()])
    assert set(answer.failures) == {"grad_logits"}
    assert set(answer.failures["grad_logits"]) == {3}
    right = _right(b)
    assert np.array_equal(answer.results["value"], right["value"], equal_nan=True)
    clean = [0, 1, 2, 4]
    assert np.array_equal(answer.results["grad_logits"][clean], right["grad_logits"][clean])


def test_what_is_refused_is_not_asked_apart() -> None:
    """No row of a batch is guilty of a dtype that is not there."""
    b = batch("softmax", CLEAN, dtype="bfloat16")
    with process("ClaimsWhatItLacks") as worker:
        counted = _Counted(worker)
        (answer,) = ask(counted, b, [question()])  # type: ignore[arg-type]
        _check(answer, b, set(range(5)), Outcome.REFUSED, "half a float is not enough")
        assert counted.calls == 1


def test_what_is_not_offered_is_not_asked() -> None:
    """Neither a call nor a row of it: the source stands for the answer."""
    b = batch("softmax", CLEAN)
    lacks = replace(question("softmax", "value"), withheld=(("grad_logits", "the manual"),))
    nothing = replace(question(), outputs=(), withheld=(("value", "no"), ("grad_logits", "no")))
    with process("Exact") as worker:
        counted = _Counted(worker)
        first, second = ask(counted, b, [nothing, lacks])  # type: ignore[arg-type]
        assert counted.calls == 1
    assert set(second.results) == {"value"} and not first.results
    told = {(f.outcome, f.message) for f in second.failures["grad_logits"].values()}
    assert told == {(Outcome.UNSUPPORTED, "the manual")}
    assert {o: len(rows) for o, rows in first.failures.items()} == {"value": 5, "grad_logits": 5}
    assert lacks.due == ("value", "grad_logits")


# --- how many calls it costs --------------------------------------------------------------------------


class _Counted:
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


def test_isolation_ends_where_every_row_is_guilty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Past so many processes, the rows that are left share the outcome of their call."""
    monkeypatch.setattr(asker._Isolation.__init__, "__defaults__", (6, True))
    b = batch("softmax", [POISON] * 50)
    with process("Crashes") as worker:
        counted = _Counted(worker)
        (answer,) = ask(counted, b, [question()])  # type: ignore[arg-type]
        _check(answer, b, set(range(50)), Outcome.CRASHED, RAISED, KILLED)
        # the lives, the call that failed first, and the other half at each depth; each once more
        assert 7 <= counted.calls <= 7 + 6 + 7
        clean = batch("softmax", CLEAN)
        (answer,) = ask(worker, clean, [question()])
        _check(answer, clean, set(), Outcome.RETURNED)


@pytest.mark.parametrize(
    ("rows", "n", "filled"),
    [(5, 3, ROWS), (ROWS + 6, 3, ROWS + 6), (5, WIDE, 5)],
    ids=["few", "many", "wide"],
)
def test_parts_of_a_batch_are_filled_up(rows: int, n: int, filled: int) -> None:
    """A compiler sees one shape a batch, however its rows are asked apart."""
    b = batch("softmax", [[NAN if i == 0 else float(i)] + [0.0] * (n - 1) for i in range(rows)])
    with process("Raises") as worker:
        counted = _Counted(worker)
        (answer,) = ask(counted, b, [question("softmax", "value")])  # type: ignore[arg-type]
    _check(answer, b, {0}, Outcome.RAISED, RAISED)
    assert set(counted.rows) == {filled}
    assert counted.calls > 1
    assert answer.results["value"].shape == (rows, n)


# --- results that are no rows ------------------------------------------------------------------------


def test_a_scalar_is_passed_on_as_it_came() -> None:
    b = batch("logsumexp", CLEAN)
    with process("ScalarValue") as worker:
        (answer,) = ask(worker, b, [question("logsumexp")])
    assert answer.results["value"].shape == ()
    assert np.array_equal(answer.results["grad_logits"], _right(b)["grad_logits"])


def test_another_shape_is_passed_on_for_the_rows_asked() -> None:
    b = batch("softmax", CLEAN)
    with process("WrongShape") as worker:
        (answer,) = ask(worker, b, [question()])
    assert answer.results["value"].shape == (5, 3, 1)


# --- the arrays of a batch ------------------------------------------------------------------------------


def test_arrays_are_the_dtypes_own_bits() -> None:
    b = batch("softmax_cross_entropy", [[-0.0, INFINITY, 0.5]], labels=[[0.0, 0.0, 1.0]], dtype="bfloat16")
    arrays = arrays_of(b)
    assert {name: (a.dtype.name, a.shape) for name, a in arrays.items()} == {
        "logits": ("bfloat16", (1, 3)),
        "labels": ("bfloat16", (1, 3)),
        "cotangent": ("bfloat16", (1,)),
    }
    assert arrays["logits"].view(np.uint16).tolist() == [[0x8000, 0x7F80, 0x3F00]]


def test_index_labels_are_int64() -> None:
    arrays = arrays_of(batch("sparse_softmax_cross_entropy", CLEAN, labels=[[i % 3] for i in range(5)]))
    assert arrays["labels"].dtype == np.int64
    assert arrays["labels"].tolist() == [0, 1, 2, 0, 1]


def test_no_labels_where_there_are_none() -> None:
    assert set(arrays_of(batch("softmax", CLEAN))) == {"logits", "cotangent"}


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

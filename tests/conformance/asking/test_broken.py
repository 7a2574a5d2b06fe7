"""A process that an error has broken: what broke it is charged, and nobody else."""

from __future__ import annotations

from tests.support.by_hand import batch, process, question
from xent_conformance.asking.asker import ask
from xent_conformance.reports.run.words import Outcome

NAN = float("nan")
CLEAN = [[0.0, 1.0], [2.0, 3.0], [1.0, -1.0]]


def test_a_device_that_one_row_breaks() -> None:
    """As an index out of range does on a GPU: from then on every call of the process fails."""
    guilty = batch("softmax", [CLEAN[0], [NAN, 1.0], CLEAN[2]])
    with process("PoisonedByNan") as worker:
        (first,) = ask(worker, batch("softmax", CLEAN), [question()])
        (answer,) = ask(worker, guilty, [question()])
        assert worker.starts > 1
        (after,) = ask(worker, batch("softmax", CLEAN), [question()])
    assert not first.failures and not after.failures
    for output in ("value", "grad_logits"):
        assert {row: f.outcome for row, f in answer.failures[output].items()} == {1: Outcome.RAISED}
        assert "device-side assert" in answer.failures[output][1].message


def test_questions_before_and_after_the_one_that_breaks_it() -> None:
    """They stand in one message to the worker."""
    guilty = batch("softmax", [CLEAN[0], [NAN, 1.0]])
    value = question("softmax", "value")
    with process("PoisonedByNan") as worker:
        ask(worker, batch("softmax", CLEAN), [value])
        answers = ask(worker, guilty, [value, question(), value])
    for answer in answers:
        assert {row for rows in answer.failures.values() for row in rows} == {1}
        assert answer.results["value"][0].sum() == 1.0


def test_a_process_that_dies_of_the_call_that_is_made_again() -> None:
    """What was answered before the one that broke it stays answered."""
    guilty = batch("softmax", [CLEAN[0], [NAN, 1.0], CLEAN[2]])
    value, gradient = question("softmax", "value"), question("softmax", "grad_logits")
    with process("DiesOncePoisoned") as worker:
        ask(worker, batch("softmax", CLEAN), [value])
        before, broke = ask(worker, guilty, [value, gradient])
    assert not before.failures
    assert {row: f.outcome for row, f in broke.failures["grad_logits"].items()} == {1: Outcome.RAISED}


def test_what_is_refused_by_a_process_that_is_whole_is_refused() -> None:
    with process("GradientRaises") as worker:
        ask(worker, batch("softmax", CLEAN), [question("softmax", "value")])
        (answer,) = ask(worker, batch("softmax", CLEAN), [question()])
        assert worker.starts == 1
    assert {f.outcome for f in answer.failures["grad_logits"].values()} == {Outcome.REFUSED}


def test_a_call_that_breaks_it_and_none_of_whose_rows_does_is_charged_as_a_whole() -> None:
    """A kernel that fails after so many calls is not let off because a fresh process answers."""
    with process("BreaksDown") as worker:
        ask(worker, batch("softmax", CLEAN), [question("softmax", "value")])
        found = [ask(worker, batch("softmax", CLEAN), [question("softmax", "value")])[0] for _ in range(3)]
    failures = [f for answer in found for rows in answer.failures.values() for f in rows.values()]
    assert failures and all("illegal memory access" in f.message for f in failures)
    assert {f.outcome for f in failures} == {Outcome.RAISED}

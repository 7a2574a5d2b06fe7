"""A process that an error has broken: what broke it is charged, and nobody else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.by_hand import batch, process, question
from xent_conformance.asking import isolation
from xent_conformance.asking.asker import ask
from xent_conformance.frameworks.interface import Question
from xent_conformance.reports.run.words import Outcome

pytestmark = pytest.mark.usefixtures("forked")

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


SPARSE, BINARY = "sparse_softmax_cross_entropy", "binary_cross_entropy"
DENSE = "softmax_cross_entropy"
DEVICES = "tests.support.fakes_of_devices"
GUILTY = batch("softmax", [CLEAN[0], [NAN, 1.0], CLEAN[2]])


def _on_both(*outputs: str) -> list[Question]:
    asked = question("softmax", *outputs)
    return [asked, replace(asked, device="cuda:0")]


def test_a_device_that_the_first_call_breaks() -> None:
    """A run of one family, or one that goes on after an interruption, may begin with such rows."""
    with process(f"{DEVICES}:PoisonedAccelerator") as worker:
        cpu, cuda = ask(worker, GUILTY, _on_both())
        after = ask(worker, batch("softmax", CLEAN), _on_both())
    assert not cpu.failures and not any(answer.failures for answer in after)
    for output in ("value", "grad_logits"):
        assert {row: f.outcome for row, f in cuda.failures[output].items()} == {1: Outcome.RAISED}
        assert cuda.results[output][[0, 2]].tolist() == cpu.results[output][[0, 2]].tolist()


def test_rows_out_of_range_are_apart_from_the_start() -> None:
    """Every second one of fifteen: halves would lose a process at each step, until no call is left."""
    indices = [[float(i % 3 if i % 2 == 0 else 10 * i)] for i in range(15)]
    rows = batch(SPARSE, [[0.5, 1.0, -1.0]] * 15, labels=indices)
    with process(f"{DEVICES}:PoisonedByIndex") as worker:
        (answer,) = ask(worker, rows, [replace(question(SPARSE), device="cuda:0")])
        assert worker.starts == 1 + 1 + 7  # the whole, then of each row the value
    for output in ("value", "grad_logits"):
        failures = answer.failures[output]
        assert {row: f.outcome for row, f in failures.items()} == dict.fromkeys(
            range(1, 15, 2), Outcome.RAISED
        )
        assert all("device-side assert" in f.message for f in failures.values())
        assert np.isfinite(answer.results[output][::2]).all() and answer.results[output][::2].all()


def test_rows_with_a_nan_are_apart_from_the_start() -> None:
    """A probability that is computed of one is none: seen of PyTorch's BCELoss behind its sigmoid."""
    rows = batch("softmax", [[NAN if i % 2 else 0.5, 1.0] for i in range(15)])
    with process(f"{DEVICES}:PoisonedAccelerator") as worker:
        (answer,) = ask(worker, rows, [replace(question(), device="cuda:0")])
        assert worker.starts == 1 + 1 + 7  # as of indices
    assert set(answer.failures["value"]) == set(range(1, 15, 2))


def test_targets_that_are_no_probabilities_are_apart_from_the_start() -> None:
    """Seen of PyTorch's ``binary_cross_entropy`` on CUDA. Where all rows are such, halves would lose more."""
    bad = [[1.5, 0.0], [0.0, -0.5], [NAN, 1.0], [2.0, 0.5]]
    mixed, all_bad = [[1.0, 0.0], *bad], bad
    for labels in (mixed, all_bad):
        rows = batch(BINARY, [[0.25, 0.5]] * len(labels), labels=labels)
        with process(f"{DEVICES}:PoisonedByTarget") as worker:
            (answer,) = ask(worker, rows, [replace(question(BINARY), device="cuda:0")])
            assert worker.starts == 1 + 1 + 4
        assert [i for i, row in enumerate(labels) if row in bad] == sorted(answer.failures["value"])


def test_who_has_broken_a_process_is_asked_apart_from_the_start() -> None:
    """The second time it is known of the implementation, and the whole call, which must fail, is not made."""
    rows = batch(SPARSE, [[0.5, 1.0, -1.0]] * 6, labels=[[0.0], [10.0], [2.0], [-7.0], [1.0], [0.0]])
    asked = [replace(question(SPARSE), device="cuda:0")]
    with process(f"{DEVICES}:PoisonedByIndex") as worker:
        (first,) = ask(worker, rows, asked)
        assert worker.starts == 1 + 1 + 2
        (second,) = ask(worker, rows, asked)
        assert worker.starts == 1 + 1 + 2 + 2
        (clean,) = ask(worker, batch(SPARSE, [[0.5, 1.0, -1.0]], labels=[[0.0]]), asked)
        assert worker.starts == 1 + 1 + 2 + 2 and not clean.failures
    assert first.failures == second.failures
    assert all(first.results[o].tolist() == second.results[o].tolist() for o in first.results)


def test_what_was_not_asked_is_not_answered() -> None:
    """Of a row that breaks it the value is asked first, where the value is asked."""
    rows = batch(DENSE, [[NAN, 1.0]], labels=[[0.5, 0.5]])
    asked = replace(question(DENSE, "grad_logits", "grad_labels"), device="cuda:0")
    with process(f"{DEVICES}:PoisonedAccelerator") as worker:
        (answer,) = ask(worker, rows, [asked])
    assert set(answer.failures) == {"grad_logits", "grad_labels"} and "value" not in answer.results


def test_nobody_loses_more_than_so_many_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where each row breaks the process and none is suspect, the search ends, and the rest share its end."""
    monkeypatch.setattr(isolation, "LIVES", 6)
    rows = batch("softmax", [[3.0, float(i)] for i in range(32)])
    with process(f"{DEVICES}:PoisonedByThrees") as worker:
        (answer,) = ask(worker, rows, [replace(question("softmax", "value"), device="cuda:0")])
        # the whole, the lives, and the other half at each depth
        assert 1 + 6 < worker.starts <= 1 + 1 + 6 + 5
    assert set(answer.failures["value"]) == set(range(32))


def test_a_row_whose_gradient_alone_breaks_it_keeps_its_value() -> None:
    rows = batch(SPARSE, [[0.5, 1.0, -1.0]] * 3, labels=[[0.0], [10.0], [2.0]])
    with process(f"{DEVICES}:GradientPoisonedByIndex") as worker:
        (answer,) = ask(worker, rows, [replace(question(SPARSE), device="cuda:0")])
    assert "value" not in answer.failures
    assert {row: f.outcome for row, f in answer.failures["grad_logits"].items()} == {1: Outcome.RAISED}


def test_what_is_broken_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has lost its GPU takes a second to take leave of it."""
    mark = tmp_path / "ended"
    monkeypatch.setenv("FAKE_END", str(mark))
    rows = batch(SPARSE, [[0.5, 1.0, -1.0]] * 2, labels=[[0.0], [10.0]])
    with process(f"{DEVICES}:EndsWithAFile") as worker:
        ask(worker, rows, [replace(question(SPARSE), device="cuda:0")])
        assert worker.starts > 1 and not mark.exists()
    assert mark.exists()  # who is whole ends by itself


def test_given_probabilities_that_are_none_are_apart_from_the_start() -> None:
    """Seen of PyTorch's ``binary_cross_entropy`` on CUDA, which asserts that its input is within [0, 1]."""
    bad = [-0.5, 1.5, NAN, float("inf"), 2.0, -1.0, 1.25]
    given = [[0.25 if i % 2 == 0 else bad[i // 2], 0.5] for i in range(15)]
    rows = batch(BINARY, given, labels=[[1.0, 0.0]] * 15)
    with process(f"{DEVICES}:PoisonedByProbability") as worker:
        (answer,) = ask(worker, rows, [replace(question(BINARY), device="cuda:0")])
        assert worker.starts == 1 + 1 + 7  # as of indices
    for output in ("value", "grad_logits"):
        failures = answer.failures[output]
        assert {row: f.outcome for row, f in failures.items()} == dict.fromkeys(
            range(1, 15, 2), Outcome.RAISED
        )
        assert np.isfinite(answer.results[output][::2]).all() and answer.results[output][::2].all()


def test_a_device_that_is_broken_beside_one_that_refuses() -> None:
    """The first refusal of a message is the CPU's own; those of the other device are the process's."""
    with process(f"{DEVICES}:PoisonedAndRefusing") as worker:
        ask(worker, batch("softmax", CLEAN), _on_both())
        cpu, cuda = ask(worker, GUILTY, _on_both())
    assert {f.outcome for f in cpu.failures["grad_logits"].values()} == {Outcome.REFUSED}
    for output in ("value", "grad_logits"):
        assert {row: f.outcome for row, f in cuda.failures[output].items()} == {1: Outcome.RAISED}


def test_a_device_that_answers_nothing() -> None:
    """It is told by its own words, and harmless rows that it dies of leave everybody else their answers."""
    with process(f"{DEVICES}:NoAccelerator") as worker:
        cpu, cuda = ask(worker, batch("softmax", CLEAN), _on_both("value"))
        _, dead = ask(worker, batch("softmax", CLEAN), _on_both("grad_logits"))
        (again,) = ask(worker, batch("softmax", CLEAN), [question()])
    assert not cpu.failures and not again.failures
    assert {f.outcome for f in cuda.failures["value"].values()} == {Outcome.REFUSED}
    assert {f.outcome for f in dead.failures["grad_logits"].values()} == {Outcome.CRASHED}


def test_the_cpu_is_asked_no_harmless_rows_first() -> None:
    with process(
        "BreaksDown"
    ) as worker:  # its third call is the first that fails, and a first call is made twice
        (answer,) = ask(worker, batch("softmax", CLEAN), [question("softmax", "value")])
    assert not answer.failures

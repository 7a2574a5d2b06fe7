"""A worker that somebody kills from outside costs a start, and no verdict; what kills itself is found."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from tests.support import fakes
from tests.support.by_hand import NAN, batch, launch, process, question
from xent_conformance.asking.asker import ask
from xent_conformance.asking.connection import WorkerLost
from xent_conformance.asking.process import STARTS, Process
from xent_conformance.reports.run.words import Outcome

pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="there are no such signals"),
    pytest.mark.usefixtures("forked"),
]

MODULE = "tests.support.fakes_that_stop"
ROWS = [[0.0, 1.0], [2.0, 2.0], [3.0, -1.0]]


@pytest.fixture
def kills(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KILLS", str(tmp_path))
    return tmp_path


def _set(kills: Path, **left: int) -> None:
    for name, n in left.items():
        (kills / name).write_text(str(n))


@pytest.mark.parametrize("rows", [ROWS, ROWS[:1]])
@pytest.mark.parametrize("outputs", [("value",), ("value", "grad_logits")])
def test_one_kill_is_no_finding(kills: Path, rows: list[list[float]], outputs: tuple[str, ...]) -> None:
    _set(kills, calls=1)
    b = batch("softmax", rows)
    with process(f"{MODULE}:Killed") as worker:
        (answer,) = ask(worker, b, [question("softmax", *outputs)])
        assert worker.starts == 2
    assert not answer.failures and _right(answer.results, rows)


def test_a_kill_while_a_guilty_row_is_looked_for_charges_nobody_else(kills: Path) -> None:
    """The rows are asked apart because one kills its worker; at an innocent one somebody kills."""
    _set(kills, guilty=1, alone=1)
    b = batch("softmax", [ROWS[0], [NAN, 0.0]])
    with process(f"{MODULE}:Killed") as worker:
        (answer,) = ask(worker, b, [question("softmax", "value")])
        assert worker.starts == 3
    assert not answer.failures


def test_the_second_loss_of_a_row_is_its_crash(kills: Path) -> None:
    _set(kills, guilty=1000)
    b = batch("softmax", [*ROWS[:2], [NAN, 0.0]])
    with process(f"{MODULE}:Killed") as worker:
        (answer,) = ask(worker, b, [question("softmax", "value")])
        asked_alone = 1000 - int((kills / "guilty").read_text()) - 1
    assert {row: f.outcome for row, f in answer.failures["value"].items()} == {2: Outcome.CRASHED}
    assert asked_alone == 2


@pytest.mark.parametrize("times", [1, STARTS - 1])
def test_a_worker_that_is_killed_while_it_starts_is_started_again(kills: Path, times: int) -> None:
    _set(kills, starting=times)
    b = batch("softmax", ROWS)
    with process(f"{MODULE}:Killed") as worker:
        assert worker.starts == 1 + times
        (kills / "calls").write_text("1")
        (kills / "starting").write_text(str(times))  # when it is started again as well
        (answer,) = ask(worker, b, [question("softmax", "value")])
    assert not answer.failures and _right(answer.results, ROWS)


def test_what_is_killed_at_every_start_does_not_start(kills: Path) -> None:
    _set(kills, starting=1000)
    with pytest.raises(WorkerLost, match="killed by signal 9"):
        Process(launch(f"{MODULE}:Killed"))
    assert int((kills / "starting").read_text()) == 1000 - STARTS


def _right(results: Mapping[str, np.ndarray], rows: list[list[float]]) -> bool:
    x = np.array(rows, dtype=np.float32)
    right = fakes.exact_outputs("softmax", x, None, np.ones_like(x))
    return all(np.array_equal(got, right[output]) for output, got in results.items())

"""Workers that tests lend each other: whoever connects has one for himself, and it owes nobody an answer."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from tests.support import fakes
from tests.support.workers import MOST_IDLE, Workers
from xent_conformance.discovery.framework import Framework, Launch, Seat
from xent_conformance.running.machine import once, ordinary

FAKE = Framework("fake", "tests.support.fakes:Exact", "pip install 'fake'", (fakes.HERE,))
LAUNCH = Seat(FAKE).launch()


@pytest.fixture
def workers() -> Iterator[Workers]:
    made = Workers()
    yield made
    made.close()


def _pid(workers: Workers, launch: Launch = LAUNCH) -> int:
    lent = workers(launch)
    lent.close()
    return int(lent.pid)


def test_one_is_lent_again_and_nobody_shares_it(workers: Workers) -> None:
    first = workers(LAUNCH)
    second = workers(LAUNCH)
    assert first.pid != second.pid
    first.close()
    assert _pid(workers) == first.pid and workers.started == 2
    second.close()


def test_one_that_is_dead_or_started_otherwise_is_not(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = workers(LAUNCH)
    gone.close()
    os.kill(gone.pid, signal.SIGKILL)
    gone._process._process.wait()
    another = _pid(workers)
    assert another != gone.pid
    monkeypatch.setenv("FAKE_SETTING", "odd")
    assert _pid(workers) != another


def test_one_that_owes_an_answer_is_ended(workers: Workers) -> None:
    """What it has not said would be taken for what the next is told."""
    seat, batch = Seat(FAKE), ordinary(Seat(FAKE))[0]
    question = once(seat, batch, ["cpu"])[0]
    arrays = {name: getattr(batch.inputs, name) for name in ("logits", "labels", "cotangent")}
    lent = workers(LAUNCH)
    answers = lent.ask([question, question], arrays)
    next(answers)
    lent.close()
    assert _pid(workers) != lent.pid and workers.started == 2


def test_few_wait(workers: Workers) -> None:
    lent = [workers(LAUNCH) for _ in range(MOST_IDLE + 1)]
    for each in lent:
        each.close()
    assert len(workers._idle) == MOST_IDLE
    assert lent[0]._process._process.poll() is not None, "the one that has waited longest"

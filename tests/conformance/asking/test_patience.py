"""A silence is bounded: of one answer, of an implementation, of a framework; and of what it has forked."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.support import fakes
from tests.support.by_hand import NAN, Install, batch, process, question
from tests.support.cli import conformance
from xent_conformance.asking import pipes
from xent_conformance.asking.arrays import arrays_of
from xent_conformance.asking.asker import ask
from xent_conformance.asking.connection import Reply, WorkerLost
from xent_conformance.asking.inside import InProcess
from xent_conformance.asking.patience import IN_A_ROW, OF_A_FRAMEWORK, OF_AN_IMPLEMENTATION, Patience
from xent_conformance.frameworks.interface import Question
from xent_conformance.reports.run.file import read_run
from xent_conformance.reports.run.words import Outcome

pytestmark = pytest.mark.usefixtures("forked")

MODULE = "tests.support.fakes_that_stop"

CLEAN = [[0.0, 1.0], [2.0, 2.0]]
SOON = 0.5


def test_an_implementation_that_answers_nothing_is_given_up_and_the_others_are_asked() -> None:
    with process(f"{MODULE}:NeverAnswers", answer_seconds=SOON) as worker:
        asked, other = question("softmax", "value"), question("log_softmax", "value")
        said = []
        for _ in range(IN_A_ROW + 2):
            (silent,) = ask(worker, batch("softmax", CLEAN), [asked])
            said.append({(f.outcome, f.message) for f in silent.failures["value"].values()})
            assert set(silent.failures["value"]) == {0, 1}
        starts, worker.answer_seconds = worker.starts, 60.0
        (answered,) = ask(worker, batch("log_softmax", CLEAN), [other])
        assert not answered.failures and worker.starts == starts
    late = f"no answer within {SOON:g} s; killed"
    rest = f"not asked any more, after 3 questions in a row of {late}"
    assert said == [{(Outcome.TIMED_OUT, late)}] * IN_A_ROW + [{(Outcome.TIMED_OUT, rest)}] * 2
    assert starts == 1 + 2 * IN_A_ROW  # after each question, and after the harmless rows


class _SilentOnNan(InProcess):
    """Does not answer a NaN, which is known at once."""

    def ask(self, questions: Sequence[Question], arrays: Mapping[str, np.ndarray]) -> Iterator[Reply]:
        if fakes.guilty(arrays["logits"]):
            raise WorkerLost("no answer", timed_out=True)
        return super().ask(questions, arrays)


def test_rows_that_hang_among_others_are_found_however_many_questions_have_one() -> None:
    """What answers in between is not given up after a few of them, only after many."""
    connection, failed = _SilentOnNan(fakes.Exact), []
    for _ in range(OF_AN_IMPLEMENTATION):
        (answer,) = ask(connection, batch("softmax", [*CLEAN, [NAN, 0.0]]), [question("softmax", "value")])
        failed.append((set(answer.failures["value"]), answer.failures["value"][2].message))
    before = failed[: OF_AN_IMPLEMENTATION // 2]  # the call, and the row alone
    assert len(before) > IN_A_ROW and set(map(repr, before)) == {repr(({2}, "no answer"))}
    after = "not asked any more, after 10 calls of no answer"
    assert failed[OF_AN_IMPLEMENTATION // 2 :] == [({0, 1, 2}, after)] * (OF_AN_IMPLEMENTATION // 2)


def test_an_implementation_and_a_framework_may_be_silent_so_often_and_no_more() -> None:
    patience = Patience()
    doors = [(f"fake.{i}", "softmax", "eager", "cpu") for i in range(4)]
    for door in doors[:3]:
        for _ in range(OF_AN_IMPLEMENTATION):
            assert not patience.given_up(door)
            assert not patience.given_up(doors[3])
            patience.answered(door)  # in between, so that it is never three in a row
            patience.silent(door, "no answer")
        assert "after 10 calls of no answer" in patience.given_up(door)
    assert 3 * OF_AN_IMPLEMENTATION == OF_A_FRAMEWORK
    assert "after 30 calls of its framework of no answer" in patience.given_up(doors[3])


@pytest.mark.parametrize("pipe", [pipes.Selecting, pipes.Pumped])
@pytest.mark.skipif(os.name == "nt", reason="there is no such signal")
def test_a_worker_that_does_not_read_is_sent_to_until_the_deadline(
    pipe: type[pipes.Selecting] | type[pipes.Pumped], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipes, "pipes", pipe)
    large = arrays_of(batch("softmax", [[0.0] * 500_000]))
    with process("Exact") as worker:
        worker._process.send_signal(signal.SIGSTOP)
        worker.answer_seconds = SOON
        since = time.monotonic()
        with pytest.raises(WorkerLost, match=r"within 0\.5 s; killed") as lost:
            list(worker.ask([question("softmax", "value")], large))
        assert lost.value.timed_out and time.monotonic() - since < 30
        worker.answer_seconds = 60.0
        worker.restart()
        (reply,) = worker.ask([question("softmax", "value")], arrays_of(batch("softmax", CLEAN)))
        assert not reply.failures


@pytest.mark.parametrize("pipe", [pipes.Selecting, pipes.Pumped])
@pytest.mark.skipif(os.name == "nt", reason="nothing forks there")
def test_a_worker_whose_children_hold_its_pipe_has_crashed_at_once(
    pipe: type[pipes.Selecting] | type[pipes.Pumped], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipes, "pipes", pipe)
    with process(f"{MODULE}:Forks", answer_seconds=120.0) as worker:
        since = time.monotonic()
        with pytest.raises(WorkerLost, match=r"killed by signal 11") as lost:
            list(worker.ask([question("softmax", "value")], arrays_of(batch("softmax", [[NAN, 0.0]]))))
        assert not lost.value.timed_out and time.monotonic() - since < 30


def test_a_run_of_a_framework_that_never_answers_ends_in_time(install: Install, tmp_path: Path) -> None:
    """Whatever there is to ask: a few answers are waited for, for as long as the command says."""
    install(fake=f"{MODULE}:NeverAnswersAtAll")
    out, since = tmp_path / "run.parquet", time.monotonic()
    narrow = ["--profile", "quick", "--dtype", "float32", "--operator", "softmax"]
    conformance("run", "--framework", "fake", *narrow, "--timeout", "0.5", "-o", out, "-q", status=None)
    found = read_run(out)
    assert found.complete and time.monotonic() - since < 120  # it is not waited for every batch
    assert set(found.verdicts["outcome"]) == {Outcome.TIMED_OUT}
    counted = dict(found.verdicts["message"].value_counts().iter_rows())
    assert len(counted) == 2 and max(counted, key=counted.__getitem__).startswith("not asked any more")

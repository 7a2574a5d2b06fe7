"""One worker process: how it says hello, how it is asked, how its end is told."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support import fakes
from tests.support.by_hand import NAN, batch, launch, process, question
from tests.support.upgrading import script
from xent_conformance.asking import pipes
from xent_conformance.asking.arrays import arrays_of
from xent_conformance.asking.connection import FrameworkAbsent, Reply, WorkerLost
from xent_conformance.asking.process import Process, end_all
from xent_conformance.discovery.framework import FRAMEWORKS, Launch, Seat
from xent_conformance.frameworks.interface import Question

PLAIN = arrays_of(batch("softmax", [[0.0, 1.0], [2.0, 2.0]]))
POISON = arrays_of(batch("softmax", [[0.0, 1.0], [NAN, 2.0]]))


def _ask(worker: Process, arrays: dict[str, np.ndarray], *questions: Question) -> list[Reply]:
    return list(worker.ask(questions or [question()], arrays))


def _answers(worker: Process) -> bool:
    """Whether it answers a harmless question, and rightly."""
    (reply,) = _ask(worker, PLAIN)
    right = fakes.exact_outputs("softmax", PLAIN["logits"], None, PLAIN["cotangent"])
    return not reply.failures and all(np.array_equal(reply.results[o], right[o]) for o in right)


def test_hello() -> None:
    with process("Exact") as worker:
        hello = worker.hello
    assert (hello["framework"], hello["version"], hello["devices"]) == ("fake", "1.0", ["cpu"])
    assert hello["import_s"] >= 0
    environment = hello["environment"]
    assert environment["flavour"] == "Exact"
    assert {"python", "numpy", "system", "processor"} <= set(environment)
    assert environment["numpy"] == np.__version__


def test_variables_that_change_arithmetic_reach_the_worker_and_are_recorded() -> None:
    worker = Process(launch("Exact", ONEDNN_MAX_CPU_ISA="AVX2"))
    worker.close()
    assert worker.hello["environment"]["ONEDNN_MAX_CPU_ISA"] == "AVX2"


def test_one_reply_a_question_in_order() -> None:
    with process("Exact") as worker:
        first, second, third = _ask(
            worker, PLAIN, question("softmax", "value"), question("log_softmax"), question("softmax", "value")
        )
    assert set(first.results) == {"value"}
    assert set(second.results) == {"value", "grad_logits"}
    assert np.array_equal(first.results["value"], third.results["value"])
    assert not np.array_equal(first.results["value"], second.results["value"])
    assert first.kernel_s >= 0 and first.compile_s >= 0


def test_an_absent_framework_says_why() -> None:
    with pytest.raises(FrameworkAbsent, match="ModuleNotFoundError: No module named 'no_such_framework'"):
        Process(launch("Absent"))


def test_a_package_that_is_not_there_is_missed_before_another_is_imported() -> None:
    """The adapter would end its process: it is not made."""
    lacking = replace(launch("BreaksOnImport"), imports=("numpy", "no_such_framework", "nor_this"))
    with pytest.raises(FrameworkAbsent) as absent:
        Process(lacking)
    assert str(absent.value) == "ModuleNotFoundError: No module named 'no_such_framework'"
    assert not absent.value.lacks and not absent.value.broken


def test_packages_that_are_there_are_no_reason() -> None:
    """Those of the folders that it is started with among them, which are not imported for it."""
    worker = Process(replace(launch("Exact"), imports=("numpy", "tests")))
    try:
        assert _answers(worker)
    finally:
        worker.close()


def test_an_adapter_that_is_not_there_is_absent() -> None:
    with pytest.raises(FrameworkAbsent, match="No module named 'no_such_adapter'"):
        Process(Launch("no_such_adapter:Fake"))


@pytest.mark.usefixtures("opened")
def test_a_python_that_the_system_does_not_start_is_named(tmp_path: Path) -> None:
    """Nothing was to be written: that it "cannot be written" is what its error would be told as."""
    there = tmp_path / "python"
    there.touch()
    with pytest.raises(FrameworkAbsent, match=f"^{there} cannot be started: Permission denied$") as absent:
        Process(replace(launch("Exact"), interpreter=str(there)))
    assert absent.value.broken, "it is not that the framework is not installed"


def test_a_python_that_goes_while_it_is_asked_is_named(tmp_path: Path) -> None:
    """An environment is upgraded below a run: its worker is lost, and does not start again."""
    there = script(tmp_path / "python", f'exec "{sys.executable}" "$@"')
    worker = Process(replace(launch("Crashes"), interpreter=str(there)))
    there.unlink()
    with pytest.raises(WorkerLost):
        _ask(worker, POISON)
    with pytest.raises(FrameworkAbsent, match=f"^{there} cannot be started: No such file or directory$"):
        worker.restart()
    worker.close()


def test_a_framework_that_breaks_on_import_is_lost_with_its_last_words() -> None:
    with pytest.raises(WorkerLost, match=r"exited with status 1: .*AttributeError: module 'numpy'"):
        Process(launch("BreaksOnImport"))


def test_a_worker_that_never_said_hello_leaves_nothing_open(opened: list[Any]) -> None:
    with pytest.raises(WorkerLost):
        Process(launch("BreaksOnImport"))
    assert len(opened) == 2
    assert all(stream.closed for stream in opened)


def test_what_it_prints_does_not_disturb_the_protocol() -> None:
    with process("Chatty") as worker:
        assert _answers(worker)
        assert _answers(worker)


def test_a_killed_worker_has_an_obituary() -> None:
    with process("Crashes") as worker:
        with pytest.raises(WorkerLost) as lost:
            _ask(worker, POISON)
        assert str(lost.value) == f"worker killed by signal {int(signal.SIGKILL)}: my last words"
        assert not lost.value.timed_out
        worker.restart()
        assert worker.starts == 2
        assert _answers(worker)


def test_an_exit_has_its_status() -> None:
    with process("Exits") as worker, pytest.raises(WorkerLost, match=r"^worker exited with status 7$"):
        _ask(worker, POISON)


def test_a_silent_worker_is_killed() -> None:
    with process("Hangs") as worker:
        assert _answers(worker)
        pid = worker._process.pid
        worker.answer_seconds = 0.25
        with pytest.raises(WorkerLost, match=r"no answer within 0\.25 s; killed") as lost:
            _ask(worker, POISON)
        assert lost.value.timed_out
        worker.answer_seconds = 60.0
        worker.restart()
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        assert _answers(worker)


def test_a_worker_that_died_between_questions() -> None:
    with process("Exact") as worker:
        worker._process.kill()
        worker._process.wait()
        with pytest.raises(WorkerLost, match="killed by signal 9"):
            _ask(worker, PLAIN)
        worker.restart()
        assert _answers(worker)


def test_replies_before_the_crash_have_arrived() -> None:
    """Question by question, so that a crash belongs to the question that caused it."""
    with process("GradientCrashes") as worker:
        replies = worker.ask([question("softmax", "value"), question()], POISON)
        assert set(next(replies).results) == {"value"}
        with pytest.raises(WorkerLost):
            next(replies)


@pytest.mark.parametrize("pipe", [pipes.Selecting, pipes.Pumped])
def test_a_worker_is_read_with_a_deadline_on_every_system(
    pipe: type[pipes.Selecting] | type[pipes.Pumped], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where one cannot wait for a pipe, a thread reads it: the same answers, silences and ends."""
    monkeypatch.setattr(pipes, "pipes", pipe)
    with process("Hangs") as worker:
        before = _answers(worker)
        assert before
        worker.answer_seconds = 0.25
        with pytest.raises(WorkerLost, match=r"no answer within 0\.25 s; killed"):
            _ask(worker, POISON)
        worker.answer_seconds = 60.0
        worker.restart()
        assert _answers(worker) == before
        worker._process.kill()
        worker._process.wait()
        with pytest.raises(WorkerLost, match="killed by signal 9"):
            _ask(worker, PLAIN)


def test_what_is_abandoned_does_not_start_again() -> None:
    with process("Exact") as worker:
        end_all()
        with pytest.raises(WorkerLost):
            _ask(worker, PLAIN)
        with pytest.raises(WorkerLost, match="nobody waits for its answers any more"):
            worker.restart()


@pytest.mark.parametrize("lacks", ["ml_dtypes", "numpy"])
def test_what_a_worker_lacks_beside_its_framework_is_named_for_its_own_python(
    lacks: str, tmp_path: Path
) -> None:
    """Not `pip install torch`, and not into the Python that runs the suite."""
    (tmp_path / lacks).mkdir()
    words = f"No module named {lacks!r}"
    (tmp_path / lacks / "__init__.py").write_text(f"raise ModuleNotFoundError({words!r}, name={lacks!r})")
    python = script(tmp_path / "python", f'PYTHONPATH="{tmp_path}" exec "{sys.executable}" "$@"\n')
    seat = Seat(FRAMEWORKS["torch"]).run_by(str(python))
    bare = replace(seat.launch(), environment={"PYTHONPATH": str(tmp_path)})
    with pytest.raises(FrameworkAbsent, match=f"ModuleNotFoundError: {words}") as absent:
        Process(bare)
    assert absent.value.lacks == lacks
    assert seat.install(absent.value.lacks) == f"{python} -m pip install {lacks}"
    assert seat.install() == f"{python} -m pip install torch"
    assert Seat(FRAMEWORKS["torch"]).install() == "pip install torch"


# --- what is said of calls that raise ---------------------------------------------------------------


def test_raised_where_harmless_inputs_are_answered() -> None:
    with process("Raises") as worker:
        (reply,) = _ask(worker, POISON)
        assert _answers(worker)
    assert not reply.results
    for output in ("value", "grad_logits"):
        assert reply.failures[output] == {"outcome": "raised", "message": "ValueError: I do not like NaN"}


def test_refused_where_harmless_inputs_fail_too() -> None:
    with process("RaisesAlways") as worker:
        (reply,) = _ask(worker, PLAIN)
    words = "NotImplementedError: this kernel was never written"
    assert reply.failures == {
        output: {"outcome": "refused", "message": words} for output in ("value", "grad_logits")
    }


def test_refused_in_the_adapters_own_words() -> None:
    half = arrays_of(batch("softmax", [[0.0, 1.0]], dtype="bfloat16"))
    with process("ClaimsWhatItLacks") as worker:
        (reply,) = _ask(worker, half)
        assert _answers(worker)
    assert reply.failures["value"] == {"outcome": "refused", "message": "half a float is not enough"}


def test_a_value_is_had_where_only_its_gradient_raises() -> None:
    with process("GradientRaises") as worker:
        (reply,) = _ask(worker, PLAIN)
    assert set(reply.results) == {"value"}
    assert reply.failures == {
        "grad_logits": {"outcome": "refused", "message": "RuntimeError: no derivative is registered"}
    }


def test_a_gradient_that_only_some_rows_refuse_has_raised() -> None:
    with process("GradientRaisesOnNan") as worker:
        (reply,) = _ask(worker, POISON)
    assert set(reply.results) == {"value"}
    assert reply.failures == {
        "grad_logits": {"outcome": "raised", "message": "FloatingPointError: NaN on the tape"}
    }

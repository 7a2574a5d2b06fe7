"""Workers that are forked in place of those that are started: to their driver, they are the same."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.by_hand import NAN, batch, launch, process, question
from tests.support.forked import POSSIBLE, Forked, Forks
from xent_conformance.asking.arrays import arrays_of
from xent_conformance.asking.connection import FrameworkAbsent, WorkerLost
from xent_conformance.asking.process import Process

pytestmark = pytest.mark.skipif(not POSSIBLE, reason="Linux alone tells of the end of what is no child")

PLAIN, POISON = (arrays_of(batch("softmax", [[0.0, 1.0], [x, 2.0]])) for x in (2.0, NAN))


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> Iterator[Forks]:
    """Whose process that forks is this test's."""
    forks = Forks()
    monkeypatch.setattr(subprocess, "Popen", forks)
    yield forks
    forks.close()


def _told(fake: str, **environment: str) -> list[Any]:
    """What a driver learns of a worker: its hello, its answers, its end."""
    worker = Process(launch(fake, **environment))
    told: list[Any] = [{k: v for k, v in worker.hello.items() if k != "import_s"}]
    try:
        for arrays in (PLAIN, POISON):
            for reply in worker.ask([question(), question("log_softmax")], arrays):
                told.append((reply.failures, {o: a.tobytes() for o, a in reply.results.items()}))
    except WorkerLost as lost:
        told.append(str(lost))
    worker.close()
    return [*told, worker._process.returncode]


@pytest.mark.parametrize("fake", ["Exact", "Raises", "Crashes", "Exits"])
def test_hello_answers_and_end(fake: str, own: Forks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    forked = _told(fake, ONEDNN_MAX_CPU_ISA="AVX2")
    assert own.forked == 1 and forked[0]["environment"]["OMP_NUM_THREADS"] == "3"
    monkeypatch.undo()
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert forked == _told(fake, ONEDNN_MAX_CPU_ISA="AVX2")
    assert own.forked == 1


@pytest.mark.parametrize("fake", ["Absent", "BreaksOnImport"])
def test_one_that_does_not_begin(fake: str, own: Forks, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises((FrameworkAbsent, WorkerLost)) as forked:
        Process(launch(fake))
    assert own.forked == 1
    monkeypatch.undo()
    with pytest.raises(forked.type) as started:
        Process(launch(fake))
    assert str(forked.value) == str(started.value)


def test_it_is_where_we_are_and_leads_a_session(
    own: Forks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with process("Exact") as worker:
        assert Path(f"/proc/{worker.pid}/cwd").readlink() == tmp_path
        assert os.getsid(worker.pid) == worker.pid != os.getsid(0)
        assert {int(f.name) for f in Path(f"/proc/{worker.pid}/fd").iterdir()} == {0, 1, 2, 3, 4}


def test_two_at_a_time_of_which_one_dies(own: Forks) -> None:
    """It waits to be asked how, and the other does not hold its pipes."""
    with process("Exact") as one, process("Exact") as other:
        assert one._process.poll() is None and one.pid != other.pid
        with pytest.raises(subprocess.TimeoutExpired):
            one._process.wait(timeout=0.01)
        os.kill(one.pid, signal.SIGTERM)
        assert one._process.wait(timeout=60) == one._process.poll() == -signal.SIGTERM
        with pytest.raises(WorkerLost, match="killed by signal 15"):
            list(one.ask([question()], PLAIN))
        assert len(list(other.ask([question()], PLAIN))) == 1
    assert own.forked == 2


def test_they_end_with_the_process_that_forks(own: Forks) -> None:
    """And it ends with us: what it waits for is our end of a line."""
    with process("Hangs") as worker:
        assert worker._process.poll() is None
        own.close()
        assert worker._process.wait(timeout=60) == -signal.SIGKILL
        with pytest.raises(WorkerLost, match="killed by signal 9"):
            list(worker.ask([question()], PLAIN))


def test_everything_else_is_started(own: Forks) -> None:
    with subprocess.Popen(["true"]) as started:
        assert not isinstance(started, Forked)
    assert subprocess.run(["false"], check=False).returncode == 1 and own.forked == 0

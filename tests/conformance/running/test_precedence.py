"""Who answers at full priority: who has the most to do; the others give way, their successors too."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.by_hand import Install, launch
from xent_conformance.asking.process import Process
from xent_conformance.asking.selection import Selection
from xent_conformance.running.engine import run
from xent_conformance.running.opening import opened
from xent_conformance.running.precedence import Precedence
from xent_conformance.worker.priority import CERTIFIER, WORKER, give_way

pytestmark = pytest.mark.skipif(not hasattr(os, "getpriority"), reason="a system without priorities")

SECONDS = {"short": 1.0, "long": 9.0, "middle": 5.0}


def lowered(pid: int) -> int:
    """By how much its priority is lower than ours."""
    return os.getpriority(os.PRIO_PROCESS, pid) - os.getpriority(os.PRIO_PROCESS, 0)


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that leads a session and has a second thread, which is there when its output says so."""
    code = (
        "import threading, time; threading.Thread(target=time.sleep, args=(60,)).start(); print(flush=True)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    with process:
        process.stdout.read(1)
        yield process
        process.kill()


def test_all_threads_of_a_process_give_way(sleeper: subprocess.Popen[bytes]) -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    give_way(sleeper.pid, WORKER)
    tasks = Path(f"/proc/{sleeper.pid}/task")
    if not tasks.is_dir():
        pytest.skip("a system without /proc")
    threads = [int(task.name) for task in tasks.iterdir()]
    assert len(threads) == 2 and {lowered(thread) for thread in threads} == {min(WORKER, 19 - before)}


def test_of_a_process_that_has_ended_nothing_is_said(sleeper: subprocess.Popen[bytes]) -> None:
    sleeper.send_signal(signal.SIGKILL)
    sleeper.wait()
    give_way(sleeper.pid, WORKER)


def test_who_certifies_gives_way_to_who_answers() -> None:
    assert 0 < WORKER < CERTIFIER < 20


@pytest.mark.parametrize(
    ("jobs", "behind"), [(1, {"short", "middle"}), (2, {"short", "middle"}), (3, {"short"}), (4, set())]
)
def test_the_longest_have_a_core_each_and_one_is_left_to_the_others(jobs: int, behind: set[str]) -> None:
    precedence = Precedence(jobs)
    precedence.settle(SECONDS)
    assert {seat for seat in SECONDS if precedence.gives_way(seat)} == behind


def test_whoever_was_there_gives_way_and_whoever_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, int]] = []
    monkeypatch.setattr("xent_conformance.running.precedence.give_way", lambda *to: told.append(to))
    precedence = Precedence(2)
    for pid, seat in enumerate(("long", "short", "unasked"), start=1):
        precedence.opened(seat, pid)
    assert not told, "nobody knows yet who has the most to do"
    precedence.settle(SECONDS)
    assert told == [(2, WORKER)]
    precedence.opened("long", 4)
    precedence.opened("short", 5)
    assert told == [(2, WORKER), (5, WORKER)]


def test_a_worker_is_told_of_before_it_says_hello_and_when_it_is_started_again() -> None:
    told: list[int] = []
    process = Process(launch("Exact"), opened=told.append)
    try:
        process.restart()
        assert told[1:] == [process.pid] and told[0] != process.pid
    finally:
        process.close()


def test_in_a_run_the_seat_with_less_to_do_gives_way(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And each worker of a run of two seats answers what it answers otherwise."""
    install(fake="Exact", other="Exact")
    told = threading.Event()
    monkeypatch.setattr("xent_conformance.running.precedence.give_way", lambda *to: told.set())
    asked = Selection("quick", ("fake", "other"), ("softmax",), ("float32",), ("two_classes",))
    with opened(asked, jobs=2) as there:
        found = run(asked, tmp_path / "run.parquet", there=there)
        assert [there.precedence.gives_way(key) for key in there.seats] == [False, True] and told.is_set()
    with opened(asked, jobs=3) as there:
        again = run(asked, tmp_path / "again.parquet", there=there)
        assert not any(there.precedence.gives_way(key) for key in there.seats)
    assert found.verdicts.equals(again.verdicts)

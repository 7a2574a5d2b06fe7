"""No process outlives the run that started it, whoever is killed and whatever it has started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.support.by_hand import batch, process, question
from tests.support.living import alive, wait_for
from tests.support.paths import ROOT
from xent_conformance.asking import kin
from xent_conformance.asking.arrays import arrays_of
from xent_conformance.asking.process import Process
from xent_conformance.discovery.framework import Launch

pytestmark = pytest.mark.skipif(os.name == "nt", reason="these are POSIX's ways to start a process")

FORKING = """
import os, pathlib, subprocess, sys, time
from tests.support.fakes import Exact


class Mine(Exact):
    def before(self, logits, outputs):
        tell = lambda name: pathlib.Path(os.environ["PIDS"], name).write_text(str(os.getpid()))
        if not (forked := os.fork()):
            tell("forked")  # it holds the protocol's pipe
            time.sleep(3600)
        sleeps = "import time; time.sleep(3600)"
        started = subprocess.Popen([sys.executable, "-c", sleeps], start_new_session=True)
        pathlib.Path(os.environ["PIDS"], "strayed").write_text(str(started.pid))
        tell("worker")
        {then}
"""

DRIVER = """
import sys
from tests.support.by_hand import batch, question
from xent_conformance.asking.arrays import arrays_of
from xent_conformance.asking.process import Process
from xent_conformance.discovery.framework import Launch

worker = Process(Launch("forking:Mine", search=tuple(sys.argv[1:])))
list(worker.ask([question()], arrays_of(batch("softmax", [[0.0, 1.0]]))))
"""

NAMES = ("worker", "forked", "strayed") if sys.platform == "linux" else ("worker", "forked")
"""Who is to end; what has left its group is found by its environment, on Linux alone."""


@pytest.fixture
def pids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which processes say who they are."""
    monkeypatch.setenv("PIDS", str(tmp_path))
    return tmp_path


def _plugin(folder: Path, then: str) -> None:
    (folder / "forking.py").write_text(textwrap.dedent(FORKING).replace("{then}", then))


def _known(folder: Path) -> dict[str, int]:
    """Everybody's number, when all have said it."""
    wait_for(lambda: all((folder / name).exists() and (folder / name).read_text() for name in NAMES))
    return {name: int((folder / name).read_text()) for name in NAMES}


def _all_end(known: dict[str, int]) -> None:
    try:
        wait_for(lambda: not any(map(alive, known.values())), seconds=20)
    finally:
        for pid in filter(alive, known.values()):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_driver_that_is_killed_leaves_nobody(pids: Path, how: signal.Signals) -> None:
    """Also while a worker hangs; what it forked, and what has left its group, ends with it."""
    _plugin(pids, "time.sleep(3600)")
    driver = subprocess.Popen([sys.executable, "-c", DRIVER, str(pids), str(ROOT)], cwd=ROOT)
    try:
        known = _known(pids)
    finally:
        driver.send_signal(how)
        driver.wait()
    _all_end(known)


def test_a_worker_that_is_closed_leaves_nobody(pids: Path) -> None:
    _plugin(pids, "pass")
    worker = Process(Launch("forking:Mine", search=(str(pids), str(ROOT))))
    list(worker.ask([question("softmax", "value")], arrays_of(batch("softmax", [[0.0, 1.0]]))))
    known = _known(pids)
    worker.close()
    _all_end(known)


def test_a_guardian_that_somebody_killed_is_followed_by_another() -> None:
    with process("Exact"):
        first = kin.guardian._process
        assert first is not None
        first.kill()
        first.wait()
        with process("Exact"):
            second = kin.guardian._process
            assert second is not None and second is not first and second.poll() is None
            assert len(kin.guardian._leaders) >= 2  # it is told of the first worker too

"""Ctrl-C: answered at once whatever a worker does, which ends with us; and what is offered can be had."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.paths import ROOT

PATIENCE = 60.0
"""Seconds for what takes two: other tests run beside this one. A worker is given 300 to answer."""

JUDGING = 15
"""Seconds that a first batch is given to be judged."""

HANGS = """
import os, pathlib, time
from tests.support.fakes import Exact, guilty


class Mine(Exact):
    name = "mine"
    distribution = "mine"

    def before(self, logits, outputs):
        {when}
            time.sleep({judging})  # what came before is judged meanwhile
            pathlib.Path("hangs.part").write_text(str(os.getpid()))
            pathlib.Path("hangs.part").rename("hangs")
            while True:
                try:
                    time.sleep(3600)
                except KeyboardInterrupt:
                    pass  # what hangs in a kernel hears nothing either
"""

ALWAYS, ON_NAN = "if True:", "if guilty(logits):"

SMALL = ["--profile", "quick", "--dtype", "float32", "--operator", "softmax", "--framework", "mine"]


def _wait_for(there: object) -> None:
    deadline = time.monotonic() + 4 * PATIENCE
    while not there():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _alive(pid: int) -> bool:
    """Not ended, and not a body that nobody has buried."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


def _interrupted(tmp_path: Path, when: str, *families: str) -> subprocess.CompletedProcess[str]:
    """The run, interrupted while its worker hangs; the signal is for the driver alone."""
    (tmp_path / "mine.py").write_text(HANGS.format(when=when, judging=0 if when == ALWAYS else JUDGING))
    command = [sys.executable, "-m", "xent_conformance", "run", "--plugin", "mine.py", *SMALL]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    with subprocess.Popen(
        [*command, *(word for name in families for word in ("--family", name))],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as run:
        try:
            _wait_for((tmp_path / "hangs").exists)
            run.send_signal(signal.SIGINT)
            out, err = run.communicate(timeout=PATIENCE)
        finally:
            run.kill()
    return subprocess.CompletedProcess(command, run.returncode, out, err)


@pytest.mark.skipif(os.name == "nt", reason="there are no such signals")
def test_ctrl_c_is_answered_while_a_worker_hangs_which_ends_too(tmp_path: Path) -> None:
    done = _interrupted(tmp_path, ALWAYS, "special_values")
    assert done.returncode == 130, done.stderr
    pid = int((tmp_path / "hangs").read_text())
    _wait_for(lambda: not _alive(pid))
    said = " ".join(done.stderr.split())
    assert "interrupted; no answer had come yet, so there is nothing to go on with" in said
    assert "--resume" not in said and "Traceback" not in said
    assert not (tmp_path / "run.parquet.partial").exists() and not (tmp_path / "run.parquet").exists()


@pytest.mark.skipif(os.name == "nt", reason="there are no such signals")
def test_what_was_answered_before_is_what_resume_goes_on_with(tmp_path: Path) -> None:
    done = _interrupted(tmp_path, ON_NAN, "two_classes", "special_values")
    assert done.returncode == 130, done.stderr
    parts = list((tmp_path / "run.parquet.partial").glob("part-*.parquet"))
    assert ("--resume" in done.stderr) is bool(parts) and parts

"""Ctrl-C: answered at once whatever a worker does, which ends with us; and what is offered can be had."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.living import PATIENCE, alive, wait_for
from tests.support.paths import ROOT
from xent_conformance.reports.run.file import TARGET, read_run
from xent_conformance.reports.run.words import Outcome

PROMPT = 2.0
"""Seconds in which Ctrl-C is answered. A worker is given 300 to answer."""

ATTEMPTS = 3
"""Other tests run beside this one, and a machine that is busy is slow: once it is to be so prompt."""

JUDGING = 15
"""Seconds that a first batch is given to be judged, at most: it is in the journal then."""

HANGS = """
import os, pathlib, time
from tests.support.fakes import Exact, guilty


class Mine(Exact):
    name = "mine"
    distribution = "mine"

    def before(self, logits, outputs):
        {when} and not pathlib.Path("healed").exists():
            until = time.monotonic() + {judging}  # what came before is judged meanwhile
            while time.monotonic() < until and not any(pathlib.Path(".").glob("*.partial/part-*.parquet")):
                time.sleep(0.05)
            pathlib.Path("hangs.part").write_text(str(os.getpid()))
            pathlib.Path("hangs.part").rename("hangs")
            while True:
                try:
                    time.sleep(3600)
                except KeyboardInterrupt:
                    pass  # what hangs in a kernel hears nothing either
"""

ALWAYS, ON_NAN = "if True", "if guilty(logits)"

SMALL = ["--profile", "quick", "--dtype", "float32", "--operator", "softmax", "--framework", "mine"]


@dataclass(frozen=True)
class _Done:
    """How a run ended, and how many seconds after the signal."""

    returncode: int
    stderr: str
    seconds: float


def _environment(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(tmp_path / "cache")}


def _command(*families: str) -> list[str]:
    named = [word for name in families for word in ("--family", name)]
    return [sys.executable, "-m", "xent_conformance", "run", "--plugin", "mine.py", *SMALL, *named]


def _interrupted(tmp_path: Path, when: str, *families: str) -> _Done:
    """The run, interrupted while its worker hangs; the signal is for the driver alone."""
    (tmp_path / "mine.py").write_text(HANGS.format(when=when, judging=0 if when == ALWAYS else JUDGING))
    (tmp_path / "hangs").unlink(missing_ok=True)
    with subprocess.Popen(
        _command(*families),
        cwd=tmp_path,
        env=_environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as run:
        try:
            wait_for((tmp_path / "hangs").exists)
            run.send_signal(signal.SIGINT)
            since = time.monotonic()
            _, err = run.communicate(timeout=PATIENCE)
            seconds = time.monotonic() - since
        finally:
            run.kill()
    return _Done(run.returncode, err, seconds)


@pytest.mark.skipif(os.name == "nt", reason="there are no such signals")
def test_ctrl_c_is_answered_while_a_worker_hangs_which_ends_too(tmp_path: Path) -> None:
    for _ in range(ATTEMPTS):
        done = _interrupted(tmp_path, ALWAYS, "special_values")
        if done.seconds < PROMPT:
            break
    assert done.seconds < PROMPT
    assert done.returncode == 130, done.stderr
    pid = int((tmp_path / "hangs").read_text())
    wait_for(lambda: not alive(pid))
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
    (tmp_path / "healed").touch()
    on = subprocess.run(
        [*_command("two_classes", "special_values"), "--resume"],
        cwd=tmp_path,
        env=_environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert on.returncode == 0, on.stderr
    found = read_run(tmp_path / "run.parquet")
    assert found.complete and not found.verdicts.select(*TARGET, "case", "output").is_duplicated().any()
    assert set(found.verdicts["outcome"]) == {Outcome.RETURNED}

"""One run for many processes: made once, read by all; who dies making it leaves nobody waiting."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from xent_conformance.pytesting.share import RunFailed, once

SCRIPT = """
import os, sys, time
from pathlib import Path
from xent_conformance.pytesting.share import RunFailed, once

def make(out):
    with open(sys.argv[2], "a") as file:
        file.write("made\\n")
    time.sleep(0.5)
    if sys.argv[3] == "dies":
        os._exit(9)
    out.write_text("the run")

try:
    print(once(Path(sys.argv[1]), make).read_text())
except RunFailed as failed:
    print(failed)
"""


def together(folder: Path, how: str, processes: int = 3) -> list[str]:
    """What each of the processes says that want one run at the same time."""
    command = [sys.executable, "-c", SCRIPT, str(folder / "shared"), str(folder / "made"), how]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    started = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(processes)
    ]
    said = [process.communicate(timeout=60)[0].strip() for process in started]
    assert (folder / "made").read_text() == "made\n"
    return said


def test_one_makes_it_and_all_have_it(tmp_path: Path) -> None:
    assert together(tmp_path, "lives") == ["the run"] * 3


def test_one_dies_and_nobody_waits_or_tries_again(tmp_path: Path) -> None:
    said = sorted(together(tmp_path, "dies"))
    assert said[0] == ""  # the dead
    for words in said[1:]:
        assert "the process that ran the frameworks has died (process " in words
        assert "run again without -n" in words


def test_an_error_has_the_same_words_for_all(tmp_path: Path) -> None:
    def fails(_: Path) -> None:
        raise LookupError("there is no such kernel")

    told = []
    for _ in range(2):
        with pytest.raises(RunFailed) as failed:
            once(tmp_path / "shared", fails)
        told.append(str(failed.value))
    assert told[0] == told[1]
    assert told[0].startswith("the run failed, so there is nothing to judge:\n")
    assert "LookupError: there is no such kernel" in told[0]


def test_an_interruption_goes_on_upwards(tmp_path: Path) -> None:
    """As an interruption; the others learn of it, and do not begin again."""

    def interrupted(_: Path) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        once(tmp_path / "shared", interrupted)
    with pytest.raises(RunFailed, match="KeyboardInterrupt"):
        once(tmp_path / "shared", interrupted)

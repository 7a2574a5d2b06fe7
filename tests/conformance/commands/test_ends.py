"""How the process ends where nobody waits for it: Ctrl-C before anything is loaded, a reader who has gone."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.paths import ROOT
from xent_conformance.commands.interrupts import STATUS, Interrupts

INTERRUPTED_AT = """
import os, signal, sys

class Interrupts:
    def find_spec(self, name, *rest):
        if name == {name!r}:
            try:
                os.kill(os.getpid(), signal.SIGINT)
            except KeyboardInterrupt:
                {then}

signal.signal(signal.SIGINT, signal.default_int_handler)  # it may be ignored where these tests run
sys.meta_path.insert(0, Interrupts())
sys.argv = ["conformance", "gate", "no.parquet"]
from xent_conformance.__main__ import main
main()
"""


@pytest.mark.parametrize("name", ["typer", "rich", "polars"])
@pytest.mark.parametrize("then", ["raise", "raise ImportError('umath failed to import') from None"])
def test_ctrl_c_while_modules_are_loaded_is_no_broken_installation(name: str, then: str) -> None:
    code = INTERRUPTED_AT.format(name=name, then=then)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (STATUS, "error: interrupted\n")


def test_what_is_wrong_without_a_signal_is_not_called_interrupted() -> None:
    with pytest.raises(ImportError), Interrupts():
        raise ImportError("it is broken")


def test_where_ctrl_c_is_ignored_it_stays_so() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Interrupts():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(("words", "status"), [(["list", "clauses"], 0), (["gate", "no.parquet"], 3)])
def test_a_reader_who_has_gone_changes_no_status(words: list[str], status: int) -> None:
    command = [sys.executable, "-m", "xent_conformance", *words]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        told = process.stderr.read().decode()
    assert process.returncode == status
    assert "Broken pipe" not in told and "Traceback" not in told


HOLDS = """
import sys

class Held:
    def __del__(self):
        print("taken apart", flush=True)

held = Held()
sys.argv = ["conformance", *sys.argv[1:]]
from xent_conformance.__main__ import main
main()
"""


@pytest.mark.parametrize(("words", "status"), [(["list", "clauses"], 0), (["gate", "no.parquet"], 3)])
def test_it_ends_at_once_with_its_status_and_all_that_it_has_said(words: list[str], status: int) -> None:
    """To take apart what a run has made takes a while, in which its verdict is waited for."""
    how: dict[str, Any] = {"cwd": ROOT, "capture_output": True, "text": True, "check": False}
    done = subprocess.run([sys.executable, "-c", HOLDS, *words], **how)
    usual = subprocess.run([sys.executable, "-m", "xent_conformance", *words], **how)
    assert (done.returncode, done.stdout) == (status, usual.stdout)
    assert done.stderr.startswith("error: no.parquet: no such file") if status else done.stdout


@pytest.mark.parametrize(
    ("words", "closed", "status"), [("list clauses", ">&-", 0), ("gate no.parquet", ">&- 2>&-", 3)]
)
def test_a_stream_that_is_closed_from_the_start_changes_no_status(
    words: str, closed: str, status: int
) -> None:
    line = f"{shlex.quote(sys.executable)} -m xent_conformance {words} {closed}"
    done = subprocess.run(["sh", "-c", line], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (status, False)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("words", ["list clauses", "--help", "run --help"])
def test_a_full_disk_under_standard_output_is_told_in_a_line(words: str) -> None:
    command = [sys.executable, "-m", "xent_conformance", *words.split()]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 3
    assert done.stderr == "error: standard output cannot be used: No space left on device\n"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a folder that is used cannot be taken away")
def test_a_working_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    line = f"rmdir {shlex.quote(str(gone))}; {shlex.quote(sys.executable)} -m xent_conformance config"
    done = subprocess.run(["sh", "-c", line], cwd=gone, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert done.stderr == "error: the working folder is gone: change to one that is there (`cd`)\n"

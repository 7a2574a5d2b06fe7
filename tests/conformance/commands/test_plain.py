"""Any text can be printed on any stream."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.small_run import run_of, verdict
from xent_conformance.commands.plain import escape
from xent_conformance.commands.started import Screen
from xent_conformance.reports.run.file import write_run
from xent_conformance.reports.text.nearest import NEAREST

ASCII = {"PYTHONIOENCODING": "ascii"}
C_LOCALE = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}


@pytest.mark.parametrize("environment", [ASCII, C_LOCALE, {"PYTHONIOENCODING": "cp1252"}])
@pytest.mark.parametrize("command", [("list", "clauses"), ("list", "operators"), ("gate", "run.parquet")])
def test_a_stream_that_lacks_signs_gets_their_nearest(
    command: tuple[str, ...], environment: dict[str, str], tmp_path: Path
) -> None:
    write_run(tmp_path / "run.parquet", run_of([verdict(status="breaks_must", message="…≥ → Σ日")]))
    done = subprocess.run(
        [sys.executable, "-m", "xent_conformance", *command],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        check=False,
    )
    assert b"Traceback" not in done.stderr and done.returncode in (0, 1), done.stderr
    assert done.stdout
    if environment != {"PYTHONIOENCODING": "cp1252"}:
        done.stdout.decode("ascii")


def test_a_colon_before_and_after_a_word_is_no_picture() -> None:
    """``plugin:Fire: the name …`` is what a class is called."""
    screen = Screen(lambda: (), file=io.StringIO())
    screen.print(escape("plugin:fire: the name"))
    assert isinstance(screen.file, io.StringIO) and screen.file.getvalue() == "plugin:fire: the name\n"


def test_what_is_near_is_ascii() -> None:
    assert all(near.isascii() for near in NEAREST.values())

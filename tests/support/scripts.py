"""Scripts of ``conformance explain --script``, written and run: by themselves, in a process of their own."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from xent_conformance.cases.corpus import find_case
from xent_conformance.discovery.framework import FRAMEWORKS
from xent_conformance.explain.script.showing import shown
from xent_conformance.explain.script.write import written
from xent_conformance.reports.run.words import Status

RUNNER = """
import atexit, contextlib, gc, io, json, runpy, sys, warnings
gc.disable()  # an import makes much, and all of it stays
atexit.register(gc.freeze)
warnings.simplefilter("ignore")
sys.modules.update(dict.fromkeys(json.loads(sys.argv[1])))
for path in map(str.strip, sys.stdin):
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        try:
            runpy.run_path(path, run_name="__main__")
            status = 0
        except SystemExit as end:
            told.write(str(end.code or ""))
            status = 1 if end.code else 0
        except Exception as error:
            told.write(f"{type(error).__name__}: {error}")
            status = 1
    print(json.dumps([status, told.getvalue()]), flush=True)
"""
"""Runs scripts one after the other in one process: a framework takes seconds to start.

The argument names modules that cannot be imported there; the paths come as lines.
"""

MOST_RUNNING = 3
"""So many wait for more scripts; each holds hundreds of megabytes."""

SCRIPT_SECONDS = 300.0

WITHOUT_ML_DTYPES = ("torch", "numpy", "scipy")
"""Frameworks that do not bring it: their scripts need NumPy and them, and nothing else."""

Asked = tuple[str, ...]
"""Implementation, mode, case; and the output, where it is not the worst."""


@dataclass(frozen=True)
class Ran:
    """A script, what it printed, how it ended, and what the verdict was."""

    text: str
    status: int
    told: str
    verdict: str


class Running:
    """A process where nothing of ours can be imported, nor what is ``hidden``, for scripts of a framework."""

    def __init__(self, hidden: Sequence[str]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="scripts-")
        kept = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH")
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the process
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", RUNNER, json.dumps(hidden)],
            cwd=self._folder.name, env={k: v for k, v in os.environ.items() if k in kept},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True,
        )  # fmt: skip

    def run(self, path: Path) -> tuple[int, str]:
        """How a script ends, and what it prints."""
        assert self._process.stdin is not None and self._process.stdout is not None
        late = threading.Timer(SCRIPT_SECONDS, self._process.kill)
        late.start()
        try:
            print(path, file=self._process.stdin, flush=True)
            for line in self._process.stdout:
                if line.startswith("["):
                    status, told = json.loads(line)
                    return status, told
        finally:
            late.cancel()
        self._errors.seek(0)
        raise AssertionError(f"{path} ended its process: {self._errors.read()[-2000:]!r}")

    def close(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._process.communicate()
        self._errors.close()
        self._folder.cleanup()


_RUNNING: dict[str, Running] = {}


def run_scripts(paths: list[Path], framework: str) -> list[tuple[int, str]]:
    """Run scripts of a framework where nothing of ours can be imported."""
    hidden = ["xent_conformance", *(["ml_dtypes"] if framework in WITHOUT_ML_DTYPES else [])]
    while framework not in _RUNNING and len(_RUNNING) >= MOST_RUNNING:
        _RUNNING.pop(next(iter(_RUNNING))).close()
    running = _RUNNING[framework] = _RUNNING.pop(framework, None) or Running(hidden)
    return [running.run(path) for path in paths]


def end_scripts() -> None:
    """No more scripts come."""
    while _RUNNING:
        _RUNNING.popitem()[1].close()


def ends_as_its_verdict(framework: str, asked: Sequence[Asked], elsewhere: Path) -> list[Ran]:
    """Write the scripts and run them: each ends with 0 where the verdict conforms, and only there.

    Skips the test where the framework is not installed.
    """
    distribution = FRAMEWORKS[framework].install.removeprefix("pip install ").split()
    if any(importlib.util.find_spec(name) is None for name in distribution):
        pytest.skip(f"not installed: {framework}")
    paths, verdicts = [], []
    for i, (implementation, mode, case, *output) in enumerate(asked):
        found = shown(*find_case(case), implementation, framework, mode, "cpu", *output)
        path = elsewhere / f"script_{i}.py"
        path.write_text(written(found), encoding="utf-8")
        paths.append(path)
        verdicts.append(str(found.row["status"]))
    ended = run_scripts(paths, framework)
    assert len(ended) == len(paths)
    ran = []
    for (status, told), verdict, path, which in zip(ended, verdicts, paths, asked, strict=True):
        text = path.read_text(encoding="utf-8")
        assert (status == 0) == (verdict == Status.CONFORMS), (which, verdict, told)
        assert status == 0 or "differ" in told or "# output: " in text, which
        assert "import conformance" not in text and "from conformance" not in text
        assert "conformance" not in text.split("import sys", 1)[1], which
        ran.append(Ran(text, status, told, verdict))
    _well_formed(paths)
    return ran


def _well_formed(paths: list[Path]) -> None:
    ruff = shutil.which("ruff", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if ruff is not None:
        strict = ["--isolated", "--select", "E,F,W,I", "--line-length", "110"]
        done = subprocess.run([ruff, "check", *strict, *map(str, paths)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout

"""Scripts of ``conformance explain --script``, written and run: by themselves, in a process of their own."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
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
import contextlib, io, json, runpy, sys, warnings
warnings.simplefilter("ignore")
sys.modules.update(dict.fromkeys(json.loads(sys.argv[1])))
for path in sys.argv[2:]:
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
    print(json.dumps([status, told.getvalue()]))
"""
"""Runs scripts one after the other in one process: a framework takes seconds to start.

The first argument names modules that cannot be imported there.
"""

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


def run_scripts(paths: list[Path], elsewhere: Path, hidden: Sequence[str] = ()) -> list[tuple[int, str]]:
    """Run them where nothing of ours can be imported, nor what is ``hidden``."""
    environment = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH")}
    done = subprocess.run(
        [sys.executable, "-I", "-c", RUNNER, json.dumps(hidden), *map(str, paths)],
        cwd=elsewhere, env=environment, capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    return [tuple(json.loads(line)) for line in done.stdout.splitlines() if line.startswith("[")]


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
    ended = run_scripts(paths, elsewhere, ["ml_dtypes"] if framework in WITHOUT_ML_DTYPES else [])
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

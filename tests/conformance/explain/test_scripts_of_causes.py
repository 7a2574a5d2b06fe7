"""A script for each cause of a run: by its own framework in its own version, and of nobody else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from tests.support.small_run import header, run_of, verdict
from xent_conformance.explain.script.of_causes import scripts
from xent_conformance.reports.run.file import Run

CASE = "sparse_softmax_cross_entropy/index_range/minus_classes/float16/n10/r0"


def asked(version: str = np.__version__, **changes: Any) -> Run:
    usual = header()
    (worker,) = usual["frameworks"]
    row = {
        "status": "breaks_must",
        "clause": "6.4",
        "symptom": "a number where NaN",
        "grade": "wrong_special",
        "cause": "counts-from-the-end",
        "framework": "numpy",
        "implementation": "numpy:sparse_cross_entropy-shifted",
        "operator": "sparse_softmax_cross_entropy",
        "family": "index_range",
        "dtype": "float16",
        "version": version,
        "case": CASE,
    }
    told = usual | {"frameworks": [worker | {"framework": "numpy", "version": version}]}
    return run_of([verdict(**row | changes)], told)


def test_the_script_of_a_cause_shows_what_the_run_saw(tmp_path: Path) -> None:
    found = scripts(asked())
    assert list(found) == ["counts-from-the-end"]
    file = tmp_path / "script.py"
    file.write_text(found["counts-from-the-end"], encoding="utf-8")
    ended = subprocess.run([sys.executable, str(file)], capture_output=True, text=True, check=False)
    assert ended.returncode == 1 and "right    nan" in ended.stdout, ended.stdout + ended.stderr


def test_another_version_would_show_something_else() -> None:
    assert scripts(asked(version="1.0")) == {}


def test_what_this_suite_does_not_know_has_none() -> None:
    assert scripts(asked(case="softmax/no/such/float32/n3/r0")) == {}
    assert scripts(asked(framework="nobody-has-it", implementation="x")) == {}

"""The pages for authors of adapters are true: their code is an adapter in which nothing is wrong."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from xent_conformance.frameworks.interface import MANNERS, Implementation
from xent_conformance.reports.run.file import read_run

PAGE = (ROOT / "docs" / "ADAPTERS.md").read_text(encoding="utf-8")
SMALLEST, _, WHOLE = PAGE.partition("\n## With gradients of its own\n")


def conformance(folder: Path, *words: str) -> str:
    """What a command prints, in a process of its own: a plug-in stays loaded."""
    done = subprocess.run(
        [sys.executable, "-m", "xent_conformance", *words],
        cwd=folder,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("page", [SMALLEST, WHOLE], ids=["smallest", "whole"])
def test_the_adapter_of_a_page_has_no_problem(page: str, tmp_path: Path) -> None:
    """Under the file name that the page gives it."""
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert "check-plugin mine.py" in page
    (tmp_path / "mine.py").write_text(code, encoding="utf-8")
    assert "mine.py is fine" in conformance(tmp_path, "check-plugin", "mine.py")


def test_the_library_with_gradients_conforms(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", WHOLE, re.DOTALL)
    (tmp_path / "mine.py").write_text(code, encoding="utf-8")
    commands = re.findall(r"^\$ conformance (.*)$", WHOLE, re.MULTILINE)
    _, run, gate = (command.split() for command in commands)
    conformance(tmp_path, *run)
    verdicts = read_run(tmp_path / "mine.parquet").verdicts
    assert set(verdicts["status"]) == {"conforms", "open", "unsupported"}
    assert {"value", "grad_logits"} == set(verdicts.filter(status="conforms")["output"])
    assert {"cotangents", "attributes", "layouts"} <= set(verdicts.filter(status="conforms")["family"])
    assert conformance(tmp_path, *gate).startswith("gate passed")


def test_what_arrives_is_told_of_every_keyword() -> None:
    documented = set(re.findall(r"`(?:keywords)?\[\"(\w+)\"\]`", PAGE))
    told = (Implementation.__doc__ or "").partition("``takes`` names")[2].partition("What is not taken")[0]
    assert documented == set(re.findall(r"``(\w+)``", told)) - {"call"}
    assert {m for m in MANNERS if f'"{m}"' in PAGE} >= {"labels", "misfit"}

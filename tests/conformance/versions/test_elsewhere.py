"""What another Python has, looked at without an import; and whose environment ours is."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from tests.support.environments import standing
from xent_conformance.versions import elsewhere
from xent_conformance.versions.lacks import has
from xent_conformance.versions.target import Target


def _program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def test_a_distribution_is_there_by_its_own_name_or_its_packages() -> None:
    """PyYAML's package is ``yaml``, and a build by another name has the package of the usual one."""
    there = ["numpy", "typing-extensions", "ml_dtypes"]
    found = has([*there, "no-such-thing", "no such thing", ""])
    assert list(found) == there and found["numpy"] == np.__version__


@pytest.mark.parametrize("says", ["exit 0", "echo '{}'; sleep 30", "echo 3", "echo Python 3.12", "exit 1"])
def test_a_program_that_does_not_say_what_it_has_is_not_named(
    says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shim of pyenv without a version, a launcher that hangs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(elsewhere, "SECONDS", 0.2)
    _program(tmp_path / "bin" / "python3", says)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/bin:/usr/bin")
    _program(tmp_path / "bin" / "python", says)
    assert elsewhere.pythons() == [str(tmp_path / "bin" / name) for name in ("python3", "python")]
    assert elsewhere.having([["torch"]]) is None


def test_the_first_that_has_it_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``python3`` is another than ``python``, which has it."""
    monkeypatch.chdir(tmp_path)
    _program(tmp_path / "bin" / "python3", "exit 1")
    theirs = standing(tmp_path / "theirs", "torch").removesuffix("3")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{Path(theirs).parent}")
    assert elsewhere.having([["torch"]]) == theirs
    assert elsewhere.having([["torch"]], but=theirs) is None


def test_our_own_before_it_on_the_path_hides_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``uvx`` puts the environment that it has made for the suite before all else."""
    monkeypatch.chdir(tmp_path)
    theirs = standing(tmp_path / "theirs", "torch")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{Path(theirs).parent}")
    assert elsewhere.pythons() == [theirs, theirs.removesuffix("3")]
    assert elsewhere.having([["torch"]]) == theirs


@pytest.mark.parametrize(
    ("mark", "tool"),
    [("uv-receipt.toml", "uv"), ("pipx_metadata.json", "pipx"), ("pyvenv.cfg", "")],
)
def test_what_a_tool_has_made_for_the_suite(
    mark: str, tool: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / mark).touch()
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert elsewhere.maker() == tool and Target().takes == (not tool)
    assert Target("/usr/bin/python3", "--python").takes


@pytest.mark.parametrize("name", ["archive-v0", "environments-v2"])
def test_an_environment_in_the_cache_of_uv(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path / name / "Fq3"))
    assert elsewhere.maker() == "", "a folder of that name is no cache"
    (tmp_path / "CACHEDIR.TAG").touch()
    assert elsewhere.maker() == "uv"
    assert Target().where.endswith(", which uv has made to run the suite")


@pytest.mark.parametrize(
    ("place", "mark", "tool"),
    [
        ("archive-v0/Fq3", "", "uv"),
        ("tools/xent-conformance", "uv-receipt.toml", ""),
        ("e299cf0a061955b", "pipx_metadata.json", "pipx"),
        ("venvs/xent-conformance", "pipx_metadata.json", ""),
        ("venv", "", ""),
    ],
)
def test_an_environment_that_serves_one_call(
    place: str, mark: str, tool: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is installed by a tool has a program on the path, and needs no tool to be named."""
    (tmp_path / place).mkdir(parents=True)
    (tmp_path / "CACHEDIR.TAG").touch()
    if mark:
        (tmp_path / place / mark).touch()
    monkeypatch.setattr(sys, "prefix", str(tmp_path / place))
    assert elsewhere.once() == tool

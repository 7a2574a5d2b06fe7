"""Versions of a framework on a cluster: each node makes the environment in which it asks."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.by_hand import Install
from tests.support.cli import conformance
from tests.support.fakes_of_ray import FakeRay, Reference
from tests.support.upgrading import PLUGIN, WRONG, fake_uv, framework, interpreter, told
from xent_conformance.commands.base import EVIDENCE, FAILED, INTERRUPTED, USAGE
from xent_conformance.discovery.framework import FRAMEWORKS
from xent_conformance.reports.run.file import read_run

PINS = ("fakeframe==1.0", "fakeframe==2.0")
SMALL = ("--profile", "quick", "--dtype", "float32", "--family", "two_classes", "--plugin", PLUGIN)
FLEET = ("--engine", "ray", "--parts", "1")


@pytest.fixture(autouse=True)
def ray(install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeRay]:
    """A cluster that has nothing, and an installer that knows two versions, of which one is wrong."""
    install()
    before = dict(os.environ)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("xent_conformance.discovery.plugins.entry_points", list)
    monkeypatch.setenv("PATH", f"{fake_uv(tmp_path)}:{os.environ['PATH']}")
    framework(tmp_path, "1.0")
    framework(tmp_path, "2.0", WRONG)
    fake = FakeRay()
    monkeypatch.setitem(sys.modules, "ray", fake)
    yield fake
    FRAMEWORKS.pop("fakeframe", None)
    monkeypatch.undo()
    os.environ.clear()  # a task settles its process, which is ours here
    os.environ.update(before)


def test_an_upgrade_is_decided_as_on_one_machine(ray: FakeRay, tmp_path: Path) -> None:
    text = conformance("upgrade", *PINS, *SMALL, *FLEET, "--no-known", status=FAILED).stdout
    assert "gate failed: fakeframe.softmax value: less accurate: " in text
    assert "against: fakeframe 1.0" in text and "tested: fakeframe 2.0" in text
    assert text.splitlines()[-1].startswith("conformance upgrade fakeframe==1.0 fakeframe==2.0 ")
    assert "--engine ray" in text.splitlines()[-1], "the command that shows it again asks there again"
    installed = [line.split()[-3:] for line in told(tmp_path) if line.startswith("pip install")]
    assert [pin for words in installed for pin in words if "fakeframe" in pin] == list(PINS)
    runs = [read_run(path) for path in sorted(Path("upgrade").glob("*.parquet"))]
    assert [set(run.verdicts["version"]) for run in runs] == [{"1.0"}, {"2.0"}]
    assert all(len(run.header["parts"]) == 1 for run in runs)


@pytest.mark.parametrize("command", ["upgrade", "matrix"])
def test_how_many_share_a_gpu_is_said_to_whom_asks_each_version(ray: FakeRay, command: str) -> None:
    """Who is asked on no GPU is refused a share of one."""
    said = conformance(command, *PINS, *SMALL, *FLEET, "--per-gpu", "2", status=USAGE).output
    assert "none is asked: add --device cuda" in " ".join(said.split())


def test_a_version_that_there_is_not(ray: FakeRay) -> None:
    said = conformance("matrix", *PINS[:1], "fakeframe==3.0", *SMALL, *FLEET, status=EVIDENCE).stderr
    assert "part 1/1: EnvironmentNotMade: `uv pip install …` ended with status 1:" in said
    assert "there is no fakeframe==3.0" in said


def test_a_python_of_another_version(ray: FakeRay, tmp_path: Path) -> None:
    """It is that of the nodes, so what it has is seen when it has answered."""
    python = interpreter(tmp_path, "1.0", says="1.5")
    said = conformance("upgrade", *PINS, *SMALL, *FLEET, "--python", f"OLD={python}", status=EVIDENCE).stderr
    assert "fakeframe==1.0: on the nodes there is fakeframe 1.5; name the version" in " ".join(said.split())


@pytest.mark.parametrize("command", ["upgrade", "matrix"])
def test_the_same_command_goes_on(ray: FakeRay, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    """What it says when it is interrupted, done: of the version that was being asked, the parts that lack."""
    known = ["--no-known"] if command == "upgrade" else []
    more = ("--family", "ordinary", "--engine", "ray", "--parts", "2", "--out", "mine", *known)
    typed = (command, *PINS, *SMALL, *more)
    real, interrupted = ray.get, iter([0, 2])

    def get(reference: Reference) -> bytes:
        if reference.part.index == next(interrupted, None):
            raise KeyboardInterrupt
        return real(reference)

    monkeypatch.setattr(ray, "get", get)
    said = conformance(*typed, status=INTERRUPTED).stderr
    assert "interrupted; the same command, typed again, goes on with the version that was being asked" in said
    assert ray.asked == {1: 1}
    conformance(*typed, status=FAILED if command == "upgrade" else 0)
    assert ray.asked == {1: 2, 2: 2}, "part 1 of the first version was asked once"


def test_parts_are_of_a_cluster() -> None:
    for command in ("upgrade", "matrix"):
        assert "--parts is for --engine ray" in conformance(command, *PINS, "--parts=2", status=USAGE).stderr

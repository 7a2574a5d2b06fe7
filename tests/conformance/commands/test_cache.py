"""``conformance cache``: where, how large, and ``clean``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from filelock import FileLock

from tests.support.by_hand import Install
from tests.support.cli import conformance
from tests.support.documents import documented
from xent_conformance.commands.line import EVIDENCE, USAGE

pytestmark = pytest.mark.usefixtures("forked")

KINDS = ["reference", "corpus", "yardsticks", "diagnosis", "environments", "lent", "bytecode", "compiled"]

SMALL = ("--profile", "quick", "--dtype", "float32", "--operator", "softmax", "--family", "two_classes")


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_an_empty_cache() -> None:
    assert "0 bytes in all" in conformance("cache").stdout
    told = json.loads(conformance("cache", "--format", "json").stdout)
    assert [kind["kind"] for kind in told] == KINDS
    assert set(told[0]) == documented("## cache")
    assert "reference: 0 taken away, 0 bytes" in conformance("cache", "clean").stdout


def test_a_run_leaves_truths_that_are_told_and_taken_away(install: Install, tmp_path: Path) -> None:
    install(fake="Exact")
    conformance("run", *SMALL)
    folder = tmp_path / "cache" / "xent-conformance" / "reference"
    (reference, *_) = json.loads(conformance("cache", "--format", "json").stdout)
    assert reference["folder"] == str(folder) and len(reference["entries"]) == 1
    assert reference["bytes"] == reference["entries"][0]["bytes"] > 0
    text = conformance("cache").stdout
    assert str(folder) in text and "of this version of the reference" in text
    assert "reference: 0 taken away" in conformance("cache", "clean", "reference", "--older-than", "1").stdout
    assert "reference: 1 taken away" in conformance("cache", "clean", "reference").stdout
    assert not any(folder.iterdir())


def test_no_such_kind() -> None:
    said = conformance("cache", "clean", "envs", status=USAGE).stderr
    assert f"there is no kind 'envs'; there are {', '.join(KINDS)}" in " ".join(said.split())


def test_what_stays_is_said(tmp_path: Path) -> None:
    home = tmp_path / "cache" / "xent-conformance" / "environments" / ("a" * 24)
    home.mkdir(parents=True)
    (home / "pyvenv.cfg").touch()
    home.with_name("mine").mkdir()
    with FileLock(f"{home}.lock"):
        done = conformance("cache", "clean", status=EVIDENCE)
    assert f"left: {home}: another process is making it" in done.stderr
    assert f"left: {home.with_name('mine')}: it is not ours" in done.stderr
    assert f"not ours, and left alone: {home.with_name('mine')}" in conformance("cache").stdout
    conformance("cache", "clean")
    assert not home.exists() and home.with_name("mine").is_dir()


def test_a_folder_in_the_place_of_what_is_kept_is_told(tmp_path: Path, install: Install) -> None:
    """What belongs there was made anew in every run, and nobody was told."""
    install(fake="Exact")
    conformance("run", *SMALL)
    (truth,) = (tmp_path / "cache" / "xent-conformance" / "reference").rglob("*.truth")
    truth.unlink()
    truth.mkdir()
    conformance("run", *SMALL, "--force")
    why = "where a file of its version belongs, which is made anew in every run until you take this away"
    way = f"{truth}, {why}"
    assert f"not ours, and left alone: {way}\n" in conformance("cache").stdout
    told, *_ = json.loads(conformance("cache", "--format", "json").stdout)
    assert told["not_ours"] == told["in_the_way"] == [str(truth)]
    way = way.replace(",", ": it is not ours,", 1)
    assert f"left: {way}\n" in conformance("cache", "clean", "reference").stderr
    truth.rmdir()
    conformance("run", *SMALL, "--force")
    assert truth.is_file() and "not ours" not in conformance("cache").stdout

"""A run is resumed by what began it: two versions, settings or specifications are not one table."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.by_hand import Install, selection
from xent_conformance.reference import sources
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.atomic import journal_of
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.run.unusable import RunFileError
from xent_conformance.running import header
from xent_conformance.running.engine import run

pytestmark = pytest.mark.usefixtures("forked")


class Interrupted(Exception):
    """What a test's progress callback raises, as Ctrl-C would."""


def _run(out: Path, *, resume: bool = False, stop: int = 0, **options: Any) -> Run:
    def progress(seat: str, done: int, planned: int) -> None:
        if seat == "fake" and done == stop:
            raise Interrupted

    return run(
        selection(), out, oracle=Oracle(), resume=resume, progress=progress if stop else None, **options
    )


@pytest.fixture
def interrupted(install: Install, tmp_path: Path) -> Path:
    """A run of ``Exact``, interrupted in its middle."""
    install(fake="Exact")
    with pytest.raises(Interrupted):
        _run(tmp_path / "run.parquet", stop=2)
    return tmp_path / "run.parquet"


def _refused(out: Path, *words: str) -> None:
    before = {path.name: path.read_bytes() for path in journal_of(out).iterdir()}
    with pytest.raises(RunFileError) as refused:
        _run(out, resume=True)
    for word in words:
        assert word in str(refused.value)
    assert not out.exists(), "nothing is sealed"
    assert {path.name: path.read_bytes() for path in journal_of(out).iterdir()} == before, "nothing is lost"


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ("NextVersion", "version 1.0, now 2.0"),
        ("OneUlpOff", "flavour Exact, now OneUlpOff"),
        ("OtherDevices", "devices ['cpu'], now ['cpu', 'odd']"),
    ],
)
def test_a_framework_that_is_another_is_refused(
    other: str, told: str, install: Install, interrupted: Path
) -> None:
    install(fake=other)
    _refused(
        interrupted, "has answers of fake as it was", told, "go on with --resume as it was then", "--force"
    )
    install(fake="Exact")
    assert _run(interrupted, resume=True).complete


@pytest.mark.parametrize(
    "name", ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "XLA_FLAGS"]
)
def test_another_setting_is_refused(name: str, interrupted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker says which, of its own process."""
    monkeypatch.setenv(name, "1")
    _refused(interrupted, f"{name} not set, now 1")


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system binds no process to a processor")
def test_other_cores_are_refused(install: Install, interrupted: Path) -> None:
    """Libraries add in as many parts as they have cores."""
    there = len(os.sched_getaffinity(0))
    if there < 2:
        pytest.skip("there is one")
    install(fake="OneCore")
    _refused(interrupted, f"cores {there}, now 1")


def test_another_specification_is_refused(
    interrupted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one more sentence."""
    copy = shutil.copytree(sources.HERE, tmp_path / "reference")
    spec = copy / "clauses" / "SPEC.md"
    spec.write_text(spec.read_text("utf-8") + "\nAll is well.\n", "utf-8")
    before, after = (sources.hash_of(folder) for folder in (sources.HERE, copy))
    assert before != after
    monkeypatch.setattr(header, "of_reference", lambda: after)
    _refused(interrupted, f"reference {sources.of_reference()}, now {after}")


@pytest.mark.parametrize("package", sources.COMPUTING)
def test_another_arithmetic_of_the_judge_is_refused(
    package: str, interrupted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = header.version
    monkeypatch.setattr(header, "version", lambda name: "0.0.1" if name == package else there(name))
    _refused(interrupted, f"{package} {there(package)}, now 0.0.1")


def test_what_has_answered_nothing_may_be_another(install: Install, tmp_path: Path) -> None:
    install(fake="Exact", other="Absent")
    with pytest.raises(Interrupted):
        _run(tmp_path / "run.parquet", stop=3)
    install(fake="Exact", other="NextVersion")
    result = _run(tmp_path / "run.parquet", resume=True)
    assert result.complete and set(result.tested) == {"fake 1.0", "fake 2.0"}, "a fake says its own name"


def test_what_has_answered_and_is_gone_is_missed(install: Install, interrupted: Path) -> None:
    """Though nobody had asked for it by name."""
    install(fake="Absent")
    result = _run(interrupted, resume=True)
    assert not result.complete and [gap["framework"] for gap in result.header["absent"]] == ["fake"]


def test_the_seconds_of_an_import_make_no_other(interrupted: Path, tmp_path: Path) -> None:
    part = next(journal_of(interrupted).glob("part-*.parquet"))
    assert b"import_s" not in part.read_bytes() and re.search(rb"cores", part.read_bytes())
    assert _run(interrupted, resume=True).complete

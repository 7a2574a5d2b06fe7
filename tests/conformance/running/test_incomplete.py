"""A run that ends incomplete can go on: its journal stays until nothing is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.by_hand import Install, selection
from tests.support.cli import conformance
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.atomic import journal_of
from xent_conformance.reports.run.file import Run, read_run
from xent_conformance.running.engine import run

pytestmark = pytest.mark.usefixtures("forked")

SMALL = ("--profile", "quick", "--operator", "softmax", "--dtype", "float32", "--family", "two_classes")


def _run(out: Path, **options: Any) -> Run:
    return run(selection(frameworks=("fake", "other")), out, oracle=Oracle(), **options)


def test_what_was_absent_is_asked_by_resume_and_nothing_else_is(install: Install, tmp_path: Path) -> None:
    out = tmp_path / "run.parquet"
    install(fake="Exact", other="Absent")
    assert not _run(out).complete and journal_of(out).is_dir()
    install(fake="Exact", other="Exact")
    counts: list[tuple[str, int]] = []
    result = _run(out, resume=True, progress=lambda name, done, _: counts.append((name, done)))
    assert result.complete and min(done for name, done in counts if name == "fake") == 4
    assert [path.name for path in tmp_path.iterdir()] == ["run.parquet"]
    whole = _run(tmp_path / "whole.parquet")
    assert read_run(out).verdicts.equals(whole.verdicts)


def test_a_run_that_begins_anew_needs_no_force_as_its_answers_are_in_a_run_file(
    install: Install, tmp_path: Path
) -> None:
    install(fake="Exact", other="Absent")
    assert not _run(tmp_path / "run.parquet").complete
    assert not _run(tmp_path / "run.parquet").complete


def test_the_command_says_how_to_go_on_and_that_works(install: Install, tmp_path: Path) -> None:
    asked = ("run", *SMALL, "--framework", "fake", "--framework", "other", "-o", tmp_path / "run.parquet")
    install(fake="Exact", other="Absent")
    done = conformance(*asked, status=3)
    assert "add --resume to the same command to ask what is missing" in " ".join(done.output.split())
    install(fake="Exact", other="Exact")
    conformance(*asked, "--resume")
    assert read_run(tmp_path / "run.parquet").complete


def test_nothing_stays_where_nothing_was_answered(install: Install, tmp_path: Path) -> None:
    install(fake="Absent", other="Absent")
    assert not _run(tmp_path / "run.parquet").complete
    assert not journal_of(tmp_path / "run.parquet").exists()

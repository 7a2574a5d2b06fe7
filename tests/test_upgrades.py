"""docs/UPGRADES.md is what the kept run files give, and what is kept of a run is decided as the whole was."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from benchmarks.page_of_speed import FOUND as SPEED
from benchmarks.peers.page import FOUND as PEERS
from docs import evidence, sweep, upgrades
from docs.pairs import PAIRS, PUBLISHED_JAX
from docs.published import run_file
from xent_conformance.reports.run.file import Run, read_run
from xent_conformance.reports.run.unusable import RunFileError

PAGE = Path(__file__).resolve().parents[1] / "docs" / "UPGRADES.md"

LARGEST = 600_000
"""Bytes of a file that is kept."""

WHOLE = [run_file("jax-0.9.2"), run_file("jax-0.10.2")]


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where evidence is kept meanwhile."""
    monkeypatch.setattr(evidence, "HERE", tmp_path)
    return tmp_path


def test_the_page_is_what_the_files_give() -> None:
    assert PAGE.read_text(encoding="utf-8") == upgrades.page(), (
        "run: python -m docs.upgrades > docs/UPGRADES.md"
    )


def test_what_a_person_saw_has_no_number_that_no_file_gives() -> None:
    """Names of cases, clauses and versions have digits; a count has none beside it that says so."""
    for pair in PAIRS:
        plain = re.sub(r"`[^`]*`|\w+-bit|TensorFlow [\d.]+", "", pair.seen)
        assert not re.search(r"\d", plain), pair.seen


def test_each_run_that_is_kept_is_compared_and_nothing_else_lies_there() -> None:
    names = {pair.name for pair in PAIRS} - {PUBLISHED_JAX}
    others = {sweep.KEPT.stem, SPEED.stem, PEERS.stem}
    assert {file.stem for file in evidence.HERE.iterdir()} == names | others
    for name in names:
        used = {i for pair in PAIRS if pair.name == name for i in (pair.old, pair.new)}
        assert used == set(range(len(evidence.read(name)))), name
        assert evidence.file(name).stat().st_size < LARGEST, name


def test_what_is_kept_is_small_and_decided_as_the_whole(elsewhere: Path) -> None:
    upgrades.keep(PUBLISHED_JAX, WHOLE)
    kept, whole = evidence.read(PUBLISHED_JAX), [read_run(path) for path in WHOLE]
    pairs = [pair for pair in PAIRS if pair.name == PUBLISHED_JAX]
    before, after = (upgrades.told(upgrades.beside(pairs, lambda _, r=runs: r)) for runs in (whole, kept))  # type: ignore[misc]
    assert before == after and "Blocks: " in after
    assert evidence.file(PUBLISHED_JAX).stat().st_size < sum(path.stat().st_size for path in WHOLE) / 5


@pytest.mark.parametrize("column", ["bits", "status", "symptom"])
def test_what_would_be_decided_otherwise_is_not_kept(
    column: str, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def careless(runs: Sequence[Run]) -> list[Run]:
        first = runs[0].verdicts[column][0]
        return [replace(r, verdicts=r.verdicts.with_columns(pl.lit(first).alias(column))) for r in runs]

    monkeypatch.setattr(evidence, "small", careless)
    with pytest.raises(ValueError, match="decided otherwise"):
        upgrades.keep(PUBLISHED_JAX, WHOLE)
    assert not list(elsewhere.iterdir())


def test_what_was_changed_since_is_no_evidence(elsewhere: Path) -> None:
    evidence.write("some", evidence.small([read_run(path) for path in WHOLE]))
    path = evidence.file("some")
    metadata = pl.read_parquet_metadata(path)
    frame = pl.read_parquet(path)
    frame.with_columns(ulps=pl.col("ulps") / 2).write_parquet(
        path, metadata={k: v for k, v in metadata.items() if k != "ARROW:schema"}
    )
    with pytest.raises(RunFileError, match="does not fit its digest"):
        evidence.read("some")

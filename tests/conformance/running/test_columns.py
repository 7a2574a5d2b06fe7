"""Columns that lie in a file are the same columns, and take no memory that others could have."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.support.sick_file import cut_short, flipped, full, on
from xent_conformance.reports.run.unusable import RunFileError
from xent_conformance.running.columns import filed
from xent_conformance.running.pages import Pages

MANY = 5_000

COLUMNS = {
    "words": pl.Series("words", ["a", "b", ""] * MANY, dtype=pl.Categorical),
    "counted": pl.Series("counted", range(MANY), dtype=pl.Int32),
    "numbers": pl.Series("numbers", [float("nan"), -0.0, float("-inf"), 5e-324] * MANY),
}


def _numbers(column: pl.Series) -> np.ndarray:
    return column.to_physical().to_numpy()


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_is_the_same(name: str, tmp_path: Path) -> None:
    column = COLUMNS[name]
    found = filed(column, Pages(tmp_path))
    assert found.dtype == column.dtype and found.name == name and found.null_count() == 0
    given, here = _numbers(column), _numbers(found)
    assert here.tobytes() == given.tobytes() and here.dtype == given.dtype
    assert found.cast(pl.String).to_list() == column.cast(pl.String).to_list()
    assert list(tmp_path.iterdir()) == [], "a file that somebody finds"


@pytest.mark.parametrize("name", COLUMNS)
def test_it_lies_in_the_file_and_nowhere_else(name: str, tmp_path: Path) -> None:
    """Whoever writes there changes it; nobody does, for the file has no name."""
    pages, column = Pages(tmp_path), COLUMNS[name]
    found = filed(column, pages)
    assert found.equals(column, null_equal=True)
    pages.let_go()
    assert pages._file is not None
    first, other = _numbers(column)[:2]
    os.pwrite(pages._file.fileno(), other.tobytes(), 0)
    assert _numbers(found)[0] == other != first
    assert os.fstat(pages._file.fileno()).st_size == _numbers(column).nbytes


def test_one_behind_the_other(tmp_path: Path) -> None:
    pages = Pages(tmp_path)
    found = {name: filed(column, pages) for name, column in COLUMNS.items()}
    for _ in range(2):
        for name, column in COLUMNS.items():
            assert _numbers(found[name]).tobytes() == _numbers(column).tobytes()
        pages.let_go()


@pytest.mark.parametrize(
    "column",
    [
        pl.Series("texts", ["some"] * MANY),
        pl.Series("gaps", [1.0, None] * MANY),
        pl.Series("gaps", ["a", None] * MANY, dtype=pl.Categorical),
        pl.Series("nothing", [], dtype=pl.Float64),
        pl.Series("yes", [True, False] * MANY),
    ],
)
def test_what_no_file_can_hold_stays(column: pl.Series, tmp_path: Path) -> None:
    pages = Pages(tmp_path)
    assert filed(column, pages) is column and not pages


def test_what_a_disk_does_not_take_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert filed(COLUMNS["numbers"], Pages(tmp_path / "nowhere")) is COLUMNS["numbers"]
    on(monkeypatch, full)
    assert filed(COLUMNS["words"], Pages(tmp_path)) is COLUMNS["words"]


@pytest.mark.parametrize("change", [flipped, cut_short, lambda some: bytes(some)[:-1]])
def test_numbers_that_come_back_as_others_are_refused(
    change: Callable[[bytes], bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(monkeypatch, change)
    with pytest.raises(RunFileError, match=r"the column counted of the verdicts .* comes back .*--resume"):
        filed(COLUMNS["counted"], Pages(tmp_path))

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
from xent_conformance.running import columns
from xent_conformance.running.columns import filed
from xent_conformance.running.pages import Pages

MANY = 5_000

COLUMNS = {
    "words": pl.Series("words", ["a", "b", ""] * MANY, dtype=pl.Categorical),
    "counted": pl.Series("counted", range(MANY), dtype=pl.Int32),
    "numbers": pl.Series("numbers", [float("nan"), -0.0, float("-inf"), 5e-324] * MANY),
    "texts": pl.Series(
        "texts", ["563693d1d9c28936", "", "731341abcee8fc90", "a", "zwölf Stück", "z" * 300] * MANY
    ),
}


def _numbers(column: pl.Series) -> np.ndarray:
    """What it is, as numbers: of texts the bytes, which end in one that no text has."""
    if column.dtype == pl.String:
        return np.frombuffer("".join(f"{text}\0" for text in column).encode(), np.uint8)
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


@pytest.mark.parametrize("name", [name for name in COLUMNS if name != "texts"])
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


def test_texts_lie_in_the_file_and_nowhere_else(tmp_path: Path) -> None:
    """The views of all, and behind them the texts."""
    pages, column = Pages(tmp_path), COLUMNS["texts"]
    found = filed(column, pages)
    assert found.equals(column)
    pages.let_go()
    assert pages._file is not None
    file, views = pages._file.fileno(), 16 * len(column)
    assert os.fstat(file).st_size == views + len("".join(column).encode())
    os.pwrite(file, b"A long text", views)
    os.pwrite(file, b"b", 16 * 3 + 4)
    assert found[:4].to_list() == ["A long text28936", "", "731341abcee8fc90", "b"]


@pytest.mark.parametrize("size", [*range(18), 2**14])
def test_a_text_of_any_length(size: int, tmp_path: Path) -> None:
    """Whether it lies in its view or not, the first of a lot and the last, and one beside none."""
    lot = columns._AT_ONCE
    for texts in (["x" * size], ["y" * size] + [""] * (lot - 1) + ["z" * size, "ä" * size]):
        column = pl.Series("texts", texts)
        found = filed(column, Pages(tmp_path))
        assert found is not column and found.to_list() == texts


def test_texts_of_many_chunks_are_one(tmp_path: Path) -> None:
    """Columns of a table that are cut elsewhere would be made anew, in memory."""
    column = pl.concat([COLUMNS["texts"][:7], COLUMNS["texts"], COLUMNS["texts"][3:50_000]], rechunk=False)
    found = filed(column, Pages(tmp_path))
    assert column.n_chunks() == 3 and found.n_chunks() == 1
    assert found.to_list() == column.to_list()


def test_texts_that_no_view_can_name_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    most = max(
        int(COLUMNS["texts"][i : i + columns._AT_ONCE].str.len_bytes().sum()) for i in (0, columns._AT_ONCE)
    )
    monkeypatch.setattr(columns, "_LARGEST", most - 1)
    assert filed(COLUMNS["texts"], Pages(tmp_path)) is COLUMNS["texts"]
    monkeypatch.setattr(columns, "_LARGEST", most)
    assert filed(COLUMNS["texts"], Pages(tmp_path)) is not COLUMNS["texts"]


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
        pl.Series("gaps", ["some text, which is long", None] * MANY),
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
    for column in COLUMNS.values():
        assert filed(column, Pages(tmp_path / "nowhere")) is column
    for well in (0, 100_000):  # it takes nothing, and not all
        on(monkeypatch, full, well)
        assert filed(COLUMNS["texts"], Pages(tmp_path)) is COLUMNS["texts"]
    on(monkeypatch, full)
    assert filed(COLUMNS["words"], Pages(tmp_path)) is COLUMNS["words"]


@pytest.mark.parametrize("change", [flipped, cut_short, lambda some: bytes(some)[:-1]])
def test_numbers_that_come_back_as_others_are_refused(
    change: Callable[[bytes], bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(monkeypatch, change)
    with pytest.raises(RunFileError, match=r"the column counted of the verdicts .* comes back .*--resume"):
        filed(COLUMNS["counted"], Pages(tmp_path))


@pytest.mark.parametrize("change", [flipped, cut_short, lambda some: bytes(some)[:-1]])
@pytest.mark.parametrize("well", [0, 500_000, 1_000_000])
def test_texts_that_come_back_as_others_are_refused(
    well: int, change: Callable[[bytes], bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anybody looks at them; views and texts, of which those before may be well."""
    on(monkeypatch, change, well)
    with pytest.raises(RunFileError, match=r"the column texts of the verdicts .* comes back .*--resume"):
        filed(COLUMNS["texts"], Pages(tmp_path))

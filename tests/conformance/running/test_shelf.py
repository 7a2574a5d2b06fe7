"""What waits for others, in memory and on disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from xent_conformance.running.shelf import Shelf

ROWS = [(name, (name, i), 10) for i in range(9) for name in ("a", "b", "c")]


def _filled(shelf: Shelf) -> Shelf:
    for name, row, size in ROWS:
        shelf.add(name, row, size)
    return shelf


@pytest.mark.parametrize("most", [10**6, 100, 25, 0], ids=["memory", "some", "little", "disk"])
def test_what_is_taken_is_what_was_put_there(most: int, tmp_path: Path) -> None:
    shelf = _filled(Shelf(tmp_path, most))
    assert sorted(shelf) == ["a", "b", "c"]
    for name in "bca":
        assert shelf.taken(name) == [row for n, row, _ in ROWS if n == name]
        assert name not in shelf and shelf.taken(name) == []
    assert list(tmp_path.iterdir()) == [], "a file that somebody finds"


def test_no_more_is_in_memory_than_may_be(tmp_path: Path) -> None:
    """Seen in the file, which is empty again when nobody waits."""
    shelf = _filled(Shelf(tmp_path, 50))
    assert sum(len(rows) for rows in shelf._rows.values()) * 10 <= 50
    assert shelf._file is not None and os.fstat(shelf._file.fileno()).st_size > 0
    for name in "abc":
        shelf.taken(name)
    assert os.fstat(shelf._file.fileno()).st_size == 0 and not list(shelf)


def test_a_disk_that_takes_nothing_costs_memory_and_no_row(tmp_path: Path) -> None:
    shelf = _filled(Shelf(tmp_path / "nowhere", 0))
    for name in "abc":
        assert shelf.taken(name) == [row for n, row, _ in ROWS if n == name]


@pytest.mark.parametrize("size", [60_000, 500])
def test_a_disk_that_takes_no_more_costs_memory_and_no_row(size: int, tmp_path: Path) -> None:
    """What it has taken before is read, also where it has taken a part of a row."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    rows = {f"{i}": (bytes([i]) * (60_000 if i < 4 else size),) for i in range(30)}
    shelf = Shelf(tmp_path, 100_000)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
    try:
        for name, row in rows.items():
            shelf.add(name, row, len(row[0]))
        assert {name: shelf.taken(name) for name in rows} == {name: [row] for name, row in rows.items()}
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

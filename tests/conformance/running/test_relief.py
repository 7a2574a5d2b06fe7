"""What is freed goes back to the machine, and not again at once."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from xent_conformance import __main__ as main
from xent_conformance.cases.case import Ask, Batch
from xent_conformance.reference.formats import BINARY32
from xent_conformance.reference.inputs import Inputs
from xent_conformance.running import columns, relief
from xent_conformance.running.paged import Paged
from xent_conformance.running.pages import Pages

PIECE, MANY = 2**16, 1024


class _Counted(Paged):
    """Counts how often it is told to let go."""

    times, large = 0, True

    def let_go(self) -> None:
        self.times += 1


def test_it_is_not_done_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(relief.time, "monotonic", lambda: now)
    paged = _Counted()
    relieve = relief.Relief(paged)
    for now, times in ((100.0, 1), (100.1, 1), (100.3, 2), (100.5, 2), (101.0, 3)):  # noqa: B007  # by the clock
        relieve()
        assert paged.times == times


def _held(*, of_files: bool = False) -> int:
    """Bytes in memory; of mapped files alone, on which what else the process gives back has no bearing."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[2 if of_files else 1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(
    sys.platform != "linux" or "glibc" not in os.confstr("CS_GNU_LIBC_VERSION"), reason="of glibc"
)
def test_what_lies_between_what_is_held_goes_back() -> None:
    """Of a heap whose end is in use nothing goes back by itself."""
    pieces = [np.ones(PIECE, np.uint8) for _ in range(MANY)]
    pieces = pieces[::16]
    before = _held()
    relief.give_back()
    assert before - _held() > PIECE * MANY // 4 and len(pieces) == MANY // 16


def _looked_at(batches: list[Batch]) -> float:
    return sum(float(b.inputs.logits.sum()) + len(b.cases) for b in batches)


@pytest.mark.skipif(sys.platform != "linux", reason="of Linux")
@pytest.mark.parametrize("gives", [True, False])
def test_what_was_looked_at_goes_back(gives: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And where a file does not let go, it is seen here."""
    if not gives:
        monkeypatch.setattr(Paged, "let_go", lambda self: None)
    row = np.ones((1, PIECE))
    paged = Paged(tmp_path, 0, PIECE)
    inputs = [Inputs("softmax", BINARY32, row * i, np.zeros((1, 0)), row) for i in range(16)]
    found = [paged.batch(Batch("ones", i, (Ask("one", i.logits[0], "1.1"),))) for i in inputs]
    paged.settle()
    _looked_at(found)
    before = _held(of_files=True)
    relief.Relief(paged)()
    gone = before - _held(of_files=True)
    assert gone > PIECE * 8 * 12 if gives else gone < PIECE * 8 * 4
    assert _looked_at(found) == PIECE * sum(range(16)) + 16, "and is there again"


@pytest.mark.skipif(sys.platform != "linux", reason="of Linux")
@pytest.mark.parametrize("gives", [True, False])
@pytest.mark.parametrize("kind", [pl.Float64(), pl.Categorical(), pl.String()])
def test_of_a_column_that_is_put_into_a_file_nothing_stays(
    kind: pl.DataType, gives: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And where its map does not let go, it is seen here."""
    if not gives:
        monkeypatch.setattr(columns, "let_go", lambda page: None)
    many = 2**20
    numbers = pl.Series("some", np.zeros(many), dtype=pl.Float64)
    column = numbers if kind == pl.Float64() else numbers.cast(pl.String).cast(kind)
    columns.filed(column[:9], Pages(tmp_path))  # the library's code is of a file too
    before = _held(of_files=True)
    found = columns.filed(column, Pages(tmp_path))
    grown = _held(of_files=True) - before
    assert grown < 4 * many // 4 if gives else grown > 4 * many // 2
    assert found.equals(column)


def test_what_a_user_has_told_polars_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    name, value = main._POLARS
    monkeypatch.delenv(name, raising=False)
    main.frugal()
    assert os.environ[name] == value
    monkeypatch.setenv(name, "dirty_decay_ms:1000")
    main.frugal()
    assert os.environ[name] == "dirty_decay_ms:1000"


def test_of_a_small_run_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would take longer than the run, in the process of a large program."""
    for name in ("gc", "give_back"):
        monkeypatch.setattr(relief, name, None)
    paged = Paged()
    relief.Relief(paged)()
    relief.give_back_all(paged)
    with pytest.raises(AttributeError):
        relief.give_back_all(_Counted())

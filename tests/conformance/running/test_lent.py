"""Texts that look at memory of others: as long as anybody has them, and no longer."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref

import numpy as np
import polars as pl
import pytest

from xent_conformance.running import lent

LOT = np.frombuffer(b"twelve bytes: and then more than those", np.uint8)


class Memory(np.ndarray):
    """Of which is known when nobody has it."""


def column(lot: np.ndarray = LOT) -> pl.Series:
    views = np.zeros((2, 4), np.uint32)
    views[0] = lot.size, int.from_bytes(lot[:4].tobytes(), sys.byteorder), 0, 0
    views[1, :2] = 2, int.from_bytes(b"ab\0\0", sys.byteorder)
    return lent.texts("name", views.view(np.uint8).reshape(-1), [lot])


def test_a_column_of_texts() -> None:
    found = column()
    assert (found.name, found.dtype, found.null_count()) == ("name", pl.String(), 0)
    assert found.to_list() == [LOT.tobytes().decode(), "ab"]
    assert pl.DataFrame([found]).filter(pl.col("name") == "ab").height == 1


def test_what_it_looks_at_is_kept_while_anybody_looks() -> None:
    lot = LOT.copy().view(Memory)
    known, before = weakref.ref(lot), {*lent._lent}
    found = column(lot)
    del lot
    gc.collect()
    other = found.gather([1, 0, 0])
    del found
    gc.collect()
    assert known() is not None and other.to_list()[1:] == [LOT.tobytes().decode()] * 2
    del other
    gc.collect()
    assert known() is None and before.issuperset(lent._lent)


def test_what_is_not_taken_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise ValueError("no column")

    before = {*lent._lent}
    monkeypatch.setattr(lent.pl, "Series", refuse)
    with pytest.raises(ValueError, match="no column"):
        column()
    assert before.issuperset(lent._lent)


ENDS = """
import builtins, sys
from tests.conformance.running.test_lent import column

class Held:
    pass

held, builtins.held, sys.modules["polars"].held = Held(), column(), column()
held.itself, held.column = held, column()
"""


def test_a_process_ends_with_some() -> None:
    """Whatever of it is taken down first."""
    ended = subprocess.run([sys.executable, "-c", ENDS], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")

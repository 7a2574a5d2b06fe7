"""A file without a name ends with whom it belongs to, and says nothing of a disk that is full."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import pytest

from xent_conformance.running import unnamed as room
from xent_conformance.running.unnamed import unnamed


class _Owner:
    """Somebody."""


def test_it_ends_with_its_owner_and_nobody_finds_it(tmp_path: Path) -> None:
    owner = _Owner()
    file = unnamed(owner, tmp_path)
    file.write(b"some")
    assert not file.closed and list(tmp_path.iterdir()) == []
    del owner
    assert file.closed


def test_a_folder_that_is_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        unnamed(_Owner(), tmp_path / "nowhere")


class _Full(io.BytesIO):
    """What is written last finds no place when the file is closed."""

    def close(self) -> None:
        super().close()
        raise OSError("no space left")


def test_what_a_full_disk_says_in_the_end_is_not_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error there is nobody's: Python prints it with its stack, in the middle of a run's last words."""
    said: list[Any] = []
    monkeypatch.setattr(sys, "excepthook", lambda *told: said.append(told))
    monkeypatch.setattr(room.tempfile, "TemporaryFile", lambda dir: _Full())
    owner = _Owner()
    file = unnamed(owner, None)
    del owner
    assert file.closed and not said

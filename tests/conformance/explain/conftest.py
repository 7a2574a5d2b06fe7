"""What tests of scripts share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.scripts import Remembered
from xent_conformance.explain.script import showing


@pytest.fixture
def remembered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """One worker a framework writes all scripts of a test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    workers = Remembered()
    monkeypatch.setattr(showing, "connect", workers)
    yield
    workers.close()

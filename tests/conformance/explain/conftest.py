"""What tests of scripts share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.workers import Workers


@pytest.fixture
def remembered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lent: Workers) -> None:
    """One worker a framework writes all scripts."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

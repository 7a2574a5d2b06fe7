"""What tests of scripts share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.workers import Workers


@pytest.fixture
def remembered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lent: Workers) -> None:
    """One worker a framework writes all scripts."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Scripts of a framework one after the other: few of its processes wait for more (``MOST_IDLE``)."""
    asking = [i for i, item in enumerate(items) if "remembered" in getattr(item, "fixturenames", ())]
    by_framework = sorted((items[i] for i in asking), key=_framework)
    for i, item in zip(asking, by_framework, strict=True):
        items[i] = item


def _framework(item: pytest.Item) -> str:
    """Of which a test writes scripts; a test that names none is with those of PyTorch, which most are."""
    called = getattr(item, "callspec", None)
    return "torch" if called is None else str(called.params.get("framework", "torch"))

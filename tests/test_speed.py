"""What is measured beside others: the page is a function of it, and what it is compared with can fail."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmarks import by_hand
from benchmarks.page_of_speed import FOUND, PAGE, PARTS, page, sentence

QUICK: Mapping[str, Any] = {
    "by hand": 0.02,
    "sample": 120,
    "told": "60 passed",
    "verdicts": 1000,
    "suite": 0.4,
    "reference": 0.3,
    "workers": 0.6,
}


def _found() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FOUND.read_text(encoding="utf-8"))
    return found


def test_the_page_is_what_was_measured() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(_found()), "run: python -m benchmarks.speed --write"


def test_a_run_of_quick_is_told_by_its_seconds() -> None:
    found = _found()
    found["parts"]["quick"] = {"day": "2026-01-02", "load": 3.5, "found": QUICK}
    told = page(found)
    assert "1.00 ms each, of everything" in told and "20.0 times less" in told
    assert "share is 40 %, and 14 % where truths" in told
    assert "Measured on 2026-01-02, while the machine's load was 3.5." in told
    assert "`quick` of PyTorch costs 1/20 of the same" in sentence(found)


@pytest.mark.parametrize("part", PARTS)
def test_what_was_not_measured_is_said(part: str) -> None:
    found = _found()
    found["parts"].pop(part, None)
    assert f"--part {part} --write` does" in page(found)


def test_what_is_written_by_hand_checks(tmp_path: Path) -> None:
    """A row of it passes; with a softmax that is wrong, the same row fails."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("mpmath")
    row = {"id": "a", "operator": "softmax", "x": [0.5, 1.5], "p": [], "c": [1.0, 0.5]}
    (tmp_path / "rows.json").write_text(json.dumps([row]), encoding="utf-8")
    written: dict[str, Any] = {"__file__": str(tmp_path / "test_rows.py")}
    exec(by_hand.TEST, written)
    written["test_row"](row)
    written["CALLS"]["softmax"] = lambda x, y: torch.softmax(2 * x, -1)
    with pytest.raises(AssertionError):
        written["test_row"](row)

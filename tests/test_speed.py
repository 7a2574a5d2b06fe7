"""What is measured beside others: the page is a function of it, and what it is compared with can fail."""

from __future__ import annotations

import json
import subprocess
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
WHEN: Mapping[str, Any] = {"day": "2026-01-02", "machine": "a machine", "cores": 2}


def _found() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FOUND.read_text(encoding="utf-8"))
    return found


def test_the_page_is_what_was_measured() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(_found()), "run: python -m benchmarks.speed --write"


def test_a_run_of_quick_is_told_by_its_seconds() -> None:
    found = _found()
    found["parts"]["quick"] = {**WHEN, "load": 3.5, "found": QUICK}
    told = page(found)
    assert "1.00 ms each, of everything" in told and "20.0 times less" in told
    assert "share is 40 %, and 14 % where truths" in told
    assert "Measured on 2026-01-02: a machine (2 cores), whose load was 3.5." in told
    assert "`quick` of PyTorch costs 1/20 of the same" in sentence(found)


def test_what_one_waits_for_stands_beside_what_is_asked() -> None:
    found = _found()
    waits = {
        "words": "conformance --help",
        "asked": 0.3,
        "times": 5,
        "least": 0.271,
        "most": 0.31,
        "cores": 0.2,
    }
    first = {**waits, "words": "conformance run", "asked": None, "times": 1}
    found["parts"]["waiting"] = {**WHEN, "load": 0.1, "found": {"help": waits, "a": first}}
    told = page(found)
    assert "| help: `conformance --help` | 5 | 0.27 | 0.31 | 0.3 | 0.2 |" in told
    assert "| a: `conformance run` | 1 | 0.27 | 0.31 |  | 0.2 |" in told


def test_a_command_is_waited_for_as_somebody_has_it(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """None of the variables of who measures; and what does not end well is no measurement."""
    waiting = pytest.importorskip("benchmarks.waiting")
    monkeypatch.setenv("POLARS_MAX_THREADS", "1")
    seen: list[Mapping[str, str]] = []
    run = subprocess.run

    def recorded(words: list[str], **how: Any) -> Any:
        seen.append(how["env"])
        return run(words, **how)

    monkeypatch.setattr(subprocess, "run", recorded)
    monkeypatch.setattr(waiting, "COMMANDS", {"help": waiting.Command(("--help",), 0.3, times=2)})
    (name, found), *rest = waiting.waited()
    assert (name, found["words"], found["times"], rest) == ("help", "conformance --help", 2, [])
    assert 0 < found["least"] <= found["most"] and found["cores"] > 0
    nothing = waiting.Command(("-c", "import sys; sys"), times=1, program="python")
    monkeypatch.setattr(waiting, "COMMANDS", {"nothing": nothing})
    assert [found["words"] for _, found in waiting.waited()] == ["python -c 'import sys; sys'"]
    assert all("POLARS_MAX_THREADS" not in env and env["XDG_CACHE_HOME"] for env in seen)
    monkeypatch.setattr(waiting, "COMMANDS", {"wrong": waiting.Command(("nothing",), times=1)})
    with pytest.raises(subprocess.CalledProcessError):
        list(waiting.waited())
    assert "is no command and no framework" in capfd.readouterr().err


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

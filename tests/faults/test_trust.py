"""What docs/RELIABILITY.md promises, tried at a glance; ``make faults`` tries it all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.trust import adapters, damage
from xent_conformance.reports.run import file


@pytest.mark.skipif(os.name == "nt", reason="the system has no such signals")
def test_nothing_happens_that_must_not() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.trust", "--short"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WRONG" not in done.stdout and "12 kill points" in done.stdout


@pytest.mark.skipif(os.name == "nt", reason="the system has no such signals")
def test_the_campaign_sees_damage_that_is_let_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that takes every digest for right: what it reads is counted."""
    monkeypatch.setattr(file, "digest_of", lambda *given: "right")
    one = damage.Campaign(tmp_path)
    one.run_files(200)
    assert one.found.changed and one.found.told


@pytest.mark.skipif(os.name == "nt", reason="the system has no such signals")
def test_the_campaign_sees_a_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As they were before headers were checked."""
    monkeypatch.setattr(file, "check_header", lambda _: None)
    one = damage.Campaign(tmp_path)
    one.sealed_headers(10)
    assert one.found.tracebacks


def test_the_campaign_sees_another_outcome(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(adapters.EXPECTED, "Raises", (0, {"none"}))
    found = adapters.campaign(tmp_path, ["Raises"])
    assert found.wrong == [f"Raises: {(1, found_symptoms())}, and {(0, {'none'})} is right"]


def found_symptoms() -> set[str]:
    """What is charged to a framework that raises, in the order in which a set prints it."""
    return {"none", "raised"}

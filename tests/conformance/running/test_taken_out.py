"""What holds the evidence together, taken out: each test shows what went wrong before it was there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.by_hand import Install, selection
from tests.support.small_run import run_of, verdict
from xent_conformance.asking.inside import InProcess
from xent_conformance.decision import gate as gates
from xent_conformance.decision.gate import decide
from xent_conformance.discovery.framework import Seat
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.atomic import journal_of
from xent_conformance.reports.run import file
from xent_conformance.reports.run.file import Run, read_run, write_run
from xent_conformance.reports.run.unusable import RunFileError
from xent_conformance.running import journal
from xent_conformance.running.engine import run
from xent_conformance.running.journal import Journal


class Interrupted(Exception):
    """What a test's progress callback raises, as Ctrl-C would."""


def _here(seat: Seat) -> InProcess:
    return InProcess(seat.framework.adapter_class())


def _run(out: Path | None, *, stop: int = 0, resume: bool = False, **asked: Any) -> Run:
    def progress(_: str, done: int, planned: int) -> None:
        if done == stop:
            raise Interrupted

    told = progress if stop else None
    return run(selection(**asked), out, oracle=Oracle(), resume=resume, progress=told, inside=_here)


@pytest.fixture
def interrupted(install: Install, tmp_path: Path) -> Path:
    """A run of what is always wrong, interrupted in its middle, with a bit of its journal flipped."""
    install(fake="AlwaysNan")
    out = tmp_path / "run.parquet"
    with pytest.raises(Interrupted):
        _run(out, stop=3)
    (part,) = journal_of(out).glob("part-*.parquet")
    held = part.read_bytes().replace(b"breaks_must", b"breaks_musu")
    part.write_bytes(held)
    return out


def test_without_digests_the_word_is_refused(interrupted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two nets, one below the other."""
    monkeypatch.setattr(journal, "_fits", lambda path, held: True)
    with pytest.raises(RunFileError, match="has status 'breaks_musu'"):
        _run(interrupted, resume=True)


def test_without_digests_and_closed_words_a_flipped_bit_hides_what_is_broken(
    interrupted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = _run(None)
    monkeypatch.setattr(journal, "_fits", lambda path, held: True)
    monkeypatch.setattr(journal, "strange", lambda *_: "")
    found = _run(interrupted, resume=True)
    assert found.verdicts.filter(status="breaks_musu").height
    broken = [r.verdicts.filter(status="breaks_must").height for r in (whole, found)]
    assert broken[0] > broken[1], "what nobody counts passes"


def test_without_a_look_at_who_answers_two_versions_are_one_table(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Journal, "met", lambda *_: None)
    install(fake="Exact")
    out = tmp_path / "run.parquet"
    with pytest.raises(Interrupted):
        _run(out, stop=2)
    install(fake="NextVersion")
    assert set(_run(out, resume=True).verdicts["version"]) == {"1.0", "2.0"}


def test_without_a_look_for_what_is_there_twice_it_is_counted_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.parquet"
    write_run(path, run_of([verdict(), verdict()]))
    with pytest.raises(RunFileError, match="twice"):
        read_run(path)
    monkeypatch.setattr(file, "_twice", lambda _: None)
    assert read_run(path).verdicts.height == 2


def test_without_counting_answers_of_each_who_answers_nothing_passes_beside_another(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(fake="Exact", other="NoDevices")
    told = run(selection(), None, oracle=Oracle())  # by workers
    assert decide(told, waivers=[]).status != 0
    monkeypatch.setattr(gates, "evidence", lambda run: [])
    assert decide(told, waivers=[]).status == 0

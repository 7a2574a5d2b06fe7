"""Where jobs are few a seat for one mode is left a worker, and the run is that of seats with their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.by_hand import Install
from tests.support.fakes_of_modes import DIES, NOTES
from tests.support.two_crews import two_crews
from xent_conformance.asking.selection import Selection
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.file import Run
from xent_conformance.running.conversation import Answered, Ended, Event, Started
from xent_conformance.running.crew import Crew
from xent_conformance.running.crews import bequeath, in_crews
from xent_conformance.running.engine import run

pytestmark = pytest.mark.usefixtures("forked")

FAKES = "tests.support.fakes_of_modes"
ASKED = {"operators": ("softmax",), "dtypes": ("float32",), "families": ("two_classes", "special_values")}


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where fakes note who was asked. Of seats with their own none helps another, whoever has done first."""
    monkeypatch.setenv(NOTES, str(tmp_path))
    monkeypatch.setattr(Crew, "_joined_by", lambda *_: None)
    return tmp_path


def _run(jobs: int, notes: Path, **names: Any) -> tuple[Run, dict[str, set[str]]]:
    """The run, and of each process the modes that it was asked."""
    for note in notes.iterdir():
        note.unlink()
    found = run(Selection("quick", **ASKED | names), None, oracle=Oracle(), jobs=jobs)
    asked: dict[str, set[str]] = {}
    for note in notes.glob("* *"):
        process, _, mode = note.name.partition(" ")
        asked.setdefault(process, set()).add(mode)
    return found, asked


def _same(a: Run, b: Run) -> None:
    """Verdict for verdict, and in what the header says of whom."""
    assert a.verdicts.equals(b.verdicts) and a.complete is b.complete
    for name in ("planned", "finished", "absent", "distances"):
        assert a.header[name] == b.header[name], name
    assert a.header["workers"]["most"] == b.header["workers"]["most"]


@pytest.mark.parametrize(("fake", "modes"), [("Noted", ["compile"]), ("TwoGlances", ["compile", "export"])])
def test_one_process_answers_for_all(fake: str, modes: list[str], install: Install, notes: Path) -> None:
    install(fake=f"{FAKES}:{fake}")
    own, each = _run(1 + len(modes), notes)
    left, one = _run(1, notes)
    assert sorted(map(sorted, each.values())) == sorted([[mode] for mode in ("eager", *modes)])
    assert list(one.values()) == [{"eager", *modes}]
    _same(own, left)
    assert own.complete and own.header["planned"].keys() == {"fake", *(f"fake {mode}" for mode in modes)}


def test_among_others_who_have_their_own(install: Install, notes: Path) -> None:
    install(fake=f"{FAKES}:Noted", other="OneUlpOff")
    own, each = _run(3, notes)
    left, one = _run(2, notes)
    assert len(each) == 2 and list(one.values()) == [{"eager", "compile"}]
    _same(own, left)


@pytest.mark.parametrize("mode", ["eager", "compile"])
def test_a_process_that_is_lost_is_charged_where_it_was_lost(
    mode: str, install: Install, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And goes on from there."""
    monkeypatch.setenv(DIES, mode)
    install(fake=f"{FAKES}:Dies")
    own, _ = _run(2, notes, families=("two_classes",))
    left, _ = _run(1, notes, families=("two_classes",))
    _same(own, left)
    assert set(left.verdicts.filter(outcome="crashed")["mode"]) == {mode}
    assert left.verdicts.filter(outcome="returned")["mode"].n_unique() == 2 and left.complete


def test_who_is_left_none_has_its_own(install: Install, notes: Path) -> None:
    """The one beside it was lost, and did not come again."""
    install(fake=f"{FAKES}:NeverAgain")
    own, _ = _run(2, notes)
    left, _ = _run(1, notes)
    assert [gap["framework"] for gap in left.header["absent"]] == ["fake"]
    assert set(left.verdicts["mode"]) == {"compile"}
    _same(own, left)


def test_who_is_not_there_is_absent_once(install: Install, notes: Path) -> None:
    install(fake=f"{FAKES}:Gone", other="Exact")
    left, _ = _run(1, notes)
    assert [gap["framework"] for gap in left.header["not_installed"]] == ["fake"] and left.complete


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Crew]]:
    """Of each two batches."""
    for two in two_crews(monkeypatch, 2):
        yield two.crews
        assert two.connections


def _told(events: list[Event]) -> list[tuple[str, str]]:
    return [(type(e).__name__, e.seat) for e in events if isinstance(e, Started | Answered | Ended)]


def test_what_the_reader_sees(small: dict[str, Crew]) -> None:
    """Two seats, one after the other; the first ends with its worker. What it took to import is told once."""
    bequeath(small, few=True)
    events = list(in_crews(small, 1))
    plain, alone = "torch", "torch compile"
    assert [e.hello["import_s"] for e in events if isinstance(e, Started)] == [1.0, 0.0]
    assert _told(events) == [
        ("Started", plain),
        ("Answered", plain),
        ("Answered", plain),
        ("Started", alone),
        ("Answered", alone),
        ("Answered", alone),
        ("Ended", alone),
        ("Ended", plain),
    ]


def test_where_nobody_is_beside_it_it_waits_for_nobody(small: dict[str, Crew]) -> None:
    """A resumed run has nothing left to ask of the one beside it."""
    del small["torch"]
    bequeath(small, few=True)
    assert _told(list(in_crews(small, 1)))[-1] == ("Ended", "torch compile")


@pytest.mark.parametrize("after", range(1, 7))
def test_a_stream_that_is_left_closes_what_it_has(after: int, small: dict[str, Crew]) -> None:
    bequeath(small, few=True)
    _, stream = small["torch"].stream()
    seen = [next(stream) for _ in range(after)]
    stream.close()
    assert len(seen) == after

"""Truths are certified ahead by processes of their own, and by the driver where those are not there."""

from __future__ import annotations

import itertools
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.by_hand import Install, selection
from xent_conformance.asking.answer import Answer
from xent_conformance.cases.case import Batch
from xent_conformance.frameworks.interface import Question
from xent_conformance.reference.cache import read_entry
from xent_conformance.reference.oracle import Oracle
from xent_conformance.running import ahead as certifying
from xent_conformance.running import assistant
from xent_conformance.running.ahead import Ahead, when_ready
from xent_conformance.running.conversation import Absent, Answered, Ended, Event, Idle
from xent_conformance.running.engine import run
from xent_conformance.worker.priority import CERTIFIER

DEAR = 1.0
"""Seconds an element, so that every batch is worth a process."""


def _batches() -> list[Batch]:
    return list(selection(dtypes=("float32", "float64")).batches())


def _answered(batch: Batch, seat: str = "seat") -> Answered:
    return Answered(seat, batch, [Answer(Question("door", batch.operator, "eager", "cpu", ("value",)))])


def test_processes_remember_what_the_driver_would(tmp_path: Path) -> None:
    batches = _batches()
    oracle = Oracle(tmp_path)
    with Ahead(oracle, batches, 2, DEAR) as ahead:
        assert ahead.many == 2
        for _ in itertools.takewhile(lambda _: not all(map(ahead.ready, batches)), itertools.count()):
            threading.Event().wait(0.01)
    for batch in batches:
        path = oracle.path(batch.inputs)
        assert path is not None and read_entry(path) is not None
        ours, theirs = Oracle().truth(batch.inputs), oracle.truth(batch.inputs)
        for name, enclosure in ours.certified.outputs.items():
            assert all(
                (getattr(enclosure, field) == getattr(theirs.enclosure(name), field)).all()
                for field in ("lo", "exponent", "radius")
            )
    assert (oracle.computed, oracle.remembered) == (0, len(batches))


@pytest.mark.skipif(not hasattr(os, "nice"), reason="a system without priorities")
def test_whoever_answers_comes_before_them(tmp_path: Path) -> None:
    ahead = Ahead(Oracle(tmp_path), _batches(), 1, DEAR)
    process = ahead._started(tmp_path)
    assert process is not None
    try:
        process.ask(_batches()[0].inputs)
        assert os.getpriority(os.PRIO_PROCESS, process.process.pid) == min(os.nice(0) + CERTIFIER, 19)
    finally:
        process.end()


def test_a_run_is_the_same_with_them(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(fake="OneUlpOff", other="Exact")
    alone = run(selection(), None, oracle=Oracle())
    oracle = Oracle(tmp_path)
    monkeypatch.setattr(certifying, "PAYS_SECONDS", 1e-9)
    ahead = run(selection(), None, oracle=oracle, jobs=2)
    assert ahead.verdicts.equals(alone.verdicts)
    assert ahead.header["distances"] == alone.header["distances"]


@pytest.mark.parametrize("boot", ["raise SystemExit(1)", "import sys; sys.stdin.buffer.read(1); sys.exit(1)"])
def test_where_processes_die_the_driver_certifies(
    boot: str, install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(fake="Exact")
    oracle = Oracle(tmp_path)
    monkeypatch.setattr(assistant, "_BOOT", boot)
    monkeypatch.setattr(certifying, "PAYS_SECONDS", 1e-9)
    assert run(selection(), None, oracle=oracle, jobs=2).complete
    assert oracle.computed == len(list(selection().batches()))


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="a system that stops no process")
def test_who_says_nothing_for_long_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that the system has stopped answers no more, and does not end either."""
    started: list[assistant.Assistant] = []
    original = assistant.Assistant.started

    def stopped(module: str, *words: str) -> assistant.Assistant | None:
        one = original(module, *words)
        assert one is not None
        started.append(one)
        one.process.send_signal(signal.SIGSTOP)
        return one

    monkeypatch.setattr(assistant.Assistant, "started", stopped)
    monkeypatch.setattr(certifying, "SILENCE", 0.05)
    batches = _batches()
    with Ahead(Oracle(tmp_path), batches, 1, DEAR) as ahead:
        for _ in itertools.takewhile(lambda _: not ahead._begun, itertools.count()):
            threading.Event().wait(0.01)
        waits = [threading.Thread(target=ahead.wait, args=(b.inputs.digest,), daemon=True) for b in batches]
        for each in waits:
            each.start()
        for each in waits:
            each.join(30)
        assert all(map(ahead.ready, batches))
    assert [one.process.wait(60) for one in started] == [-signal.SIGKILL]


def test_where_none_can_be_started_the_driver_certifies(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No traceback of a thread stands beside the run: pytest would tell of one."""
    install(fake="Exact")
    oracle = Oracle(tmp_path / "cache")
    monkeypatch.setattr(assistant, "sys", SimpleNamespace(executable=str(tmp_path / "gone"), path=sys.path))
    monkeypatch.setattr(certifying, "PAYS_SECONDS", 1e-9)
    assert run(selection(), None, oracle=oracle, jobs=2).complete
    assert oracle.computed == len(list(selection().batches()))


@pytest.mark.parametrize(
    ("changes", "many"),
    [({"jobs": 0}, 0), ({"second": 1e-9}, 0), ({"jobs": 1}, 1), ({"jobs": 99}, len(_batches()))],
)
def test_how_many_there_are(changes: dict[str, Any], many: int, tmp_path: Path) -> None:
    given = {"jobs": 3, "second": DEAR} | changes
    assert Ahead(Oracle(tmp_path), _batches(), **given).many == many


def test_without_a_cache_or_with_all_of_it_there_are_none(tmp_path: Path) -> None:
    assert Ahead(Oracle(), _batches(), 2, DEAR).many == 0
    oracle = Oracle(tmp_path)
    for batch in _batches():
        oracle.truth(batch.inputs)
    assert Ahead(oracle, _batches(), 2, DEAR).many == 0


class _At(Ahead):
    """Somebody is at these batches until the test says otherwise."""

    def __init__(self, *begun: Batch) -> None:
        super().__init__(Oracle(), (), 0, DEAR)
        self._begun = {batch.inputs.digest for batch in begun}
        self.waited: list[str] = []

    def done(self, *batches: Batch) -> None:
        for batch in batches:
            self._begun.discard(batch.inputs.digest)
            self._fresh.append(batch.inputs.digest)

    def wait(self, digest: str) -> None:
        self.waited.append(digest)
        self._begun.discard(digest)


def test_an_answer_whose_truth_is_not_there_holds_nobody_up() -> None:
    a, b, c = _batches()[:3]
    ahead = _At(a)

    def events() -> Iterator[Event]:
        yield from (_answered(a), _answered(b), Ended("seat", 1), _answered(c, "other"), Ended("other", 1))
        yield Idle()
        ahead.done(a)
        yield Idle()

    told = [
        (e.batch.id if isinstance(e, Answered) else type(e).__name__, getattr(e, "seat", ""))
        for e in when_ready(events(), ahead)
    ]
    assert told == [
        (b.id, "seat"),
        (c.id, "other"),
        ("Ended", "other"),
        ("Idle", ""),
        ("Idle", ""),
        (a.id, "seat"),
        ("Ended", "seat"),
    ]
    assert ahead.waited == []


def test_at_the_end_what_is_left_is_waited_for() -> None:
    a, b = _batches()[:2]
    ahead = _At(a, b)
    found = list(when_ready([_answered(a), Absent("seat", "gone"), _answered(b, "other")], ahead))
    assert [getattr(e, "seat", "") for e in found] == ["seat", "seat", "other"]
    assert ahead.waited == [a.inputs.digest, b.inputs.digest]


def test_when_much_waits_the_oldest_is_judged_first(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = _batches()[:2]
    ahead = _At(a, b)
    monkeypatch.setattr(certifying, "HELD", 10)
    monkeypatch.setattr(Answered, "size", property(lambda self: 8))
    events = when_ready(iter([_answered(a), _answered(b), Idle()]), ahead)
    first = next(events)
    assert isinstance(first, Answered) and first.batch is a and ahead.waited == [a.inputs.digest]
    assert isinstance(next(events), Idle)

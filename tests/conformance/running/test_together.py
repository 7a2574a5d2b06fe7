"""What several processes say of calls is what the driver would, and where they do not, it does."""

from __future__ import annotations

import itertools
import pickle
import shutil
import sys
import threading
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from tests.support.by_hand import Install, selection
from tests.support.corpus import of_corpus
from tests.support.textbook import batches, broken
from xent_conformance.cases.case import Batch
from xent_conformance.diagnosis import said as saying
from xent_conformance.diagnosis.causes import diagnose, unsaid
from xent_conformance.diagnosis.doors import Piece
from xent_conformance.diagnosis.said import Call, Said
from xent_conformance.diagnosis.sayings import Packed
from xent_conformance.diagnosis.weigh import weighed
from xent_conformance.diagnosis.where import sayings_folder
from xent_conformance.judging.charge import by_what_is_plain
from xent_conformance.reference.cache import default_cache
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.file import Run
from xent_conformance.running import assistant, together
from xent_conformance.running.assistant import Assistant
from xent_conformance.running.assisting import serve
from xent_conformance.running.engine import run
from xent_conformance.running.memory import Kept
from xent_conformance.running.together import large, say_together

BATCHES = batches("log_softmax", "softmax", dtypes=("float32", "float16"))

ALL = 10
"""Calls of theirs that are looked at."""

PLACES = {case.id: (batch, case.row) for batch in BATCHES for case in batch.cases}


@pytest.fixture(scope="module")
def judged() -> pl.DataFrame:
    kept = Kept()
    for part in broken(BATCHES):
        kept.add([], part)
    return by_what_is_plain(kept.verdicts())


@pytest.fixture(scope="module")
def alone(judged: pl.DataFrame) -> Run:
    found = diagnose(Run(judged, ({},)), BATCHES, Said(Oracle(default_cache())))
    assert len(found.causes) > 1
    return found


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[Call]:
    """The calls of which this process computes anything."""
    seen: list[Call] = []
    original = Said._new

    def counted(self: Said, batch: Any, output: str, call: Call, wanted: Any) -> Iterator[Any]:
        seen.append(call)
        return original(self, batch, output, call, wanted)

    monkeypatch.setattr(Said, "_new", counted)
    return seen


@pytest.fixture(autouse=True)
def started(monkeypatch: pytest.MonkeyPatch) -> list[Assistant]:
    """Every call is worth a process; those that were started."""
    seen: list[Assistant] = []
    original = Assistant.started

    def counted(module: str, *words: str) -> Assistant | None:
        if (one := original(module, *words)) is not None:
            seen.append(one)
        return one

    monkeypatch.setattr(Assistant, "started", counted)
    monkeypatch.setattr(together, "CALLS", 1)
    monkeypatch.setattr(together, "FEW", 1)
    return seen


def _said(judged: pl.DataFrame, jobs: int = 2, oracle: Oracle | None = None) -> Said:
    said = Said(oracle or Oracle(default_cache()))
    say_together(unsaid(judged, BATCHES, said), said, jobs)
    return said


def _same(run: Run, alone: Run) -> bool:
    return run.verdicts.equals(alone.verdicts) and run.headers == alone.headers


def test_the_causes_are_those_of_one_process_which_has_nothing_left_to_say(
    judged: pl.DataFrame, alone: Run, started: list[Assistant], computed: list[Call]
) -> None:
    said = _said(judged)
    assert len(started) == 2 and said.anything_new
    assert _same(diagnose(Run(judged, ({},)), BATCHES, said), alone)
    assert not computed
    assert all(one.process.wait(60) is not None for one in started)


def test_lists_have_no_door_in_common_and_every_call_is_in_one(judged: pl.DataFrame) -> None:
    lists = list(unsaid(judged, BATCHES, Said(Oracle())))
    doors = [
        (batch.operator, output, batch.inputs.format.name) for of in lists for batch, output, _ in of[:1]
    ]
    assert len(set(doors)) == len(doors) == 4
    for of, door in zip(lists, doors, strict=True):
        assert {(b.operator, output, b.inputs.format.name) for b, output, _ in of} == {door}
    every = weighed(judged.with_row_index("_id").lazy(), PLACES, Said(Oracle(default_cache())))
    looked_at = [int(i) for of in lists for _, _, call in of for i in call.ids[call.bad]]
    assert sorted(looked_at) == sorted(int(i) for door, _ in every for i in door.ids)


def test_of_what_is_known_no_process_says_anything(
    judged: pl.DataFrame, alone: Run, started: list[Assistant], computed: list[Call]
) -> None:
    said = _said(judged)
    started.clear()
    assert not list(unsaid(judged, BATCHES, said))
    say_together(unsaid(judged, BATCHES, said), said, 2)
    assert not started
    gone = next(iter(said.known))
    del said.known[gone]
    (left,) = unsaid(judged, BATCHES, said)
    say_together([left, left], said, 2)
    assert gone in said.known and len(left) > 1
    assert _same(diagnose(Run(judged, ({},)), BATCHES, said), alone) and not computed


def test_large_batches_are_left_to_the_driver(
    judged: pl.DataFrame, alone: Run, started: list[Assistant], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of 2²⁵ classes are, in ``full``, and of ``quick`` none."""

    def is_large(batch: Batch) -> bool:
        return large([(batch, "value", None)])  # type: ignore[list-item]

    huge = of_corpus("full", families=["saturating_sums"])
    assert huge and all(map(is_large, huge))
    assert not any(map(is_large, of_corpus("quick")))
    monkeypatch.setattr(together, "LARGE", max(b.inputs.logits.size for b in BATCHES) - 1)
    said = _said(judged)
    assert not said.known and not started
    assert _same(diagnose(Run(judged, ({},)), BATCHES, said), alone)


def test_what_stands_behind_a_large_batch_is_given_away(
    judged: pl.DataFrame, started: list[Assistant], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *rest = unsaid(judged, BATCHES, Said(Oracle()))
    monkeypatch.setattr(together, "large", lambda pieces: pieces is first)
    said, looks = Said(Oracle(default_cache())), itertools.count()
    say_together([first, *rest], said, 2, lambda: next(looks) and None)
    assert len(started) == 2 and len(said.known) == sum(map(len, rest))
    assert next(looks) == 1 + len(rest), "something else may be done beside each of them"


def test_what_is_known_is_not_said_again_by_a_process(judged: pl.DataFrame) -> None:
    """It sends back what it has found, and of what it was told beforehand nothing."""
    lists = list(unsaid(judged, BATCHES, Said(Oracle())))
    known = _said(judged).known
    found: list[dict[bytes, Packed]] = []
    process = Assistant.started("xent_conformance.running.sayer", str(default_cache()))
    assert process is not None
    for told in ({}, known):
        found.append(process.ask((lists[0], told)))
    process.end()
    assert found[0] and found[1] == {}


def test_where_no_more_is_remembered_nobody_is_asked_to_say_it(
    judged: pl.DataFrame, started: list[Assistant], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saying, "LARGEST", 0)
    assert not _said(judged).known and not started


@pytest.mark.parametrize("boot", ["raise SystemExit(1)", "import sys; sys.stdin.buffer.read(1); sys.exit(1)"])
def test_where_processes_die_the_driver_says_it(
    boot: str, judged: pl.DataFrame, alone: Run, computed: list[Call], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assistant, "_BOOT", boot)
    said = _said(judged)
    assert not said.known
    assert _same(diagnose(Run(judged, ({},)), BATCHES, said), alone) and computed


def test_what_one_cannot_say_it_leaves_to_the_driver(
    judged: pl.DataFrame, alone: Run, computed: list[Call], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes on with the rest."""

    def spoilt(lists: Iterator[list[Piece]]) -> Iterator[list[Piece]]:
        for i, of in enumerate(lists):
            yield of if i else [(*of[0][:2], None), *of[1:]]  # type: ignore[list-item]

    said = Said(Oracle(default_cache()))
    monkeypatch.setattr(Said, "at", lambda *_: (b"", together.Packed()))
    say_together(spoilt(unsaid(judged, BATCHES, said)), said, 2)
    monkeypatch.undo()
    assert said.known
    assert _same(diagnose(Run(judged, ({},)), BATCHES, said), alone)


def test_where_none_can_be_started_the_driver_says_it(
    judged: pl.DataFrame, alone: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assistant, "sys", SimpleNamespace(executable=str(tmp_path / "gone"), path=sys.path))
    said = _said(judged)
    assert not said.known
    assert _same(diagnose(Run(judged, ({},)), BATCHES, said), alone)


@pytest.mark.parametrize(
    ("jobs", "calls", "many"),
    [
        (0, 1, 0),
        (1, 1, 0),
        (2, 1, 2),
        (3, 1, 3),
        (99, 1, 4),
        (3, 2**20, 0),
        (3, ALL, 0),
        (3, ALL // 2, 2),
        (3, ALL // 2 + 1, 0),
    ],
)
def test_how_many_there_are(
    jobs: int,
    calls: int,
    many: int,
    judged: pl.DataFrame,
    started: list[Assistant],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(together, "CALLS", calls)
    _said(judged, jobs)
    assert len(started) == many


def test_they_help_where_much_is_to_be_said_and_not_where_it_is_little(
    judged: pl.DataFrame, alone: Run, started: list[Assistant], monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(jobs: int, oracle: Oracle) -> Run:
        return together.diagnose_together(Run(judged, ({},)), BATCHES, Said(oracle), jobs, lambda: None)

    assert _same(told(2, Oracle(default_cache())), alone) and len(started) == 2
    started.clear()
    assert _same(told(1, Oracle(default_cache())), alone) and not started
    assert _same(told(2, Oracle()), alone) and not started, "without a cache they would find no truths"
    monkeypatch.setattr(together, "FEW", ALL)
    assert _same(told(2, Oracle(default_cache())), alone) and not started


def test_who_says_nothing_for_long_is_not_waited_for(
    judged: pl.DataFrame, alone: Run, started: list[Assistant], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assistant, "_BOOT", "import sys; sys.stdin.buffer.read()")
    monkeypatch.setattr(together, "SILENCE", 0.5)
    said = _said(judged)
    assert len(started) == 2 and not said.known
    assert all(one.process.wait(60) for one in started)
    assert _same(diagnose(Run(judged, ({},)), BATCHES, said), alone)


def test_who_was_given_nothing_was_not_silent(judged: pl.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking for the next list may take the driver long, and the list takes longer than a look."""
    said = Said(Oracle(default_cache()))
    first, second, third, fourth = unsaid(judged, BATCHES, said)
    told: list[str] = []
    clock = [0.0]
    asked = Assistant.ask

    def slowly(self: Assistant, question: Any) -> Any:
        told.append(threading.current_thread().name)
        threading.Event().wait(3 * together.SLICE)
        return asked(self, question)

    def looked_for() -> Iterator[list[Piece]]:
        yield from (first, second)
        clock[0] += 2 * together.SILENCE
        yield from (third, fourth)

    monkeypatch.setattr(Assistant, "ask", slowly)
    monkeypatch.setattr(together, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    say_together(looked_for(), said, 2)
    assert len(told) == 4 and len(said.known) == ALL


def test_who_looks_for_more_waits_for_them(judged: pl.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists are memory: of many, few are there that nobody has begun."""
    monkeypatch.setattr(together, "WAITING", 1)
    oracle = Oracle(default_cache())
    said, given, most = Said(oracle), 0, 0
    every = [*unsaid(judged, BATCHES, Said(oracle))]
    taken = said.take

    def counted(known: Any) -> None:
        nonlocal given
        given -= 1
        taken(known)

    def looked_at() -> Iterator[list[Piece]]:
        nonlocal given, most
        for of in every * 4:
            given += 1
            most = max(most, given)
            yield of

    monkeypatch.setattr(said, "take", counted)
    say_together(looked_at(), said, 2)
    assert most <= 2 + 2 * 1 + 2, "one that each is at, one that waits for each, one at hand and one told"
    assert given == 0 and len(said.known) == ALL


def test_what_is_not_kept_any_more_is_asked_of_nobody(
    judged: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saying, "LARGEST", 0)
    said = _said(judged)
    assert not said.known and not said.anything_new


def test_an_interrupted_driver_leaves_none_behind(judged: pl.DataFrame, started: list[Assistant]) -> None:
    said = Said(Oracle(default_cache()))

    def interrupt() -> None:
        if started:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        say_together(unsaid(judged, BATCHES, said), said, 2, interrupt)
    assert started and all(one.process.wait(60) is not None for one in started)
    threads = [t for t in threading.enumerate() if t.name.startswith("say-")]
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)


def test_what_is_no_folder_for_python_is_none_for_a_process(
    judged: pl.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path, tmp_path])
    assert _said(judged).known


def test_a_process_that_cannot_answer_says_so_and_goes_on() -> None:
    def answer(question: int) -> float:
        return 1 / question

    source, sink = BytesIO(b"".join(map(pickle.dumps, (2, 0, 4)))), BytesIO()
    serve(answer, source, sink)
    sink.seek(0)
    assert [pickle.load(sink) for _ in range(3)] == [0.5, None, 0.25] and not sink.read()


def test_a_run_is_the_same_with_them(
    install: Install, tmp_path: Path, started: list[Assistant], monkeypatch: pytest.MonkeyPatch
) -> None:
    install(fake="NanOnOverflow", other="FarOff")
    alone = run(selection(), tmp_path / "alone.parquet", oracle=Oracle(tmp_path / "truths"), jobs=1)
    assert not started and alone.causes
    shutil.rmtree(sayings_folder())
    together_ = run(selection(), tmp_path / "two.parquet", oracle=Oracle(tmp_path / "truths"), jobs=2)
    assert started
    assert together_.verdicts.equals(alone.verdicts) and together_.causes == alone.causes

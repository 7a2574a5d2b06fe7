"""What is looked at while a reader waits: the causes are the same, and what was said is not said again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tests.support.textbook import ORACLE, batches, broken, textbook
from xent_conformance.cases.case import Batch
from xent_conformance.diagnosis import said as saying
from xent_conformance.diagnosis.causes import diagnose
from xent_conformance.diagnosis.predict import Name, names
from xent_conformance.diagnosis.said import Call, Said
from xent_conformance.judging.charge import by_what_is_plain
from xent_conformance.reports.run.file import Run
from xent_conformance.running import beforehand
from xent_conformance.running.beforehand import Beforehand
from xent_conformance.running.journal import Journal
from xent_conformance.running.memory import Kept

BATCHES = batches("log_softmax")

Computed = list[tuple[str, Name]]


@pytest.fixture(scope="module")
def parts() -> list[pl.DataFrame]:
    return broken(BATCHES)


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Name]]:
    """The batches of which predictions were computed, with whose they are."""
    seen: list[tuple[str, Name]] = []
    original = saying.predictions

    def counted(right: Any, *others: Any) -> Iterator[Any]:
        for prediction in original(right, *others):
            seen.append((right.truth.inputs.digest, prediction.name))
            yield prediction

    monkeypatch.setattr(saying, "predictions", counted)
    return seen


def _kept(parts: list[pl.DataFrame]) -> Kept:
    kept = Kept()
    for part in parts:
        kept.add([], part)
    return kept


def _end(kept: Kept, said: Said) -> Run:
    return diagnose(Run(by_what_is_plain(kept.verdicts()), ({},)), BATCHES, said)


@pytest.mark.parametrize("seconds", [0.0, 60.0], ids=["a call at a time", "at once"])
def test_the_causes_are_those_of_a_run_that_nobody_looked_at(
    seconds: float,
    parts: list[pl.DataFrame],
    computed: Computed,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(beforehand, "SECONDS", seconds)
    alone = _end(_kept(parts), Said(ORACLE))
    assert alone.causes and computed
    latest = next(b for b in BATCHES if b.inputs.digest == computed[0][0])
    cases = [case.id for case in latest.cases]
    late = [part for part in parts if part["case"].is_in(cases).any()]
    computed.clear()
    kept, said = _kept([part for part in parts if not part["case"].is_in(cases).any()]), Said(ORACLE)
    looks = Beforehand(kept, BATCHES, said)
    for _ in parts:
        looks.look()
    early = set(computed)
    for part in late:
        kept.add([], part)
    computed.clear()
    run = _end(kept, said)
    assert run.verdicts.equals(alone.verdicts) and run.headers == alone.headers
    assert early and not early & set(computed), "what was said is not computed again"
    assert latest.inputs.digest in {digest for digest, _ in computed}, "and what came later is"


def test_it_begins_anew_where_there_is_more_and_rests_where_there_is_not(
    parts: list[pl.DataFrame], computed: Computed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beforehand, "SECONDS", 60.0)
    kept = Kept()
    looks = Beforehand(kept, BATCHES, Said(ORACLE))
    looks.look()
    assert not computed, "nothing is judged yet"
    kept.add([], parts[0])
    looks.look()
    first = len(computed)
    looks.look()
    assert len(computed) == first > 0
    for part in parts[1:]:
        kept.add([], part)
    looks.look()
    assert len(computed) > first


def test_a_journal_on_disk_is_not_read_for_it(tmp_path: Path, computed: Computed) -> None:
    journal = Journal(tmp_path / "run.parquet", {})
    with journal:
        Beforehand(journal, BATCHES, Said(ORACLE)).look()
        journal.remove()
    assert not computed


# --- what is remembered ---


def _call(batch: Batch) -> Call:
    many = len(batch.inputs)
    zeros = np.zeros(many, dtype=np.int64)
    bad = np.ones(many, dtype=np.bool_)
    got = textbook(batch)[:, 0].astype(np.float64)
    return Call(zeros, zeros, np.arange(many), zeros, got, bad, bad)


@pytest.mark.parametrize("column", ["rows", "index", "got", "bad", "severe"])
def test_another_number_place_or_grade_is_another_call(column: str) -> None:
    """A digest that left one of them out would give what was said of other numbers."""
    call = _call(BATCHES[0])
    other = np.array(getattr(call, column))
    other[0] = ~other[0] if other.dtype == np.bool_ else other[0] + 1
    assert replace(call, **{column: other}).key != call.key
    assert replace(call, ids=call.ids + 1, door=call.door + 1).key == call.key, "whoever returned them"


def test_only_what_was_not_wanted_before_is_computed(computed: Computed) -> None:
    batch = next(b for b in BATCHES if np.isinf(textbook(b)).any())  # of which much is said
    call, said = _call(batch), Said(ORACLE)
    due = names(batch.inputs, "value")
    every = Said(ORACLE).of(batch, "value", call, due)
    saying = [s.name for s in every]
    assert len(saying) > 2
    said.remembers = True
    said.of(batch, "value", call, saying[::2])
    said.remembers = False
    for _ in range(2):
        found = said.of(batch, "value", call, due)
        assert [s.name for s in found] == saying
        for ours, theirs in zip(found, every, strict=True):
            assert np.array_equal(ours.met, theirs.met)
            assert np.array_equal(ours.contradicted, theirs.contradicted)
    times = Counter(name for _, name in computed)
    assert {times[name] for name in saying[::2]} == {2}
    assert {times[name] for name in saying[1::2]} == {3}, "it remembers only while it is told to"
    computed.clear()
    said.of(batch, "value", call, saying[::2])
    assert not computed

"""A run of all of ``quick`` makes no corpus and no yardstick that the one before has made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.corpus import as_in_a_run
from xent_conformance.asking.selection import Selection
from xent_conformance.cases import corpus
from xent_conformance.cases.digest import batches_entry, digests_folder
from xent_conformance.judging.remembered import Yardsticks, yardsticks_folder
from xent_conformance.judging.yardstick import Yardstick
from xent_conformance.reference.cache import default_cache
from xent_conformance.reference.oracle import Oracle
from xent_conformance.running.recalled import measuring, recalled

QUICK = Selection(profile="quick", frameworks=("numpy",))


@pytest.fixture(autouse=True)
def made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The operators whose batches were made; an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    as_in_a_run(monkeypatch)
    every: list[str] = []
    original = corpus.drawn_from

    def draw(words: Any, operator: Any, *of: Any) -> Any:
        every.append(operator.name)
        return original(words, operator, *of)

    monkeypatch.setattr(corpus, "drawn_from", draw)
    return every


def _asked(selection: Selection, cache: Path | None) -> list[str]:
    """The ids of what a run asks that is the first of its process."""
    corpus.batches_of.forget()
    with recalled(selection, cache):
        return [batch.id for batch in selection.batches()]


def test_the_second_run_makes_nothing(made: list[str]) -> None:
    first = _asked(QUICK, default_cache())
    assert made
    made.clear()
    assert _asked(QUICK, default_cache()) == first and made == []


def test_a_damaged_entry_is_made_anew(made: list[str]) -> None:
    first = _asked(QUICK, default_cache())
    entry = batches_entry("quick")
    whole = entry.read_bytes()
    entry.write_bytes(whole[:-1])
    made.clear()
    assert _asked(QUICK, default_cache()) == first and made
    assert entry.read_bytes() == whole


@pytest.mark.parametrize(
    ("selection", "cache"),
    [
        (QUICK, False),
        (Selection(profile="quick", frameworks=("numpy",), operators=("softmax",)), True),
        (Selection(profile="standard", frameworks=("numpy",), operators=("softmax",)), True),
    ],
    ids=["without a cache", "less than the profile", "a larger one"],
)
def test_else_nothing_is_read_or_left(selection: Selection, cache: bool, made: list[str]) -> None:
    folder = default_cache() if cache else None
    with recalled(selection, folder):
        assert next(iter(selection.batches()))
    with measuring(selection, folder) as measure:
        batch = next(iter(selection.batches()))
        measure(Oracle().truth(batch.inputs), "value")
    assert measure == Yardstick.of
    assert not digests_folder().exists() and not yardsticks_folder().exists()


def test_what_was_measured_with_is_remembered_when_it_is_over() -> None:
    batch = next(iter(QUICK.batches()))
    for new in (1, 0):
        with measuring(QUICK, default_cache()) as measure:
            measure(Oracle().truth(batch.inputs), "value")
            assert isinstance(measure, Yardsticks) and measure.new == new


def test_an_interrupted_run_leaves_no_yardsticks() -> None:
    batch = next(iter(QUICK.batches()))
    with pytest.raises(KeyboardInterrupt), measuring(QUICK, default_cache()) as measure:
        measure(Oracle().truth(batch.inputs), "value")
        raise KeyboardInterrupt
    assert not yardsticks_folder().exists()

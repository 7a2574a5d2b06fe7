"""A corpus that lies in a file is the same corpus, and what the file has not kept is no other corpus."""

from __future__ import annotations

import mmap
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from tests.support.sick_file import cut_short, flipped, full, on
from xent_conformance.cases.case import Ask, Batch
from xent_conformance.cases.corpus import batches
from xent_conformance.reports.run.unusable import RunFileError
from xent_conformance.running import paged as room
from xent_conformance.running.paged import Paged

ARRAYS = ("logits", "labels", "cotangent", "tangent")
SOME = {"operators": ["sparse_softmax_cross_entropy", "sigmoid_cross_entropy"], "dtypes": ["float32"]}


@pytest.fixture(scope="module")
def corpus() -> list[Batch]:
    return list(batches("quick", **SOME))


def _alike(a: Ask, b: Ask) -> bool:
    """The same in every field, bit for bit."""
    pairs = ((getattr(a, field.name), getattr(b, field.name)) for field in fields(Ask))
    return all(
        x.tobytes() == y.tobytes() and x.shape == y.shape
        if isinstance(x, np.ndarray) and isinstance(y, np.ndarray)
        else type(x) is type(y) and x == y
        for x, y in pairs
    )


def test_what_families_give_in_every_manner_is_asked(corpus: list[Batch]) -> None:
    """Or the next test would not see what a family gave and the batch has anyhow."""
    every = [ask for batch in corpus for ask in batch.asks]
    for name in ("labels", "cotangent", "tangent"):
        assert {getattr(ask, name) is None for ask in every} == {True, False}, name
    assert {ask.unit_cotangent for ask in every} == {True, False}


def _mapped(array: np.ndarray) -> bool:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return isinstance(array.base, mmap.mmap)


@pytest.mark.parametrize(("most", "together"), [(0, 10_000), (0, 10**9), (50_000, 20_000)])
def test_every_batch_is_the_same(most: int, together: int, corpus: list[Batch], tmp_path: Path) -> None:
    paged = Paged(tmp_path, most, together)
    found = [paged.batch(batch) for batch in corpus]
    paged.settle()
    for _ in range(2):
        for mine, batch in zip(found, corpus, strict=True):
            assert (mine.id, mine.manner, mine.cases) == (batch.id, batch.manner, batch.cases)
            assert mine.inputs.digest == batch.inputs.digest
            for name in ARRAYS:
                a, b = getattr(mine.inputs, name), getattr(batch.inputs, name)
                assert a.tobytes() == b.tobytes() and a.shape == b.shape, (batch.id, name)
            for ask, own in zip(mine.asks, batch.asks, strict=True):
                assert _alike(ask, own), (batch.id, ask.variant)
        paged.let_go()
    assert list(tmp_path.iterdir()) == [], "a file that somebody finds"


def test_no_more_is_in_memory_than_may_be(corpus: list[Batch], tmp_path: Path) -> None:
    """And the corpus keeps its own, which another run asks."""
    most, together = 50_000, 20_000
    paged = Paged(tmp_path, most, together)
    found = [paged.batch(batch) for batch in corpus]
    here = sum(b.nbytes for b in found if not _mapped(b.inputs.logits))
    assert here <= most + together < sum(b.nbytes for b in corpus) / 4
    paged.settle()
    moved = [b for b in found if _mapped(b.inputs.logits)]
    assert moved and all(_mapped(ask.logits) for b in moved for ask in b.asks if ask.logits.size)
    assert not any(_mapped(batch.inputs.logits) for batch in corpus)


def test_what_was_looked_at_is_let_go(corpus: list[Batch], tmp_path: Path) -> None:
    """Labels that are indices, written out, are as large as the logits; cases are more than most arrays."""
    paged = Paged(tmp_path, 0, 1)
    batch = paged.batch(
        next(b for b in corpus if b.id == "sparse_softmax_cross_entropy/ordinary/float32/n10")
    )
    dense, cases, asks = batch.inputs.dense_labels, batch.cases, batch.asks
    assert batch.inputs.dense_labels is dense and batch.cases is cases and batch.asks is asks
    assert batch.clauses_of("value") and {"cases", "asks", "_clauses"} <= set(vars(batch))
    paged.let_go()
    assert not {"cases", "asks", "_clauses"} & set(vars(batch)), "they are held on"
    assert batch.inputs.dense_labels is not dense and np.array_equal(batch.inputs.dense_labels, dense)
    assert batch.cases is not cases and batch.cases == cases and batch.asks is not asks


def test_a_disk_that_takes_nothing_leaves_them_where_they_are(corpus: list[Batch], tmp_path: Path) -> None:
    paged = Paged(tmp_path / "nowhere", 0, 1)
    found = [paged.batch(batch) for batch in corpus]
    paged.let_go()
    assert [b.inputs.digest for b in found] == [b.inputs.digest for b in corpus]


@pytest.mark.parametrize("change", [flipped, cut_short])
def test_arrays_that_come_back_as_others_are_refused(
    change: Callable[[bytes], bytes], corpus: list[Batch], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A number that changed, and an end that is missing: everything behind it would be another's."""
    on(monkeypatch, change)
    with pytest.raises(RunFileError, match=r"the logits of \S+ .* comes back .*--resume") as refused:
        [Paged(tmp_path, 0, 1).batch(batch) for batch in corpus[:3]]
    assert corpus[0].id in str(refused.value)


@pytest.mark.parametrize("change", [flipped, cut_short])
@pytest.mark.parametrize("look", ["cases", "asks"])
def test_words_that_come_back_as_others_are_refused(
    look: str,
    change: Callable[[bytes], bytes],
    corpus: list[Batch],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on(monkeypatch, change, corpus[0].nbytes)
    batch = Paged(tmp_path, 0, 1).batch(corpus[0])
    assert batch.inputs.digest == corpus[0].inputs.digest, "its arrays are well"
    with pytest.raises(RunFileError, match=r"what \S+ asks .* comes back .*--resume"):
        getattr(batch, look)


def test_what_another_batch_asks_is_refused(corpus: list[Batch], tmp_path: Path) -> None:
    """Whole words, and of somebody else."""
    paged = Paged(tmp_path, 0, 1)
    one, other = (paged.batch(batch) for batch in corpus[:2])
    assert isinstance(one, room._Mine) and isinstance(other, room._Mine)
    one.page, other.page = other.page, one.page
    for batch in (one, other):
        with pytest.raises(RunFileError, match=f"what {batch.id} asks"):
            _ = batch.cases


@pytest.mark.parametrize("well", [0, 100_000])
def test_where_a_disk_fills_up_the_rest_stays(
    well: int, corpus: list[Batch], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(monkeypatch, full, well)
    paged = Paged(tmp_path, 0, 50_000)
    found = [paged.batch(batch) for batch in corpus]
    paged.settle()
    paged.let_go()
    assert {_mapped(b.inputs.logits) for b in found} == {False, well > 0}
    for mine, batch in zip(found, corpus, strict=True):
        assert mine.inputs.digest == batch.inputs.digest and mine.cases == batch.cases
        assert all(map(_alike, mine.asks, batch.asks))

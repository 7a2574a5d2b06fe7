"""A corpus whose arrays lie in a file is the same corpus."""

from __future__ import annotations

import mmap
from pathlib import Path

import numpy as np
import pytest

from xent_conformance.cases.case import Batch
from xent_conformance.cases.corpus import batches
from xent_conformance.running.paged import Paged

ARRAYS = ("logits", "labels", "cotangent", "tangent")
SOME = {"operators": ["sparse_softmax_cross_entropy", "sigmoid_cross_entropy"], "dtypes": ["float32"]}


@pytest.fixture(scope="module")
def corpus() -> list[Batch]:
    return list(batches("quick", **SOME))


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
                assert ask.variant == own.variant and np.array_equal(ask.logits, own.logits, equal_nan=True)
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


def test_what_is_made_of_arrays_goes_with_them(corpus: list[Batch], tmp_path: Path) -> None:
    """Labels that are indices, written out, are as large as the logits."""
    paged = Paged(tmp_path, 0, 1)
    batch = paged.batch(
        next(b for b in corpus if b.id == "sparse_softmax_cross_entropy/ordinary/float32/n10")
    )
    dense = batch.inputs.dense_labels
    assert batch.inputs.dense_labels is dense
    paged.let_go()
    assert batch.inputs.dense_labels is not dense and np.array_equal(batch.inputs.dense_labels, dense)


def test_a_disk_that_takes_nothing_leaves_them_where_they_are(corpus: list[Batch], tmp_path: Path) -> None:
    paged = Paged(tmp_path / "nowhere", 0, 1)
    found = [paged.batch(batch) for batch in corpus]
    paged.let_go()
    assert [b.inputs.digest for b in found] == [b.inputs.digest for b in corpus]

"""The corpus that is remembered is the corpus, bit for bit, and what does not fit is made anew."""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from tests.support.corpus import as_in_a_run
from tests.support.entries import DAMAGES
from xent_conformance.cases import remembered
from xent_conformance.cases.case import Ask, Batch
from xent_conformance.cases.corpus import batches, digest_of
from xent_conformance.cases.recent import Recent
from xent_conformance.cases.remembered import REMEMBERED, recall, remember
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.kept import keep
from xent_conformance.reference.kept import kept as kept_at

OTHERS = [b"", b"3", b"[1]\n12345678", b'[["gone", "ordinary", "float32", 3, [{}]]]\n']
"""What no entry of ours is, behind a checksum that fits."""

SOME = {"operators": ["sparse_softmax_cross_entropy"], "families_": ["ordinary", "attributes"]}


Kept = Recent[tuple[Batch, ...]]


@pytest.fixture(autouse=True)
def kept(monkeypatch: pytest.MonkeyPatch) -> Kept:
    return as_in_a_run(monkeypatch)


def _alike(x: object, y: object) -> bool:
    """The same, of arrays every bit."""
    if isinstance(x, np.ndarray) and isinstance(y, np.ndarray):
        return (x.dtype, x.shape, x.tobytes()) == (y.dtype, y.shape, y.tobytes())
    return type(x) is type(y) and x == y


def _is_remembered(batch: Batch) -> bool:
    return isinstance(batch, remembered._Remembered)


def test_every_batch_is_the_one_that_was_made(kept: Kept, tmp_path: Path) -> None:
    entry = tmp_path / "quick.batches"
    made = list(batches(REMEMBERED))
    remember(entry, made)
    kept.forget()
    assert recall(entry)
    found = list(batches(REMEMBERED))
    assert all(map(_is_remembered, found)) and not any(map(_is_remembered, made))
    for one, other in zip(found, made, strict=True):
        for name in ("id", "family", "operator", "form", "outside", "stacked", "mixed", "manner", "cases"):
            assert _alike(getattr(one, name), getattr(other, name)), (other.id, name)
        assert one.inputs.digest == other.inputs.digest
        assert one.inputs.row_digests == other.inputs.row_digests
        for field in fields(Inputs):
            name = field.name
            assert _alike(getattr(one.inputs, name), getattr(other.inputs, name)), (other.id, name)
        for ask, own in zip(one.asks, other.asks, strict=True):
            for field in fields(Ask):
                assert _alike(getattr(ask, field.name), getattr(own, field.name)), (other.id, field.name)
    assert digest_of(found) == digest_of(made)


def _entry(kept: Kept, tmp_path: Path) -> Path:
    entry = tmp_path / "quick.batches"
    remember(entry, batches(REMEMBERED, **SOME))
    kept.forget()
    return entry


def test_what_an_entry_has_not_is_made(kept: Kept, tmp_path: Path) -> None:
    assert recall(_entry(kept, tmp_path))
    assert all(map(_is_remembered, batches(REMEMBERED, **SOME)))
    others = list(batches(REMEMBERED, operators=["softmax"], families_=["ordinary"]))
    assert others and not any(map(_is_remembered, others))


def test_its_numbers_may_be_written_to_as_those_that_are_made(kept: Kept, tmp_path: Path) -> None:
    made = next(batches(REMEMBERED, **SOME)).inputs
    recall(_entry(kept, tmp_path))
    found = next(batches(REMEMBERED, **SOME)).inputs
    for name in ("logits", "labels", "cotangent", "tangent"):
        assert getattr(found, name).flags.writeable == getattr(made, name).flags.writeable, name


@pytest.mark.parametrize("damage", [*DAMAGES, "renamed", "gone"])
def test_what_does_not_fit_is_none(damage: str, kept: Kept, tmp_path: Path) -> None:
    entry = _entry(kept, tmp_path)
    if damage in DAMAGES:
        DAMAGES[damage](entry)
    elif damage == "renamed":
        entry = entry.rename(tmp_path / "standard.batches")
    else:
        entry.unlink()
    assert not recall(entry)
    assert not any(map(_is_remembered, batches(REMEMBERED, **SOME)))


@pytest.mark.parametrize("content", OTHERS)
def test_what_another_has_written_whole_is_none(content: bytes, tmp_path: Path) -> None:
    keep(tmp_path / "quick.batches", content)
    assert not recall(tmp_path / "quick.batches")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no such files here")
def test_what_has_no_end_is_not_read(tmp_path: Path) -> None:
    """A pipe would be waited for."""
    entry = tmp_path / "quick.batches"
    os.mkfifo(entry)
    assert kept_at(entry) is None and not recall(entry)


def test_where_nothing_can_be_written_nothing_is_remembered(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("a file", encoding="utf-8")
    remember(tmp_path / "folder" / "quick.batches", batches(REMEMBERED, **SOME))
    assert not recall(tmp_path / "folder" / "quick.batches")

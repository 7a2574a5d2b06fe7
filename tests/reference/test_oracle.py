"""The cache remembers by content, and a damaged entry is recomputed: never trusted, never an error."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from xent_conformance.reference.attributes import Attributes
from xent_conformance.reference.bounds import table
from xent_conformance.reference.formats import BINARY32, FORMATS
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.oracle import Oracle, Truth


def inputs(*, bump: float = 0.0, fmt: str = "float32") -> Inputs:
    x = np.array([[1.0, 2.0, 3.0 + bump], [0.5, -8.0, 90.0]])
    return Inputs("softmax_cross_entropy", FORMATS[fmt], x, np.eye(3)[:2], np.array([[1.0], [-0.5]]))


def assert_same(a: Truth, b: Truth) -> None:
    assert set(a.certified.outputs) == set(b.certified.outputs)
    for output in a.certified.outputs:
        for field in ("hi", "lo", "radius", "exponent"):
            x, y = getattr(a.enclosure(output), field), getattr(b.enclosure(output), field)
            assert x.dtype == y.dtype
            np.testing.assert_array_equal(x, y)
        for tier in ("accurate", "stable", "flush"):
            np.testing.assert_array_equal(getattr(a.bound(output), tier), getattr(b.bound(output), tier))
    np.testing.assert_array_equal(a.certified.undecided, b.certified.undecided)


def entry(cache: Path) -> Path:
    (path,) = [p for p in cache.rglob("*") if p.is_file()]
    return path


def test_the_second_call_is_remembered(tmp_path: Path) -> None:
    oracle = Oracle(tmp_path)
    first = oracle.truth(inputs())
    second = oracle.truth(inputs())
    assert (oracle.computed, oracle.remembered) == (1, 1)
    assert_same(first, second)
    another = Oracle(tmp_path)
    assert_same(first, another.truth(inputs()))
    assert (another.computed, another.remembered) == (0, 1)


@pytest.mark.parametrize("shared", [table.SHARED, 0], ids=["shared", "made_anew"])
@pytest.mark.parametrize("grouped", [False, True], ids=["rows", "groups"])
def test_a_bound_is_the_same_whichever_was_asked_before(
    grouped: bool, shared: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the bounds of a batch are made of is made once for all outputs, of a large batch for each."""
    monkeypatch.setattr(table, "SHARED", shared)
    plain = inputs()
    labels, cotangent = np.tile(plain.labels, 2), plain.cotangent
    attributes = Attributes(examples=2, reduction="mean")
    grouped_ = Inputs(plain.operator, plain.format, np.tile(plain.logits, 2), labels, cotangent, attributes)
    asked = grouped_ if grouped else plain
    apart = {o: Oracle().truth(asked).bound(o) for o in asked.outputs}
    truth = Oracle().truth(asked)
    for output in (*asked.outputs, *reversed(asked.outputs)):
        for tier in ("accurate", "stable", "flush"):
            np.testing.assert_array_equal(getattr(truth.bound(output), tier), getattr(apart[output], tier))


def test_without_a_cache_nothing_is_remembered() -> None:
    oracle = Oracle()
    assert_same(oracle.truth(inputs()), oracle.truth(inputs()))
    assert (oracle.computed, oracle.remembered) == (2, 0)


@pytest.mark.parametrize(
    "damage", ["empty", "torn", "header_only", "garbage", "bit_in_body", "bit_in_checksum"]
)
def test_a_damaged_entry_is_recomputed(tmp_path: Path, damage: str) -> None:
    first = Oracle(tmp_path).truth(inputs())
    path = entry(tmp_path)
    blob = bytearray(path.read_bytes())
    flipped = bytearray(blob)
    flipped[len(blob) // 2 if damage == "bit_in_body" else 5] ^= 0x10
    path.write_bytes(
        {
            "empty": b"",
            "torn": blob[: len(blob) // 2],
            "header_only": blob[:32],
            "garbage": b"not an archive at all, and longer than a checksum",
        }.get(damage, flipped)
    )
    oracle = Oracle(tmp_path)
    assert_same(first, oracle.truth(inputs()))
    assert (oracle.computed, oracle.remembered) == (1, 0)
    assert path.read_bytes() == bytes(blob), "the entry is good again"


def test_every_flipped_byte_is_noticed(tmp_path: Path) -> None:
    """Not one byte of an entry is free to change: a sample over its whole length."""
    Oracle(tmp_path).truth(inputs())
    path = entry(tmp_path)
    blob = path.read_bytes()
    oracle = Oracle(tmp_path)
    places = range(0, len(blob), max(1, len(blob) // 60))
    for place in places:
        changed = bytearray(blob)
        changed[place] ^= 1
        path.write_bytes(changed)
        oracle.truth(inputs())
    assert (oracle.computed, oracle.remembered) == (len(places), 0)


def relabelled() -> Inputs:
    base = inputs()
    return Inputs(base.operator, base.format, base.logits, base.labels[::-1].copy(), base.cotangent)


@pytest.mark.parametrize(
    "other",
    [inputs(bump=2.0**-21), inputs(fmt="float64"), relabelled()],
    ids=["one_bit_of_a_logit", "format", "labels"],
)
def test_other_content_is_another_entry(tmp_path: Path, other: Inputs) -> None:
    oracle = Oracle(tmp_path)
    oracle.truth(inputs())
    oracle.truth(other)
    assert (oracle.computed, oracle.remembered) == (2, 0)
    assert len([p for p in tmp_path.rglob("*") if p.is_file()]) == 2


def test_the_entry_of_other_inputs_is_not_believed(tmp_path: Path) -> None:
    """A sound file under the wrong name holds the truth about something else."""
    oracle = Oracle(tmp_path)
    oracle.truth(inputs())
    path = entry(tmp_path)
    wanted = oracle.path(inputs(bump=1.0))
    assert wanted is not None
    wanted.write_bytes(path.read_bytes())
    assert_same(oracle.truth(inputs(bump=1.0)), Oracle().truth(inputs(bump=1.0)))


def test_an_unusual_ladder_is_never_cached(tmp_path: Path) -> None:
    """A truth from fewer bits must not be remembered as the truth."""
    Oracle(tmp_path, precisions=(128,)).truth(inputs())
    assert not list(tmp_path.rglob("*"))


def test_no_temporary_file_is_left(tmp_path: Path) -> None:
    Oracle(tmp_path).truth(inputs())
    assert entry(tmp_path).suffix == ".truth"


def test_inputs_of_another_format_are_refused() -> None:
    x = np.array([[0.1, 0.2]])
    with pytest.raises(ValueError, match="logits holds a number that float32 does not have"):
        Inputs("softmax", BINARY32, x, np.zeros((1, 0)), np.ones((1, 2)))
    with pytest.raises(ValueError, match=r"labels has shape \(1, 1\), needs \(1, 2\)"):
        Inputs("softmax_cross_entropy", BINARY32, np.zeros((1, 2)), np.zeros((1, 1)), np.ones((1, 1)))

"""What the docstrings of ``offsets``, ``near_ties`` and other later families promise."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from tests.support.corpus import of_corpus
from xent_conformance.cases.corpus import batch, batches_of, compiled_at_once, compiled_in_quick, families
from xent_conformance.cases.families.composites import EACH, MORE
from xent_conformance.cases.families.every_half import every_number
from xent_conformance.reference.formats import BFLOAT16, BINARY16, BINARY32, BINARY64, FORMATS, Format
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.reference.oracle import Oracle

SOFTMAX, SPARSE = OPERATORS["softmax"], OPERATORS["sparse_softmax_cross_entropy"]


@pytest.mark.parametrize("fmt", FORMATS.values(), ids=list(FORMATS))
def test_offsets_are_added_exactly(fmt: Format) -> None:
    """Taking the offset off again, in the format, gives whole steps: nothing was rounded."""
    asked = batch(SOFTMAX, families()["offsets"], fmt, 10)
    moved = [row for row, ask in zip(asked.inputs.logits, asked.asks, strict=True) if np.ptp(row) > 0]
    assert len(moved) >= 12
    for row in moved:
        exact = [Fraction(v) - Fraction(row[0]) for v in row.tolist()]
        assert all(d.denominator == 1 for d in exact)
        assert [float(d) for d in exact] == fmt.nearest(row - row[0]).tolist()


def test_offsets_reach_where_the_logarithm_is_lost() -> None:
    """``[1e8, 1e8]``: ``max + log 2`` is ``max`` in binary32, and the loss is still log 2."""
    asked = batch(SPARSE, families()["offsets"], BINARY32, 2)
    rows = [i for i, ask in enumerate(asked.asks) if ask.variant == "everyday"]
    assert asked.inputs.logits[rows[0]].tolist() == [1e8, 1e8]
    assert np.float32(1e8) + np.float32(np.log(2)) == np.float32(1e8)
    value = Oracle().truth(asked.inputs).enclosure("value").approximate()[rows, 0]
    assert value == pytest.approx(np.log(2), rel=1e-15)


@pytest.mark.parametrize("fmt", FORMATS.values(), ids=list(FORMATS))
def test_near_ties_are_neighbours(fmt: Format) -> None:
    asked = batch(SOFTMAX, families()["near_ties"], fmt, 10)
    for row, ask in zip(asked.inputs.logits, asked.asks, strict=True):
        if ask.variant in ("ladder", "shuffled"):
            inner = np.sort(np.abs(row))
            assert np.all(np.diff(inner) == fmt.ulp(inner[0]))


def inexact(row: np.ndarray, fmt: Format) -> int:
    """How many differences from the largest need more digits than the format has."""
    exact = [(Fraction(row.max()) - Fraction(v)).numerator for v in row.tolist()]
    return sum((n // (n & -n)).bit_length() > fmt.precision for n in exact if n)


@pytest.mark.parametrize("fmt", FORMATS.values(), ids=list(FORMATS))
def test_inexact_differences_are_rounded_by_whoever_shifts(fmt: Format) -> None:
    """Nine of ten in the format; of 16-bit logits many in binary32 too, where most kernels shift."""
    asked = batch(SOFTMAX, families()["inexact_differences"], fmt, 64)
    rows = list(zip(asked.inputs.logits, asked.asks, strict=True))
    plain = [row for row, ask in rows if ask.variant != "ties"]
    assert len(plain) == 12
    counts = [inexact(row, fmt) for row in plain]
    assert min(counts) >= 48 and sum(counts) >= 0.9 * 64 * len(plain)
    if fmt.precision < 24:
        assert sum(inexact(row, BINARY32) for row in plain) >= 0.1 * 64 * len(plain)
    drawn = batch(SOFTMAX, families()["ordinary"], fmt, 10).inputs.logits
    assert fmt.precision in (24, 53) or sum(inexact(row, BINARY32) for row in drawn) == 0


def test_inexact_differences_of_binary64_are_exact_nowhere_else() -> None:
    """Bell-shaped rows have 40 bits after the point, so the families before it never rounded one."""
    drawn = batch(SOFTMAX, families()["ordinary"], BINARY64, 10).inputs.logits
    assert sum(inexact(row, BINARY64) for row in drawn) == 0


@pytest.mark.parametrize("fmt", FORMATS.values(), ids=list(FORMATS))
def test_ties_share_the_probability(fmt: Format) -> None:
    """Their reciprocals are rounded; the other classes are so far below that they count for nothing."""
    asked = batch(SOFTMAX, families()["inexact_differences"], fmt, 64)
    tied = [i for i, ask in enumerate(asked.asks) if ask.variant == "ties"]
    shared = Oracle().truth(asked.inputs).enclosure("value").approximate()
    for i in tied:
        row = asked.inputs.logits[i]
        count = int((row == row.max()).sum())
        assert shared[i].max() == pytest.approx(1 / count, rel=1e-6)
        assert fmt.nearest(np.array(1 / count)) != 1 / count or fmt is BINARY64
        assert (asked.inputs.cotangent[i] == 1).all()


@pytest.mark.parametrize("fmt", [BINARY16, BFLOAT16], ids=lambda f: f.name)
def test_some_index_is_beyond_what_the_format_counts(fmt: Format) -> None:
    """Rounded through the format it would be another class, and another loss by more than the bound."""
    lost = 0
    for n in (1000, 50257):
        asked = batches_of(SPARSE, families()["index_labels"], fmt, n)[0]
        labels = asked.inputs.labels[:, 0]
        assert labels.max() == n - 1
        lost += int((fmt.nearest(labels) != labels).sum())
    assert lost >= 3


def test_first_and_last_class_are_asked() -> None:
    asked = batch(SPARSE, families()["index_labels"], BINARY32, 10)
    assert {0.0, 9.0} <= set(asked.inputs.labels[:, 0].tolist())


@pytest.mark.parametrize("fmt", [BINARY16, BFLOAT16], ids=lambda f: f.name)
def test_every_half_is_every_finite_number(fmt: Format) -> None:
    numbers = every_number(fmt)
    infinite_and_nan = 2 * 2 ** (fmt.precision - 1)
    assert len(numbers) == 2**16 - infinite_and_nan
    asked = batch(OPERATORS["sigmoid"], families()["every_half"], fmt, 1024).inputs.logits
    assert set(asked.ravel().tolist()) == set(numbers.tolist())


def test_every_half_asks_no_other_format() -> None:
    assert families()["every_half"].formats == ("float16", "bfloat16")


def test_quick_asks_all_of_binary16_of_the_sigmoid_and_no_compiler() -> None:
    found = of_corpus("quick", families=["every_half"])
    assert {(b.operator, b.inputs.format.name) for b in found} == {("sigmoid", "float16")}
    assert {len(np.unique(b.inputs.logits)) for b in found} == {2 * 31 * 2**10 - 1}, "zero has two signs"
    assert not compiled_at_once("sigmoid", "every_half", "float16", 1024)
    assert compiled_at_once("sigmoid", "every_half", "bfloat16", 1024), "nobody is asked it later than before"


@pytest.mark.parametrize("name", OPERATORS)
def test_quick_has_composites_compiled_of_few_and_standard_of_all(name: str) -> None:
    """Its four: what each of the others has before it and after it is seen through one of them."""
    few = {"softmax", "sparse_softmax_cross_entropy", "sigmoid_cross_entropy", "logsumexp"}
    assert compiled_in_quick(name, "composites", "float32", EACH) == (name in few)
    assert all(compiled_at_once(name, "composites", "float32", n) for n in (EACH, MORE))

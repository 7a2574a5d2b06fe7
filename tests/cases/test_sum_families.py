"""``long_sums``, ``saturating_sums``, ``vocabularies``, ``widths``: how many classes are summed over."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.corpus import of_corpus
from tests.support.family_rows import EVERY, WIDELY
from xent_conformance.cases.case import Batch
from xent_conformance.cases.corpus import batches_of, families
from xent_conformance.cases.families.widths import AROUND
from xent_conformance.reference.formats import BFLOAT16, BINARY16, BINARY32, Format
from xent_conformance.reference.operators import OPERATORS, Operator
from xent_conformance.reference.oracle import Oracle

EACH = pytest.mark.parametrize("operator", WIDELY, ids=lambda o: o.name)
SUMS = ("softmax", "log_softmax", "logsumexp", "sparse_softmax_cross_entropy")


def of_family(family: str, profile: str = "full") -> list[Batch]:
    return of_corpus(profile, families=[family])


# --- long and saturating sums -----------------------------------------------------------------------


def test_a_16_bit_sum_cannot_hold_long_sums() -> None:
    found = of_family("long_sums", "quick")
    assert {b.operator for b in found} == set(SUMS)
    assert {b.inputs.format.name for b in found} == {"float16", "bfloat16"}
    for b in found:
        assert b.inputs.classes == 2 * b.inputs.copies == 2**17
        assert b.inputs.classes > BINARY16.largest
        assert np.float32(2.0**8) + np.float32(1) != 2.0**8 and BFLOAT16.nearest(np.array(257.0)) == 256.0
        assert {c.clause for c in b.cases} == {"2.6"}
        assert b.inputs.outputs == ("value",)


@pytest.mark.parametrize("fmt", [BINARY16, BFLOAT16], ids=lambda f: f.name)
@pytest.mark.parametrize("operator", SUMS)
def test_results_of_long_sums_are_ordinary_numbers(operator: str, fmt: Format) -> None:
    """Finite, and nowhere near the end of the range: only the sum on the way is too large."""
    for b in batches_of(OPERATORS[operator], families()["long_sums"], fmt, 2):
        value = Oracle().truth(b.inputs).enclosure("value").round_to(fmt)
        assert np.isfinite(value).all()
        assert np.abs(value).max() < 100
        assert (value != 0).all()


def test_long_sums_ask_both_classes() -> None:
    (b,) = batches_of(OPERATORS[SUMS[3]], families()["long_sums"], BINARY16, 2)
    assert {(a.variant, float(y)) for a, (y,) in zip(b.asks, b.inputs.labels, strict=True)} == {
        (v, y) for v in ("equal", "two_levels", "offset") for y in (0.0, 1.0)
    }


def test_saturating_sums_are_full_alone() -> None:
    assert of_family("saturating_sums", "quick") == of_family("saturating_sums", "standard") == []
    found = of_family("saturating_sums")
    assert {b.operator for b in found} == set(SUMS)
    for b in found:
        assert b.inputs.format is BINARY32 and b.inputs.classes >= 2**25
        ones = np.float32(2.0**24)
        assert ones + np.float32(1) == ones, "where a sum of ones stops"
    forms = {b.asks[0].variant: b.form for b in found}
    assert set(forms) == {"last_axis", "first_axis", "beyond_2_24"}
    assert forms["first_axis"].class_axis == 0 and not forms["first_axis"].class_axis_is_last


# --- vocabularies -------------------------------------------------------------------------------------


def test_vocabularies() -> None:
    assert of_family("vocabularies", "quick") == []
    assert {b.inputs.n for b in of_family("vocabularies", "standard")} == {32_000}
    for b in of_family("vocabularies"):
        assert b.operator in SUMS
        (case,) = b.cases
        assert case.clause == ("6.3" if b.operator == SUMS[3] else "1.1")
        if b.operator == SUMS[3]:
            assert b.inputs.labels.tolist() == [[b.inputs.n - 1.0]]
            assert BFLOAT16.nearest(b.inputs.labels) != b.inputs.labels, "no 16-bit format counts so far"


# --- widths ---------------------------------------------------------------------------------------------


def test_widths_lie_around_the_lengths_of_vectors_and_blocks() -> None:
    lengths = families()["widths"].lengths
    every = set(lengths(OPERATORS["softmax"], "full"))
    for width in AROUND:
        assert {width - 1, width, width + 1} <= every
    for vector in (4, 8, 16, 32, 64):
        assert {n % vector for n in every} >= {0, 1, vector - 1}, "no tail, the shortest and the longest"
    for operator in WIDELY:
        quick, standard = (set(lengths(operator, p)) for p in ("quick", "standard"))
        assert quick < standard < every
        assert all(n % 8 for n in standard), "what few are asked have a tail"


@EVERY
@EACH
def test_rows_of_widths(operator: Operator, fmt: Format) -> None:
    (b,) = batches_of(operator, families()["widths"], fmt, 33)
    rows = {v: b.inputs.logits[[a.variant == v for a in b.asks]] for v in {a.variant for a in b.asks}}
    clauses = {a.variant: a.clause for a in b.asks}
    assert clauses["ordinary"] == "1.1"
    if operator.within_unit and not operator.elementwise:
        assert (rows["ordinary"].sum(axis=1) == 1).all(), "a distribution, whose shares are not equal"
        return
    assert clauses["equal"] == "7.5"
    assert (rows["equal"] == rows["equal"][:, :1]).all()
    equal = [i for i, a in enumerate(b.asks) if a.variant == "equal"]
    assert (b.inputs.cotangent[equal] == 1).all()
    if operator.elementwise and operator.labels == "dense":
        label = 0.75 if operator.within_unit else 0.25
        assert (b.inputs.labels[equal] == label).all(), "else the elements would not be equal"
    if not operator.within_unit:
        assert clauses["largest_last"] == "1.1"
        (last,) = rows["largest_last"]
        assert np.argmax(last) == 32 and np.sort(last)[-2] < 5
        if operator.labels != "none" and not operator.elementwise:
            (label,) = b.inputs.dense_labels[[a.variant == "largest_last" for a in b.asks]]
            assert np.flatnonzero(label == label.max()).tolist() == [32]

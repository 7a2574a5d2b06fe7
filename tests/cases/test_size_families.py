"""``tiles``, ``many_rows``, ``values``, and what ``cotangents``, ``label_types`` and others have of each."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.corpus import of_corpus
from tests.support.family_rows import EVERY
from xent_conformance.cases.case import Batch
from xent_conformance.cases.corpus import batches_of, compiled_at_once, families, find_case
from xent_conformance.cases.families.many_rows import DISTINCT, EXAMPLES, IGNORED, REDUCED, ROWS
from xent_conformance.cases.form import PLAIN_FORM
from xent_conformance.reference.formats import BINARY32, FORMATS, Format
from xent_conformance.reference.operators import OF_ROWS, OPERATORS, Operator
from xent_conformance.reference.oracle import Oracle

EACH = pytest.mark.parametrize("operator", OF_ROWS.values(), ids=list(OF_ROWS))
SUMS = [o for o in OPERATORS.values() if not o.elementwise and o.domain == "reals"]
LOGITS = pytest.mark.parametrize(
    "operator", [o for o in OPERATORS.values() if o.domain in ("reals", "unit")], ids=lambda o: o.name
)
INFINITY = float("inf")


def asked(family: str, operator: Operator, fmt: Format = BINARY32, n: int | None = None) -> Batch:
    lengths = families()[family].lengths(operator, "full")
    (b,) = (
        b for b in batches_of(operator, families()[family], fmt, n or lengths[0]) if b.form.label_dtype == ""
    )
    return b


def rows(b: Batch, variant: str) -> list[int]:
    return [i for i, a in enumerate(b.asks) if a.variant == variant]


# --- tiles ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operator", SUMS, ids=lambda o: o.name)
@pytest.mark.parametrize("n", [1025, 4096])
def test_the_largest_logit_stands_in_each_block(operator: Operator, n: int) -> None:
    b = asked("tiles", operator, n=n)
    largest = np.argmax(b.inputs.logits[rows(b, "largest_in_each_block")], axis=1)
    assert (largest // (n // 4)).tolist() == [0, 1, 2, 3]


def test_tiles_are_asked_around_multiples_in_every_format() -> None:
    found = of_corpus("standard", families=["tiles"])
    assert {(b.inputs.n, b.inputs.format.name) for b in found} == {
        (n, f) for n in (1025, 4096) for f in FORMATS
    }
    for n in families()["tiles"].lengths(OPERATORS["softmax"], "full"):
        assert n % 64 in (0, 1)


@EVERY
def test_mass_and_masks_are_where_they_say(fmt: Format) -> None:
    b = asked("tiles", OPERATORS["softmax"], fmt)
    x, n = b.inputs.logits, b.inputs.n
    (tail,), (head,) = (x[rows(b, f"mass_in_the_{where}")] for where in ("tail", "head"))
    assert tail[:-3].max() + 8 < tail[-3:].min() and head[3:].max() + 8 < head[:3].min()
    masked = {name: np.isneginf(x[rows(b, f"masked_{name}")[0]]) for name in ("prefix", "suffix", "block")}
    assert masked["prefix"][:768].all() and not masked["prefix"][768:].any()
    assert not masked["suffix"][:256].any() and masked["suffix"][256:].all()
    assert masked["block"].sum() == 256
    (last,) = x[rows(b, "masked_but_the_last")]
    assert np.flatnonzero(np.isfinite(last)).tolist() == [n - 1]


# --- many_rows ------------------------------------------------------------------------------------------


@EACH
def test_rows_are_repeated_until_there_are_many(operator: Operator) -> None:
    found = {n: asked("many_rows", operator, n=n) for n in ROWS}
    assert sorted(b.form.filled for b in found.values()) == [65, 257, 4097, 65537]
    for n, b in found.items():
        assert len(b.inputs) == DISTINCT and b.form.filled % DISTINCT
        assert f"repeated in turn up to {ROWS[n]} rows" in b.manner
        assert not b.stacked


def test_how_many_rows_is_part_of_the_hash() -> None:
    b, case = find_case("softmax/many_rows/rows_257/float32/n3/r0")
    assert case.hash != b.inputs.row_digests[0]


@EACH
def test_as_many_examples_are_reduced_in_the_memory_that_everybody_takes(operator: Operator) -> None:
    """Whoever takes a reduction is asked it, whatever else he takes; no compiler is asked at once."""
    asked_it = REDUCED in families()["many_rows"].lengths(operator, "quick")
    assert asked_it == (operator.domain == "reals" and operator.labels != "none")
    if not asked_it:
        return
    assert not compiled_at_once(operator.name, "many_rows", "float32", REDUCED)
    found = {b.asks[0].variant: b for b in batches_of(operator, families()["many_rows"], BINARY32, REDUCED)}
    more = {"mean_of_257+ignored", "mean_of_257+weighted"} if operator.labels == "index" else set()
    assert set(found) == {"mean_of_257", "sum_of_257", *more}
    for name, b in found.items():
        assert b.inputs.attributes.examples == EXAMPLES and b.form == PLAIN_FORM
        assert set(b.inputs.attributes.given) - {"ignore_index", "weight"} == {"reduction"}
        assert ("weight" in b.inputs.attributes.given) == name.endswith("weighted")
    assert all(EXAMPLES % chunk for chunk in range(2, EXAMPLES)), "no chunk divides it"
    if more:
        ignored = found["mean_of_257+ignored"].inputs.labels[0] == IGNORED
        shares = [ignored[i : i + 64].mean() for i in range(0, EXAMPLES, 64)]
        assert shares[0] == 1.0 and len(set(shares)) > 2


# --- values ---------------------------------------------------------------------------------------------


@EVERY
@LOGITS
def test_zeros_have_signs_and_numbers_are_subnormal(operator: Operator, fmt: Format) -> None:
    b = asked("values", operator, fmt)
    x = np.abs(b.inputs.logits)
    if operator.domain == "unit":
        (subnormal,) = x[rows(b, "subnormal")]
        assert subnormal[0] == fmt.smallest_subnormal and subnormal[-1] < fmt.smallest_normal
        return
    assert np.signbit(b.inputs.logits[rows(b, "negative_zeros")]).all()
    assert 0 < x[rows(b, "subnormal_logits")[0]].max() < fmt.smallest_normal
    if not operator.elementwise:
        truth = Oracle().truth(b.inputs).certified.sizes["s"][rows(b, "subnormal_probabilities")[0]]
        assert ((truth > 0) & (truth < fmt.smallest_normal)).sum() >= 4


# --- cotangents -----------------------------------------------------------------------------------------


@EACH
def test_a_cotangent_that_is_not_finite_reaches_what_depends_on_it(operator: Operator) -> None:
    b = asked("cotangents", operator)
    truth = Oracle().truth(b.inputs)
    (row,) = rows(b, "nan")
    assert b.cases[row].clause_of("grad_logits") == "3.2" and b.cases[row].clause_of("value") == "3.1"
    lost = np.isnan(b.inputs.cotangent[row])
    assert lost.sum() == 1
    expected = lost if operator.elementwise else np.ones(b.inputs.n, bool)
    if operator.selects:
        expected = np.arange(b.inputs.n) == b.inputs.labels[row]
    for output in b.inputs.outputs:
        found = np.isnan(truth.enclosure(output).hi[row])
        assert (found == (False if output == "value" else expected)).all(), output
    for name in ("plus_infinity", "minus_infinity"):
        (row,) = rows(b, name)
        assert b.cases[row].clause == "5.5"


@EVERY
def test_a_cotangent_of_the_class_that_has_it_all(fmt: Format) -> None:
    """The gradient is what is left of one, and no number of the format is as near to one."""
    b = asked("cotangents", OPERATORS["log_softmax"], fmt)
    for name, k in (("confident_first", 0), ("confident_last", 9)):
        (row,) = rows(b, name)
        assert b.inputs.cotangent[row].tolist() == [float(i == k) for i in range(10)]
        gradient = Oracle().truth(b.inputs).enclosure("grad_logits").hi[row, k]
        assert 0 < gradient < 2 * fmt.u


def test_a_sum_of_cotangents_that_no_format_but_binary64_holds() -> None:
    for fmt in FORMATS.values():
        found = rows(b := asked("cotangents", OPERATORS["softmax"], fmt), "sum_overflows")
        assert bool(found) == (fmt.precision < 53)
        for row in found:
            c = b.inputs.cotangent[row]
            assert c.sum() > fmt.largest > c.max()


# --- labels ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["softmax_cross_entropy", "sigmoid_cross_entropy"])
def test_labels_in_a_wider_format_have_numbers_of_their_own(name: str) -> None:
    found = [
        b
        for b in of_corpus("quick", operators=[name], families=["label_types"])
        if b.form.label_dtype == "float64"
    ]
    assert found
    for b in found:
        narrow = b.inputs.format.nearest(b.inputs.labels)
        assert (narrow != b.inputs.labels).any(axis=1).tolist() == [False, False, True]


def test_labels_within_a_per_cent_of_one() -> None:
    b = asked("soft_labels", OPERATORS["softmax_cross_entropy"])
    sums = b.inputs.labels[rows(b, "sum_within_a_per_cent")].sum(axis=1)
    assert ((abs(sums - 1) > 0.005) & (abs(sums - 1) < 0.01)).all() and len(sums) == 4


def test_nan_labels_of_the_sigmoid_family() -> None:
    b = asked("soft_labels", OPERATORS["sigmoid_cross_entropy"])
    (row,) = rows(b, "nan_label")
    nan = np.isnan(b.inputs.labels[row])
    assert nan.sum() == 3
    truth = Oracle().truth(b.inputs)
    assert (np.isnan(truth.enclosure("value").hi[row]) == nan).all()
    assert not np.isnan(truth.enclosure("grad_labels").hi[row]).any()


def test_logsumexp_of_nothing_is_the_logarithm_of_zero() -> None:
    b = asked("special_values", OPERATORS["logsumexp"])
    (row,) = rows(b, "masked_everywhere")
    assert Oracle().truth(b.inputs).enclosure("value").hi[row].tolist() == [-INFINITY]
    assert b.cases[row].clause_of("value") == "5.3" and b.cases[row].clause_of("grad_logits") == "4.4"


def test_a_label_beyond_what_binary32_counts() -> None:
    for b in of_corpus("full", operators=["sparse_softmax_cross_entropy"], families=["saturating_sums"]):
        first = b.inputs.copies * int(b.inputs.labels[1, 0])
        assert first > 2**24 and int(np.float32(first)) != first

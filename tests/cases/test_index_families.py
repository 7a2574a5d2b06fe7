"""``index_range``, ``label_types``, ``positions``: what a label may be, and where a NaN may stand."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.corpus import of_corpus
from tests.support.family_rows import EVERY
from xent_conformance.cases.case import Batch
from xent_conformance.cases.corpus import batches_of, families
from xent_conformance.cases.families.label_types import (
    DENSE_FLOATS,
    DENSE_INTEGERS,
    FEWER,
    INDEX_TYPES,
    QUICK,
)
from xent_conformance.frameworks.interface import dtype_of
from xent_conformance.reference.formats import BINARY32, FORMATS, Format
from xent_conformance.reference.operators import OF_ROWS, OPERATORS, Operator
from xent_conformance.reference.oracle import Oracle

SPARSE, DENSE = OPERATORS["sparse_softmax_cross_entropy"], OPERATORS["softmax_cross_entropy"]
BINARY = OPERATORS["sigmoid_cross_entropy"]
EACH = pytest.mark.parametrize("operator", OF_ROWS.values(), ids=list(OF_ROWS))


def asked(family: str, operator: Operator, fmt: Format = BINARY32) -> tuple[Batch, ...]:
    n = families()[family].lengths(operator, "full")[-1]
    return batches_of(operator, families()[family], fmt, n)


# --- index_range ----------------------------------------------------------------------------------------


@EVERY
def test_indices_out_of_range(fmt: Format) -> None:
    (b,) = asked("index_range", SPARSE, fmt)
    wrong = {a.variant for a in b.asks} - {"clean", "first"}
    labels = {
        a.variant: int(y) for a, (y,) in zip(b.asks, b.inputs.labels, strict=True) if a.variant in wrong
    }
    assert labels == {
        "classes": 10,
        "one_beyond": 11,
        "far_beyond": 1010,
        "minus_one": -1,
        "minus_classes": -10,
        "wraps_in_32_bits": 2**32 + 1,
        "lowest": -(2**62),
    }
    assert -100 not in labels.values(), "which PyTorch ignores if nothing is said"
    assert 0 <= labels["wraps_in_32_bits"] % 2**32 < 10, "cut to 32 bits it would name a class"
    assert {a.clause for a in b.asks if a.variant in wrong} == {"6.4"}
    assert all(int(y) == y for (y,) in b.inputs.labels)


def test_a_clean_row_stands_before_and_behind_each() -> None:
    (b,) = asked("index_range", SPARSE)
    variants = [a.variant for a in b.asks]
    assert variants[::2] == ["clean"] * 8
    assert {a.clause for a in b.asks if a.variant == "clean"} == {"3.1"}
    clean = b.inputs.labels[::2, 0]
    assert ((clean >= 0) & (clean < 10)).all()
    assert 9.0 in clean, "the last class, which is right"


@EVERY
@pytest.mark.parametrize("operator", [o.name for o in OF_ROWS.values() if o.labels == "index"])
def test_the_first_and_the_last_class_are_named_on_purpose(operator: str, fmt: Format) -> None:
    """Of doors that take nothing but logits and labels too: an index of zero is easily taken for none."""
    (b,) = of_corpus("quick", families=["index_range"], operators=[operator], dtypes=[fmt.name])
    assert {0.0, b.inputs.n - 1.0} <= set(b.inputs.labels[:, 0].tolist())
    (first,) = [a for a in b.asks if a.labels is not None and a.labels[0] == 0]
    assert (first.variant, first.clause) == ("first", "6.3")


def test_what_is_right_is_nan_and_only_there() -> None:
    (b,) = asked("index_range", SPARSE)
    truth = Oracle().truth(b.inputs)
    wrong = np.array([a.variant not in ("clean", "first") for a in b.asks])
    for output in ("value", "grad_logits"):
        assert (np.isnan(truth.enclosure(output).hi).all(axis=1) == wrong).all()
        assert (np.isnan(truth.enclosure(output).hi).any(axis=1) == wrong).all()


# --- label_types ----------------------------------------------------------------------------------------


def test_indices_of_every_integer_type() -> None:
    found = {b.form.label_dtype: b for b in asked("label_types", SPARSE)}
    every = {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
    assert set(found) == set(INDEX_TYPES) == every - {"int64"}, "int64 is what everything else asks"
    for dtype, b in found.items():
        assert b.asks[0].variant == f"index_{dtype}"
        assert b.inputs.labels[:, 0].tolist() == [0.0, 4.0, 9.0]
        assert (b.inputs.labels <= np.iinfo(dtype).max).all()
        assert {c.clause for c in b.cases} == {"6.5"}


@EVERY
@pytest.mark.parametrize("operator", [DENSE, BINARY], ids=lambda o: o.name)
def test_dense_labels_as_integers_and_in_a_wider_format(operator: Operator, fmt: Format) -> None:
    found = {b.form.label_dtype: b for b in asked("label_types", operator, fmt)}
    wider = {f for f in DENSE_FLOATS if np.dtype(f).itemsize > fmt.dtype.itemsize}
    assert set(found) == set(DENSE_INTEGERS) | wider
    for name, b in found.items():
        assert {c.clause for c in b.cases} == {"6.5"}
        with np.errstate(all="raise"):
            carried = b.inputs.labels.astype(dtype_of(name)).astype(np.float64)
        assert np.array_equal(carried, b.inputs.labels), "labels are the numbers that they are"
        assert name in wider or set(b.inputs.labels.ravel().tolist()) == {0.0, 1.0}
        assert name not in wider or ((b.inputs.labels > 0) & (b.inputs.labels < 1)).any()


@pytest.mark.parametrize("operator", [SPARSE, DENSE, BINARY], ids=lambda o: o.name)
def test_quick_asks_some_of_the_types(operator: Operator) -> None:
    assert families()["label_types"].lengths(operator, "quick") == (FEWER,)
    found = {b.form.label_dtype for b in batches_of(operator, families()["label_types"], BINARY32, FEWER)}
    every = {b.form.label_dtype for b in asked("label_types", operator)}
    assert found == every & set(QUICK) and len(found) >= 2


def test_no_labels_no_types() -> None:
    for operator in OF_ROWS.values():
        typed = operator.labels != "none" and operator.domain not in ("log_distributions", "nonnegative")
        assert bool(families()["label_types"].lengths(operator, "full")) is typed
        assert bool(families()["index_range"].lengths(operator, "full")) is (operator.labels == "index")


# --- positions ------------------------------------------------------------------------------------------


def places(b: Batch, variant: str, what: np.ndarray) -> list[int]:
    """Where in its row each row of the variant has what the mask says; exactly one place a row."""
    rows = [i for i, a in enumerate(b.asks) if a.variant == variant]
    assert (what[rows].sum(axis=1) == 1).all()
    return np.argmax(what[rows], axis=1).tolist()


@EVERY
@EACH
def test_nan_and_infinities_in_every_place(operator: Operator, fmt: Format) -> None:
    if operator.domain != "reals":
        assert families()["positions"].lengths(operator, "full") == ()
        return
    (b,) = asked("positions", operator, fmt)
    x, every = b.inputs.logits, list(range(b.inputs.n))
    assert places(b, "nan", np.isnan(x)) == every
    assert places(b, "minus_infinity", np.isneginf(x)) == every
    if operator.elementwise:
        assert places(b, "plus_infinity", np.isposinf(x)) == every
        return
    assert places(b, "nan_beside_infinity", np.isnan(x)) == every
    beside = places(b, "nan_beside_infinity", np.isposinf(x))
    assert all(i != j for i, j in zip(every, beside, strict=True)) and sorted(beside) == every
    if operator.labels != "none":
        labelled = b.inputs.dense_labels == 1
        for variant, is_masked in (("minus_infinity", False), ("minus_infinity_label", True)):
            rows = [i for i, a in enumerate(b.asks) if a.variant == variant]
            assert (np.isneginf(x[rows])[labelled[rows]] == is_masked).all()


@EACH
def test_clean_rows_stand_among_them(operator: Operator) -> None:
    for b in asked("positions", operator) if operator.domain == "reals" else ():
        clean = [i for i, a in enumerate(b.asks) if a.variant == "clean"]
        assert len(clean) == b.inputs.n and np.isfinite(b.inputs.logits[clean]).all()
        assert {b.asks[i].clause for i in clean} == {"3.1"}
        others = set(range(len(b.asks))) - set(clean)
        assert not np.isfinite(b.inputs.logits[sorted(others)]).all(axis=1).any()


CLAUSES = {
    "clean": {"3.1"},
    "nan": {"3.2"},
    "nan_beside_infinity": {"3.2"},
    "plus_infinity": {"5.2"},
    "minus_infinity_label": {"4.3"},
}


@EACH
def test_clauses_of_positions(operator: Operator) -> None:
    softmax = "4.2" if operator.labels == "dense" else "4.1"
    expected = CLAUSES | {"minus_infinity": {"5.2" if operator.elementwise else softmax}}
    for b in asked("positions", operator) if operator.domain == "reals" else ():
        for a, case in zip(b.asks, b.cases, strict=True):
            assert {case.clause} == expected[a.variant], case.id
            if a.variant == "minus_infinity_label":
                assert dict(case.clauses) == {"grad_logits": "4.5", "grad_labels": "4.5"}


@EACH
def test_what_is_right_there(operator: Operator) -> None:
    """NaN in all of the row (softmax) or in its own element, and finite numbers in every clean row."""
    for b in asked("positions", operator) if operator.domain == "reals" else ():
        truth = Oracle().truth(b.inputs)
        for output in operator.outputs:
            hi = truth.enclosure(output).hi
            for i, a in enumerate(b.asks):
                if a.variant == "clean":
                    assert np.isfinite(hi[i]).all()
                if a.variant.startswith("nan"):
                    own = np.isnan(b.inputs.logits[i]) if operator.elementwise else True
                    assert (np.isnan(hi[i]) == own).all(), (output, a.variant)


def test_every_format_is_asked_in_some_profile() -> None:
    for family in ("index_range", "label_types", "positions"):
        assert {b.inputs.format.name for b in of_corpus("full", families=[family])} == set(FORMATS)

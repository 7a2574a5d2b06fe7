"""``derivatives`` and ``cotangents``: tangents that show something, cotangents that hide nothing."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.corpus import of_corpus
from tests.support.family_rows import EVERY
from xent_conformance.cases.case import Batch
from xent_conformance.cases.corpus import batches_of, families
from xent_conformance.reference.formats import BINARY16, BINARY32, Format
from xent_conformance.reference.operators import MOVING, OF_ROWS, Operator
from xent_conformance.reference.oracle import Oracle

EACH = pytest.mark.parametrize("operator", OF_ROWS.values(), ids=list(OF_ROWS))


def asked(family: str, operator: Operator, fmt: Format = BINARY32) -> Batch:
    (n,) = families()[family].lengths(operator, "full")
    (b,) = batches_of(operator, families()[family], fmt, n)
    return b


# --- derivatives ------------------------------------------------------------------------------------------


@EVERY
@EACH
def test_every_row_has_an_uneven_tangent(operator: Operator, fmt: Format) -> None:
    """A uniform one is annihilated by the Hessian of softmax, and shows nothing (1.6)."""
    b = asked("derivatives", operator, fmt)
    assert b.inputs.outputs == MOVING
    assert b.inputs.tangent.shape == b.inputs.logits.shape
    assert (np.ptp(b.inputs.tangent, axis=1) > 0).all()
    assert np.array_equal(fmt.nearest(b.inputs.tangent), b.inputs.tangent)
    assert {c.clause for c in b.cases} == {"1.6"}
    for case in b.cases:  # whoever assumes the simplex differentiates that assumption
        assert dict(case.clauses) == ({"hvp": "6.2"} if case.variant == "off_simplex" else {})
    assert np.isfinite(b.inputs.logits).all(), "they are asked of finite rows"


@EACH
def test_kinds_of_rows(operator: Operator) -> None:
    b = asked("derivatives", operator)
    variants = {a.variant for a in b.asks}
    if operator.domain == "unit":
        assert variants == {"inside"}
    if operator.within_unit:
        assert ((b.inputs.logits > 0) & (b.inputs.logits < 1)).all()
    if operator.domain == "unit":
        return
    dense = operator.labels == "dense" and not operator.plain_labels
    soft = {"soft_label"} if dense else set()
    if dense and not operator.elementwise:
        soft |= {"off_simplex"}
    shifted = {"confident", "offset"} if operator.domain == "reals" else set()
    spreads = {"inside"} if operator.within_unit else {"unit", "spread8"}
    assert variants == spreads | {"one_direction"} | shifted | soft
    rows = {a.variant: i for i, a in enumerate(b.asks)}
    one = b.inputs.tangent[rows["one_direction"]]
    assert one.sum() == one.max() == 1.0
    if shifted:
        assert np.argmax(b.inputs.logits[rows["confident"]]) == 3
        assert (b.inputs.logits[rows["offset"]] == 96.0).all()
    if soft:
        label = b.inputs.labels[rows["soft_label"]]
        assert (label > 0).all() and (label < 1).all()


@EVERY
@EACH
def test_exact_derivatives_are_finite(operator: Operator, fmt: Format) -> None:
    b = asked("derivatives", operator, fmt)
    truth = Oracle().truth(b.inputs)
    assert not truth.certified.undecided.any()
    for output in MOVING:
        assert np.isfinite(truth.enclosure(output).round_to(fmt)).all()
        if operator.domain in (
            "log_probabilities",
            "log_distributions",
        ):  # linear: no second derivative, and no share of other classes
            continue
        assert (truth.enclosure(output).hi != 0).any(axis=1).all(), "every row has something to show"


# --- cotangents -------------------------------------------------------------------------------------------

SCALARS = {"zero", "loss_scale", "negative", "tiny", "subnormal"}
ROWS = SCALARS | {"one_element", "alternating", "uniform", "rising", "two_elements"}
CONFIDENT = {"confident_first", "confident_last"}
BEYOND = {"nan", "plus_infinity", "minus_infinity", "sum_overflows"}
"""Not finite themselves, or their sum."""


@EVERY
@EACH
def test_kinds_of_cotangents(operator: Operator, fmt: Format) -> None:
    b = asked("cotangents", operator, fmt)
    found = {a.variant: c for a, c in zip(b.asks, b.inputs.cotangent, strict=True)}
    rows = ROWS | CONFIDENT if operator.domain == "reals" else ROWS
    assert set(found) - BEYOND == (SCALARS if operator.value_shape == "scalar" else rows)
    assert {c.clause for c in b.cases if c.variant not in BEYOND} == {"1.5"}
    scale = np.abs(found["loss_scale"]).max()
    assert (found["zero"] == 0).all()
    assert (found["negative"] < 0).all()
    assert (0 < np.abs(found["subnormal"]).max() < fmt.smallest_normal) and found["tiny"].max() < 2.0**-6
    if fmt is not BINARY16:
        assert scale == 65536.0
    if operator.value_shape == "row":
        assert len(set(found["loss_scale"].tolist())) > 1, "uneven, so that no sum of it is a shortcut"
        assert found["alternating"].sum() == 0
        assert (found["one_element"] != 0).sum() == 1
        assert len(set(found["rising"].tolist())) == len(found["rising"])


@EACH
def test_no_sum_of_cotangents_leaves_binary16(operator: Operator) -> None:
    b = asked("cotangents", operator, BINARY16)
    kept = [i for i, a in enumerate(b.asks) if a.variant not in BEYOND]
    assert np.abs(b.inputs.cotangent[kept]).sum(axis=1).max() <= BINARY16.largest
    scale = max(
        np.abs(c).max() for a, c in zip(b.asks, b.inputs.cotangent, strict=True) if a.variant == "loss_scale"
    )
    shared = operator.within_unit or operator.domain == "nonnegative"
    assert scale >= ((256.0 if operator.elementwise else 32.0) if shared else 512.0)


@EACH
def test_a_zero_cotangent_has_a_zero_gradient(operator: Operator) -> None:
    b = asked("cotangents", operator)
    rows = [i for i, a in enumerate(b.asks) if a.variant == "zero"]
    truth = Oracle().truth(b.inputs)
    for output in operator.outputs[1:]:
        assert (truth.enclosure(output).hi[rows] == 0).all()


def test_quick_asks_cotangents_in_every_format_and_derivatives_in_one() -> None:
    formats = {
        family: {b.inputs.format.name for b in of_corpus("quick", families=[family])}
        for family in ("cotangents", "derivatives")
    }
    assert formats["derivatives"] == {"float32"}
    assert len(formats["cotangents"]) == 4

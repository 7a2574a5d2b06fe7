"""``forms``: each kind that doors document is asked, in ``quick`` too, and its rows are what they say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.support.corpus import of_corpus
from tests.support.family_rows import WIDELY
from xent_conformance.cases.case import Batch
from xent_conformance.cases.families.forms import CLASSES, CROSSED, EXAMPLES, LENGTHS, MIXED, NARROWER, WIDER
from xent_conformance.cases.form import Form
from xent_conformance.reference.attributes import Attributes, Reduction
from xent_conformance.reference.formats import FORMATS, JUDGED
from xent_conformance.reference.operators import OF_ROWS, OPERATORS
from xent_conformance.reference.oracle import Oracle

DENSE, SPARSE, BINARY = "softmax_cross_entropy", "sparse_softmax_cross_entropy", "sigmoid_cross_entropy"


def found(operator: str, profile: str = "quick", fmt: str = "float32") -> dict[str, Batch]:
    """The batches by their first variant."""
    asked = of_corpus(profile, families=["forms"], operators=[operator], dtypes=[fmt])
    return {b.asks[0].variant: b for b in asked}


def values(b: Batch, output: str = "value") -> np.ndarray:
    return Oracle().truth(b.inputs).enclosure(output).approximate()


KINDS = {
    "softmax": {"two_axes", "all_axes", "dtype_of_float16"},
    "log_softmax": {"two_axes", "all_axes", "dtype_of_bfloat16"},
    "logsumexp": {
        "two_axes",
        "all_axes",
        "keepdims",
        "two_axes_keepdims",
        "weights_inside",
        "weights_inside_zero",
    },
    "logit": {"no_axis", "clamped_eighth", "clamped_zero", "crossed", "crossed_sliced", "crossed_transposed"},
    "sigmoid": {"no_axis"},
    "log_sigmoid": {"no_axis"},
    DENSE: {"smoothed_second_axis", "row_weights+weighted_mean", "negative_weights+none", "labels_float64"},
    SPARSE: {"three_axes", "ignored_second_axis", "row_weights+mean+ignored", "negative_weights+sum"},
    BINARY: {"no_axis", "row_weights+mean", "negative_weights", "negative_positive_weights"},
    "binary_cross_entropy": {"no_axis", "row_weights+mean", "negative_weights"},
    "categorical_cross_entropy": {"second_axis", "row_weights+weighted_mean", "negative_weights+none"},
    "sparse_categorical_cross_entropy": {
        "second_axis",
        "three_axes",
        "ignored_second_axis",
        "row_weights+mean+ignored",
        "negative_weights+sum",
    },
    "kl_divergence": {"divergence_second_axis", "divergence+mean", "divergence+sum"},
    "negative_log_likelihood": {
        "second_axis",
        "three_axes",
        "ignored_second_axis",
        "row_weights+mean+ignored",
        "negative_weights+sum",
    },
}


@pytest.mark.parametrize("operator", [o.name for o in WIDELY])
def test_quick_asks_every_kind(operator: str) -> None:
    assert set(KINDS) == set(LENGTHS) == {o.name for o in WIDELY}
    assert set(found(operator)) >= KINDS[operator]
    quick = {(b.inputs.format.name, b.inputs.n == MIXED) for b in of_corpus("quick", families=["forms"])}
    assert quick == {("float32", False), ("float16", True), ("bfloat16", True)}
    assert {b.inputs.format.name for b in of_corpus("standard", families=["forms"])} == set(FORMATS)


@pytest.mark.parametrize("operator", [o.name for o in OF_ROWS.values() if not o.elementwise])
def test_quick_asks_more_axes_of_who_takes_no_attribute(operator: str) -> None:
    """On an inner axis; and last, where whoever counts the classes by an axis could count another."""
    plain = [b for b in of_corpus("quick", operators=[operator]) if not b.inputs.attributes.given]
    more = [b for b in plain if len(b.form.shape or ()) > 1 and not b.inputs.attributes.grouped]
    assert any(0 < b.form.class_axis < len(b.form.shape or ()) for b in more)
    if OPERATORS[operator].labels == "index":
        last = [b for b in more if b.form.class_axis_is_last and b.inputs.n not in (b.form.shape or ())]
        assert any(b.inputs.n - 1 in b.inputs.labels for b in last)


def test_each_class_is_named_once_on_either_axis() -> None:
    for operator in ("sparse_categorical_cross_entropy", "negative_log_likelihood", SPARSE):
        asked = [b for name, b in found(operator).items() if name in ("second_axis", "three_axes")]
        assert len(asked) == (1 if operator == SPARSE else 2)
        assert all(sorted(b.inputs.labels[:, 0]) == list(range(6)) for b in asked)


def test_the_live_input_of_smoothing_beside_a_second_axis() -> None:
    """The loss of both rows is 0.38837, and 0.46479 where the last axis is counted for the classes."""
    b = found(DENSE)["smoothed_second_axis"]
    assert b.form == Form(shape=(1, 2), axis=1)
    assert b.manner.endswith("shape (1, 3, 2), classes on axis 1")
    assert values(b)[:, 0] == pytest.approx([0.38837, 0.38837], abs=5e-6)


def replace_attributes(b: Batch, attributes: Attributes) -> Batch:
    return replace(b, inputs=replace(b.inputs, attributes=attributes))


def test_beyond_one_half_the_lower_bound_decides() -> None:
    """Whatever the layout: the same truth for the same argument."""
    for name in ("crossed", "crossed_sliced", "crossed_transposed"):
        b = found("logit")[name]
        assert b.inputs.attributes.eps == CROSSED > 0.5
        x, v = b.inputs.logits, values(b)
        at = np.log(CROSSED / (1 - CROSSED))
        np.testing.assert_allclose(v, np.where(x < CROSSED, at, -at), rtol=1e-15)
        assert (v[0] == v[0, 0]).all() and (v[0] > 0).all() and (v[1] < 0).all()
        assert (values(b, "grad_logits") == 0).all()


def test_a_clamped_argument_is_in_the_domain_and_flat() -> None:
    for name, eps in (("clamped_eighth", 0.125), ("clamped_small", 2.0**-7), ("clamped_zero", 0.0)):
        b = found("logit")[name]
        x, v, slope = b.inputs.logits, values(b), values(b, "grad_logits")
        nan, below, above = np.isnan(x), x < eps, x > 1 - eps
        assert nan.any() and below.any() and above.any()
        assert (np.isnan(v) == nan).all() and (np.isnan(slope) == nan).all()
        assert (slope[below | above] == 0).all() and (slope[~(nan | below | above)] != 0).all()
        assert len(set(v[below].tolist())) == len(set(v[above].tolist())) == 1


def test_weights_inside_a_sum() -> None:
    """Zero takes the class away, however high it is; nothing left is minus infinity, less is NaN."""
    b = found("logsumexp")["weights_inside_zero"]
    weight = np.array(b.inputs.attributes.weight)
    (row,) = np.flatnonzero(b.inputs.logits[:, 5] == 200.0)
    kept = weight > 0
    right = np.log(np.sum(weight[kept] * np.exp(b.inputs.logits[row][kept])))
    assert values(b)[row, 0] == pytest.approx(right, rel=1e-14)
    assert (values(b, "grad_logits")[row] == 0).tolist() == (~kept).tolist()
    assert values(found("logsumexp")["weights_inside_nothing"]).item() == -np.inf
    assert np.isnan(values(found("logsumexp")["weights_inside_below_nothing"]).item())


@pytest.mark.parametrize("operator", [DENSE, SPARSE, BINARY])
def test_weights_of_rows_are_of_every_size_and_under_every_reduction(operator: str) -> None:
    asked = {n: b for n, b in found(operator).items() if n.startswith("row_weights")}
    wanted = {"sum", "mean"} if operator == BINARY else {"sum", "mean", "weighted_mean"}
    assert {b.inputs.attributes.reduction for b in asked.values()} == wanted
    for b in asked.values():
        v = np.array(b.inputs.attributes.row_weight)
        assert len(v) == EXAMPLES and 0 in v and v.max() > 1 and 0 < v[v > 0].min() < 1
        assert v.mean() != 1, "or the weighted mean would be the mean"


def test_the_three_divisors_differ() -> None:
    """Of one group, by 6.10: nothing, the rows that are kept, their weights."""
    b = found(SPARSE)["row_weights+mean+ignored"]
    by = {}
    reductions: tuple[Reduction, ...] = ("sum", "mean", "weighted_mean")
    for reduction in reductions:
        a = replace(b.inputs.attributes, reduction=reduction)
        by[reduction] = values(replace_attributes(b, a))[:, 0]
    v, ignored = b.inputs.attributes.row_weight, b.inputs.labels == 2
    assert ignored[:, 1].all()
    np.testing.assert_allclose(by["sum"] / by["mean"], (~ignored).sum(axis=1), rtol=1e-14)
    np.testing.assert_allclose(
        by["sum"] / by["weighted_mean"], np.where(ignored, 0, v).sum(axis=1), rtol=1e-14
    )


@pytest.mark.parametrize("fmt", NARROWER)
def test_logits_that_are_widened_are_numbers_of_the_narrower_format(fmt: str) -> None:
    for name in NARROWER[fmt]:
        narrow = JUDGED[name]
        b = found("softmax", "standard", fmt)[f"dtype_of_{name}"]
        assert b.form.logits_dtype == name
        np.testing.assert_array_equal(narrow.nearest(b.inputs.logits), b.inputs.logits)
        assert "asked for in" in b.manner
        # in the narrower format the result is another
        rounded = narrow.nearest(values(b))
        assert (np.abs(rounded - values(b)) > Oracle().truth(b.inputs).bound("value").stable).mean() > 0.5


@pytest.mark.parametrize("fmt", WIDER)
def test_wide_labels_are_no_numbers_of_the_logits_format(fmt: str) -> None:
    b = found(DENSE, "standard", fmt)[f"labels_{WIDER[fmt]}"]
    narrow, wide = FORMATS[fmt], FORMATS[WIDER[fmt]]
    assert (narrow.nearest(b.inputs.labels) != b.inputs.labels).any()
    np.testing.assert_array_equal(wide.nearest(b.inputs.labels), b.inputs.labels)


@pytest.mark.parametrize("operator", ["logsumexp", DENSE, SPARSE, BINARY])
@pytest.mark.parametrize("fmt", FORMATS)
def test_weights_in_another_format_are_no_numbers_of_the_logits_format(operator: str, fmt: str) -> None:
    """Rounded to it, the heaviest would be infinite, where the other's range is wider."""
    other, narrow = FORMATS[WIDER.get(fmt, "float32")], FORMATS[fmt]
    kinds = ("weights", "positive_weights") if operator == BINARY else ("weights",)
    for kind in kinds:
        b = found(operator, "standard", fmt)[f"{kind}_{other.name}"]
        a = b.inputs.attributes
        weight = np.array(a.weight or a.pos_weight)
        assert a.weight_dtype == other.name and f"weight_dtype = {other.name}" in b.manner
        np.testing.assert_array_equal(other.nearest(weight), weight)
        if fmt != "float64":
            assert (narrow.nearest(weight) != weight).sum() >= 4
        if other.emax > narrow.emax:
            assert np.isinf(narrow.nearest(weight)).sum() == 1
        for output in b.inputs.outputs:
            assert np.abs(values(b, output)).max() < narrow.largest


def test_a_weight_that_its_own_format_has_not_is_refused() -> None:
    b = found(SPARSE, "quick", "float16")["weights_float32"]
    with pytest.raises(ValueError, match="weight holds a number that float16 does not have"):
        replace_attributes(b, replace(b.inputs.attributes, weight_dtype=""))


def test_negative_weights_are_asked_beside_positive_ones() -> None:
    for operator, name in (
        (DENSE, "negative_weights+none"),
        (SPARSE, "negative_weights+sum"),
        (BINARY, "negative_weights"),
    ):
        weight = np.array(found(operator)[name].inputs.attributes.weight)
        assert (weight < 0).any() and (weight > 0).any()
    assert min(found(BINARY)["negative_positive_weights"].inputs.attributes.pos_weight) < 0


def test_several_axes_say_their_shape() -> None:
    asked = found("logsumexp")
    assert asked["two_axes"].manner == f"shape (2, 2, {CLASSES[0]}, {CLASSES[1]}), classes on the last 2 axes"
    assert asked["two_axes_keepdims"].manner.endswith("; keepdims")
    assert asked["all_axes"].manner.startswith(f"shape {CLASSES}, all one row")
    assert found("sigmoid")["no_axis"].manner.startswith("shape (), all one row")

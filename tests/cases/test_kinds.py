"""Every kind of question that users' calls have is asked in ``quick``, whatever that leaves out of each."""

from __future__ import annotations

import re

import pytest

from tests.support.corpus import Corpus
from xent_conformance.cases.corpus import batches

KINDS = {
    "attributes on images": r"crossing/\S*(weighted|smoothed|ignore)\S*image",
    "an attribute of a vector": r"crossing/\S*(weighted|smoothed|ignore)\S*vector",
    "classes in the middle": r"crossing/\S*three_axes",
    "as many rows as classes": r"crossing/\S*square",
    "attributes and excluded classes": r"crossing/excluded\S*(weighted|smoothed|ignore)",
    "attributes and NaN": r"crossing/nan\S*(weighted|smoothed|ignore)",
    "attributes and infinities": r"crossing/infinite\S*(weighted|smoothed|mean)",
    "attributes and an index out of range": r"crossing/\S*out_of_range\S*(weighted|smoothed|mean)",
    "derivatives and attributes": r"crossing/\S*(weighted|smoothed|positive)\S*moving",
    "derivatives of special values": r"crossing/(nan|infinite|excluded)\S*moving",
    "many rows": r"many_rows/rows_257|crossing/\S*many",
    "a tile of classes and one more": r"tiles/\S+/n1025",
    "mass in the tail": r"tiles/mass_in_the_tail",
    "long runs of masked classes": r"tiles/masked_prefix",
    "a reduction of many examples": r"crossing/\S*many\S*(mean|sum)|crossing/\S*(mean|sum)\S*many",
    "logits that are one row for all": r"layouts/logits_broadcast",
    "zeros of both signs": r"values/zeros_of_both_signs",
    "subnormal logits": r"values/subnormal_logits",
    "labels that nearly sum to one": r"soft_labels/sum_within_a_per_cent",
    "a NaN label of an element": r"sigmoid_cross_entropy/soft_labels/nan_label",
    "cotangents whose sum overflows": r"cotangents/sum_overflows",
    "a cotangent of one element on a confident row": r"cotangents/confident_first",
    "a cotangent that is not finite": r"cotangents/(nan|plus_infinity)",
    "a scale": r"composites/scale_huge",
    "a temperature, a bias and a factor": r"composites/temperature\+bias\+times",
    "a matrix": r"composites/matrix",
    "a cast": r"composites/cast",
    "a temperature near zero, and noise": r"composites/temperature_near_zero|composites/scale\+noise",
    "a mask": r"masks/half",
    "a mask that leaves nothing": r"masks/none_left",
    "a mask and smoothing": r"masks/half\+smoothed",
    "weights in another format": r"forms/weights_float32",
    "labels in a wider format": r"forms/labels_float64",
    "a format that is asked for": r"forms/dtype_of_bfloat16",
    "eight bits that are widened": r"forms/dtype_of_float8_e4m3fn",
    "negative weights": r"forms/negative_weights",
    "weights of zero": r"attributes/some_zero",
    "eight bits": r"^softmax_cross_entropy/eight_bits",
    "eight bits of what is given": r"(categorical_cross_entropy|negative_log_likelihood)/eight_bits",
    "a clamped logit": r"logit/forms/crossed",
    "a divergence at a target of zero": r"kl_divergence/soft_labels/(one_hot|half_zero)",
    "a slope that overflows inside": r"divergences/quotient_overflows_and_comes_back",
    "weights of rows": r"forms/row_weights\+mean",
    "a mean by weights of rows": r"forms/row_weights\+weighted_mean",
    "probabilities as input": r"^(categorical|binary)_cross_entropy/ordinary",
    "log-probabilities as input": r"negative_log_likelihood/ordinary",
    "axes that are a tuple, or all": r"forms/(two|all)_axes",
    "axes that stay": r"forms/keepdims",
    "no axis": r"forms/no_axis",
    "weights inside of a logsumexp": r"forms/weights_inside",
    "a logsumexp of nothing": r"logsumexp/special_values/masked_everywhere",
    "integer logits": r"refusals/logits_integers",
    "complex logits": r"refusals/logits_complex",
    "a sparse tensor": r"refusals/logits_sparse",
    "labels of shape (N, 1)": r"refusals/labels_extra_axis",
    "labels of one row for all": r"refusals/labels_one_row",
}


@pytest.fixture(scope="module")
def ids(corpus: Corpus) -> list[str]:
    return [case.id for b in corpus("quick") for case in b.cases]


@pytest.mark.parametrize("kind", KINDS)
def test_quick_has_a_case_of_the_kind(kind: str, ids: list[str]) -> None:
    pattern = re.compile(KINDS[kind])
    assert any(pattern.search(i) for i in ids)


def test_an_axis_is_counted_from_the_end_too(corpus: Corpus) -> None:
    """And not the last one alone."""
    assert any(b.form.shape and b.form.axis < -1 for b in corpus("quick"))


def test_what_does_not_fit_is_recorded_and_each_kind_once() -> None:
    """No answer to it is a fault (6.13): so it is no more than it takes to see."""
    quick = list(batches("quick", families_=["refusals"]))
    assert {case.clause for b in quick for case in b.cases} == {"6.13"}
    wrong = [b.form.wrong for b in quick]
    assert len(set(wrong)) == len(wrong) == 7
    assert set(wrong) < {b.form.wrong for b in batches("standard", families_=["refusals"])}

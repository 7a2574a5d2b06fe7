"""Faults where two things meet: each alone is right, and was all that was asked once.

Attributes with tensors of other ranks, with masked classes, with NaN, with indices out of range, with forward
mode and second derivatives; places of the class axis that are written otherwise.
"""

from __future__ import annotations

import numpy as np

from tests.support.faults.blocks import Ask, pick, weighted
from tests.support.faults.correct import cross_entropy, cross_entropy_hvp
from tests.support.faults.fault import (
    BINARY,
    DENSE,
    LOG_TARGET,
    RELATIVE,
    SPARSE,
    Beyond,
    delivery,
    output,
    plain,
    right,
    whole,
)
from tests.support.faults.kernel import Kernel
from tests.support.faults.sums import Array
from xent_conformance.frameworks.interface import Call

# --- attributes × rank -----------------------------------------------------------------------------


@delivery(DENSE, "rows_of", "with more than two axes the smoothing is forgotten")
def smoothing_of_matrices_only(self: Kernel, call: Call) -> Ask:
    a = Kernel.rows_of(self, call)
    return plain(a, smoothing=0.0) if call.logits.ndim > 2 else a


@delivery(SPARSE, "rows_of", "with more than two axes the ignored index is forgotten")
def ignored_in_matrices_only(self: Kernel, call: Call) -> Ask:
    a = Kernel.rows_of(self, call)
    return plain(a, ignore_index=None) if call.logits.ndim > 2 else a


@delivery(SPARSE, "rows_of", "a vector has no weights")
def vector_without_weights(self: Kernel, call: Call) -> Ask:
    a = Kernel.rows_of(self, call)
    return plain(a, weight=np.ones_like(a.weight)) if call.logits.ndim == 1 else a


@delivery(BINARY, "rows_of", "of three axes the positive weights run along the second")
def positive_weights_of_the_second_axis(self: Kernel, call: Call) -> Ask:
    a = Kernel.rows_of(self, call)
    if call.logits.ndim < 3 or a.pos_weight.size < 2:
        return a
    row = np.arange(len(a.x)) % call.logits.shape[1] % a.pos_weight.size
    return plain(a, pos_weight=a.pos_weight[0, row][:, None])


@delivery(DENSE, "in_state", "the mean of images is over the images, not over their pixels")
def mean_over_images(self: Kernel, call: Call, a: Ask, output: str) -> Array:
    found = Kernel.in_state(self, call, a, output)
    images = call.logits.ndim > 2 and a.reduction == "mean"
    return found * (len(a.x) / call.logits.shape[0]) if images else found


@delivery(SPARSE, "in_state", "of images the ignored pixels count in the mean")
def ignored_pixels_counted(self: Kernel, call: Call, a: Ask, output: str) -> Array:
    found = Kernel.in_state(self, call, a, output)
    images = call.logits.ndim > 2 and a.reduction == "mean"
    return found * (a.divisor / a.across(pick(a.w, a.y))) if images else found


# --- attributes × memory ---------------------------------------------------------------------------


@delivery(SPARSE, "rows_of", "the weights are read with the stride of the logits")
def stride_of_the_weights(self: Kernel, call: Call) -> Ask:
    a = Kernel.rows_of(self, call)
    gaps = call.logits.ndim == 2 and call.logits.strides[-1] != call.logits.itemsize
    return plain(a, weight=np.roll(a.weight, 1, axis=1)) if gaps else a


# --- attributes × what is special ------------------------------------------------------------------


@output(DENSE, "value", "a share of smoothing on an excluded class is left out of the loss")
def smoothing_of_excluded_classes(a: Ask) -> Array:
    q = np.where((a.x == -np.inf) & (a.p == 0), 0.0, a.q)
    return np.where(np.isnan(a.L), np.nan, a.total(weighted(q, a.d + a.L)))


@output(DENSE, "value", "weighted losses are added up without what is NaN")
def nan_under_weights(a: Ask) -> Array:
    found = right(a, "value")
    return np.nan_to_num(found) if a.weight.size > 1 and np.isnan(a.x).any() else found


@output(SPARSE, "value", "with smoothing an index out of range has the loss of the nearest class")
def smoothing_out_of_range(a: Ask) -> Array:
    return np.where(a.outside & (a.smoothing > 0), cross_entropy(a), right(a, "value"))


@whole(SPARSE, "value", "a reduction leaves out the examples whose index names no class")
def reduction_without_strangers(a: Ask, found: Array) -> Array:
    if a.reduction == "none" or not a.outside.any():
        return found
    return a.across(np.where(a.outside, 0.0, right(a, "value"))) / a.divisor


@whole(SPARSE, "value", "the mean of many examples is the mean of the means of 64")
def mean_of_means(a: Ask, found: Array) -> Array:
    if a.reduction != "mean" or len(a.x) <= 64:
        return found
    shares = right(a, "value").reshape(-1)
    kept = (~a.ignored).reshape(-1)
    means = [shares[i : i + 64].sum() / kept[i : i + 64].sum() for i in range(0, len(shares), 64)]
    return np.array([[np.mean(means)]], dtype=a.x.dtype)


# --- attributes × derivatives along a tangent ------------------------------------------------------


@output(DENSE, "jvp", "forward mode knows no weights")
def jvp_without_weights(a: Ask) -> Array:
    return -a.total(a.smoothed * a.along(a.v))


@output(SPARSE, "hvp", "the Hessian knows no weights")
def hessian_without_weights(a: Ask) -> Array:
    return np.where(a.ignored, 0.0, np.where(a.outside, np.nan, a.c * a.s * a.along(a.v)))


@output(SPARSE, "hvp", "an ignored row has a Hessian")
def hessian_of_ignored_rows(a: Ask) -> Array:
    return np.where(a.outside, np.nan, cross_entropy_hvp(a))


@output(BINARY, "hvp", "the Hessian knows no positive weights")
def hessian_without_positive_weights(a: Ask) -> Array:
    return a.c * a.v * a.w * a.sigma * a.mirror


@whole(SPARSE, "jvp", "the derivative of a mean along a tangent is that of the sum")
def jvp_of_the_sum(a: Ask, found: Array) -> Array:
    return found * a.divisor


@output("softmax", "hvp", "an excluded class makes the Hessian NaN: 0 · ∞")
def hessian_of_masked_rows(a: Ask) -> Array:
    return np.where((a.x == -np.inf).any(axis=1, keepdims=True), np.nan, right(a, "hvp"))


@output("softmax", "jvp", "forward mode takes NaN logits for classes that are not there")
def nan_masked_in_forward_mode(a: Ask) -> Array:
    return right(a, "jvp", x=np.where(np.isnan(a.x), -np.inf, a.x))


# --- the place of the classes ----------------------------------------------------------------------


@delivery("logsumexp", "axis", "a negative axis is the last one, whichever it is")
def negative_axis_is_the_last(self: Kernel, call: Call) -> int:
    return call.logits.ndim - 1 if call.keywords.get("axis", -1) < 0 else Kernel.axis(self, call)


@delivery("log_softmax", "axis", "the classes are on the first axis that is as long as theirs")
def axis_found_by_its_length(self: Kernel, call: Call) -> int:
    return call.logits.shape.index(call.logits.shape[Kernel.axis(self, call)])


# --- divergences × what is around them -------------------------------------------------------------

_LATER = Beyond("crossing", "standard", "float32", "quick crosses what logits are given to, and nothing else")


@delivery(
    LOG_TARGET, "in_state", "batchmean of images: divided by the images, not by their pixels", beyond=_LATER
)
def batchmean_of_images(self: Kernel, call: Call, a: Ask, output: str) -> Array:
    found = Kernel.in_state(self, call, a, output)
    images = call.logits.ndim > 2 and a.reduction == "mean"
    return found * (len(a.x) / call.logits.shape[0]) if images else found


@delivery(RELATIVE, "read", "a transposed target is read in the order of its memory", beyond=_LATER)
def target_in_the_order_of_memory(self: Kernel, name: str, tensor: Array) -> Array:
    found = np.array(tensor, order="C")
    return found.ravel(order="F").reshape(found.shape) if _columns(name, tensor) else found


def _columns(name: str, tensor: Array) -> bool:
    return name == "labels" and tensor.flags.f_contiguous and not tensor.flags.c_contiguous

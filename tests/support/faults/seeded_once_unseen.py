"""Faults that only one case shows: each once went unseen, and the case was added for it."""

from __future__ import annotations

import numpy as np

from tests.support.faults.blocks import Ask
from tests.support.faults.fault import (
    BINARY,
    DENSE,
    GIVEN_DENSE,
    GIVEN_SPARSE,
    SPARSE,
    delivery,
    output,
    part,
    plain,
    right,
    whole,
)
from tests.support.faults.kernel import Kernel
from tests.support.faults.sums import Array
from xent_conformance.frameworks.interface import Call


@part(
    BINARY,
    "smoothed",
    "smoothing is spread over the elements of a row: ε/N, not ε/2",
)
def smoothing_over_the_row(a: Ask) -> Array:
    return (1 - a.smoothing) * a.p + a.smoothing / a.n


@output(
    DENSE,
    "jvp",
    "the labels are taken to sum to one in forward mode",
)
def jvp_of_normal_labels(a: Ask) -> Array:
    return a.total(a.s * a.v) - a.total(a.q * a.v)


@output(
    DENSE,
    "hvp",
    "the labels are taken to sum to one in the Hessian",
)
def hessian_of_normal_labels(a: Ask) -> Array:
    return a.c * a.s * a.along(a.v)


@whole(
    SPARSE,
    "value",
    "the reduction leaves out what is NaN",
)
def nan_left_out_of_the_sum(a: Ask, found: Array) -> Array:
    return found if a.reduction == "none" else a.across(np.nan_to_num(right(a, "value"))) / a.divisor


@delivery(
    SPARSE,
    "labels_of",
    "an unsigned byte is read as a signed one: 200 as −56",
)
def byte_read_as_signed(self: Kernel, call: Call) -> Array:
    labels = self.read("labels", call.labels)
    return (labels.view(np.int8) if labels.dtype == np.uint8 else labels).astype(np.int64)


@delivery(
    SPARSE,
    "rows_of",
    "with more than two axes the weights of the classes are forgotten",
)
def weights_of_matrices_only(self: Kernel, call: Call) -> Ask:
    a = Kernel.rows_of(self, call)
    return a if call.logits.ndim == 2 else plain(a, weight=np.ones_like(a.weight))


@output(
    "softmax",
    "jvp",
    "a tangent of one class is taken for its index: the diagonal of the derivative alone",
)
def tangent_of_one_class(a: Ask) -> Array:
    alone = np.count_nonzero(a.v, axis=1, keepdims=True) == 1
    return np.where(alone, a.s * (1 - a.s) * a.v, right(a, "jvp"))


@part(
    BINARY,
    "factors",
    "positive weights of one are taken for classes without any positive",
)
def positive_weights_of_one(a: Ask) -> tuple[int, Array]:
    ones = a.pos_weight.size > 1 and bool((a.pos_weight == 1).all())
    return 1, np.zeros_like(a.pos_weight) if ones else a.pos_weight


@delivery(
    GIVEN_SPARSE,
    "labels_of",
    "the number of classes is read off the second axis, where they are the last of three: others are none",
)
def classes_of_the_second_axis(self: Kernel, call: Call) -> Array:
    y = Kernel.labels_of(self, call)
    return np.where(y < call.logits.shape[1], y, -1) if call.logits.ndim > 2 else y


delivery(
    SPARSE,
    "labels_of",
    "of logits too: the number of classes is read off the second axis of three",
)(classes_of_the_second_axis)


@delivery(
    GIVEN_DENSE,
    "labels_of",
    "labels of more than two axes are read as if their classes lay last",
)
def shares_of_labels_that_lie_otherwise(self: Kernel, call: Call) -> Array:
    p = Kernel.labels_of(self, call)
    return np.moveaxis(p, self.axis(call), -1).reshape(p.shape) if call.logits.ndim > 2 else p


@delivery(
    SPARSE,
    "labels_of",
    "a table of the classes that are labelled holds eight: a call with more of them is refused",
)
def table_of_labels_is_full(self: Kernel, call: Call) -> Array:
    y = Kernel.labels_of(self, call)
    if len(np.unique(y)) > 8:
        raise IndexError("index 8 is out of bounds for axis 0 with size 8")
    return y

"""Faults of softmax cross-entropy with dense labels and with indices: labels, gradients, index ranges."""

from __future__ import annotations

import numpy as np

from tests.support.faults.blocks import Ask, weighted
from tests.support.faults.fault import DENSE, SPARSE, delivery, output, part, right
from tests.support.faults.kernel import Kernel
from tests.support.faults.sums import Array
from xent_conformance.frameworks.interface import Call

# --- dense labels ----------------------------------------------------------------------------------


@output(DENSE, "value", "softmax applied twice")
def softmax_twice(a: Ask) -> Array:
    return right(a, "value", x=a.s)


@output(DENSE, "value", "0 · −∞ for a masked class")
def zero_times_infinity(a: Ask) -> Array:
    return a.total(a.q * (a.d + a.L))


@output(DENSE, "grad_logits", "gradient s − p, whatever the labels sum to")
def labels_assumed_normal(a: Ask) -> Array:
    assumed = a.total(a.q) - (a.total(a.p) - 1)
    return a.c * (a.s * assumed - a.q)


@output(DENSE, "value", "labels are normalised first")
def labels_normalised(a: Ask) -> Array:
    return right(a, "value") / a.total(np.abs(a.p))


@output(DENSE, "value", "the label is the largest entry")
def argmax_of_labels(a: Ask) -> Array:
    largest = np.argmax(a.p, axis=1)[:, None] == np.arange(a.n)
    return right(a, "value", labels=np.where(np.isnan(a.p), np.nan, largest))


@output(DENSE, "value", "mean over the classes")
def mean_over_classes(a: Ask) -> Array:
    return right(a, "value") / a.n


@output(DENSE, "value", "probabilities clipped before the log")
def clipped_loss(a: Ask) -> Array:
    return a.total(weighted(a.q, -np.log(np.maximum(a.s, 1e-12))))


@output(DENSE, "value", "the loss is never negative: negative labels are cut")
def negative_labels_cut(a: Ask) -> Array:
    return right(a, "value", labels=np.maximum(a.labels, 0))


@output(DENSE, "grad_labels", "labels receive no gradient")
def labels_detached(a: Ask) -> Array:
    return np.zeros_like(a.x)


@output(DENSE, "grad_labels", "the gradient by the labels has the wrong sign")
def label_gradient_sign(a: Ask) -> Array:
    return -right(a, "grad_labels")


@output(DENSE, "value", "infinite loss replaced by a large number")
def infinity_replaced(a: Ask) -> Array:
    value = right(a, "value")
    return np.where(np.isposinf(value), 1e4, value)


@part(DENSE, "p", "a NaN among the labels is ignored")
def nan_label_ignored(a: Ask) -> Array:
    return np.where(np.isnan(a.labels), 0.0, a.labels)


@delivery(DENSE, "labels_of", "labels of another dtype are truncated to whole numbers")
def labels_truncated(self: Kernel, call: Call) -> Array:
    labels = Kernel.labels_of(self, call)
    return labels if call.labels.dtype == call.logits.dtype else np.trunc(labels)


# --- index labels ----------------------------------------------------------------------------------


def renamed(a: Ask, y: Array) -> Array:
    """The loss of other classes, where an index names a class at all."""
    return right(a, "value", labels=np.where(a.outside | a.ignored, a.labels, y))


@output(SPARSE, "value", "the index is cast through the logits' format")
def index_through_float(a: Ask) -> Array:
    return renamed(a, np.minimum(a.y.astype(a.dtype).astype(np.float64).astype(np.int64), a.n - 1))


@output(SPARSE, "value", "the last element of a tile of 128 is read from the next tile")
def end_of_a_tile(a: Ask) -> Array:
    return renamed(a, np.minimum(a.y + (a.y % 128 == 127), a.n - 1))


@output(SPARSE, "value", "the index counts from one")
def index_from_one(a: Ask) -> Array:
    return renamed(a, np.maximum(a.y - 1, 0))


@delivery(SPARSE, "labels_of", "a negative index counts from the end")
def negative_index_wraps(self: Kernel, call: Call) -> Array:
    labels = Kernel.labels_of(self, call)
    negative = (labels < 0) & (labels != call.keywords.get("ignore_index"))
    return np.where(negative, labels + call.logits.shape[self.axis(call)], labels)


@part(SPARSE, "outside", "an index out of range is read as the last class, or the first")
def index_clamped(a: Ask) -> Array:
    return np.zeros(a.labels.shape, bool)


@output(SPARSE, "grad_logits", "the loss of an index out of range is NaN, its gradient a number")
def gradient_of_no_class(a: Ask) -> Array:
    return np.where(a.ignored, 0.0, a.balance(a.q, a.c))


@delivery(SPARSE, "labels_of", "an index passes through 32 bits, where 2^32 + 1 is 1")
def index_through_int32(self: Kernel, call: Call) -> Array:
    return Kernel.labels_of(self, call).astype(np.int32).astype(np.int64)


@delivery(SPARSE, "labels_of", "indices of 32 bits are read as 64: two at a time")
def index_read_as_int64(self: Kernel, call: Call) -> Array:
    labels = self.read("labels", call.labels)
    if labels.dtype.itemsize != 4 or not labels.size:
        return labels.astype(np.int64)
    buffer = labels.tobytes() + bytes(4 * labels.size)
    return np.frombuffer(buffer, np.int64).reshape(labels.shape)


@output(SPARSE, "grad_logits", "1 − s for the labelled class, which cancels")
def cancelling_gradient(a: Ask) -> Array:
    wrong = a.c * (a.rounded(a.s) * a.total(a.q) - a.q)
    return np.where(a.ignored, 0.0, np.where(a.outside, np.nan, wrong))


@output(SPARSE, "grad_logits", "gradients averaged over the rows")
def averaged_gradient(a: Ask) -> Array:
    return right(a, "grad_logits") / len(a.x)


@output(SPARSE, "value", "a masked label gives NaN")
def masked_label_is_nan(a: Ask) -> Array:
    value = right(a, "value")
    return np.where(np.isposinf(value), np.nan, value)


@output(SPARSE, "value", "the row of the loss is the one above")
def rows_rolled(a: Ask) -> Array:
    return np.roll(right(a, "value"), 1, axis=0)

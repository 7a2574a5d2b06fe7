"""Faults of class weights, smoothing, an ignored index, positive weights and reductions (SPEC.md §6)."""

from __future__ import annotations

import numpy as np

from tests.support.faults.blocks import Ask, pick
from tests.support.faults.correct import cross_entropy, cross_entropy_grad
from tests.support.faults.fault import BINARY, DENSE, SPARSE, output, part, plain, right, whole
from tests.support.faults.sums import Array

# --- class weights ---------------------------------------------------------------------------------


@part(SPARSE, "q", "weights are applied twice: to the labels and to the loss")
def weights_twice(a: Ask) -> Array:
    return a.weight**2 * a.smoothed


@part(SPARSE, "w", "the weight of the class before")
def weight_of_another_class(a: Ask) -> Array:
    return np.broadcast_to(np.roll(a.weight, 1, axis=1), a.x.shape)


@part(DENSE, "w", "weights are normalised to a mean of one")
def weights_normalised(a: Ask) -> Array:
    return np.broadcast_to(a.weight / a.weight.mean(), a.x.shape)


@output(DENSE, "grad_logits", "the gradient knows no weights")
def gradient_without_weights(a: Ask) -> Array:
    return a.balance(a.smoothed, a.c)


@output(DENSE, "grad_labels", "the gradient by the labels knows no weights")
def label_gradient_without_weights(a: Ask) -> Array:
    return -a.c * (1 - a.smoothing) * a.ell


# --- smoothing -------------------------------------------------------------------------------------


@part(SPARSE, "smoothed", "the mass is spread over the other N − 1 classes")
def mass_on_the_others(a: Ask) -> Array:
    return (1 - a.smoothing) * a.p + a.smoothing * (1 - a.p) / (a.n - 1)


@part(SPARSE, "q", "the share of smoothing is not weighted")
def share_not_weighted(a: Ask) -> Array:
    return a.weight * (1 - a.smoothing) * a.p + a.smoothing / a.n


@part(SPARSE, "q", "every share of smoothing has the weight of the labelled class")
def share_of_labelled_weight(a: Ask) -> Array:
    return pick(a.w, a.y) * a.smoothed


@output(SPARSE, "value", "an ignored row has the loss of its smoothing")
def smoothing_of_ignored_rows(a: Ask) -> Array:
    uniform = plain(a, labels=a.y, ignore_index=None)
    share = a.weight * a.smoothing / a.n
    return np.where(a.ignored, a.total(share * (uniform.d + uniform.L)), right(a, "value"))


@part(DENSE, "slope", "the gradient by the labels knows no smoothing")
def label_gradient_without_smoothing(a: Ask) -> Array:
    return a.weight


# --- an ignored index ------------------------------------------------------------------------------


@output(SPARSE, "grad_logits", "an ignored row has a gradient")
def gradient_of_ignored_rows(a: Ask) -> Array:
    return np.where(a.outside, np.nan, cross_entropy_grad(a))


@part(SPARSE, "honoured", "the ignored index is honoured only where it names a class")
def ignored_if_a_class(a: Ask) -> Array:
    return (a.labels == a.ignore_index) & (a.labels == a.y)


@part(SPARSE, "honoured", "the ignored index is honoured only where it names no class")
def ignored_if_no_class(a: Ask) -> Array:
    return (a.labels == a.ignore_index) & (a.labels != a.y)


@output(SPARSE, "value", "an ignored row has a loss, of the nearest class")
def loss_of_ignored_rows(a: Ask) -> Array:
    return np.where(a.outside, np.nan, cross_entropy(a))


# --- reductions ------------------------------------------------------------------------------------


@part(SPARSE, "divisor", "the mean is over rows, not over their weights")
def mean_over_rows(a: Ask) -> Array | int:
    return np.count_nonzero(~a.ignored) if a.reduction == "mean" else 1


@part(SPARSE, "divisor", "ignored rows count in the mean")
def ignored_rows_counted(a: Ask) -> Array | int:
    return a.across(pick(a.w, a.y)) if a.reduction == "mean" else 1


@part(SPARSE, "divisor", "a sum where the mean is asked")
def sum_for_mean(a: Ask) -> int:
    return 1


@part(DENSE, "divisor", "the mean is over rows and classes")
def mean_over_rows_and_classes(a: Ask) -> int:
    return a.x.size if a.reduction == "mean" else 1


@part(BINARY, "divisor", "the mean is over rows, of the sums of their elements")
def mean_of_row_sums(a: Ask) -> int:
    return len(a.x) if a.reduction == "mean" else 1


@output(SPARSE, "grad_logits", "the gradient of the mean is that of the sum")
def gradient_of_the_sum(a: Ask) -> Array:
    return right(a, "grad_logits", reduction="none", cotangent=np.broadcast_to(a.cotangent, (len(a.x), 1)))


@whole(SPARSE, "value", "the sum of ignored rows is NaN: a mean times its divisor")
def sum_of_ignored_rows(a: Ask, found: Array) -> Array:
    return np.where(a.reduction == "sum" and a.ignored.size and a.ignored.all(), np.nan, found)


@whole(DENSE, "value", "the sum of no example is NaN")
def sum_of_nothing(a: Ask, found: Array) -> Array:
    return np.where(a.reduction == "sum" and not len(a.x), np.nan, found)


# --- positive weights ------------------------------------------------------------------------------


@part(BINARY, "factors", "the positive weight on the negative term")
def positive_weight_on_negatives(a: Ask) -> tuple[Array, int]:
    return a.pos_weight, 1


@part(BINARY, "factors", "the positive weight on the whole loss")
def positive_weight_on_both(a: Ask) -> tuple[Array, Array]:
    return a.pos_weight, a.pos_weight


@part(BINARY, "factors", "the positive weight on the losses of labels above one half: right for hard ones")
def positive_weight_of_hard_labels(a: Ask) -> tuple[Array, Array]:
    of_label = np.where(a.labels > 0.5, a.pos_weight, 1.0)
    return of_label, of_label


@output(BINARY, "grad_logits", "the gradient knows no positive weight")
def gradient_without_positive_weight(a: Ask) -> Array:
    return right(a, "grad_logits", pos_weight=np.ones_like(a.pos_weight))


@part(BINARY, "w", "the weight of the element before")
def weight_of_another_element(a: Ask) -> Array:
    return np.broadcast_to(np.roll(a.weight, 1, axis=1), a.x.shape)

"""Reported defects of the losses and of the sigmoid family that no fault of :mod:`seeded` is.

Each is what a report says went wrong (docs/HISTORICAL.md), as the report says it.
"""

from __future__ import annotations

import itertools

import ml_dtypes
import numpy as np

from tests.support.faults.blocks import Ask, weighted
from tests.support.faults.fault import BINARY, DENSE, SPARSE, delivery, output, part, plain, right, whole
from tests.support.faults.kernel import Kernel, own
from tests.support.faults.sums import Array, backwards, sequential
from xent_conformance.frameworks.interface import Call

# --- softmax cross-entropy -------------------------------------------------------------------------


@output(DENSE, "value", "the logarithm of a probability that has underflowed to zero")
@output(SPARSE, "value", "the logarithm of a probability that has underflowed to zero")
def log_of_probability(a: Ask) -> Array:
    return a.total(weighted(a.q, -np.log(a.rounded(a.s))))


@part(DENSE, "smoothed", "the mass is spread over the other N − 1 classes")
def mass_on_other_classes(a: Ask) -> Array:
    return (1 - a.smoothing) * a.p + a.smoothing * (1 - a.p) / (a.n - 1)


CALLS = itertools.count()


@part(DENSE, "R", "atomic additions, whose order changes from call to call", working=own, varies=True)
@part(SPARSE, "R", "atomic additions, whose order changes from call to call", working=own, varies=True)
def atomic_additions(a: Ask) -> Array:
    return plain(a, total=(sequential, backwards)[next(CALLS) % 2]).R


@output(SPARSE, "hvp", "the second derivative is dropped: zeros")
def second_derivative_dropped(a: Ask) -> Array:
    return np.zeros_like(a.x)


@output(SPARSE, "value", "the loss is rounded to bfloat16, whatever its format")
def loss_in_bfloat16(a: Ask) -> Array:
    return right(a, "value").astype(ml_dtypes.bfloat16).astype(a.x.dtype)


@output(SPARSE, "grad_logits", "backward has the logits as they were before they were rounded to bfloat16")
def gradient_of_unrounded_logits(a: Ask) -> Array:
    return right(a, "grad_logits", x=a.x * (1 + 2.0**-9))


@output(SPARSE, "value", "a label of −1 is no loss, though nobody said that it is ignored")
def minus_one_ignored(a: Ask) -> Array:
    return np.where(a.labels == -1, 0.0, right(a, "value"))


@output(SPARSE, "grad_logits", "the gradient of a mean is divided once more, by the number of rows")
def divided_twice(a: Ask) -> Array:
    return right(a, "grad_logits") / (len(a.x) if a.reduction == "mean" else 1)


@whole(SPARSE, "value", "the sum of no example is NaN")
def sum_of_no_label(a: Ask, found: Array) -> Array:
    return np.where(a.reduction == "sum" and not len(a.x), np.nan, found)


@delivery(SPARSE, "rows_of", "a class is ignored by a weight of zero, which an index outside has not")
def ignored_by_a_weight(self: Kernel, call: Call) -> Ask:
    a = Kernel.rows_of(self, call)
    kept = np.where(np.arange(a.n) == a.ignore_index, 0.0, a.w[:1])
    return plain(a, weight=kept, ignore_index=None)


# --- the sigmoid family ------------------------------------------------------------------------------


@output("sigmoid", "value", "some lanes of a vector give 4e-39 for NaN")
def nan_is_tiny(a: Ask) -> Array:
    return np.where(np.isnan(a.x) & (np.arange(a.n) % 8 < 4), 4.156e-39, a.sigma)


@output(
    "log_sigmoid",
    "value",
    "−(m + log z) with z = exp(−m) + exp(−x − m), whose infinities cancel",
    working=own,
)
def log_of_two_exponentials(a: Ask) -> Array:
    m = np.maximum(-a.x, 0)
    return -(m + np.log(np.exp(-m) + np.exp(-a.x - m)))


@output(BINARY, "value", "an ε inside the logarithms, which makes confident losses negative")
def epsilon_inside(a: Ask) -> Array:
    return -a.positive * np.log(a.sigma + 1e-5) - a.negative * np.log(a.mirror + 1e-5)


@output(BINARY, "value", "the logarithms are clamped at −100, as in the loss on probabilities")
def clamped_at_a_hundred(a: Ask) -> Array:
    return a.negative * np.minimum(a.softplus, 100) + a.positive * np.minimum(a.softplus_minus, 100)


@output(BINARY, "value", "where the positive weight is one, a fast path that has no max(x, 0)")
def fast_path_of_one(a: Ask) -> Array:
    fast = a.log1p_tail - a.x * a.p
    return np.where((a.pos_weight == 1) & (a.pos_weight.size > 1), fast, right(a, "value"))


@output(BINARY, "value", "with a positive weight, log(1 + exp(−x)), where exp overflows", working=own)
def positive_weight_overflows(a: Ask) -> Array:
    return a.negative * a.x + (a.negative + a.positive) * np.log(1 + np.exp(-a.x))


@part(BINARY, "factors", "the positive weights go to the rows, not to the elements of a row")
def positive_weight_of_the_row(a: Ask) -> tuple[int, Array]:
    return 1, np.resize(a.pos_weight, (len(a.x), 1))


@part(BINARY, "w", "the weight of an element is taken for that of a class, and looked up by its label")
def weight_by_label(a: Ask) -> Array:
    return np.where(a.labels > 0.5, a.weight[:, -1:], a.weight[:, :1])


@output(BINARY, "grad_logits", "the kink of max(x, 0) decides the gradient at a logit of exactly 0")
def gradient_of_the_kink(a: Ask) -> Array:
    below = np.sign(a.x) * a.tail / (1 + a.tail)
    return a.c * ((a.x > 0) - a.p - below)


@output(BINARY, "value", "computed in binary32, where ∞ − ∞ is NaN")
def narrowed_to_binary32(a: Ask) -> Array:
    x = a.x.astype(np.float32)
    return (np.maximum(x, 0) - x * a.p.astype(np.float32) + np.log1p(np.exp(-np.abs(x)))).astype(a.x.dtype)

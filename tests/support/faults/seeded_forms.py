"""Faults of what doors document beside logits and labels: clamps, axes, formats, weights of rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.support.faults.blocks import Ask
from tests.support.faults.correct import logsumexp
from tests.support.faults.fault import BINARY, DENSE, SPARSE, delivery, output, part, plain, right
from tests.support.faults.kernel import Kernel
from tests.support.faults.sums import Array
from xent_conformance.frameworks.interface import Call

# --- the clamp of logit ----------------------------------------------------------------------------


@output("logit", "value", "crossed bounds are clamped in the other order: the least of the greatest")
def clamp_crossed(a: Ask) -> Array:
    if a.eps is None:
        return right(a, "value")
    low, high = a.bounds
    return right(a, "value", x=np.minimum(np.maximum(a.x, low), high), eps=None)


@output("logit", "value", "outside of [0, 1] there is NaN, clamped or not")
def clamp_keeps_the_domain(a: Ask) -> Array:
    return np.where((a.x < 0) | (a.x > 1), np.nan, right(a, "value"))


@output("logit", "grad_logits", "the gradient is that at the bound, where the argument is clamped")
def clamp_with_a_slope(a: Ask) -> Array:
    return right(a, "grad_logits", x=a.clamped, eps=None)


# --- axes and formats ------------------------------------------------------------------------------


@delivery("softmax", "axes", "of several axes the last alone")
def last_of_the_axes(self: Kernel, call: Call) -> tuple[int, ...]:
    return (call.logits.ndim - 1,)


@delivery("logsumexp", "kept", "an axis that is summed over goes, whether it is to stay or not")
def axis_not_kept(self: Kernel) -> tuple[int, ...]:
    return ()


def computed_in_its_own(self: Kernel, call: Call) -> dict[str, Array]:
    """The result is computed in the format of the logits, and widened."""
    if "dtype" not in call.keywords:
        return Kernel.__call__(self, call)
    asked = {k: v for k, v in call.keywords.items() if k != "dtype"}
    own = self.of_axis(replace(call, keywords=asked))
    return {name: a.astype(call.cotangent.dtype) for name, a in own.items()}


delivery("softmax", "__call__", "computed in the format of the logits, then widened to what is asked for")(
    computed_in_its_own
)


@part(DENSE, "smoothed", "smoothing counts the last axis, not the classes")
def smoothing_over_the_last_axis(a: Ask) -> Array:
    return (1 - a.smoothing) * a.p + a.smoothing / a.last


# --- weights ---------------------------------------------------------------------------------------


@output("logsumexp", "value", "shifted by the largest class, which weighs nothing")
def shifted_by_an_absent_class(a: Ask) -> Array:
    if (a.weight == 1).all():
        return logsumexp(a)
    inner = np.where(a.w == 0, 0.0, a.w * a.rounded(np.exp(a.rounded(a.x - a.m))))
    return a.m + np.log(a.total(inner))


@output("logsumexp", "grad_logits", "the gradient knows no weights")
def gradient_without_weights_inside(a: Ask) -> Array:
    return a.c * a.s


@part(SPARSE, "divisor", "the mean divides by the weights of the rows")
def mean_over_row_weights(a: Ask) -> Array | int:
    return plain(a, reduction="weighted_mean" if a.reduction == "mean" else a.reduction).divisor


@part(DENSE, "divisor", "the weighted mean divides by the number of rows")
def weighted_mean_over_rows(a: Ask) -> Array | int:
    return plain(a, reduction="mean" if a.reduction == "weighted_mean" else a.reduction).divisor


@output(BINARY, "grad_logits", "the gradient knows no weights of rows")
def gradient_without_row_weights(a: Ask) -> Array:
    return right(a, "grad_logits", row_weight=np.ones((1, 1)))


@delivery(SPARSE, "rows_of", "weights of a wider format are rounded to that of the logits")
def weights_in_the_logits_format(self: Kernel, call: Call) -> Ask:
    a = Kernel.rows_of(self, call)
    return plain(a, weight=a.rounded(a.weight))


@part(SPARSE, "w", "a negative weight is taken for none")
def negative_weights_for_none(a: Ask) -> Array:
    return np.broadcast_to(np.maximum(a.weight, 0), a.x.shape)


@part(BINARY, "factors", "a negative positive weight is taken for none")
def negative_positive_weights_for_none(a: Ask) -> tuple[int, Array]:
    return 1, np.maximum(a.pos_weight, 0)


@delivery("sigmoid", "of_one", "what has no axis comes back with one")
def axis_for_none(self: Kernel, call: Call) -> dict[str, Array]:
    row = replace(call, logits=call.logits[None], cotangent=call.cotangent[None])
    return self.of_axis(row)

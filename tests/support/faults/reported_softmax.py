"""Reported defects of softmax, log-softmax and logsumexp that no fault of :mod:`seeded` is.

Each is what a report says went wrong (docs/HISTORICAL.md), as the report says it.
"""

from __future__ import annotations

import ml_dtypes
import numpy as np

from tests.support.faults.blocks import Ask
from tests.support.faults.fault import output, part, right
from tests.support.faults.kernel import own
from tests.support.faults.sums import Array, sequential

WARP = 32
"""Lanes that add together; rows are padded to a multiple of it."""

# --- softmax -------------------------------------------------------------------------------------


@part("softmax", "S", "what pads a row to a multiple of 32 is added to its sum")
def padding_counted(a: Ask) -> Array:
    return 1 + a.R + (-a.n % WARP) * np.exp(-a.m)


@output("softmax", "value", "one class: 1 − 2⁻²⁴ in whole vectors of eight rows, 1 in their tail")
def almost_one(a: Ask) -> Array:
    body = np.arange(len(a.x))[:, None] < len(a.x) // 8 * 8
    return np.where(body & (a.n == 1), 1 - 2.0**-24, a.s)


@output(
    "softmax",
    "value",
    "compiled only: where a class has a finite mask, all are equally likely",
    mode="compiled",
)
def masked_row_is_uniform(a: Ask) -> Array:
    masked = (np.isfinite(a.x) & (a.x < -1e8)).any(axis=1, keepdims=True)
    return np.where(masked, 1 / a.n, a.s)


@output("softmax", "value", "bfloat16 alone: the probability of the largest class is NaN")
def largest_is_nan_in_bfloat16(a: Ask) -> Array:
    return np.where((a.d == 0) & (a.dtype == ml_dtypes.bfloat16), np.nan, a.s)


@output("softmax", "value", "not supported: the logits come back, negative ones too")
def logits_returned(a: Ask) -> Array:
    return a.x


@output("softmax", "value", "the axis of the classes is flattened with the others")
def flattened(a: Ask) -> Array:
    e = np.exp(a.x)
    return e / e.sum()


@output("softmax", "grad_logits", "the gradient is multiplied by logits, one of which is −∞: 0 · ∞")
def gradient_times_logits(a: Ask) -> Array:
    return right(a, "grad_logits") + 0 * a.x


# --- through the maximum -------------------------------------------------------------------------


def through_the_maximum(a: Ask) -> Array:
    """What the maximum passes on is shared by the classes equal to it: with other bits, by none."""
    equal = a.x == a.m.astype(ml_dtypes.bfloat16).astype(a.x.dtype)
    return right(a, "grad_logits") + 0 * equal / a.total(equal.astype(a.x.dtype))


ABOUT = "the gradient goes through a maximum of other bits, to which no class is equal: 0/0"


@output("softmax", "grad_logits", ABOUT)
def gradient_through_the_maximum(a: Ask) -> Array:
    return through_the_maximum(a)


@output("log_softmax", "grad_logits", ABOUT)
def log_gradient_through_the_maximum(a: Ask) -> Array:
    return through_the_maximum(a)


@output("logsumexp", "grad_logits", ABOUT)
def lse_gradient_through_the_maximum(a: Ask) -> Array:
    return through_the_maximum(a)


# --- log_softmax ---------------------------------------------------------------------------------


@output("log_softmax", "value", "a masked class has log-probability 0, that is probability one")
def masked_is_certain(a: Ask) -> Array:
    return np.where(np.isneginf(a.x), 0.0, a.ell)


@output("log_softmax", "value", "all rows are normalised together")
def rows_together(a: Ask) -> Array:
    return a.x - np.log(np.exp(a.x).sum())


@output("log_softmax", "value", "binary16: −∞ where the classes are more than a hundred apart")
def lead_of_a_hundred(a: Ask) -> Array:
    apart = a.d.max(axis=1, keepdims=True) > 100
    return np.where(apart & (a.dtype == np.float16), -np.inf, a.ell)


@output("log_softmax", "value", "bfloat16: every step is rounded, the sum and its logarithm too")
def sixteen_bit_steps(a: Ask) -> Array:
    d, e = a.rounded(a.d), a.rounded(a.e)
    return -a.rounded(d + a.rounded(np.log(sequential(e.astype(a.dtype)).astype(a.x.dtype))))


@output("log_softmax", "value", "a binary32 sum in order, which stops at 2^24", working=own)
def log_sum_stops(a: Ask) -> Array:
    return a.x - (a.m + np.log(sequential(a.e)))


@output(
    "log_softmax",
    "grad_logits",
    "short rows: log-probabilities where the backward kernel wants probabilities",
)
def backward_of_short_rows(a: Ask) -> Array:
    return np.where(a.n <= 1024, a.c - a.ell * a.total(a.c), right(a, "grad_logits"))

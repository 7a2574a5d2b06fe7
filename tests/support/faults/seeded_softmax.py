"""Faults of softmax, log-softmax and logsumexp: the shift, the sum, the logarithm, special values."""

from __future__ import annotations

import ml_dtypes
import numpy as np

from tests.support.faults.blocks import Ask
from tests.support.faults.fault import delivery, output, right
from tests.support.faults.forms_softmax import log_softmax_through_every_step
from tests.support.faults.kernel import Kernel
from tests.support.faults.sums import Array, sequential
from xent_conformance.frameworks.interface import Call


def sixteen(a: Array) -> Array:
    """A sum kept in bfloat16, one number after the other."""
    return sequential(a.astype(ml_dtypes.bfloat16)).astype(np.float64)


def kept_in_the_format(a: Ask) -> Array:
    """``m + L`` rounded, which loses ``L`` beside a large ``m``."""
    return a.rounded(a.m + a.L)


def through_the_maximum(a: Ask, detached: Array) -> Array:
    """The derivative by the shift is zero but for what the others were rounded by: the largest gets that."""
    if a.dtype.itemsize > 2:
        return right(a, "grad_logits")
    g = a.rounded(detached)
    return g - np.where(np.arange(a.n) == a.k, a.rounded(a.total(g)), 0)


# --- softmax -------------------------------------------------------------------------------------


@output("softmax", "value", "no shift by the maximum")
def no_shift(a: Ask) -> Array:
    e = np.exp(a.x)
    return e / a.total(e)


@output("softmax", "value", "shift by the maximum of the whole batch")
def global_shift(a: Ask) -> Array:
    e = np.exp(a.x - np.nanmax(np.where(np.isinf(a.x), np.nan, a.x), initial=-np.inf))
    return e / a.total(e)


@output("softmax", "value", "normalised over the batch, not the classes")
def wrong_axis(a: Ask) -> Array:
    return a.e / a.e.sum(axis=0, keepdims=True)


@output("softmax", "value", "sigmoid where softmax belongs")
def sigmoid_instead(a: Ask) -> Array:
    return a.sigma


@output("softmax", "value", "one class is taken for a binary problem: its sigmoid")
def one_class_is_binary(a: Ask) -> Array:
    return a.sigma if a.n == 1 else a.s


@output("softmax", "value", "two classes by the sigmoid of a difference kept in binary16")
def two_classes_in_binary16(a: Ask) -> Array:
    if a.n != 2:
        return a.s
    d = a.x - a.x[:, ::-1]
    narrow = np.where(np.abs(d) < 1000, d.astype(np.float16).astype(a.x.dtype), d)
    return np.where(np.isfinite(d), right(a, "value", operator="sigmoid", x=narrow), a.s)


@output("softmax", "value", "an epsilon in the denominator")
def epsilon_in_denominator(a: Ask) -> Array:
    return a.e / (a.S + 1e-3)


@output("softmax", "value", "probabilities clipped from below")
def clipped(a: Ask) -> Array:
    return np.where(np.isnan(a.s), a.s, np.maximum(a.s, 1e-7))


@delivery("softmax", "before", "logits clamped to ±10 000 for safety, as they arrive")
def clamped_logits(self: Kernel, call: Call, x: Array) -> Array:
    narrow = np.where(np.isfinite(x), np.clip(x, -1e4, 1e4), x)
    return Kernel.before(self, call, narrow)


@output("softmax", "value", "the exp of binary32 takes 1 for an argument below 2^-18")
def tiny_argument_of_exp(a: Ask) -> Array:
    e = np.where((a.d < 2.0**-18) & (a.dtype == np.float32), 1.0, a.e)
    return e / a.total(e)


@output("softmax", "value", "a sum kept in bfloat16")
def sixteen_bit_sum(a: Ask) -> Array:
    return a.e / sixteen(a.e)


@output("softmax", "value", "the sum is stored in binary16, beyond which 2^17 ones are")
def sum_stored_in_binary16(a: Ask) -> Array:
    narrow = a.S.astype(np.float16).astype(a.x.dtype)
    return a.e / (narrow if a.dtype == np.float16 else a.S)


@output("softmax", "value", "NaN leaks into the row below")
def nan_leaks(a: Ask) -> Array:
    above = np.isnan(np.roll(a.x, 1, axis=0)).any(axis=1, keepdims=True)
    return np.where(above, np.nan, a.s)


@output("softmax", "value", "NaN is taken for a masked class")
def nan_hidden(a: Ask) -> Array:
    return right(a, "value", x=np.where(np.isnan(a.x), -np.inf, a.x))


@output("softmax", "value", "a vector maximum drops NaN in elements four to seven; head and tail pass it on")
def nan_dropped_in_the_body(a: Ask) -> Array:
    body = (np.arange(a.n) >= 4) & (np.arange(a.n) < 8)
    return right(a, "value", x=np.where(np.isnan(a.x) & body, -np.inf, a.x))


@output("softmax", "value", "an excluded class keeps a little probability")
def mask_leaks(a: Ask) -> Array:
    return np.where(np.isneginf(a.x) & ~np.isnan(a.s), 1e-9, a.s)


@output("softmax", "value", "a finite mask below −1e8 is taken for no class at all: NaN")
def finite_mask_is_nan(a: Ask) -> Array:
    masked = np.isfinite(a.x) & (a.x < -1e8) & (a.d > 1e8)
    return np.where(masked, np.nan, a.s)


@output("softmax", "value", "the last elements of a row, beyond a multiple of four, are not divided")
def vector_tail(a: Ask) -> Array:
    whole = a.n // 4 * 4
    return np.where(np.arange(a.n) < whole, a.s, a.e)


@output("softmax", "value", "subnormal results flushed to zero")
def flushed(a: Ask) -> Array:
    tiny = float(ml_dtypes.finfo(a.dtype).smallest_normal)
    return np.where(a.s < tiny, 0.0, a.s)


@output("softmax", "grad_logits", "the diagonal of the Jacobian only: s(1 − s)")
def diagonal_gradient(a: Ask) -> Array:
    return a.c * a.s * a.rest


@output("softmax", "grad_logits", "the gradient is detached: zeros")
def detached(a: Ask) -> Array:
    return np.zeros_like(a.x)


@output("softmax", "grad_logits", "in 16 bits, of softmax(x − max x): the maximum is not detached")
def undetached_maximum(a: Ask) -> Array:
    s = a.rounded(a.s)
    return through_the_maximum(a, s * (a.c - a.total(s * a.c)))


# --- log_softmax, logsumexp ------------------------------------------------------------------------


@output("log_softmax", "value", "the log of a softmax")
def log_of_softmax(a: Ask) -> Array:
    return np.log(a.s)


@output("log_softmax", "value", "an epsilon before the log")
def log_of_epsilon(a: Ask) -> Array:
    return np.log(a.s + 1e-8)


@output("log_softmax", "value", "x − (m + log S), which keeps the offset")
def offset_kept(a: Ask) -> Array:
    return a.x - kept_in_the_format(a)


@output("log_softmax", "value", "base two")
def base_two(a: Ask) -> Array:
    return a.ell / np.log(2)


@output("log_softmax", "value", "log of 1 + R in binary32, not log1p")
def no_log1p(a: Ask) -> Array:
    return -(a.d + np.log(a.S.astype(np.float32).astype(a.x.dtype)))


@output("log_softmax", "value", "saturates at the lowest number where the result is −∞")
def saturating_arithmetic(a: Ask) -> Array:
    lowest = float(ml_dtypes.finfo(a.dtype).min)
    return np.where(np.isfinite(a.x), np.maximum(a.ell, lowest), a.ell)


@output("log_softmax", "grad_logits", "the cotangent is taken to sum to one")
def cotangent_sum_assumed(a: Ask) -> Array:
    return a.c - a.s


@output("log_softmax", "grad_logits", "in 16 bits: the maximum is not detached")
def undetached_maximum_of_logarithms(a: Ask) -> Array:
    return through_the_maximum(a, log_softmax_through_every_step(a))


@output("log_softmax", "grad_logits", "in binary16 alone: the maximum is not detached")
def undetached_maximum_in_binary16(a: Ask) -> Array:
    return undetached_maximum_of_logarithms(a) if a.dtype == np.float16 else right(a, "grad_logits")


@output("logsumexp", "value", "no shift by the maximum")
def lse_no_shift(a: Ask) -> Array:
    return np.log(a.total(np.exp(a.x)))


@output("logsumexp", "grad_logits", "the gradient from the rounded value")
def lse_gradient_of_value(a: Ask) -> Array:
    return a.c * np.exp(a.x - kept_in_the_format(a))


@output("logsumexp", "value", "+∞ gives NaN")
def lse_infinite(a: Ask) -> Array:
    return np.where(np.isinf(a.m), np.nan, a.m + a.L)


@output("logsumexp", "value", "mean instead of sum")
def lse_mean(a: Ask) -> Array:
    return a.m + a.L - np.log(a.n)

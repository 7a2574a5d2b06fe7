"""Faults of the sigmoid family."""

from __future__ import annotations

import numpy as np

from tests.support.faults.blocks import Ask, weighted
from tests.support.faults.fault import BINARY, output, right
from tests.support.faults.sums import Array


@output("sigmoid", "value", "1 / (1 + exp(−x)), where exp overflows")
def sigmoid_overflow(a: Ask) -> Array:
    return 1 / (1 + a.rounded(np.exp(-a.x)))


@output("sigmoid", "value", "a piecewise linear sigmoid")
def hard_sigmoid(a: Ask) -> Array:
    return np.where(np.isnan(a.x), np.nan, np.clip(a.x / 6 + 0.5, 0, 1))


@output("sigmoid", "value", "saturated beyond 16")
def saturated_sigmoid(a: Ask) -> Array:
    return np.where(np.abs(a.x) > 16, (a.x > 0).astype(a.x.dtype), a.sigma)


@output("sigmoid", "grad_logits", "the gradient of tanh")
def tanh_gradient(a: Ask) -> Array:
    return a.c * (1 - a.sigma**2)


@output("sigmoid", "grad_logits", "s(1 − s) from the rounded s")
def sigmoid_cancels(a: Ask) -> Array:
    s = a.rounded(a.sigma)
    return a.c * s * (1 - s)


@output("log_sigmoid", "value", "the log of a sigmoid")
def log_of_sigmoid(a: Ask) -> Array:
    return np.log(a.sigma)


@output("log_sigmoid", "value", "log, not log1p")
def log_sigmoid_no_log1p(a: Ask) -> Array:
    return -(np.maximum(-a.x, 0) + np.log(a.rounded(1 + a.tail)))


@output("logit", "value", "an epsilon on both sides")
def logit_epsilon(a: Ask) -> Array:
    p = np.where((a.x >= 0) & (a.x <= 1), np.clip(a.x, 1e-6, 1 - 1e-6), np.nan)
    return np.log(p / (1 - p))


@output("logit", "value", "outside [0, 1] is clamped")
def logit_clamped(a: Ask) -> Array:
    return right(a, "value", x=np.clip(a.x, 0, 1))


@output("logit", "value", "log base ten")
def logit_base_ten(a: Ask) -> Array:
    return right(a, "value") / np.log(10)


@output(BINARY, "value", "the half formula −z log σ(x)")
def half_formula(a: Ask) -> Array:
    return weighted(a.positive, a.softplus_minus)


@output(BINARY, "value", "softmax where sigmoid belongs")
def softmax_instead(a: Ask) -> Array:
    return -weighted(a.positive, a.ell) - weighted(a.negative, np.log1p(-a.s))


@output(BINARY, "value", "log of a clipped sigmoid")
def clipped_binary(a: Ask) -> Array:
    q = np.clip(a.sigma, 1e-7, 1 - 1e-7)
    return -a.positive * np.log(q) - a.negative * np.log1p(-q)


@output(BINARY, "value", "(1 − z)x + softplus(−x), whose infinities cancel")
def infinities_cancel(a: Ask) -> Array:
    cancelled = np.isposinf(a.x) & (a.negative == 0) | np.isneginf(a.x)
    return np.where(cancelled, np.nan, right(a, "value"))


@output(BINARY, "value", "(1 − z)x + softplus(−x) in the format, which loses the confident loss")
def confident_loss_lost(a: Ask) -> Array:
    return a.rounded(a.negative * a.x) + a.rounded((a.negative + a.positive) * a.softplus_minus)


@output(BINARY, "value", "labels are rounded to 0 and 1")
def labels_rounded(a: Ask) -> Array:
    return right(a, "value", labels=np.rint(a.p))


@output(BINARY, "value", "labels outside [0, 1] are clamped")
def labels_clamped(a: Ask) -> Array:
    return right(a, "value", labels=np.clip(a.p, 0, 1))


@output(BINARY, "grad_logits", "gradient z − σ(x)")
def binary_gradient_sign(a: Ask) -> Array:
    return -right(a, "grad_logits")


@output(BINARY, "grad_logits", "gradient times σ′ once more, as after a sigmoid layer")
def gradient_through_sigmoid_twice(a: Ask) -> Array:
    return right(a, "grad_logits") * a.sigma * a.mirror


@output(BINARY, "value", "mean over the labels of a row, put in every place")
def mean_over_labels(a: Ask) -> Array:
    return np.broadcast_to(right(a, "value").mean(axis=1, keepdims=True), a.x.shape)


@output(BINARY, "value", "easy examples are dropped: a row whose losses are all below 1e-8 is zero")
def easy_rows_dropped(a: Ask) -> Array:
    value = right(a, "value")
    return np.where((value < 1e-8).all(axis=1, keepdims=True), 0.0, value)

"""Seeded faults: the correct implementation with one realistic defect each.

Each is a mistake that real code made. ``about`` says which; nothing else of the implementation
changes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import ml_dtypes
import numpy as np
from blocks import CORRECT, Array, Ask, Outputs, balance, pick, softmax_vjp, total, weighted

CE, SPARSE, BINARY = "softmax_cross_entropy", "sparse_softmax_cross_entropy", "sigmoid_cross_entropy"


@dataclass(frozen=True)
class Fault:
    """A defect of one operator."""

    name: str
    operator: str
    about: str
    run: Callable[[Ask], Outputs]


FAULTS: list[Fault] = []


def fault(operator: str, about: str) -> Callable[[Callable[[Ask], Outputs]], Callable[[Ask], Outputs]]:
    """Registers a function of the call that returns the outputs it gets wrong; the rest stays right."""

    def register(changed: Callable[[Ask], Outputs]) -> Callable[[Ask], Outputs]:
        def run(a: Ask) -> Outputs:
            return {**CORRECT[operator](a), **changed(a)}

        FAULTS.append(Fault(f"{operator}:{changed.__name__}", operator, about, run))
        return changed

    return register


def sixteen(a: Array) -> Array:
    """A sum kept in bfloat16, one number after the other."""
    sums = np.zeros((len(a), 1), dtype=ml_dtypes.bfloat16)
    for column in a.astype(ml_dtypes.bfloat16).T:
        sums = (sums + column[:, None]).astype(ml_dtypes.bfloat16)
    return sums.astype(np.float64)


# --- softmax -------------------------------------------------------------------------------------


@fault("softmax", "no shift by the maximum")
def no_shift(a: Ask) -> Outputs:
    e = np.exp(a.x)
    return {"value": e / total(e)}


@fault("softmax", "shift by the maximum of the whole batch")
def global_shift(a: Ask) -> Outputs:
    e = np.exp(a.x - np.nanmax(np.where(np.isinf(a.x), np.nan, a.x)))
    return {"value": e / total(e)}


@fault("softmax", "normalised over the batch, not the classes")
def wrong_axis(a: Ask) -> Outputs:
    return {"value": a.e / a.e.sum(axis=0, keepdims=True)}


@fault("softmax", "sigmoid where softmax belongs")
def sigmoid_instead(a: Ask) -> Outputs:
    return {"value": a.sigma}


@fault("softmax", "an epsilon in the denominator")
def epsilon_in_denominator(a: Ask) -> Outputs:
    return {"value": a.e / (1 + a.R + 1e-3)}


@fault("softmax", "probabilities clipped from below")
def clipped(a: Ask) -> Outputs:
    return {"value": np.where(np.isnan(a.s), a.s, np.maximum(a.s, 1e-7))}


@fault("softmax", "a sum kept in bfloat16")
def sixteen_bit_sum(a: Ask) -> Outputs:
    return {"value": a.e / sixteen(a.e)}


@fault("softmax", "NaN leaks into the row below")
def nan_leaks(a: Ask) -> Outputs:
    above = np.isnan(np.roll(a.x, 1, axis=0)).any(axis=1, keepdims=True)
    return {"value": np.where(above, np.nan, a.s)}


@fault("softmax", "NaN is taken for a masked class")
def nan_hidden(a: Ask) -> Outputs:
    return {"value": Ask(np.where(np.isnan(a.x), -np.inf, a.x), None, a.c, a.dtype).s}


@fault("softmax", "an excluded class keeps a little probability")
def mask_leaks(a: Ask) -> Outputs:
    return {"value": np.where(np.isneginf(a.x) & ~np.isnan(a.s), 1e-9, a.s)}


@fault("softmax", "the last elements of a row, beyond a multiple of four, are not divided")
def vector_tail(a: Ask) -> Outputs:
    s = a.s.copy()
    whole = a.x.shape[1] // 4 * 4
    s[:, whole:] = a.e[:, whole:]
    return {"value": s}


@fault("softmax", "subnormal results flushed to zero")
def flushed(a: Ask) -> Outputs:
    tiny = float(ml_dtypes.finfo(a.dtype).smallest_normal)
    return {"value": np.where(a.s < tiny, 0.0, a.s)}


@fault("softmax", "the cotangent is ignored: gradient of the sum of squares")
def cotangent_ignored(a: Ask) -> Outputs:
    return {"grad_logits": softmax_vjp(a.s, np.ones_like(a.c) * np.arange(a.x.shape[1]), a.k)}


@fault("softmax", "only the first element of the cotangent is used")
def first_cotangent(a: Ask) -> Outputs:
    return {"grad_logits": softmax_vjp(a.s, np.where(np.arange(a.x.shape[1]) == 0, a.c, 0.0), a.k)}


@fault("softmax", "diagonal of the Jacobian only: s(1 − s)")
def diagonal_gradient(a: Ask) -> Outputs:
    return {"grad_logits": a.c * a.s * a.rest}


@fault("softmax", "the gradient is detached: zeros")
def detached(a: Ask) -> Outputs:
    return {"grad_logits": np.zeros_like(a.x)}


# --- log_softmax, logsumexp ------------------------------------------------------------------------


@fault("log_softmax", "the log of a softmax")
def log_of_softmax(a: Ask) -> Outputs:
    return {"value": np.log(a.s)}


@fault("log_softmax", "an epsilon before the log")
def log_of_epsilon(a: Ask) -> Outputs:
    return {"value": np.log(a.s + 1e-8)}


@fault("log_softmax", "x − (m + log S), which keeps the offset")
def offset_kept(a: Ask) -> Outputs:
    return {"value": a.x - (a.m + a.L).astype(a.dtype).astype(np.float64)}


@fault("log_softmax", "base two")
def base_two(a: Ask) -> Outputs:
    return {"value": a.ell / np.log(2)}


@fault("log_softmax", "log of 1 + R, not log1p")
def no_log1p(a: Ask) -> Outputs:
    return {"value": -(a.d + np.log((1 + a.R).astype(np.float32).astype(np.float64)))}


@fault("log_softmax", "the cotangent is taken to sum to one")
def cotangent_sum_assumed(a: Ask) -> Outputs:
    return {"grad_logits": a.c - a.s}


@fault("logsumexp", "no shift by the maximum")
def lse_no_shift(a: Ask) -> Outputs:
    return {"value": np.log(total(np.exp(a.x)))}


@fault("logsumexp", "the gradient from the rounded value")
def lse_gradient_of_value(a: Ask) -> Outputs:
    return {"grad_logits": a.c * np.exp(a.x - (a.m + a.L).astype(a.dtype).astype(np.float64))}


@fault("logsumexp", "+∞ gives NaN")
def lse_infinite(a: Ask) -> Outputs:
    return {"value": np.where(np.isinf(a.m), np.nan, a.m + a.L)}


@fault("logsumexp", "mean instead of sum")
def lse_mean(a: Ask) -> Outputs:
    return {"value": a.m + a.L - np.log(a.x.shape[1])}


# --- softmax cross-entropy -------------------------------------------------------------------------


@fault(CE, "softmax applied twice")
def softmax_twice(a: Ask) -> Outputs:
    again = Ask(a.s, a.labels, a.c, a.dtype)
    return {"value": CORRECT[CE](again)["value"]}


@fault(CE, "0 · −∞ for a masked class")
def zero_times_infinity(a: Ask) -> Outputs:
    return {"value": total(a.p * (a.d + a.L))}


@fault(CE, "gradient s − p, whatever the labels sum to")
def labels_assumed_normal(a: Ask) -> Outputs:
    return {"grad_logits": a.c * (a.s - a.p)}


@fault(CE, "labels are normalised first")
def labels_normalised(a: Ask) -> Outputs:
    return {"value": total(weighted(a.p, a.d + a.L)) / total(np.abs(a.p))}


@fault(CE, "the label is the largest entry")
def argmax_of_labels(a: Ask) -> Outputs:
    return {"value": -pick(a.ell, np.argmax(a.p, axis=1)[:, None])}


@fault(CE, "mean over the classes")
def mean_over_classes(a: Ask) -> Outputs:
    return {"value": CORRECT[CE](a)["value"] / a.x.shape[1]}


@fault(CE, "probabilities clipped before the log")
def clipped_loss(a: Ask) -> Outputs:
    return {"value": total(weighted(a.p, -np.log(np.maximum(a.s, 1e-12))))}


@fault(CE, "the loss is never negative: negative labels are cut")
def negative_labels_cut(a: Ask) -> Outputs:
    return {"value": total(weighted(np.maximum(a.p, 0), a.d + a.L))}


@fault(CE, "labels receive no gradient")
def labels_detached(a: Ask) -> Outputs:
    return {"grad_labels": np.zeros_like(a.x)}


@fault(CE, "the gradient by the labels has the wrong sign")
def label_gradient_sign(a: Ask) -> Outputs:
    return {"grad_labels": a.c * a.ell}


@fault(CE, "infinite loss replaced by a large number")
def infinity_replaced(a: Ask) -> Outputs:
    value = CORRECT[CE](a)["value"]
    return {"value": np.where(np.isposinf(value), 1e4, value)}


@fault(SPARSE, "the index is cast through the logits' format")
def index_through_float(a: Ask) -> Outputs:
    y = a.y.astype(a.dtype).astype(np.float64).astype(np.int64)
    return {"value": -pick(a.ell, np.minimum(y, a.x.shape[1] - 1))}


@fault(SPARSE, "the index counts from one")
def index_from_one(a: Ask) -> Outputs:
    return {"value": -pick(a.ell, np.maximum(a.y - 1, 0))}


@fault(SPARSE, "1 − s for the labelled class, which cancels")
def cancelling_gradient(a: Ask) -> Outputs:
    return {"grad_logits": a.c * (a.s.astype(a.dtype).astype(np.float64) - a.one_hot)}


@fault(SPARSE, "gradient not scaled by the cotangent")
def unscaled_gradient(a: Ask) -> Outputs:
    return {"grad_logits": balance(a, a.one_hot, np.ones_like(a.c))}


@fault(SPARSE, "gradients averaged over the rows")
def averaged_gradient(a: Ask) -> Outputs:
    return {"grad_logits": balance(a, a.one_hot, a.c) / len(a.x)}


@fault(SPARSE, "a masked label gives NaN")
def masked_label_is_nan(a: Ask) -> Outputs:
    value = -pick(a.ell, a.y)
    return {"value": np.where(np.isposinf(value), np.nan, value)}


@fault(SPARSE, "the row of the loss is the one above")
def rows_rolled(a: Ask) -> Outputs:
    return {"value": np.roll(-pick(a.ell, a.y), 1, axis=0)}


# --- the sigmoid family ------------------------------------------------------------------------------


@fault("sigmoid", "1 / (1 + exp(−x)), where exp overflows")
def sigmoid_overflow(a: Ask) -> Outputs:
    return {"value": 1 / (1 + np.exp(-a.x).astype(a.dtype).astype(np.float64))}


@fault("sigmoid", "a piecewise linear sigmoid")
def hard_sigmoid(a: Ask) -> Outputs:
    return {"value": np.where(np.isnan(a.x), np.nan, np.clip(a.x / 6 + 0.5, 0, 1))}


@fault("sigmoid", "saturated beyond 16")
def saturated_sigmoid(a: Ask) -> Outputs:
    return {"value": np.where(np.abs(a.x) > 16, (a.x > 0).astype(np.float64), a.sigma)}


@fault("sigmoid", "the gradient of tanh")
def tanh_gradient(a: Ask) -> Outputs:
    return {"grad_logits": a.c * (1 - a.sigma**2)}


@fault("sigmoid", "s(1 − s) from the rounded s")
def sigmoid_cancels(a: Ask) -> Outputs:
    s = a.sigma.astype(a.dtype).astype(np.float64)
    return {"grad_logits": a.c * s * (1 - s)}


@fault("log_sigmoid", "the log of a sigmoid")
def log_of_sigmoid(a: Ask) -> Outputs:
    return {"value": np.log(a.sigma)}


@fault("log_sigmoid", "log, not log1p")
def log_sigmoid_no_log1p(a: Ask) -> Outputs:
    inside = (1 + a.tail).astype(a.dtype).astype(np.float64)
    return {"value": -(np.maximum(-a.x, 0) + np.log(inside))}


@fault("logit", "an epsilon on both sides")
def logit_epsilon(a: Ask) -> Outputs:
    p = np.where((a.x >= 0) & (a.x <= 1), np.clip(a.x, 1e-6, 1 - 1e-6), np.nan)
    return {"value": np.log(p / (1 - p))}


@fault("logit", "outside [0, 1] is clamped")
def logit_clamped(a: Ask) -> Outputs:
    p = np.clip(a.x, 0, 1)
    return {"value": np.log(p) - np.log1p(-p)}


@fault("logit", "log base ten")
def logit_base_ten(a: Ask) -> Outputs:
    return {"value": CORRECT["logit"](a)["value"] / np.log(10)}


@fault(BINARY, "the half formula −z log σ(x)")
def half_formula(a: Ask) -> Outputs:
    return {"value": weighted(a.p, a.softplus_minus)}


@fault(BINARY, "softmax where sigmoid belongs")
def softmax_instead(a: Ask) -> Outputs:
    return {"value": -weighted(a.p, a.ell) - weighted(1 - a.p, np.log1p(-a.s))}


@fault(BINARY, "log of a clipped sigmoid")
def clipped_binary(a: Ask) -> Outputs:
    q = np.clip(a.sigma, 1e-7, 1 - 1e-7)
    return {"value": -a.p * np.log(q) - (1 - a.p) * np.log1p(-q)}


@fault(BINARY, "max(x, 0) − xz + log1p(…), whose infinities cancel")
def infinities_cancel(a: Ask) -> Outputs:
    return {"value": np.maximum(a.x, 0) - a.x * a.p + np.log1p(a.tail)}


@fault(BINARY, "(1 − z)x + softplus(−x) in the format, which loses the confident loss")
def confident_loss_lost(a: Ask) -> Outputs:
    def rounded(v: Array) -> Array:
        return v.astype(a.dtype).astype(np.float64)

    return {"value": rounded((1 - a.p) * a.x) + rounded(a.softplus_minus)}


@fault(BINARY, "labels are rounded to 0 and 1")
def labels_rounded(a: Ask) -> Outputs:
    hard = Ask(a.x, np.rint(a.p), a.c, a.dtype)
    return {"value": CORRECT[BINARY](hard)["value"]}


@fault(BINARY, "labels outside [0, 1] are clamped")
def labels_clamped(a: Ask) -> Outputs:
    return {"value": CORRECT[BINARY](Ask(a.x, np.clip(a.p, 0, 1), a.c, a.dtype))["value"]}


@fault(BINARY, "gradient z − σ(x)")
def binary_gradient_sign(a: Ask) -> Outputs:
    return {"grad_logits": -CORRECT[BINARY](a)["grad_logits"]}


@fault(BINARY, "gradient times σ′ once more, as after a sigmoid layer")
def gradient_through_sigmoid_twice(a: Ask) -> Outputs:
    return {"grad_logits": CORRECT[BINARY](a)["grad_logits"] * a.sigma * a.mirror}


@fault(BINARY, "mean over the labels of a row, put in every place")
def mean_over_labels(a: Ask) -> Outputs:
    value = CORRECT[BINARY](a)["value"]
    return {"value": np.broadcast_to(value.mean(axis=1, keepdims=True), value.shape).copy()}

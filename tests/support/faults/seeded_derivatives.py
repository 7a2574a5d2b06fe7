"""Faults of cotangents (1.5), of forward mode and of second derivatives (1.6)."""

from __future__ import annotations

import numpy as np

from tests.support.faults.blocks import Ask, pick
from tests.support.faults.fault import BINARY, DENSE, SPARSE, delivery, output, right
from tests.support.faults.kernel import Kernel
from tests.support.faults.sums import Array

# --- cotangents ------------------------------------------------------------------------------------


@output("softmax", "grad_logits", "the cotangent is ignored: 0, 1, 2 … in its place")
def cotangent_ignored(a: Ask) -> Array:
    return right(a, "grad_logits", cotangent=np.broadcast_to(np.arange(a.n, dtype=a.x.dtype), a.x.shape))


@output("softmax", "grad_logits", "only the first element of the cotangent is used")
def first_cotangent(a: Ask) -> Array:
    return right(a, "grad_logits", cotangent=np.where(np.arange(a.n) == 0, a.c, 0.0))


@output(SPARSE, "grad_logits", "gradient not scaled by the cotangent")
def unscaled_gradient(a: Ask) -> Array:
    return right(a, "grad_logits", cotangent=np.ones_like(a.cotangent))


@output(DENSE, "grad_logits", "divided by the cotangent on the way: 0/0")
def zero_cotangent_is_nan(a: Ask) -> Array:
    return right(a, "grad_logits") * (a.c / a.c)


@output(SPARSE, "grad_logits", "the cotangent times the number of rows, in the format, and back")
def loss_scale_overflows(a: Ask) -> Array:
    scaled = a.rounded(a.cotangent * len(a.x)) / len(a.x)
    return right(a, "grad_logits", cotangent=np.where(len(a.x) > 1, scaled, a.cotangent))


@output("logsumexp", "grad_logits", "every row has the cotangent of the first")
def cotangent_of_the_first_row(a: Ask) -> Array:
    return right(a, "grad_logits", cotangent=np.broadcast_to(a.cotangent[:1], a.cotangent.shape))


@output("sigmoid", "grad_logits", "the cotangent is clipped to ±1, as gradients are")
def cotangent_clipped(a: Ask) -> Array:
    return right(a, "grad_logits", cotangent=np.clip(a.cotangent, -1, 1))


@delivery("log_softmax", "read", "a broadcast cotangent is read past its one element")
def broadcast_cotangent_overrun(self: Kernel, name: str, tensor: Array) -> Array:
    found = np.array(tensor, order="C")
    if name == "cotangent" and tensor.ndim and tensor.shape[0] > 1 and tensor.strides[0] == 0:
        found[1:] = 0.0
    return found


# --- forward mode ----------------------------------------------------------------------------------


@output("softmax", "jvp", "s v: the mean is not taken off")
def jvp_without_mean(a: Ask) -> Array:
    return a.s * a.v


@output("logsumexp", "jvp", "the plain mean of the tangent, not the weighted one")
def jvp_unweighted(a: Ask) -> Array:
    return a.total(a.v) / a.n


@output("sigmoid", "jvp", "the gradient times the cotangent: the tangent is ignored")
def tangent_ignored(a: Ask) -> Array:
    return right(a, "grad_logits")


@output(SPARSE, "jvp", "the tangent of the labelled class only")
def jvp_of_the_label(a: Ask) -> Array:
    return -pick(a.v, a.y) * (1 - pick(a.s, a.y))


@output("logit", "jvp", "the derivative of a sigmoid, not of its inverse")
def jvp_of_the_inverse(a: Ask) -> Array:
    return a.v * a.x * (1 - a.x)


# --- second derivatives ----------------------------------------------------------------------------


@output(SPARSE, "hvp", "the diagonal of the Hessian only")
def hessian_diagonal(a: Ask) -> Array:
    return a.c * a.s * a.rest * a.v


@output("log_softmax", "hvp", "the wrong sign")
def hessian_sign(a: Ask) -> Array:
    return -right(a, "hvp")


@output(BINARY, "hvp", "the cotangent is ignored")
def hessian_without_cotangent(a: Ask) -> Array:
    return right(a, "hvp", cotangent=np.ones_like(a.cotangent))


@output("softmax", "hvp", "the gradient is differentiated with s held fixed in its sum")
def hessian_of_one_factor(a: Ask) -> Array:
    return right(a, "jvp") * a.along(a.c)


@output(DENSE, "hvp", "second derivatives are dropped: zeros")
def hessian_dropped(a: Ask) -> Array:
    return np.zeros_like(a.x)


@output("log_sigmoid", "hvp", "of softplus: the sign of the value is lost")
def hessian_of_softplus(a: Ask) -> Array:
    return a.c * a.v * a.sigma * a.mirror


@output(
    "log_softmax",
    "grad_logits",
    "of a cotangent of one element, 1 less a rounded probability: 0 where confident",
)
def one_element_cancels(a: Ask) -> Array:
    one = (a.c != 0).sum(axis=1, keepdims=True) == 1
    cancelled = a.c - a.rounded(a.s) * a.total(a.c)
    return np.where(one, cancelled, right(a, "grad_logits"))

"""A correct implementation of every operator in NumPy, in pieces that a fault can replace one at a time.

Works in binary64 on ``(rows, N)`` arrays, with relative accuracy (SPEC.md 8.1): the maximum's own 1 is
kept apart from the sum, log1p takes the rest, and no two nearly equal numbers are subtracted.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def total(a: Array) -> Array:
    return a.sum(axis=1, keepdims=True)


def pick(a: Array, y: Array) -> Array:
    return np.take_along_axis(a, y, axis=1)


@dataclass(frozen=True)
class Ask:
    """One call: logits ``x``, dense labels ``p`` or indices ``y`` ``(rows, 1)``, cotangent ``c``."""

    x: Array
    labels: Array | None
    c: Array
    dtype: np.dtype[Any]

    @property
    def y(self) -> Array:
        assert self.labels is not None
        return self.labels.reshape(-1, 1).astype(np.int64)

    @property
    def p(self) -> Array:
        assert self.labels is not None
        return self.labels

    @cached_property
    def one_hot(self) -> Array:
        return (self.y == np.arange(self.x.shape[1])).astype(np.float64)

    # --- the softmax family ---

    @cached_property
    def k(self) -> Array:
        return np.argmax(self.x, axis=1)[:, None]

    @cached_property
    def m(self) -> Array:
        return self.x.max(axis=1, keepdims=True)

    @cached_property
    def d(self) -> Array:
        return self.m - self.x

    @cached_property
    def e(self) -> Array:
        return np.exp(-self.d)

    @cached_property
    def R(self) -> Array:
        others = self.e.copy()
        np.put_along_axis(others, self.k, np.where(np.isnan(self.m), np.nan, 0.0), axis=1)
        return total(others)

    @cached_property
    def L(self) -> Array:
        return np.log1p(self.R)

    @cached_property
    def s(self) -> Array:
        return self.e / (1 + self.R)

    @cached_property
    def rest(self) -> Array:
        rest = 1 - self.s
        np.put_along_axis(rest, self.k, self.R / (1 + self.R), axis=1)
        return rest

    @cached_property
    def ell(self) -> Array:
        """``log s``."""
        return -(self.d + self.L)

    # --- the sigmoid family ---

    @cached_property
    def tail(self) -> Array:
        return np.exp(-np.abs(self.x))

    @cached_property
    def sigma(self) -> Array:
        return np.where(self.x >= 0, 1 / (1 + self.tail), self.tail / (1 + self.tail))

    @cached_property
    def mirror(self) -> Array:
        return np.where(self.x >= 0, self.tail / (1 + self.tail), 1 / (1 + self.tail))

    @cached_property
    def softplus(self) -> Array:
        return np.maximum(self.x, 0) + np.log1p(self.tail)

    @cached_property
    def softplus_minus(self) -> Array:
        return np.maximum(-self.x, 0) + np.log1p(self.tail)


Outputs = dict[str, Array]


def weighted(weight: Array, value: Array) -> Array:
    """``weight · value``, where a weight of zero takes even an infinity away (4.2)."""
    return np.where((weight == 0) & np.isinf(value), 0.0, weight * value)


def balance(a: Ask, p: Array, c: Array) -> Array:
    """``c (s_i Σp − p_i)`` without cancellation for hard labels."""
    return c * (a.s * (total(p) - p) - p * a.rest)


def softmax_vjp(s: Array, c: Array, k: Array) -> Array:
    w = c - pick(c, k)
    return s * (w - total(s * w))


def softmax(a: Ask) -> Outputs:
    return {"value": a.s, "grad_logits": softmax_vjp(a.s, a.c, a.k)}


def log_softmax(a: Ask) -> Outputs:
    return {"value": a.ell, "grad_logits": balance(a, -a.c, np.ones((1, 1)))}


def logsumexp(a: Ask) -> Outputs:
    value = np.where(
        a.m == np.inf, np.where(np.isnan(a.x).any(axis=1, keepdims=True), np.nan, np.inf), a.m + a.L
    )
    return {"value": value, "grad_logits": a.c * a.s}


def softmax_cross_entropy(a: Ask) -> Outputs:
    undefined = np.isnan(a.L)
    value = total(weighted(a.p, a.d + a.L))
    return {
        "value": np.where(undefined, np.nan, value),
        "grad_logits": balance(a, a.p, a.c),
        "grad_labels": -a.c * a.ell,
    }


def sparse_softmax_cross_entropy(a: Ask) -> Outputs:
    return {"value": -pick(a.ell, a.y), "grad_logits": balance(a, a.one_hot, a.c)}


def sigmoid(a: Ask) -> Outputs:
    return {"value": a.sigma, "grad_logits": a.c * a.sigma * a.mirror}


def log_sigmoid(a: Ask) -> Outputs:
    return {"value": -a.softplus_minus, "grad_logits": a.c * a.mirror}


def logit(a: Ask) -> Outputs:
    p = a.x
    near = (p >= 0.25) & (p <= 0.75)
    value = np.where(near, np.log1p((2 * p - 1) / (1 - p)), np.log(p) - np.log1p(-p))
    inside = (p >= 0) & (p <= 1)
    return {
        "value": np.where(inside, value, np.nan),
        "grad_logits": np.where(inside, a.c / (p * (1 - p)), np.nan),
    }


def sigmoid_cross_entropy(a: Ask) -> Outputs:
    value = weighted(1 - a.p, a.softplus) + weighted(a.p, a.softplus_minus)
    return {
        "value": np.where(np.isnan(a.x), np.nan, value),
        "grad_logits": a.c * ((1 - a.p) * a.sigma - a.p * a.mirror),
        "grad_labels": -a.c * a.x,
    }


CORRECT = {
    f.__name__: f
    for f in (
        softmax,
        log_softmax,
        logsumexp,
        softmax_cross_entropy,
        sparse_softmax_cross_entropy,
        sigmoid,
        log_sigmoid,
        logit,
        sigmoid_cross_entropy,
    )
}

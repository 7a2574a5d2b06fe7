"""Textbook code in formats of eight bits, each of its steps rounded."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from tests.support.reference.arithmetic import Array
from xent_conformance.reference.formats import EIGHT_BITS
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.oracle import Oracle

EVERY = pytest.mark.parametrize("fmt", EIGHT_BITS.values(), ids=lambda f: f.name)


class Steps:
    """The textbook's steps, each computed in ``wide`` and rounded back to the format of ``x``.

    As automatic differentiation goes through them, and as a fused kernel would write them.
    """

    def __init__(self, x: Array, c: Array, p: Array, wide: type) -> None:
        self.wide, self.dtype = wide, x.dtype
        self.x, self.c, self.p = x, c, p
        self.one = np.ones_like(x)

    def step(self, of: Callable[..., Array], *given: Array) -> Array:
        return np.asarray(of(*(a.astype(self.wide) for a in given))).astype(self.wide).astype(self.dtype)

    def total(self, a: Array) -> Array:
        return a.astype(np.float32).sum(axis=1, keepdims=True).astype(self.dtype)

    def add(self, a: Array, b: Array) -> Array:
        return self.step(np.add, a, b)

    def less(self, a: Array, b: Array) -> Array:
        return self.step(np.subtract, a, b)

    def times(self, a: Array, b: Array) -> Array:
        return self.step(np.multiply, a, b)

    def over(self, a: Array, b: Array) -> Array:
        return self.step(np.divide, a, b)

    # --- softmax ---

    @property
    def m(self) -> Array:
        return self.x.astype(np.float64).max(axis=1, keepdims=True).astype(self.dtype)

    @property
    def d(self) -> Array:
        return self.less(self.x, self.m)

    @property
    def e(self) -> Array:
        return self.step(np.exp, self.d)

    @property
    def S(self) -> Array:
        return self.total(self.e)

    @property
    def s(self) -> Array:
        return self.over(self.e, self.S)

    @property
    def L(self) -> Array:
        return self.step(np.log, self.S)

    @property
    def log_s(self) -> Array:
        return self.less(self.d, self.L)

    def balance(self, c: Array, s: Array) -> Array:
        return self.less(c, self.times(s, self.total(c)))

    # --- sigmoid ---

    @property
    def y(self) -> Array:
        return self.over(self.one, self.add(self.one, self.step(lambda x: np.exp(-x), self.x)))

    def softplus(self, sign: float) -> Array:
        rest = self.step(np.log1p, self.step(lambda x: np.exp(-np.abs(x)), self.x))
        return self.add(np.maximum(sign * self.x.astype(np.float64), 0.0).astype(self.dtype), rest)


Step = Callable[[Steps], Array]


def negative(a: Array) -> Array:
    return np.asarray(-a.astype(np.float64)).astype(a.dtype)


def beyond_the_interval(inputs: Inputs, output: str, forms: Mapping[str, Step], wide: type) -> list[str]:
    """The forms of which an element is further from the exact one than it may be, or is no number."""
    truth, to = Oracle().truth(inputs), inputs.format.dtype
    exact, bound = truth.enclosure(output).approximate(), truth.bound(output).stable
    x, c, p = (a.astype(to) for a in (inputs.logits, inputs.cotangent, inputs.dense_labels))
    found = []
    for name, form in forms.items():
        got = form(Steps(x, c, p, wide)).astype(np.float64).reshape(exact.shape)
        if not (np.isfinite(got).all() and (np.abs(got - exact) <= bound).all()):
            found.append(name)
    return found

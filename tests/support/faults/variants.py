"""Correct implementations beside the one that the faults are made from: other orders, other precisions.

Each computes in the tested dtype itself (those of 16 bits in binary32), except ``higher`` and ``correct``.
``textbook`` is right to stable accuracy and no better: 1.2 is what it may break.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from tests.support.faults.blocks import Ask
from tests.support.faults.correct import CORRECT, Output
from tests.support.faults.kernel import Kernel, higher, own
from tests.support.faults.sums import Array, columns, kahan, sequential

MERELY_STABLE = {"textbook": "1.2"}
"""Variants that break one clause, and nothing else."""


class Online(Ask):
    """One pass with a running maximum: ``R`` is rescaled whenever the maximum moves."""

    @cached_property
    def _stream(self) -> tuple[Array, Array]:
        return stream(self.x)

    @cached_property
    def m(self) -> Array:
        return self._stream[0]

    @cached_property
    def R(self) -> Array:
        return self._stream[1]


def stream(x: Array) -> tuple[Array, Array]:
    """Maximum and ``R`` of each row; the partial results of several lanes are a stream again."""
    steps = columns(x, -np.inf)
    m = next(steps)
    R = np.zeros_like(m)
    for column in steps:
        m, R = merged((m, R), (column, np.zeros_like(column)))
    while m.shape[1] > 1:
        half = m.shape[1] // 2
        odd = (m[:, 2 * half :], R[:, 2 * half :])
        m, R = merged((m[:, :half], R[:, :half]), (m[:, half : 2 * half], R[:, half : 2 * half]))
        m, R = np.concatenate([m, odd[0]], axis=1), np.concatenate([R, odd[1]], axis=1)
    return m, R


def merged(a: tuple[Array, Array], b: tuple[Array, Array]) -> tuple[Array, Array]:
    """``(m, R)`` of two parts: the sum of the lower one, ``1 + R``, comes below the higher maximum."""
    (m, R), (other, T) = a, b
    top, low = np.maximum(m, other), np.minimum(m, other)
    below = np.where(m >= other, 1 + T, 1 + R)
    kept = np.where(m >= other, R, T)
    scaled = below * np.exp(low - top)
    return top, np.where(low == -np.inf, kept, kept + scaled)  # a part without any class adds nothing


class Textbook(Ask):
    """``S`` as one sum, ``log S`` and ``1 + e`` in it, ``1 − s`` and ``1 − σ``."""

    @cached_property
    def S(self) -> Array:
        return self.total(self.e)

    @cached_property
    def L(self) -> Array:
        return np.log(self.S)

    @cached_property
    def rest(self) -> Array:
        return 1 - self.s

    def along(self, v: Array) -> Array:
        return v - self.total(self.s * v)

    def centred(self, v: Array) -> Array:
        return v

    def balance(self, p: Array, c: Array) -> Array:
        return c * (self.s * self.total(p) - p)

    @cached_property
    def mirror(self) -> Array:
        return 1 - self.sigma

    @cached_property
    def log1p_tail(self) -> Array:
        return np.log(1 + self.tail)


def binary_textbook(a: Ask) -> Array:
    """``c (σ − z)``, weighed: the derivative of ``w (1 − z) x + w l softplus(−x)``."""
    return a.negative - (a.negative + a.positive) * (1 - a.sigma)


TEXTBOOK: dict[str, dict[str, Output]] = {
    "logsumexp": {"jvp": lambda a: a.total(a.s * a.v)},
    "logit": {"value": lambda a: np.where((a.x < 0) | (a.x > 1), np.nan, np.log(a.x / (1 - a.x)))},
    "sigmoid": {"hvp": lambda a: a.c * a.v * a.sigma * a.mirror * (1 - 2 * a.sigma)},
    "sigmoid_cross_entropy": {
        "grad_logits": lambda a: a.c * binary_textbook(a),
        "jvp": lambda a: a.v * binary_textbook(a),
    },
}


@dataclass(frozen=True)
class Variant:
    """A way to be right; ``of`` makes it of the correct kernel of an operator."""

    name: str
    about: str
    ask: type[Ask] = Ask
    change: dict[str, object] | None = None

    def of(self, operator: str) -> Kernel:
        kernel = Kernel(operator, CORRECT[operator], self.ask, **(self.change or {}))  # type: ignore[arg-type]
        if self.ask is not Textbook:
            return kernel
        return replace(kernel, outputs={**kernel.outputs, **TEXTBOOK.get(operator, {})})


VARIANTS = (
    Variant("correct", "binary64, rounded to the tested dtype; every fault is made from it"),
    Variant("pairwise", "in the dtype, pairwise sums", change={"working": own}),
    Variant("sequential", "in the dtype, sums in order", change={"working": own, "total": sequential}),
    Variant("online", "in the dtype, one pass with a running maximum", Online, {"working": own}),
    Variant("kahan", "in the dtype, compensated sums", change={"working": own, "total": kahan}),
    Variant("higher", "binary64, or extended for binary64, rounded once", change={"working": higher}),
    Variant("textbook", "in the dtype, log of the whole sum, s − p: just stable", Textbook, {"working": own}),
)

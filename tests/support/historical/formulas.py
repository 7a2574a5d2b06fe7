"""Wrong formulas of reports that have rows of their own: those rows as the report says they came out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from xent_conformance.cases.case import Batch

S, LS, LSE = "softmax", "log_softmax", "logsumexp"
CE, SP = "softmax_cross_entropy", "sparse_softmax_cross_entropy"
SG, LSG, BCE = "sigmoid", "log_sigmoid", "sigmoid_cross_entropy"

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Given:
    """The rows of a variant, in their format: logits, labels, cotangents and tangents."""

    x: Array
    p: Array
    c: Array
    v: Array
    positive: Array

    @property
    def d(self) -> Array:
        return self.x - self.x.max(axis=1, keepdims=True)

    @property
    def e(self) -> Array:
        return np.exp(self.d)

    @property
    def s(self) -> Array:
        return self.e / total(self.e)

    @property
    def ell(self) -> Array:
        return self.d - np.log(total(self.e))

    @property
    def y(self) -> Array:
        return self.p.astype(np.int64)

    @property
    def sigma(self) -> Array:
        return np.where(self.x >= 0, 1 / (1 + np.exp(-self.x)), np.exp(self.x) / (1 + np.exp(self.x)))

    @property
    def tail(self) -> Array:
        return np.log1p(np.exp(-np.abs(self.x)))


def total(a: Array) -> Array:
    return a.sum(axis=1, keepdims=True)


def at(a: Array, y: Array) -> Array:
    """The labelled class of each row; an index out of range counts on from the other end."""
    return np.take_along_axis(a, y % a.shape[1], axis=1)


def smoothed(g: Given, epsilon: float, share: float) -> Array:
    """``(1 − ε) of the label's loss and ``share`` of the sum of all."""
    return -(1 - epsilon) * at(g.ell, g.y) - share * total(g.ell)


def over_groups(losses: Array, examples: int) -> Array:
    """One sum for each group of examples."""
    return losses.reshape(-1, examples).sum(axis=1, keepdims=True)


WRONG: dict[tuple[str, str, str], Callable[[Given], Any]] = {
    ("CUDA.jl#599", S, "value"): lambda g: g.e / g.e.sum(axis=0),
    ("Paddle#65859", BCE, "value"): lambda g: (
        (1 - g.p) * g.x + (1 + (g.positive - 1) * g.p) * g.tail + np.maximum(-g.x, 0)
    ),
    ("aprender#2199", SP, "value"): lambda g: smoothed(g, 0.1, 0.9 / 5),
    ("burn#4815", S, "value"): lambda g: given(g.x.T.reshape(g.x.shape)).s,
    ("dynet#1525", SG, "value"): lambda g: np.exp(g.x) / (1 + np.exp(g.x)),
    ("jax#20856", S, "value"): lambda g: np.ones_like(g.x),
    ("jax#40474 float16", LS, "grad_logits"): lambda g: g.c - g.s * total(g.c),
    ("keras#16712+mean", SP, "value"): lambda g: over_groups(np.where(g.y < 0, 0, -at(g.ell, g.y)), 3) / 3,
    ("nn#949 float64", BCE, "value"): lambda g: -np.log(g.sigma + 1e-12),
    ("nn#949 float64", BCE, "grad_logits"): lambda g: -g.c / (g.sigma + 1e-12) * g.sigma * (1 - g.sigma),
    ("numpyro#2240", BCE, "value"): lambda g: np.maximum(g.x, 0) - g.x * g.p + g.tail,
    ("onnx#3244", S, "value"): lambda g: g.e / g.e.sum(),
    ("onnxruntime#22557", SG, "value"): lambda g: np.full_like(g.x, -5.960464e-08),
    ("onnxruntime#25402", LS, "value"): lambda g: g.x - np.log(np.exp(g.x).sum()),
    ("optax#1762", CE, "jvp"): lambda g: -total(g.p * (g.v - total(g.s * g.v)) + 0 * g.ell),
    ("pytorch#104776", CE, "value"): lambda g: -total((0.9 * g.p * [0.01, 0.99] + 0.05) * g.ell),
    ("pytorch#108148", SP, "value"): lambda g: np.where(g.y < 2, -at(g.ell, g.y), 0),
    ("pytorch#108148+ignoring", SP, "value"): lambda g: np.where(g.y >= 0, -at(g.ell, g.y), 0),
    ("pytorch#11752", SP, "value"): lambda g: g.x.max(axis=1) + np.log(total(g.e)) - at(g.x, g.y),
    ("pytorch#12576", SP, "value"): lambda g: -at(g.ell, g.y),
    ("pytorch#12670", SP, "value"): lambda g: np.where(g.y == -1, 0, -at(g.ell, g.y)),
    ("pytorch#13448", SG, "value"): lambda g: np.full_like(g.x, 4.156e-39),
    ("pytorch#135777", SG, "value"): lambda g: np.full_like(g.x, np.nan),
    ("pytorch#13773", BCE, "value"): lambda g: (1 - g.p) * g.x + g.positive * np.log(1 + np.exp(-g.x)),
    ("pytorch#158310 float16", LS, "value"): lambda g: np.full_like(g.x, -np.inf),
    ("pytorch#163932", S, "value"): lambda g: np.full_like(g.x, np.nan),
    ("pytorch#188541", LSG, "value"): lambda g: np.where(g.x > 87.3, 0, -g.tail),
    ("pytorch#195677 float64", BCE, "grad_logits"): lambda g: g.c * (1 / (1 + np.exp(-g.x)) - g.p),
    ("pytorch#2298", BCE, "grad_logits"): lambda g: (
        g.c * ((g.x > 0) - g.p - np.sign(g.x) * np.exp(-np.abs(g.x)) / (1 + np.exp(-np.abs(g.x))))
    ),
    ("pytorch#34585", S, "value"): lambda g: np.exp(g.x) / total(np.exp(g.x)),
    ("pytorch#38839", LS, "value"): lambda g: g.x - (g.x.max(axis=1, keepdims=True) + np.log(total(g.e))),
    ("pytorch#51906+infinite", BCE, "value"): lambda g: np.maximum(g.x, 0) - g.x * g.p + g.tail,
    ("pytorch#73205+sum", SP, "value"): lambda g: over_groups(
        np.where(g.y < 0, 0, -0.8 * at(g.ell, g.y)) - 0.02 * total(g.ell), 4
    ),
    ("pytorch#73205+mean", SP, "value"): lambda g: (
        over_groups(np.where(g.y < 0, 0, -0.8 * at(g.ell, g.y)) - 0.02 * total(g.ell), 4) / 2
    ),
    ("pytorch#73741", LSE, "jvp"): lambda g: total(np.exp(g.x) * g.v) / total(np.exp(g.x)),
    ("pytorch#795", LS, "value"): lambda g: g.x - np.log(total(np.exp(g.x))),
    ("pytorch#94043", LS, "value"): lambda g: np.log(g.s),
    ("tensorflow#10268", SP, "value"): lambda g: -at(g.ell, g.y),
    ("tensorflow#116933+tail", S, "value"): lambda g: np.where(np.arange(9)[:, None] < 8, 1 - 2.0**-24, 1),
    ("tensorflow#126060", SG, "grad_logits"): lambda g: g.c * g.sigma * (1 - g.sigma),
    ("tensorflow#126060+binary64 float64", SG, "grad_logits"): lambda g: g.c * g.sigma * (1 - g.sigma),
    ("tensorflow#33878", SG, "value"): lambda g: np.where(
        np.arange(10) < 8, g.sigma, np.nextafter(g.sigma, np.float32(1))
    ),
    ("tensorflow#57173", SP, "value"): lambda g: -at(g.ell, g.y),
    ("tensorflow#7403", CE, "hvp"): lambda g: np.zeros_like(g.x),
    ("tfjs#5394", S, "value"): lambda g: np.full_like(g.x, 3.4028235e38),
    ("tt-metal#55457 bfloat16", LSG, "value"): lambda g: np.where(g.x < 200, -0.98, -np.inf),
    ("xla#2553", SP, "value"): lambda g: -total((g.y == np.arange(10)) * g.ell),
    ("xla#4311", SG, "value"): lambda g: 0.5 + 0.5 * np.tanh(0.5 * g.x),
    ("xla#4311", BCE, "value"): lambda g: -np.log(0.5 + 0.5 * np.tanh(0.5 * g.x)),
    ("xla#896", SP, "value"): lambda g: -at(g.ell, g.y),
    # what reporters took for right
    ("pytorch#133833", SP, "value"): lambda g: np.zeros((2, 1)),
    ("pytorch#148884", SP, "value"): lambda g: -total(np.array([0.9, 0.1]) * g.ell),
    ("tensorflow#14641", CE, "hvp"): lambda g: g.c * np.array([-0.25, 0.25]),
    ("tensorflow#1513", CE, "value"): lambda g: -np.log(total(g.p * g.s)),
    ("tensorflow#15791", BCE, "value"): lambda g: (
        (1 - g.p) * g.x + (1 + (g.positive - 1) * g.p) * g.tail + np.maximum(-g.x, 0)
    ),
    ("tensorflow#21271", CE, "value"): lambda g: -total(g.p * np.log(g.s + 1e-10)),
}
"""By report (with the variant's ending and another format than binary32), operator and output."""


def given(x: Array) -> Given:
    return Given(x, x, x, x, x)


def rows_given(batch: Batch, rows: Sequence[int]) -> Given:
    inputs, dtype = batch.inputs, batch.inputs.format.dtype
    n = inputs.n
    v = inputs.tangent[rows] if inputs.tangent.size else np.zeros((len(rows), n))
    labels = inputs.labels[rows].reshape(-1, 1 if inputs.definition.labels == "index" else n)
    if inputs.definition.labels != "index":
        labels = labels.astype(dtype)
    positive = np.array(inputs.attributes.pos_weight or (1.0,))
    x, c, v, positive = (a.astype(dtype) for a in (inputs.logits[rows], inputs.cotangent[rows], v, positive))
    return Given(x.reshape(-1, n), labels, c, v, positive)

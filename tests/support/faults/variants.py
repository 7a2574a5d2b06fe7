"""Correct implementations beside the one that the faults are made from: other orders, precisions, forms.

Each computes in the tested dtype itself (those of 16 bits in binary32), except ``higher`` and ``correct``.
Most forms that are shipped are right to stable accuracy and no better: 1.2 is what they may break.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.support.faults.blocks import Ask, pick, piece, weighted
from tests.support.faults.correct import CORRECT, Table, inside, settled
from tests.support.faults.forms_sigmoid import (
    MAX_FORM,
    ONE_SOFTPLUS,
    TWO_LOGS,
    BranchFree,
    OneBranch,
    Tanh,
)
from tests.support.faults.forms_softmax import (
    APART,
    LABEL_FIRST,
    OF_LOGARITHMS,
    STEPS,
    BaseTwo,
    Chunks,
    EveryStep,
    Reciprocal,
    Saved,
    SavedLogarithms,
    Textbook,
    TwoClasses,
)
from tests.support.faults.kernel import Kernel, Working, binary64, higher, own
from tests.support.faults.layer import kernel_of
from tests.support.faults.sums import Array, Sum, columns, kahan, pairwise, sequential, vector, wide
from xent_conformance.reference.operators import OPERATORS

BINARY = "sigmoid_cross_entropy"


class Online(Ask):
    """One pass with a running maximum: ``R`` is rescaled whenever the maximum moves."""

    @piece
    def _stream(self) -> tuple[Array, Array]:
        return stream(self.x)

    @piece
    def m(self) -> Array:
        return self._stream[0]

    @piece
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


def one_minus(a: Ask) -> Array:
    """``−b log p − a log(1 − p)``, the difference rounded."""
    value = -weighted(a.positive, np.log(a.x)) - weighted(a.negative, np.log(1 - a.x))
    return np.where(inside(a.x), value, np.nan)


def two_quotients(a: Ask, c: Array) -> Array:
    """``c a / (1 − p) − c b / p``."""
    slope = weighted(c * a.negative, 1 / (1 - a.x)) - weighted(c * a.positive, 1 / a.x)
    return np.where(inside(a.x), slope, np.nan)


def binary_textbook(a: Ask) -> Array:
    """``c (σ − z)``, weighed: the derivative of ``w (1 − z) x + w l softplus(−x)``."""
    return a.negative - (a.negative + a.positive) * (1 - a.sigma)


TEXTBOOK: dict[str, Table] = {
    "logsumexp": {"jvp": lambda a: a.total(a.s * a.v)},
    "logit": {"value": lambda a: np.where(inside(a.clamped), np.log(a.clamped / (1 - a.clamped)), np.nan)},
    "binary_cross_entropy": {
        "value": one_minus,
        "grad_logits": lambda a: two_quotients(a, a.c),
        "jvp": lambda a: two_quotients(a, a.v),
    },
    "sigmoid": {"hvp": lambda a: a.c * a.v * a.sigma * a.mirror * (1 - 2 * a.sigma)},
    "sigmoid_cross_entropy": {
        "grad_logits": lambda a: a.c * binary_textbook(a),
        "jvp": lambda a: a.v * binary_textbook(a),
    },
}


def two_sums(a: Ask) -> Array:
    """``Σ xlogy(p, p) − Σ p x``, without what a target of zero takes away."""
    t, gone = a.smoothed, (a.smoothed == 0) & ~np.isnan(a.x)
    entropy = np.where(t == 0, 0.0, t * np.log(np.where(t == 0, 1.0, t)))
    return a.total(a.w * entropy) - a.total(a.w * np.where(gone, 0.0, t * a.x))


def gathered(a: Ask) -> Array:
    """What the label names is taken, and weighed."""
    return settled(lambda a: -(pick(a.w, a.y) * pick(a.x, a.y)))(a)


TWO_SUMS: dict[str, Table] = {"kl_divergence": {"value": two_sums}}
GATHERED: dict[str, Table] = {"negative_log_likelihood": {"value": gathered}}

SUMS = tuple(name for name, o in OPERATORS.items() if not o.elementwise and o.domain == "reals")
ELEMENTWISE = tuple(name for name, o in OPERATORS.items() if o.elementwise and o.domain != "probabilities")
LOSSES = ("softmax_cross_entropy", "sparse_softmax_cross_entropy")


@dataclass(frozen=True)
class Variant:
    """A way to be right; ``of`` makes it of the correct kernel of an operator.

    ``outputs`` are computed by another form, by operator. ``stable``: it is right to stable accuracy alone,
    and breaks the clause on relative accuracy, 1.2, and nothing else.
    """

    name: str
    about: str
    ask: type[Ask] = Ask
    operators: tuple[str, ...] = tuple(OPERATORS)
    outputs: Mapping[str, Table] = field(default_factory=dict)
    working: Working = own
    total: Sum = pairwise
    stable: bool = False

    def of(self, operator: str) -> Kernel:
        textbook = TEXTBOOK.get(operator, {}) if issubclass(self.ask, Textbook) else {}
        outputs = {**CORRECT[operator], **textbook, **self.outputs.get(operator, {})}
        return kernel_of(operator)(operator, outputs, self.ask, self.working, self.total)


def _shipped(name: str, about: str, ask: type[Ask], operators: tuple[str, ...], **how: Any) -> Variant:
    """A form of some operators that is stable and no better."""
    return Variant(name, about, ask, operators, stable=True, **how)


VARIANTS = (
    Variant(
        "correct", "binary64, rounded to the tested dtype; every fault is made from it", working=binary64
    ),
    Variant("pairwise", "in the dtype, pairwise sums"),
    Variant("sequential", "in the dtype, sums in order", total=sequential, stable=True),  # of long rows
    Variant("vector", "in the dtype, sums in sixteen lanes, then halves", total=vector),
    Variant("online", "in the dtype, one pass with a running maximum", Online),
    Variant("kahan", "in the dtype, compensated sums", total=kahan),
    Variant("wide", "in the dtype, sums in a wider one", total=wide),
    Variant("higher", "binary64, or extended for binary64, rounded once", working=higher),
    Variant("reciprocal", "multiplied by 1/S", Reciprocal, SUMS),
    Variant("two_classes", "of two classes the sigmoid of the difference", TwoClasses, SUMS),
    Variant("branch_free", "exp(min(x, 0)) / (1 + exp(−abs(x)))", BranchFree, ELEMENTWISE),
    Variant("two_sums", "Σ p log p − Σ p x, each sum by itself", Ask, tuple(TWO_SUMS), outputs=TWO_SUMS),
    Variant("gathered", "the number at the label, without a sum", Ask, tuple(GATHERED), outputs=GATHERED),
    _shipped(
        "textbook",
        "in the dtype, log of the whole sum, s − p",
        Textbook,
        tuple(OPERATORS),
    ),
    _shipped("base_two", "exp2((x − m) log2 e), online in tiles: attention kernels", BaseTwo, SUMS),
    _shipped("chunks", "maximum and sum of each chunk, then of the chunks", Chunks, SUMS),
    _shipped("saved", "gradient s (c − Σ s c) from probabilities rounded to the dtype", Saved, SUMS),
    _shipped("apart", "gradient c s − s Σ c s from the same", Saved, ("softmax",), outputs=APART),
    _shipped(
        "saved_logarithms",
        "gradient c − exp(ℓ) Σ c from log-probabilities rounded to the dtype",
        SavedLogarithms,
        SUMS,
        outputs=OF_LOGARITHMS,
    ),
    _shipped(
        "every_step",
        "every operation rounded to the dtype, forwards and backwards",
        EveryStep,
        SUMS,
        outputs=STEPS,
    ),
    _shipped("label_first", "(m − x_y) + log S", Textbook, LOSSES, outputs=LABEL_FIRST),
    _shipped("tanh", "0.5 tanh(0.5 x) + 0.5", Tanh, ELEMENTWISE),
    _shipped("one_branch", "1 / (1 + exp(−x))", OneBranch, ELEMENTWISE),
    _shipped("max_form", "max(x, 0) − x z + log1p(exp(−abs(x)))", Ask, (BINARY,), outputs=MAX_FORM),
    _shipped("one_softplus", "(1 − z) x + softplus(−x)", Ask, (BINARY,), outputs=ONE_SOFTPLUS),
    _shipped("two_logs", "log p − log1p(−p)", Ask, ("logit",), outputs=TWO_LOGS),
)

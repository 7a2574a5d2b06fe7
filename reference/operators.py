"""The operators: name, formula, signature. The definitions are in the three families beside this file.

Special values are SPEC.md §3–§5, attributes §6, forward mode and second derivatives 1.6.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from xent_conformance.reference.exact import divergences, given, layer
from xent_conformance.reference.exact import sigmoid as sigmoids
from xent_conformance.reference.exact import softmax as softmaxes
from xent_conformance.reference.exact.around import around
from xent_conformance.reference.exact.ball import Number, Values
from xent_conformance.reference.exact.parts import Undefined
from xent_conformance.reference.exact.reductions import reduce
from xent_conformance.reference.exact.row import Row

NAN = float("nan")

Domain = Literal[
    "reals", "unit", "log_probabilities", "probabilities", "log_distributions", "nonnegative", "layer"
]
Labels = Literal["none", "dense", "index"]
Shape = Literal["row", "scalar"]

NEXT_TO_AN_END = 1e-6
"""Within which of 0 and 1 a given probability may be clamped by whoever documents it (SPEC.md 5.7)."""

MOVING = ("jvp", "hvp")
"""Outputs that need a tangent."""


@dataclass(frozen=True)
class Operator:
    """A mathematical function of one row.

    ``domain`` is where its argument lives: logits are real numbers, a logit is taken of one in ``[0, 1]``,
    log-probabilities are given to a loss as numbers of at most 0, −∞ among them, probabilities as numbers in
    ``[0, 1]``, both ends among them; of ``log_distributions`` the labels are log-probabilities too, and of
    ``nonnegative`` numbers both are of at least 0, and nothing normalises them. Of a ``layer`` they are
    hidden states, weights and a bias, one behind the other, of a group of examples (SPEC.md 6.18).
    ``value_shape`` is ``row`` (N elements) or ``scalar`` (one); the cotangent has the same shape.
    ``elementwise`` says that element ``i`` depends on nothing but element ``i``. ``define`` gives value and
    gradients of a row, ``move`` its ``jvp`` and ``hvp``.
    """

    name: str
    formula: str
    domain: Domain
    labels: Labels
    value_shape: Shape
    elementwise: bool
    outputs: tuple[str, ...]
    define: Callable[[Row], Values]
    move: Callable[[Row], Values]

    @property
    def within_unit(self) -> bool:
        """Whether its argument lives in ``[0, 1]``."""
        return self.domain in ("unit", "probabilities")

    @property
    def plain_labels(self) -> bool:
        """Whether no attribute of labels is defined: a reduction may be, and nothing else."""
        return self.domain in ("log_distributions", "nonnegative")

    @property
    def layered(self) -> bool:
        """Whether a row is a group of examples, with the layer that makes their logits."""
        return self.domain == "layer"

    @property
    def selects(self) -> bool:
        """Whether an index picks what the loss depends on, and nothing else has a share in it."""
        return self.labels == "index" and self.domain in ("log_probabilities", "probabilities")


_VALUE_AND_GRAD = ("value", "grad_logits")
_WITH_LABELS = ("value", "grad_logits", "grad_labels")
_OF_A_LAYER = ("value", "grad_hidden", "grad_weight", "grad_bias")


Definition = Callable[[Row], Values]


def _operator(
    define: Definition,
    move: Definition,
    formula: str,
    *,
    labels: Labels = "none",
    value_shape: Shape = "row",
    elementwise: bool = False,
    domain: Domain = "reals",
) -> Operator:
    plain: tuple[str, ...] = _WITH_LABELS if labels == "dense" else _VALUE_AND_GRAD
    outputs = _OF_A_LAYER if domain == "layer" else plain
    name = define.__name__
    return Operator(name, formula, domain, labels, value_shape, elementwise, outputs, define, move)


OPERATORS: dict[str, Operator] = {
    o.name: o
    for o in (
        _operator(softmaxes.softmax, softmaxes.softmax_moving, "exp(x_i) / Σ exp(x_j)"),
        _operator(softmaxes.log_softmax, softmaxes.log_softmax_moving, "x_i − log Σ exp(x_j)"),
        _operator(softmaxes.logsumexp, softmaxes.logsumexp_moving, "log Σ exp(x_j)", value_shape="scalar"),
        _operator(
            softmaxes.softmax_cross_entropy,
            softmaxes.softmax_cross_entropy_moving,
            "−Σ p_i log s_i",
            labels="dense",
            value_shape="scalar",
        ),
        _operator(
            softmaxes.sparse_softmax_cross_entropy,
            softmaxes.sparse_softmax_cross_entropy_moving,
            "−log s_y",
            labels="index",
            value_shape="scalar",
        ),
        _operator(sigmoids.sigmoid, sigmoids.sigmoid_moving, "1 / (1 + exp(−x))", elementwise=True),
        _operator(sigmoids.log_sigmoid, sigmoids.log_sigmoid_moving, "−log(1 + exp(−x))", elementwise=True),
        _operator(
            sigmoids.logit,
            sigmoids.logit_moving,
            "log(p / (1 − p))",
            elementwise=True,
            domain="unit",
        ),
        _operator(
            sigmoids.sigmoid_cross_entropy,
            sigmoids.sigmoid_cross_entropy_moving,
            "−z log σ(x) − (1 − z) log σ(−x)",
            labels="dense",
            elementwise=True,
        ),
        _operator(
            sigmoids.binary_cross_entropy,
            sigmoids.binary_cross_entropy_moving,
            "−z log p − (1 − z) log(1 − p)",
            labels="dense",
            elementwise=True,
            domain="probabilities",
        ),
        _operator(
            given.categorical_cross_entropy,
            given.categorical_cross_entropy_moving,
            "−Σ t_i log p_i",
            labels="dense",
            value_shape="scalar",
            domain="probabilities",
        ),
        _operator(
            given.sparse_categorical_cross_entropy,
            given.sparse_categorical_cross_entropy_moving,
            "−log p_y",
            labels="index",
            value_shape="scalar",
            domain="probabilities",
        ),
        _operator(
            given.kl_divergence,
            given.kl_divergence_moving,
            "Σ p_i (log p_i − x_i)",
            labels="dense",
            value_shape="scalar",
            domain="log_probabilities",
        ),
        _operator(
            divergences.kl_divergence_log_target,
            divergences.kl_divergence_log_target_moving,
            "Σ exp(t_i) (t_i − x_i)",
            labels="dense",
            value_shape="scalar",
            domain="log_distributions",
        ),
        _operator(
            divergences.relative_entropy,
            divergences.relative_entropy_moving,
            "p log(p / q)",
            labels="dense",
            elementwise=True,
            domain="nonnegative",
        ),
        _operator(
            divergences.elementwise_kl_divergence,
            divergences.elementwise_kl_divergence_moving,
            "p log(p / q) − p + q",
            labels="dense",
            elementwise=True,
            domain="nonnegative",
        ),
        _operator(
            given.negative_log_likelihood,
            given.negative_log_likelihood_moving,
            "−x_y",
            labels="index",
            value_shape="scalar",
            domain="log_probabilities",
        ),
        _operator(
            layer.linear_cross_entropy,
            layer.linear_cross_entropy_moving,
            "−log s_y of x = W h + b",
            labels="index",
            value_shape="scalar",
            domain="layer",
        ),
    )
}

OF_ROWS: dict[str, Operator] = {name: o for name, o in OPERATORS.items() if not o.layered}
"""Those that are taken of rows, each by itself; a layer is of a group, and has a family of its own."""


def evaluate(operator: Operator, row: Row) -> Values:
    """All outputs of one row, or of one group of examples.

    NaN everywhere where the row defines nothing (SPEC.md 3.2, 4.4, 5.1, 6.4), and in the gradients that a
    cotangent makes which is not finite (3.2, 5.5).
    """
    if not all(map(math.isfinite, row.c)):
        lost = [not math.isfinite(c) for c in row.c]
        kept = replace(row, c=[1.0 if gone else c for c, gone in zip(row.c, lost, strict=True)])
        return _without_cotangent(operator, evaluate(operator, kept), lost)
    if row.attributes.grouped and not operator.layered:
        define = functools.partial(_defined, operator)
        return reduce(define, row, labels=operator.labels, elementwise=operator.elementwise)
    return _defined(operator, row)


def _without_cotangent(operator: Operator, values: Values, lost: Sequence[bool]) -> Values:
    """NaN in the gradients of the elements whose cotangent is lost: of all where elements hang together.

    What an index does not pick is multiplied by no cotangent.
    """

    def gone(i: int, g: Number) -> bool:
        if operator.selects:
            return isinstance(g, float) or not g.is_zero()
        return lost[i] if operator.elementwise and len(lost) > 1 else True

    for name in values:
        if name.startswith("grad") or name == "hvp":
            values[name] = [NAN if gone(i, g) else g for i, g in enumerate(values[name])]
    return values


def _defined(operator: Operator, row: Row) -> Values:
    try:
        if row.v:
            return operator.move(row)
        return around(operator.define, row) if row.attributes.around else operator.define(row)
    except Undefined:
        return _undefined(operator, row)


def _undefined(operator: Operator, row: Row) -> Values:
    n = len(row.x)
    outputs = MOVING if row.v else operator.outputs
    values: Values = {name: [NAN] * n for name in outputs}
    if operator.value_shape == "scalar":
        values[outputs[0]] = [NAN]
    return values | {"_s": [NAN] * n, "_L": [NAN], "_rest": [NAN]}

"""The operators: name, formula, signature. The definitions are in the two families beside this file.

Special values are SPEC.md §3–§5, attributes §6, forward mode and second derivatives 1.6.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from xent_conformance.reference.exact import sigmoid as sigmoids
from xent_conformance.reference.exact import softmax as softmaxes
from xent_conformance.reference.exact.ball import Values
from xent_conformance.reference.exact.derivatives import DERIVATIVES
from xent_conformance.reference.exact.parts import Undefined
from xent_conformance.reference.exact.reductions import reduce
from xent_conformance.reference.exact.row import Row

NAN = float("nan")

Labels = Literal["none", "dense", "index"]
Shape = Literal["row", "scalar"]

MOVING = ("jvp", "hvp")
"""Outputs that need a tangent."""


@dataclass(frozen=True)
class Operator:
    """A mathematical function of one row.

    ``value_shape`` is ``row`` (N elements) or ``scalar`` (one); the cotangent has the same shape.
    ``elementwise`` says that element ``i`` depends on nothing but element ``i``.
    """

    name: str
    formula: str
    labels: Labels
    value_shape: Shape
    elementwise: bool
    outputs: tuple[str, ...]
    define: Callable[[Row], Values]


_VALUE_AND_GRAD = ("value", "grad_logits")
_WITH_LABELS = ("value", "grad_logits", "grad_labels")


def _operator(
    define: Callable[[Row], Values], formula: str, labels: Labels, value_shape: Shape, *, elementwise: bool
) -> Operator:
    outputs = _WITH_LABELS if labels == "dense" else _VALUE_AND_GRAD
    return Operator(define.__name__, formula, labels, value_shape, elementwise, outputs, define)


OPERATORS: dict[str, Operator] = {
    o.name: o
    for o in (
        _operator(softmaxes.softmax, "exp(x_i) / Σ exp(x_j)", "none", "row", elementwise=False),
        _operator(softmaxes.log_softmax, "x_i − log Σ exp(x_j)", "none", "row", elementwise=False),
        _operator(softmaxes.logsumexp, "log Σ exp(x_j)", "none", "scalar", elementwise=False),
        _operator(softmaxes.softmax_cross_entropy, "−Σ p_i log s_i", "dense", "scalar", elementwise=False),
        _operator(softmaxes.sparse_softmax_cross_entropy, "−log s_y", "index", "scalar", elementwise=False),
        _operator(sigmoids.sigmoid, "1 / (1 + exp(−x))", "none", "row", elementwise=True),
        _operator(sigmoids.log_sigmoid, "−log(1 + exp(−x))", "none", "row", elementwise=True),
        _operator(sigmoids.logit, "log(p / (1 − p))", "none", "row", elementwise=True),
        _operator(
            sigmoids.sigmoid_cross_entropy,
            "−z log σ(x) − (1 − z) log σ(−x)",
            "dense",
            "row",
            elementwise=True,
        ),
    )
}


def evaluate(operator: Operator, row: Row) -> Values:
    """All outputs of one row, or of one group of examples.

    NaN everywhere where the row defines nothing (SPEC.md 3.2, 4.4, 5.1, 6.4).
    """
    if row.v:
        return DERIVATIVES[operator.name](row)
    if row.attributes.grouped:
        define = functools.partial(_defined, operator)
        return reduce(define, row, labels=operator.labels, elementwise=operator.elementwise)
    return _defined(operator, row)


def _defined(operator: Operator, row: Row) -> Values:
    try:
        return operator.define(row)
    except Undefined:
        return _undefined(operator, row)


def _undefined(operator: Operator, row: Row) -> Values:
    n = len(row.x)
    values: Values = {name: [NAN] * n for name in operator.outputs}
    if operator.value_shape == "scalar":
        values["value"] = [NAN]
    return values | {"_s": [NAN] * n, "_L": [NAN], "_rest": [NAN]}

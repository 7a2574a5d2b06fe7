"""A linear layer and the loss of its logits as one function (SPEC.md 6.18).

``x_mi = Σ_j h_mj W_ij + b_i`` are rational numbers, and nothing else; their loss is the sparse softmax
cross-entropy as it is defined, reduced as that is. The gradients are those of it by the chain rule:
``Σ_i g_mi W_ij``, ``Σ_m g_mi h_mj``, ``Σ_m g_mi``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from flint import arb

from xent_conformance.reference.exact.ball import Number, Values
from xent_conformance.reference.exact.parts import Undefined, added, ball, times
from xent_conformance.reference.exact.reductions import reduce
from xent_conformance.reference.exact.row import Exact, Row
from xent_conformance.reference.exact.softmax import sparse_softmax_cross_entropy

NAN = float("nan")

Rows = Sequence[Sequence[float]]


def linear_cross_entropy(r: Row) -> Values:
    """The loss of a group of examples, its gradients by hidden states, weights and bias.

    Sizes, for the bounds: the logits, the gradient by them, and what the loss of each example has.
    """
    hidden, weight, bias = layer_of(r)
    a, n = r.attributes, len(weight)
    logits = [_logit(h, w, b) for h in hidden for w, b in zip(weight, bias or [0.0] * n, strict=True)]
    apart = a.reduction == "none"
    of_logits = replace(a, features=0, affine=False, reduction="sum" if apart else a.reduction)
    found = reduce(_loss, Row(logits, r.p, r.c, of_logits), labels="index", elementwise=False)
    flat = found.pop("grad_logits")
    g = [flat[i : i + n] for i in range(0, len(flat), n)]
    by_class = list(zip(*g, strict=True))
    outputs: Values = {
        "value": found["_f"] if apart else found["value"],
        "grad_hidden": [_sum(gm, w) for gm in g for w in zip(*weight, strict=True)],
        "grad_weight": [_sum(gi, h) for gi in by_class for h in zip(*hidden, strict=True)],
    }
    if bias:
        outputs["grad_bias"] = [added(gi) for gi in by_class]
    sizes = {name: numbers for name, numbers in found.items() if name.startswith("_")}
    return outputs | sizes | {"_x": [ball(x) for x in logits], "_g": flat}


def linear_cross_entropy_moving(r: Row) -> Values:
    """Inputs refuse a tangent beside a layer: nothing is defined along one."""
    raise NotImplementedError("no derivative of a layer along a tangent is defined")


def _loss(r: Row) -> Values:
    """The loss of one example; NaN where its label names no class (6.4)."""
    try:
        return sparse_softmax_cross_entropy(r)
    except Undefined:
        every: list[Number] = [NAN] * len(r.x)
        return {"value": [NAN], "grad_logits": every, "_s": every, "_L": [NAN], "_rest": [NAN]}


def layer_of(r: Row) -> tuple[Rows, Rows, Sequence[float]]:
    """Hidden states, the weights of each class, and the bias, which may be empty."""
    features = r.attributes.features
    numbers = [float(x) for x in r.x]
    hidden, weight, bias = (numbers[part] for part in r.attributes.parts(len(numbers)))
    return _rows(hidden, features), _rows(weight, features), bias


def _rows(numbers: Sequence[float], width: int) -> Rows:
    return [numbers[i : i + width] for i in range(0, len(numbers), width)]


def _logit(h: Sequence[float], w: Sequence[float], b: float) -> Exact:
    return sum((Fraction(x) * Fraction(y) for x, y in zip(h, w, strict=True)), Fraction(b))


def _sum(g: Sequence[Number], by: Sequence[float]) -> Number:
    return added([times(arb(w), v) for v, w in zip(g, by, strict=True)])

"""What stands before an operator, a matrix, a scale, a temperature, a bias, a mask, and a factor after it.

The composite is one function (SPEC.md 6.15): its logits are ``y_i = scale · x_i / temperature + bias_i``, or
``y_i = Σ_j x_j W_ji + bias_i``, rational numbers and nothing else, its gradients those of the operator at
``y`` by the chain rule.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

from flint import arb

from xent_conformance.reference.exact.ball import Number, Values
from xent_conformance.reference.exact.parts import INFINITY, ZERO, ball
from xent_conformance.reference.exact.row import Exact, Row


def around(define: Callable[[Row], Values], r: Row) -> Values:
    """``times · f(scale · xW / temperature + bias)`` of the classes that are there, and its gradients.

    The cotangent of a class that a mask takes away means nothing: its value is a constant.
    """
    a = r.attributes
    kept = [c if len(r.c) != len(r.x) or a.there(i) else 0.0 for i, c in enumerate(r.c)]
    found = define(replace(r, x=seen(r), c=kept, attributes=replace(a.bare, mask=a.mask)))
    times, slope = arb(a.times), ball(Fraction(a.scale) / Fraction(a.temperature))
    for name in ("value", "grad_logits", "grad_labels"):
        if name in found:
            found[name] = [_product(times, v) for v in found[name]]
    found["grad_logits"] = [
        _product(slope, g) if a.there(i) else ZERO for i, g in enumerate(found["grad_logits"])
    ]
    if a.matrix:
        found |= _through(a.matrix, found["grad_logits"])
    return found


def _through(matrix: Sequence[Sequence[float]], g: Sequence[Number]) -> Values:
    """``Σ_i W_ji g_i``, the gradient by what the logits are made of; and the sum of sizes, for its bound."""
    if any(isinstance(v, float) for v in g):
        return dict.fromkeys(("grad_logits", "_mixed"), [math.nan] * len(g))
    terms = [[arb(w) * v for w, v in zip(row, g, strict=True)] for row in matrix]
    return {
        "grad_logits": [sum(row, ZERO) for row in terms],
        "_mixed": [sum((abs(t) for t in row), ZERO) for row in terms],
    }


def seen(r: Row) -> list[Exact]:
    """The logits that the operator is taken of; −∞ where a mask takes the class away, whatever it was."""
    a = r.attributes
    made = [_dot(r.x, column) for column in zip(*a.matrix, strict=True)] if a.matrix else r.x
    return [_before(x, i, r) if a.there(i) else -INFINITY for i, x in enumerate(made)]


def _dot(x: Sequence[Exact], column: Sequence[float]) -> Fraction:
    return sum((Fraction(v) * Fraction(w) for v, w in zip(x, column, strict=True)), Fraction(0))


def _before(x: Exact, i: int, r: Row) -> Exact:
    a = r.attributes
    bias = a.bias[i] if a.bias else 0.0
    if isinstance(x, float) and not math.isfinite(x):
        return x * a.scale / a.temperature + bias
    return Fraction(x) * Fraction(a.scale) / Fraction(a.temperature) + Fraction(bias)


def _product(factor: arb, v: Number) -> Number:
    """Where ``v`` is NaN or infinite, as IEEE 754 has it."""
    return float(factor) * v if isinstance(v, float) else factor * v

"""What stands before an operator, a scale, a temperature, a bias and a mask, and a factor after it.

The composite is one function (SPEC.md 6.15): its logits are ``y_i = scale · x_i / temperature + bias_i``,
rational numbers and nothing else, its gradients those of the operator at ``y`` by the chain rule.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

from flint import arb

from xent_conformance.reference.exact.ball import Number, Values
from xent_conformance.reference.exact.parts import INFINITY, ZERO, ball
from xent_conformance.reference.exact.row import Exact, Row


def around(define: Callable[[Row], Values], r: Row) -> Values:
    """``times · f(scale · x / temperature + bias)`` of the classes that are there, and its gradients.

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
    return found


def seen(r: Row) -> list[Exact]:
    """The logits that the operator is taken of; −∞ where a mask takes the class away, whatever it was."""
    a = r.attributes
    return [_before(x, i, r) if a.there(i) else -INFINITY for i, x in enumerate(r.x)]


def _before(x: Exact, i: int, r: Row) -> Exact:
    a = r.attributes
    bias = a.bias[i] if a.bias else 0.0
    if isinstance(x, float) and not math.isfinite(x):
        return x * a.scale / a.temperature + bias
    return Fraction(x) * Fraction(a.scale) / Fraction(a.temperature) + Fraction(bias)


def _product(factor: arb, v: Number) -> Number:
    """Where ``v`` is NaN or infinite, as IEEE 754 has it."""
    return float(factor) * v if isinstance(v, float) else factor * v

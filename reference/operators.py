"""The operators: signature, definition, gradients. Each is a few lines, read like the mathematics.

A definition takes one :class:`Row` of exact binary inputs and returns the elements of every output.
Gradients are vector-Jacobian products with the row's cotangent ``c``. Every formula is arranged so
that no term cancels on ordinary inputs; where labels make it cancel, the precision ladder resolves
it. Special values are SPEC.md §3–§5.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from flint import arb

from reference.ball import Number, Values
from reference.stable_parts import INFINITY, ONE, ZERO, Mirrored, Shifted, Undefined

NAN = float("nan")

Labels = Literal["none", "dense", "index"]
Shape = Literal["row", "scalar"]


@dataclass(frozen=True)
class Row:
    """Inputs of one row as exact binary64 carriers of the tested dtype's values.

    ``x``: N logits (probabilities for ``logit``). ``p``: N dense labels, or ``[y]`` for an index
    label, or empty. ``c``: the cotangent, N elements or one.
    """

    x: Sequence[float]
    p: Sequence[float]
    c: Sequence[float]

    @property
    def y(self) -> int:
        """The index label."""
        return int(self.p[0])


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


# --- the softmax family ------------------------------------------------------------------------


def softmax(r: Row) -> Values:
    """``s_i``; VJP ``s_i (c_i − Σ s_j c_j)``, centred on ``c_k`` so that equal cotangents give zero."""
    z = Shifted(r.x)
    w = _centred(r.c, z.k)
    mean = _dot(z.s, w)
    grad = [s * (w_i - mean) for s, w_i in zip(z.s, w, strict=True)]
    return {"value": list(z.s), "grad_logits": grad} | _sizes(z)


def log_softmax(r: Row) -> Values:
    """``log s_i``; VJP ``c_i − s_i Σ c_j``."""
    z = Shifted(r.x)
    grad = _balance(z, [arb(-c) for c in r.c], ONE)
    return {"value": list(z.log_s), "grad_logits": grad} | _sizes(z)


def logsumexp(r: Row) -> Values:
    """``m + L``; VJP ``c s_i``. A logit of +∞ gives +∞ (SPEC.md 5.3)."""
    if INFINITY in r.x and not any(map(math.isnan, r.x)):
        return _undefined("logsumexp", r) | {"value": [INFINITY]}
    z = Shifted(r.x)
    c = arb(r.c[0])
    return {"value": [z.m + z.L], "grad_logits": [c * s for s in z.s]} | _sizes(z)


def softmax_cross_entropy(r: Row) -> Values:
    """``f = −Σ p_i log s_i``; ``∂f/∂x_i = s_i Σp − p_i``; ``∂f/∂p_i = −log s_i``.

    An excluded class contributes nothing with a zero label (4.2) and ±∞ with mass on it (4.3).
    """
    z = Shifted(r.x)
    c = arb(r.c[0])
    by_labels = [_times(c, -v) for v in z.log_s]
    if any(map(math.isnan, r.p)):
        unknown: Values = {"value": [NAN], "grad_logits": [NAN] * len(r.x), "grad_labels": by_labels}
        return unknown | _sizes(z)
    infinite = [math.copysign(INFINITY, p) for p, gone in zip(r.p, z.excluded, strict=True) if gone and p]
    p = [arb(v) for v in r.p]
    value: Number = sum(infinite) if infinite else _dot(p, [d + z.L for d in z.d])
    return {
        "value": [value],
        "grad_logits": _balance(z, p, c),
        "grad_labels": by_labels,
    } | _sizes(z)


def sparse_softmax_cross_entropy(r: Row) -> Values:
    """``f = −log s_y``; ``∂f/∂x_i = s_i − [i = y]``, with ``s_y − 1 = −Σ_{j≠y} s_j``."""
    z = Shifted(r.x)
    c = arb(r.c[0])
    grad = [c * s for s in z.s]
    grad[r.y] = -c * z.rest(r.y)
    return {"value": [-z.log_s[r.y]], "grad_logits": list(grad)} | _sizes(z)


def _sizes(z: Shifted) -> Values:
    """What :mod:`reference.bounds` needs beside the outputs: sizes, not judged (see ``ball.SIZE``)."""
    return {"_s": list(z.s), "_L": [z.L], "_rest": [z.rest_k]}


def _balance(z: Shifted, p: list[arb], c: arb) -> list[Number]:
    """``c (s_i Σp − p_i)``, as ``c (s_i Σ_{j≠i} p_j − p_i (1 − s_i))``: hard labels do not cancel."""
    total = sum(p, ZERO)
    whole = c * total
    return [
        whole * s if q.is_zero() else c * (s * (total - q) - q * z.rest(i))
        for i, (s, q) in enumerate(zip(z.s, p, strict=True))
    ]


def _centred(c: Sequence[float], k: int) -> list[arb]:
    centre = arb(c[k])
    return [arb(v) - centre for v in c]


def _dot(a: Sequence[arb], b: Sequence[arb]) -> arb:
    return sum((u * v for u, v in zip(a, b, strict=True)), ZERO)


def _times(c: arb, v: Number) -> Number:
    """``c · v`` where ``v`` may be infinite; ``0 · ∞`` is NaN, as in IEEE 754."""
    return float(c) * v if isinstance(v, float) else c * v


# --- the sigmoid family ------------------------------------------------------------------------


def sigmoid(r: Row) -> Values:
    """``σ(x) = 1 / (1 + exp(−x))``; VJP ``c σ(x) σ(−x)``. At ±∞ its limits (5.2)."""
    m = Mirrored(r.x)
    grad = [a * b * c for a, b, c in zip(m.sigma, m.mirror, r.c, strict=True)]
    sizes: Values = {"_sigma": list(m.sigma), "_mirror": list(m.mirror)}
    return _with_nan(r.x, {"value": list(m.sigma), "grad_logits": list(grad)}) | sizes


def log_sigmoid(r: Row) -> Values:
    """``log σ(x) = −softplus(−x)``; VJP ``c σ(−x)``."""
    m = Mirrored(r.x)
    value = [-v for v in m.softplus_minus]
    grad: list[Number] = [a * c for a, c in zip(m.mirror, r.c, strict=True)]
    sizes: Values = {"_mirror": list(m.mirror), "_softplus_minus": m.softplus_minus}
    return _with_nan(r.x, {"value": value, "grad_logits": grad}) | sizes


def sigmoid_cross_entropy(r: Row) -> Values:
    """``f = (1 − z) softplus(x) + z softplus(−x)`` with label ``z``: no cancellation in [0, 1].

    ``∂f/∂x = (1 − z) σ(x) − z σ(−x) = σ(x) − z``; ``∂f/∂z = −x``.
    """
    m = Mirrored(r.x)
    z = [ZERO if math.isnan(v) else arb(v) for v in r.p]
    other = [ONE - v for v in z]
    value: list[Number] = [
        o * a + p * b if math.isfinite(x) else _limit(x, p)
        for x, p, o, a, b in zip(m.x, z, other, m.softplus, m.softplus_minus, strict=True)
    ]
    grad: list[Number] = [
        (o * a - p * b) * c for p, o, a, b, c in zip(z, other, m.sigma, m.mirror, r.c, strict=True)
    ]
    by_labels = [-arb(x) * arb(c) if math.isfinite(x) else -x * c for x, c in zip(r.x, r.c, strict=True)]
    outputs: Values = _with_nan(r.p, {"value": value, "grad_logits": grad})
    outputs["grad_labels"] = by_labels
    sizes: Values = {
        "_sigma": list(m.sigma),
        "_mirror": list(m.mirror),
        "_softplus": m.softplus,
        "_softplus_minus": m.softplus_minus,
    }
    return _with_nan(r.x, outputs) | sizes


def _limit(x: float, z: arb) -> Number:
    """The loss at ``x = ±∞``: 0 where the label agrees, infinite where it does not."""
    weight = float(ONE - z if x > 0 else z)
    return math.copysign(INFINITY, weight) if weight else ZERO


def _with_nan(x: Sequence[float], values: Values) -> Values:
    """NaN in each of ``values`` where ``x``, a logit or a label, is NaN (3.2)."""
    for i in (i for i, v in enumerate(x) if math.isnan(v)):
        for elements in values.values():
            elements[i] = NAN
    return values


def logit(r: Row) -> Values:
    """``log(p / (1 − p))``, the inverse of σ; VJP ``c / (p (1 − p))``.

    ∓∞ at 0 and 1, NaN outside [0, 1] (5.4). Near one half the quotient is near one, so ``log1p`` of
    what it exceeds one by.
    """
    return {
        "value": [_logit(p) for p in r.x],
        "grad_logits": [_logit_slope(p, c) for p, c in zip(r.x, r.c, strict=True)],
    }


def _logit(p: float) -> Number:
    if not 0 <= p <= 1:
        return NAN
    if p in (0.0, 1.0):
        return -INFINITY if p == 0 else INFINITY
    q = arb(p)
    if 0.25 <= p <= 0.75:
        return ((q + q - ONE) / (ONE - q)).log1p()
    return q.log() - (-q).log1p()


def _logit_slope(p: float, c: float) -> Number:
    if not 0 <= p <= 1:
        return NAN
    if p in (0.0, 1.0):
        return math.copysign(INFINITY, c) if c else NAN
    return c / (arb(p) * (ONE - arb(p)))


# --- the table ---------------------------------------------------------------------------------

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
        _operator(softmax, "exp(x_i) / Σ exp(x_j)", "none", "row", elementwise=False),
        _operator(log_softmax, "x_i − log Σ exp(x_j)", "none", "row", elementwise=False),
        _operator(logsumexp, "log Σ exp(x_j)", "none", "scalar", elementwise=False),
        _operator(softmax_cross_entropy, "−Σ p_i log s_i", "dense", "scalar", elementwise=False),
        _operator(sparse_softmax_cross_entropy, "−log s_y", "index", "scalar", elementwise=False),
        _operator(sigmoid, "1 / (1 + exp(−x))", "none", "row", elementwise=True),
        _operator(log_sigmoid, "−log(1 + exp(−x))", "none", "row", elementwise=True),
        _operator(logit, "log(p / (1 − p))", "none", "row", elementwise=True),
        _operator(sigmoid_cross_entropy, "−z log σ(x) − (1 − z) log σ(−x)", "dense", "row", elementwise=True),
    )
}


def evaluate(operator: Operator, row: Row) -> Values:
    """All outputs of one row; NaN everywhere where the row defines nothing (SPEC.md 3.2, 4.4, 5.1)."""
    try:
        return operator.define(row)
    except Undefined:
        return _undefined(operator.name, row)


def _undefined(operator: str, row: Row) -> Values:
    n = len(row.x)
    o = OPERATORS[operator]
    values: Values = {name: [NAN] * n for name in o.outputs}
    if o.value_shape == "scalar":
        values["value"] = [NAN]
    return values | {"_s": [NAN] * n, "_L": [NAN], "_rest": [NAN]}

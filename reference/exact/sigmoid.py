"""Sigmoid, log-sigmoid, logit, cross-entropies of a logit and of a probability: each element by itself.

Beside each definition is how it moves (SPEC.md 1.6): ``jvp`` and ``hvp``. At ±∞ nothing moves any more (5.2).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from flint import arb

from xent_conformance.reference.exact.ball import Number, Values
from xent_conformance.reference.exact.parts import (
    INFINITY,
    ONE,
    ZERO,
    Mirrored,
    ball,
    balls,
    is_finite,
    is_nan,
    nans,
)
from xent_conformance.reference.exact.row import Exact, Row

NAN = float("nan")
HALF = arb(0.5)


def _slopes(m: Mirrored) -> list[arb]:
    """``σ(x) σ(−x)``."""
    return [a * b for a, b in zip(m.sigma, m.mirror, strict=True)]


def sigmoid(r: Row) -> Values:
    """``σ(x) = 1 / (1 + exp(−x))``; VJP ``c σ(x) σ(−x)``. At ±∞ its limits (5.2)."""
    m = Mirrored(r.x)
    grad = [a * b * c for a, b, c in zip(m.sigma, m.mirror, r.c, strict=True)]
    sizes: Values = {"_sigma": list(m.sigma), "_mirror": list(m.mirror)}
    return _with_nan(r.x, {"value": list(m.sigma), "grad_logits": list(grad)}) | sizes


def sigmoid_moving(r: Row) -> Values:
    """``σσ⁻ v``; ``c v σσ⁻ (σ⁻ − σ)``, the last factor as ``−tanh(x/2)``."""
    m = Mirrored(r.x)
    d = _slopes(m)
    hvp: list[Number] = [
        -arb(c) * arb(v) * s * (arb(x) / 2).tanh() if math.isfinite(x) else ZERO
        for x, s, c, v in zip(m.x, d, r.c, r.v, strict=True)
    ]
    jvp: list[Number] = [s * arb(v) for s, v in zip(d, r.v, strict=True)]
    return _with_nan(r.x, {"jvp": jvp, "hvp": hvp}) | _both(m)


def log_sigmoid(r: Row) -> Values:
    """``log σ(x) = −softplus(−x)``; VJP ``c σ(−x)``."""
    m = Mirrored(r.x)
    value = [-v for v in m.softplus_minus]
    grad: list[Number] = [a * c for a, c in zip(m.mirror, r.c, strict=True)]
    sizes: Values = {
        "_sigma": list(m.sigma),
        "_mirror": list(m.mirror),
        "_softplus_minus": m.softplus_minus,
    }
    return _with_nan(r.x, {"value": value, "grad_logits": grad}) | sizes


def log_sigmoid_moving(r: Row) -> Values:
    """``σ⁻ v``; ``−c v σσ⁻``."""
    m = Mirrored(r.x)
    hvp: list[Number] = [-arb(c) * arb(v) * s for s, c, v in zip(_slopes(m), r.c, r.v, strict=True)]
    jvp: list[Number] = [s * arb(v) for s, v in zip(m.mirror, r.v, strict=True)]
    return _with_nan(r.x, {"jvp": jvp, "hvp": hvp}) | _both(m)


def _both(m: Mirrored) -> Values:
    """The sizes that bounds need of every row that moves."""
    return {"_sigma": list(m.sigma), "_mirror": list(m.mirror)}


def sigmoid_cross_entropy(r: Row) -> Values:
    """``f = a softplus(x) + b softplus(−x)``; ``∂f/∂x = a σ(x) − b σ(−x)``: no cancellation in [0, 1].

    ``a = w (1 − z)`` and ``b = w P z`` for a label ``z``, a weight ``w`` and a positive weight ``P``,
    one where none is given. ``∂f/∂z = w (1 − ε) (P softplus(−x) − softplus(x))``, plainly ``−x``.
    """
    m = Mirrored(r.x)
    a, b = effective_pairs(r)
    value: list[Number] = [
        u * plus + v * minus if finite else _limit(u if x > 0 else v)
        for x, finite, u, v, plus, minus in zip(
            m.x, m.finite, a, b, m.softplus, m.softplus_minus, strict=True
        )
    ]
    grad: list[Number] = [
        (u * s - v * t) * c for u, v, s, t, c in zip(a, b, m.sigma, m.mirror, r.c, strict=True)
    ]
    outputs: Values = _with_nan(r.p, {"value": value, "grad_logits": grad})
    outputs["grad_labels"] = _by_labels(r, m)
    sizes: Values = {
        "_sigma": list(m.sigma),
        "_mirror": list(m.mirror),
        "_softplus": m.softplus,
        "_softplus_minus": m.softplus_minus,
    }
    return _with_nan(r.x, outputs) | sizes


def sigmoid_cross_entropy_moving(r: Row) -> Values:
    """``(a σ − b σ⁻) v``, plainly ``(σ − z) v``; ``c v (a + b) σσ⁻``, plainly ``c v σσ⁻``."""
    m = Mirrored(r.x)
    a, b = effective_pairs(r)
    hvp: list[Number] = [
        arb(c) * arb(v) * (u + w) * s for u, w, s, c, v in zip(a, b, _slopes(m), r.c, r.v, strict=True)
    ]
    jvp: list[Number] = [
        (u * s - w * t) * arb(v) for u, w, s, t, v in zip(a, b, m.sigma, m.mirror, r.v, strict=True)
    ]
    return _with_nan(r.x, _with_nan(r.p, {"jvp": jvp, "hvp": hvp})) | _both(m)


def effective_pairs(r: Row) -> tuple[list[arb], list[arb]]:
    """``w (1 − z')`` and ``w P z'`` with the smoothed label ``z' = (1 − ε) z + ε/2``."""
    labels = [ZERO if z != z else arb(z) for z in r.p]
    if smoothing := r.attributes.label_smoothing:
        labels = [(ONE - arb(smoothing)) * z + arb(smoothing) * HALF for z in labels]
    negative, positive = [ONE - z for z in labels], labels
    if r.attributes.pos_weight:
        positive = [z * r.attributes.pos_weight_of(i) for i, z in enumerate(positive)]
    if r.attributes.weight:
        negative = [z * r.attributes.weight_of(i) for i, z in enumerate(negative)]
        positive = [z * r.attributes.weight_of(i) for i, z in enumerate(positive)]
    return negative, positive


def _by_labels(r: Row, m: Mirrored) -> list[Number]:
    if not r.attributes.given:
        parts = zip(r.x, balls(r.x), m.finite, r.c, strict=True)
        return [-b * c if finite else -x * c for x, b, finite, c in parts]
    kept = ONE - arb(r.attributes.label_smoothing)
    found: list[Number] = []
    for i, (x, c) in enumerate(zip(m.x, r.c, strict=True)):
        w, extra = arb(r.attributes.weight_of(i)), arb(r.attributes.pos_weight_of(i)) - ONE
        if not is_finite(x):
            found.append(NAN)  # attributes are asked with finite logits
            continue
        found.append(arb(c) * w * kept * (extra * m.softplus_minus[i] - ball(x)))
    return found


def _limit(weight: arb) -> Number:
    """The loss at ``x = ±∞``: 0 where the label agrees, infinite where it does not."""
    return ZERO if weight.is_zero() else math.copysign(INFINITY, float(weight))


def _with_nan(x: Sequence[Exact], values: Values) -> Values:
    """NaN in each of ``values`` where ``x``, a logit or a label, is NaN (3.2)."""
    for i in nans(x):
        for elements in values.values():
            elements[i] = NAN
    return values


def logit(r: Row) -> Values:
    """``log(p / (1 − p))``, the inverse of σ; VJP ``c / (p (1 − p))``.

    ∓∞ at 0 and 1, NaN outside [0, 1] (5.4). Near one half the quotient is near one, so ``log1p`` of
    what it exceeds one by. With ``eps`` it is that of the clamped argument (6.14), and constant where it
    is clamped.
    """
    x = [float(p) for p in r.x]  # nothing stands before it
    inside = [clamped(p, r.attributes.eps) for p in x]
    return {
        "value": [_logit(q) for q in inside],
        "grad_logits": [
            _logit_slope(p, c) if p == q or math.isnan(p) else ZERO
            for p, q, c in zip(x, inside, r.c, strict=True)
        ],
    }


def clamped(p: float, eps: float | None) -> float:
    """``eps`` below ``eps``, ``1 − eps`` above it, in this order: beyond one half the two bounds cross."""
    if eps is None or eps <= p <= 1 - eps or math.isnan(p):
        return p
    return eps if p < eps else 1 - eps


def logit_moving(r: Row) -> Values:
    """``v / (p (1 − p))``; ``c v (2p − 1) / (p (1 − p))²``, for ``p`` inside (0, 1), or NaN."""
    p = [HALF if math.isnan(v) else arb(v) for v in r.x]
    d = [ONE / (q * (ONE - q)) for q in p]
    jvp: list[Number] = [s * arb(v) for s, v in zip(d, r.v, strict=True)]
    hvp: list[Number] = [
        arb(c) * arb(v) * (q + q - ONE) * s * s for q, s, c, v in zip(p, d, r.c, r.v, strict=True)
    ]
    return _with_nan(r.x, {"jvp": jvp, "hvp": hvp})


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


# --- a probability that is given -------------------------------------------------------------------


def binary_cross_entropy(r: Row) -> Values:
    """``f = −b log p − a log(1 − p)``; ``∂f/∂p = a / (1 − p) − b / p``, plainly ``(p − z) / (p (1 − p))``.

    ``a`` and ``b`` as in :func:`sigmoid_cross_entropy`. ``∂f/∂z = w (1 − ε) (log(1 − p) − P log p)``, plainly
    ``−logit(p)``. At 0 and 1 a label that agrees takes the infinite logarithm away, as ``0 log 0 = 0`` does
    (5.6); outside [0, 1] is no probability, and NaN (5.8).
    """
    p = [float(v) for v in r.x]  # nothing stands before it
    a, b = effective_pairs(r)
    kept = ONE - arb(r.attributes.label_smoothing)
    slopes = [c * arb(r.attributes.weight_of(i)) * kept for i, c in enumerate(r.c)]
    outputs = _with_nan(
        r.p,
        {
            "value": [_binary(v, u, w) for v, u, w in zip(p, a, b, strict=True)],
            "grad_logits": [
                _scaled(c, _binary_slope(v, u, w)) for c, v, u, w in zip(r.c, p, a, b, strict=True)
            ],
        },
    )
    by_labels = [_by_binary_label(v, r.attributes.pos_weight_of(i)) for i, v in enumerate(p)]
    return outputs | {"grad_labels": [_scaled(s, v) for s, v in zip(slopes, by_labels, strict=True)]}


def binary_cross_entropy_moving(r: Row) -> Values:
    """``(a / (1 − p) − b / p) v``; ``c v (a / (1 − p)² + b / p²)``, for ``p`` inside (0, 1), or NaN."""
    p = [0.5 if is_nan(v) else float(v) for v in r.x]
    a, b = effective_pairs(r)
    jvp = [_scaled(v, _binary_slope(q, u, w)) for v, q, u, w in zip(r.v, p, a, b, strict=True)]
    hvp: list[Number] = [
        arb(c) * arb(v) * (u / (ONE - q) ** 2 + w / q**2)
        for c, v, q, u, w in zip(r.c, r.v, map(arb, p), a, b, strict=True)
    ]
    return _with_nan(r.x, _with_nan(r.p, {"jvp": jvp, "hvp": hvp}))


def _binary(p: float, a: arb, b: arb) -> Number:
    if not 0 <= p <= 1:
        return NAN
    if p in (0.0, 1.0):
        return _limit(b if p == 0 else a)
    q = arb(p)
    return -b * q.log() - a * (-q).log1p()


def _binary_slope(p: float, a: arb, b: arb) -> Number:
    """Of one fraction: where ``p`` is the label its numerator is exactly zero."""
    if not 0 <= p <= 1:
        return NAN
    if p in (0.0, 1.0):
        agrees, wrong = (a, b) if p == 0 else (-b, -a)
        return agrees if wrong.is_zero() else -_limit(wrong)
    q = arb(p)
    return (a * q - b * (ONE - q)) / (q * (ONE - q))


def _by_binary_label(p: float, extra: float) -> Number:
    """``log(1 − p) − P log p``."""
    if extra == 1 or not 0 < p < 1:
        return -_logit(p)
    q = arb(p)
    return (-q).log1p() - arb(extra) * q.log()


def _scaled(factor: arb | float, v: Number) -> Number:
    """Where ``v`` is NaN or infinite, as IEEE 754 has it."""
    return float(factor) * v if isinstance(v, float) else factor * v

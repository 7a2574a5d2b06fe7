"""Softmax, log-softmax, logsumexp and softmax cross-entropy: each is a few lines, read like the mathematics.

Every formula is arranged so that no term cancels on ordinary inputs; where labels make it cancel, the
precision ladder resolves it. Gradients are vector-Jacobian products with the row's cotangent ``c``.

Beside each definition is how it moves (SPEC.md 1.6): ``jvp``, the derivative of the value along the tangent
``v``, and ``hvp``, that of the VJP with the cotangent ``c``, which is the Hessian of ``⟨c, value⟩`` times
``v``. With ``t_i = v_i − Σ s_j v_j``, the derivative of ``log s_i``, both are a few products. An excluded
class has no share in them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from flint import arb

from xent_conformance.reference.exact.ball import Number, Values
from xent_conformance.reference.exact.parts import INFINITY, ONE, ZERO, Shifted, Undefined, is_nan
from xent_conformance.reference.exact.row import Row

NAN = float("nan")


class _Moving(Shifted):
    """A shifted row and the directions ``t``; a uniform tangent gives exactly zero."""

    def __init__(self, r: Row) -> None:
        super().__init__(r.x)
        w = centred(r.v, self.k)
        self.mean = dot(self.s, w)
        self.t = [a - self.mean for a in w]

    def scaled(self, factor: arb) -> list[Number]:
        """``factor · s_i t_i``."""
        return [factor * s * t for s, t in zip(self.s, self.t, strict=True)]


def softmax(r: Row) -> Values:
    """``s_i``; VJP ``s_i (c_i − Σ s_j c_j)``, centred on ``c_k`` so that equal cotangents give zero."""
    z = Shifted(r.x, r.copies)
    w = centred(r.c, z.k)
    mean = dot(z.s, w)
    grad = [s * (w_i - mean) for s, w_i in zip(z.s, w, strict=True)]
    return {"value": list(z.s), "grad_logits": grad} | sizes(z)


def softmax_moving(r: Row) -> Values:
    """``s_i t_i``; ``s_i (t_i (c_i − c̄) − Σ s_j t_j c_j)``."""
    z = _Moving(r)
    b = centred(r.c, z.k)
    mean = dot(z.s, b)
    covariance = sum((s * t * c for s, t, c in zip(z.s, z.t, b, strict=True)), ZERO)
    hvp: list[Number] = [s * (t * (c - mean) - covariance) for s, t, c in zip(z.s, z.t, b, strict=True)]
    return {"jvp": z.scaled(ONE), "hvp": hvp} | sizes(z)


def log_softmax(r: Row) -> Values:
    """``log s_i``; VJP ``c_i − s_i Σ c_j``."""
    z = Shifted(r.x, r.copies)
    grad = _balance(z, [arb(-c) for c in r.c], ONE)
    return {"value": list(z.log_s), "grad_logits": grad} | sizes(z)


def log_softmax_moving(r: Row) -> Values:
    """``t_i``; ``−s_i t_i Σ c_j``."""
    z = _Moving(r)
    return {"jvp": list(z.t), "hvp": z.scaled(-sum(map(arb, r.c), ZERO))} | sizes(z)


def logsumexp(r: Row) -> Values:
    """``m + L``; VJP ``c s_i``. A logit of +∞ gives +∞, nothing but −∞ gives −∞ (5.3). With weights: 6.6."""
    if r.attributes.weight:
        return weighted_logsumexp(r)
    largest = max(r.x, default=NAN)
    if largest in (INFINITY, -INFINITY) and not any(map(is_nan, r.x)):
        unknown: Values = {"value": [largest], "grad_logits": [NAN] * len(r.x)}
        return unknown | {"_s": [NAN] * len(r.x), "_L": [NAN], "_rest": [NAN]}
    z = Shifted(r.x, r.copies)
    c = arb(r.c[0])
    return {"value": [z.m + z.L], "grad_logits": [c * s for s in z.s]} | sizes(z)


def weighted_logsumexp(r: Row) -> Values:
    """``log Σ b_j exp(x_j)``; VJP ``c b_i exp(x_i) / Σ``. A class that weighs nothing is absent."""
    n, b = len(r.x), r.attributes.weight
    z = Shifted([x if w else -INFINITY for x, w in zip(r.x, b, strict=True)]) if any(b) else None
    terms = [arb(w) * e for w, e in zip(b, z.e, strict=True)] if z else [ZERO] * n
    total = sum(terms, ZERO)
    if z is None or not total > 0:  # the logarithm of nothing, and of less
        value = -INFINITY if z is None or total.is_zero() else NAN
        return {"value": [value], "grad_logits": [NAN] * n, "_s": [NAN] * n, "_L": [NAN], "_rest": [NAN]}
    shares = [t / total for t in terms]
    L = total.log()
    c = arb(r.c[0])
    largest = max(range(n), key=lambda i: float(abs(shares[i])))
    rest = sum(shares[:largest] + shares[largest + 1 :], ZERO)
    found: Values = {"value": [z.m + L], "grad_logits": [c * s for s in shares]}
    return found | {"_s": list(shares), "_L": [L], "_rest": [rest]}


def logsumexp_moving(r: Row) -> Values:
    """``Σ s_j v_j``; ``c s_i t_i``."""
    z = _Moving(r)
    return {"jvp": [arb(r.v[z.k]) + z.mean], "hvp": z.scaled(arb(r.c[0]))} | sizes(z)


def softmax_cross_entropy(r: Row) -> Values:
    """``f = −Σ q_i log s_i``; ``∂f/∂x_i = s_i Σq − q_i``; ``∂f/∂p_i = −(∂q_i/∂p_i) log s_i``.

    The effective labels ``q`` are the labels ``p`` where no attribute is given. An excluded class
    contributes nothing with a zero label (4.2) and ±∞ with mass on it (4.3).
    """
    z = Shifted(r.x, r.copies)
    c = arb(r.c[0])
    slopes = [c * t for t in label_slopes(r)]
    by_labels = [_times(t, -v) for t, v in zip(slopes, z.log_s, strict=True)]
    if any(map(math.isnan, r.p)):
        unknown: Values = {"value": [NAN], "grad_logits": [NAN] * len(r.x), "grad_labels": by_labels}
        return unknown | sizes(z)
    q = effective_labels(r, [arb(v) for v in r.p])
    return {
        "value": [_loss(z, q)],
        "grad_logits": _balance(z, q, c),
        "grad_labels": by_labels,
    } | sizes(z)


def softmax_cross_entropy_moving(r: Row) -> Values:
    """``−Σ q_i t_i``; ``c Σq s_i t_i``."""
    if any(map(math.isnan, r.p)):
        raise Undefined
    return _moved(r, effective_labels(r, [arb(v) for v in r.p]))


def sparse_softmax_cross_entropy(r: Row) -> Values:
    """``f = −log s_y``; ``∂f/∂x_i = s_i − [i = y]``, with ``s_y − 1 = −Σ_{j≠y} s_j``.

    With attributes it is the dense loss of the one-hot label. An ignored row is zero (6.8); an index
    out of range that is not ignored defines nothing (6.4).
    """
    n = len(r.x)
    if r.y == r.attributes.ignore_index:
        return {"value": [ZERO], "grad_logits": [ZERO] * n} | sizes(Shifted(r.x))
    if not 0 <= r.y < n:
        raise Undefined
    z = Shifted(r.x, r.copies)
    c = arb(r.c[0])
    if r.attributes.weight or r.attributes.label_smoothing:
        q = effective_labels(r, [ONE if i == r.y else ZERO for i in range(n)])
        return {"value": [_loss(z, q)], "grad_logits": _balance(z, q, c)} | sizes(z)
    grad = [c * s for s in z.s]
    grad[r.y] = -c * z.rest(r.y)
    return {"value": [-z.log_s[r.y]], "grad_logits": list(grad)} | sizes(z)


def sparse_softmax_cross_entropy_moving(r: Row) -> Values:
    """``−t_y``; ``c s_i t_i``: as the dense loss of the one-hot label. Zero of an ignored row (6.8)."""
    n = len(r.x)
    if r.y == r.attributes.ignore_index:
        return {"jvp": [ZERO], "hvp": [ZERO] * n} | sizes(Shifted(r.x))
    if not 0 <= r.y < n:
        raise Undefined
    return _moved(r, effective_labels(r, [ONE if i == r.y else ZERO for i in range(n)]))


def _moved(r: Row, q: list[arb]) -> Values:
    """How the loss of the effective labels ``q`` moves."""
    z = _Moving(r)
    return {"jvp": [-dot(q, z.t)], "hvp": z.scaled(arb(r.c[0]) * sum(q, ZERO))} | sizes(z)


# --- attributes (SPEC.md 6.6, 6.7) ---------------------------------------------------------------


def effective_labels(r: Row, p: list[arb]) -> list[arb]:
    """``q_i = w_i ((1 − ε) p_i + ε/N)``, where only the N classes that are there have a share."""
    smoothing = arb(r.attributes.label_smoothing)
    if smoothing:
        share = smoothing / r.attributes.present(len(p))
        p = [(ONE - smoothing) * v + (share if r.attributes.there(i) else ZERO) for i, v in enumerate(p)]
    if r.attributes.weight:
        p = [arb(w) * v for w, v in zip(r.attributes.weight, p, strict=True)]
    return p


def label_slopes(r: Row) -> list[arb]:
    """``∂q_i/∂p_i = w_i (1 − ε)``."""
    kept = ONE - arb(r.attributes.label_smoothing)
    return [kept * arb(r.attributes.weight_of(i)) for i in range(len(r.x))]


# --- parts ---------------------------------------------------------------------------------------


def sizes(z: Shifted) -> Values:
    """What ``bounds/table`` needs beside the outputs: sizes, not judged (see ``ball.SIZE``)."""
    return {"_s": list(z.s), "_L": [z.L], "_rest": [z.rest_k]}


def _loss(z: Shifted, q: list[arb]) -> Number:
    """``Σ q_i (d_i + L)``."""
    gone = [float(v) for v, excluded in zip(q, z.excluded, strict=True) if excluded and not v.is_zero()]
    infinite = [math.copysign(INFINITY, v) for v in gone]
    return sum(infinite) if infinite else dot(q, [d + z.L for d in z.d])


def _balance(z: Shifted, p: list[arb], c: arb) -> list[Number]:
    """``c (s_i Σp − p_i)``, as ``c (s_i Σ_{j≠i} p_j − p_i (1 − s_i))``: hard labels do not cancel."""
    total = sum(p, ZERO)
    whole = c * total
    return [
        whole * s if q.is_zero() else c * (s * (total - q) - q * z.rest(i))
        for i, (s, q) in enumerate(zip(z.s, p, strict=True))
    ]


def centred(c: Sequence[float], k: int) -> list[arb]:
    """``c_j − c_k``."""
    centre = arb(c[k])
    return [arb(v) - centre for v in c]


def dot(a: Sequence[arb], b: Sequence[arb]) -> arb:
    """``Σ a_j b_j``."""
    return sum((u * v for u, v in zip(a, b, strict=True)), ZERO)


def _times(c: arb, v: Number) -> Number:
    """``c · v`` where ``v`` may be infinite; ``0 · ∞`` is NaN, as in IEEE 754."""
    return float(c) * v if isinstance(v, float) else c * v

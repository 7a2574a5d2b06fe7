"""Losses of a distribution that is given, by its log-probabilities or by its probabilities.

Nothing is normalised: what is given are numbers as they are. A divergence and a likelihood are linear in
log-probabilities ``x``; cross-entropies take the logarithm of probabilities ``p``. What an index does not
name, the loss does not depend on, whatever stands there; of a dense target every class has a share, and a
zero target takes −∞ away, as ``0 log 0 = 0`` does (SPEC.md 4.7, 5.6).

Beside each definition is how it moves (SPEC.md 1.6): the second derivative of what is linear is exactly zero.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from flint import arb

from xent_conformance.reference.exact.ball import Number, Values
from xent_conformance.reference.exact.parts import (
    INFINITY,
    ONE,
    ZERO,
    added,
    ball,
    is_finite,
    is_nan,
    times,
)
from xent_conformance.reference.exact.row import Exact, Row
from xent_conformance.reference.exact.softmax import effective_labels, label_slopes

NAN = float("nan")


def kl_divergence(r: Row) -> Values:
    """``f = Σ w_i p_i (log p_i − x_i)``; ``∂f/∂x_i = −w_i p_i``; ``∂f/∂p_i = w_i (log p_i + 1 − x_i)``.

    Smoothing makes another target of ``p``; the weights, one where none are given, multiply its terms.
    """
    c, target = arb(r.c[0]), _target(r)
    weights = [arb(r.attributes.weight_of(i)) for i in range(len(r.x))]
    terms = [times(w, _term(p, x)) for w, p, x in zip(weights, target, r.x, strict=True)]
    slopes = [c * slope for slope in label_slopes(r)]
    return {
        "value": [added(terms)],
        "grad_logits": [times(-c * w, p) for w, p in zip(weights, target, strict=True)],
        "grad_labels": [times(s, _by_target(p, x)) for s, p, x in zip(slopes, target, r.x, strict=True)],
    }


def kl_divergence_moving(r: Row) -> Values:
    """``−Σ w_i p_i v_i``, and nothing."""
    weights = [arb(r.attributes.weight_of(i)) for i in range(len(r.x))]
    moved = [times(-w * v, p) for w, v, p in zip(weights, r.v, _target(r), strict=True)]
    return {"jvp": [added(moved)], "hvp": [ZERO] * len(r.x)}


def negative_log_likelihood(r: Row) -> Values:
    """``f = −w_y x_y``; ``∂f/∂x_i = −w_y [i = y]``, exactly 0 of every other class.

    An ignored row is zero (6.8); an index out of range that is not ignored defines nothing (6.4).
    """
    n, q = len(r.x), _named(r)
    if q is None:
        return {"value": [NAN], "grad_logits": [NAN] * n}
    return {"value": [_against(q, r.x)], "grad_logits": [-arb(r.c[0]) * v for v in q]}


def negative_log_likelihood_moving(r: Row) -> Values:
    """``−w_y v_y``, and nothing."""
    n, q = len(r.x), _named(r)
    if q is None:
        return {"jvp": [NAN], "hvp": [NAN] * n}
    return {"jvp": [_against(q, r.v)], "hvp": [ZERO] * n}


def categorical_cross_entropy(r: Row) -> Values:
    """``f = −Σ w_i t_i log p_i``; ``∂f/∂p_i = −w_i t_i / p_i``; ``∂f/∂t_i = −w_i (1 − ε) log p_i``.

    A label of zero takes an infinite logarithm away (5.6); what is no probability has none (5.9).
    """
    c, p = arb(r.c[0]), [float(v) for v in r.x]  # nothing stands before it
    q = [times(arb(r.attributes.weight_of(i)), t) for i, t in enumerate(_target(r))]
    slopes = [c * slope for slope in label_slopes(r)]
    return {
        "value": [added([_share(t, _surprise(v)) for t, v in zip(q, p, strict=True)])],
        "grad_logits": [times(-c, _share(t, _inverse(v))) for t, v in zip(q, p, strict=True)],
        "grad_labels": [times(s, _surprise(v)) for s, v in zip(slopes, p, strict=True)],
    }


def categorical_cross_entropy_moving(r: Row) -> Values:
    """``−Σ q_i v_i / p_i``; ``c q_i v_i / p_i²``: each class by itself."""
    q = [times(arb(r.attributes.weight_of(i)), t) for i, t in enumerate(_target(r))]
    return _moved(r, q)


def sparse_categorical_cross_entropy(r: Row) -> Values:
    """``f = −w_y log p_y``; ``∂f/∂p_i = −w_y [i = y] / p_y``, exactly 0 of every other class."""
    n, q = len(r.x), _named(r)
    if q is None:
        return {"value": [NAN], "grad_logits": [NAN] * n}
    p, c = [float(v) for v in r.x], arb(r.c[0])
    named = [(t, v) for t, v in zip(q, p, strict=True) if t != 0]
    return {
        "value": [added([_share(t, _surprise(v)) for t, v in named])],
        "grad_logits": [
            times(-c, _share(t, _inverse(v))) if t != 0 else ZERO for t, v in zip(q, p, strict=True)
        ],
    }


def sparse_categorical_cross_entropy_moving(r: Row) -> Values:
    """The same of what the index names."""
    n, q = len(r.x), _named(r)
    return {"jvp": [NAN], "hvp": [NAN] * n} if q is None else _moved(r, q)


# --- labels ----------------------------------------------------------------------------------------


def _target(r: Row) -> list[Number]:
    """Dense labels, smoothed where that is asked for; NaN stays one."""
    known = [0.0 if math.isnan(p) else p for p in r.p]
    smoothed = effective_labels(
        replace(r, attributes=replace(r.attributes, weight=())), list(map(arb, known))
    )
    return [NAN if math.isnan(p) else q for p, q in zip(r.p, smoothed, strict=True)]


def _named(r: Row) -> list[arb] | None:
    """The effective labels of an index; nothing of an ignored row, None where it names no class."""
    n = len(r.x)
    if r.y == r.attributes.ignore_index:
        return [ZERO] * n
    if not 0 <= r.y < n:
        return None
    return effective_labels(r, [ONE if i == r.y else ZERO for i in range(n)])


def effective(r: Row) -> Sequence[Number] | None:
    """Effective labels, dense or of an index; None where that names no class."""
    if len(r.p) == 1 and len(r.x) != 1:
        return _named(r)
    return [times(arb(r.attributes.weight_of(i)), t) for i, t in enumerate(_target(r))]


# --- terms -----------------------------------------------------------------------------------------


def _term(p: Number, x: Exact) -> Number:
    """``p (log p − x)``: 0 for ``p = 0``, at −∞ too; NaN of a target below zero, which has no logarithm."""
    if isinstance(p, float) or is_nan(x) or p < 0:
        return NAN
    if p.is_zero():
        return NAN if x == INFINITY else ZERO
    return p * (p.log() - ball(x)) if is_finite(x) else -float(x)


def _surprise(p: float) -> Number:
    """``−log p`` of a probability, +∞ at 0; NaN of what is none."""
    if not 0 <= p <= 1:
        return NAN
    return -arb(p).log() if p else INFINITY


def _inverse(p: float) -> Number:
    """``1/p``, +∞ at 0; NaN of what is no probability."""
    if not 0 <= p <= 1:
        return NAN
    return ONE / arb(p) if p else INFINITY


def _share(q: Number, of: Number) -> Number:
    """``q · of``; a label of zero takes an infinity away, and no NaN."""
    if isinstance(q, float):
        return NAN
    return ZERO if q.is_zero() and of == INFINITY else times(q, of)


def _moved(r: Row, q: Sequence[Number]) -> Values:
    """Of classes that a label names, or that are given one: the others have no share."""
    jvp, hvp = [], []
    for t, x, v in zip(q, r.x, r.v, strict=True):
        nothing = not isinstance(t, float) and t.is_zero() and not is_nan(x)
        by = ZERO if nothing else _inverse(float(x))
        jvp.append(times(-arb(v), _share(t, by)))
        hvp.append(times(arb(r.c[0]) * v, _share(t, times(by, by) if isinstance(by, arb) else by)))
    return {"jvp": [added(jvp)], "hvp": hvp}


def _by_target(p: Number, x: Exact) -> Number:
    """``log p + 1 − x``, −∞ at a target of zero."""
    if isinstance(p, float) or is_nan(x) or p < 0:
        return NAN
    if p.is_zero():
        return -INFINITY - float(x) if not is_finite(x) else -INFINITY
    return p.log() + 1 - ball(x) if is_finite(x) else -float(x)


def _against(q: Sequence[arb], x: Sequence[Exact]) -> Number:
    """``−Σ q_i x_i`` of the classes that have a label."""
    return added(
        [times(-v, ball(a) if is_finite(a) else float(a)) for v, a in zip(q, x, strict=True) if v != 0]
    )

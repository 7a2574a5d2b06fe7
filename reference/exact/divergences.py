"""Divergences in their other forms: element by element, and of a target that is given by its logarithms.

``relative_entropy`` and ``elementwise_kl_divergence`` take numbers of at least 0 that nothing normalises, a
prediction ``q`` and a target ``p``, and are defined at 0 and beyond by a convention of their own (SPEC.md
5.10). ``kl_divergence_log_target`` takes log-probabilities on both sides.

Beside each definition is how it moves (SPEC.md 1.6).
"""

from __future__ import annotations

import math
from collections.abc import Callable

from flint import arb

from xent_conformance.reference.exact.ball import Number, Values
from xent_conformance.reference.exact.parts import INFINITY, ZERO, added, times
from xent_conformance.reference.exact.row import Row

NAN = float("nan")

Element = Callable[[float, float], Number]
"""Of a target and a prediction."""


def relative_entropy(r: Row) -> Values:
    """``f = p log(p/q)``; ``∂f/∂q = −p/q``; ``∂f/∂p = log(p/q) + 1``."""
    return _elements(r, _relative, lambda p, q: -arb(p) / arb(q), lambda p, q: _log_ratio(p, q) + 1)


def relative_entropy_moving(r: Row) -> Values:
    """``−v p/q``; ``c v p/q²``."""
    return _elements_moving(r, lambda p, q: -arb(p) / arb(q))


def elementwise_kl_divergence(r: Row) -> Values:
    """``f = p log(p/q) − p + q``; ``∂f/∂q = 1 − p/q``; ``∂f/∂p = log(p/q)``."""
    return _elements(r, _divergence, _divergence_slope, _log_ratio)


def elementwise_kl_divergence_moving(r: Row) -> Values:
    """``v (1 − p/q)``; ``c v p/q²``."""
    return _elements_moving(r, _divergence_slope)


def kl_divergence_log_target(r: Row) -> Values:
    """``f = Σ exp(t_i) (t_i − x_i)``; ``∂f/∂x_i = −exp(t_i)``; ``∂f/∂t_i = exp(t_i) (t_i − x_i + 1)``.

    A log-target of −∞ is a target of zero: nothing is left of it (4.8).
    """
    c, pairs = arb(r.c[0]), [(float(t), float(x)) for t, x in zip(r.p, r.x, strict=True)]
    return {
        "value": [added([_log_term(t, x, 0) for t, x in pairs])],
        "grad_logits": [times(-c, _mass(t)) for t, _ in pairs],
        "grad_labels": [times(c, _log_term(t, x, 1)) for t, x in pairs],
    }


def kl_divergence_log_target_moving(r: Row) -> Values:
    """``−Σ exp(t_i) v_i``, and nothing."""
    moved = [times(-arb(v), _mass(float(t))) for v, t in zip(r.v, r.p, strict=True)]
    return {"jvp": [added(moved)], "hvp": [ZERO] * len(r.x)}


# --- elements --------------------------------------------------------------------------------------


def _elements(r: Row, value: Element, by_prediction: Element, by_target: Element) -> Values:
    pairs = [(p, float(q)) for p, q in zip(r.p, r.x, strict=True)]
    slopes = [by_prediction(p, q) if _moves(p, q) else NAN for p, q in pairs]
    others = [_slope_by_target(by_target, p, q) for p, q in pairs]
    return {
        "value": [NAN if math.isnan(p) or math.isnan(q) else value(p, q) for p, q in pairs],
        "grad_logits": [times(arb(c), s) for c, s in zip(r.c, slopes, strict=True)],
        "grad_labels": [times(arb(c), s) for c, s in zip(r.c, others, strict=True)],
    }


def _elements_moving(r: Row, slope: Element) -> Values:
    pairs = [(p, float(q)) for p, q in zip(r.p, r.x, strict=True)]
    slopes = [slope(p, q) if _moves(p, q) else NAN for p, q in pairs]
    bends = [arb(p) / arb(q) ** 2 if _moves(p, q) else NAN for p, q in pairs]
    return {
        "jvp": [times(arb(v), s) for v, s in zip(r.v, slopes, strict=True)],
        "hvp": [times(arb(c) * arb(v), s) for c, v, s in zip(r.c, r.v, bends, strict=True)],
    }


def _moves(p: float, q: float) -> bool:
    """Where there is a derivative by the prediction: at a target of zero too."""
    return 0 <= p < INFINITY and 0 < q < INFINITY


def _slope_by_target(slope: Element, p: float, q: float) -> Number:
    """−∞ at a target of zero (4.5)."""
    if not _moves(p, q):
        return NAN
    return slope(p, q) if p else -INFINITY


def _log_ratio(p: float, q: float) -> arb:
    """``log(p/q)``: of a quotient near one, log1p of what it exceeds one by."""
    if q / 2 <= p <= 2 * q:
        return ((arb(p) - arb(q)) / arb(q)).log1p()
    return arb(p).log() - arb(q).log()


def _relative(p: float, q: float) -> Number:
    """0 at ``p = 0 <= q``, +∞ where one is below 0, or ``q`` alone is 0 (5.10)."""
    if p == 0 and q >= 0:
        return ZERO
    if p <= 0 or q <= 0:
        return INFINITY
    if q == INFINITY:
        return -INFINITY if math.isfinite(p) else NAN
    return INFINITY if p == INFINITY else arb(p) * _log_ratio(p, q)


def _divergence(p: float, q: float) -> Number:
    """``q`` at ``p = 0 <= q``."""
    if p == 0 and q >= 0:
        return INFINITY if q == INFINITY else arb(q)
    found = _relative(p, q)
    if isinstance(found, float):
        return INFINITY if found == -INFINITY else found
    return found - arb(p) + arb(q)


def _divergence_slope(p: float, q: float) -> Number:
    """Of one fraction: where both are equal it is exactly zero."""
    return (arb(q) - arb(p)) / arb(q)


# --- of logarithms ---------------------------------------------------------------------------------


def _mass(t: float) -> Number:
    if math.isnan(t) or t == INFINITY:
        return t
    return arb(t).exp() if math.isfinite(t) else ZERO


def _log_term(t: float, x: float, more: int) -> Number:
    """``exp(t) (t − x + more)``: 0 for ``t = −∞``, at ``x = −∞`` too."""
    if math.isnan(t) or math.isnan(x):
        return NAN
    if t == -INFINITY:
        return NAN if x == INFINITY else ZERO
    if math.isinf(x) or math.isinf(t):
        return t - x
    return arb(t).exp() * (arb(t) - arb(x) + more)

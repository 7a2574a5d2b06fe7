"""Losses of given probabilities as frameworks document them: with clamps, and what they divide by.

Another function than that of SPEC.md §0, on purpose, and as well defined (5.11). ``bounded_logarithms``
is PyTorch's, ``raised_binary`` that of TensorFlow 1, the others are Keras'.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

from flint import arb

from xent_conformance.reference.exact.ball import Number, Values
from xent_conformance.reference.exact.given import effective
from xent_conformance.reference.exact.parts import ONE, ZERO, added, ball, times
from xent_conformance.reference.exact.row import Row
from xent_conformance.reference.exact.sigmoid import binary_cross_entropy, effective_pairs

NAN, LEAST = float("nan"), arb(-100)

_MOVED = ("jvp", "hvp")

Clip = tuple[float, float]
"""The least and the largest probability, as the format has them."""


def bounded_logarithms(r: Row, _: Clip) -> Values:
    """``−b max(log p, −100) − a max(log(1 − p), −100)``; NaN of what is no probability."""
    a, b = effective_pairs(r)
    found: list[Number] = []
    for x, z, u, w in zip(r.x, r.p, a, b, strict=True):
        p = float(x)
        if math.isnan(z) or not 0 <= p <= 1:
            found.append(NAN)
            continue
        logs = (arb(p).log() if p else LEAST), ((-arb(p)).log1p() if p < 1 else LEAST)
        up, down = (LEAST if v < LEAST else v for v in logs)
        found.append(-w * up - u * down)
    return {"value": found}


def clipped_binary(r: Row, clip: Clip) -> Values:
    """The loss of ``clip(p)``, which is constant where it is clipped; NaN of NaN alone."""
    inside = [not math.isnan(float(x)) and clip[0] <= float(x) <= clip[1] for x in r.x]
    found = binary_cross_entropy(replace(r, x=[_clipped(float(x), clip) for x in r.x]))
    lost = [math.isnan(float(x)) or math.isnan(z) for x, z in zip(r.x, r.p, strict=True)]
    found["grad_logits"] = [
        g if kept or gone else ZERO for g, kept, gone in zip(found["grad_logits"], inside, lost, strict=True)
    ]
    return found


def raised_binary(r: Row, clip: Clip) -> Values:
    """``−b log(p + ε) − a log(1 − p + ε)``; NaN where there is no logarithm.

    Along a tangent its slope ``a/(1 − p + ε) − b/(p + ε)``, and ``c v (a/(1 − p + ε)² + b/(p + ε)²)``.
    """
    a, b = effective_pairs(r)
    eps, kept = Fraction(clip[0]), ONE - arb(r.attributes.label_smoothing)
    found: Values = {name: [] for name in (_MOVED if r.v else ("value", "grad_logits", "grad_labels"))}
    for i, (x, z, c) in enumerate(zip(r.x, r.p, r.c, strict=True)):
        p = Fraction(float(x)) if math.isfinite(float(x)) else None
        if p is None or not -eps < p < 1 + eps:
            for numbers in found.values():
                numbers.append(NAN)
            continue
        up, down, weight = ball(p + eps), ball(1 - p + eps), arb(r.attributes.weight_of(i))
        lost = math.isnan(z)  # on a label its own slope does not depend
        if r.v:
            v = arb(r.v[i])
            found["jvp"].append(NAN if lost else v * (a[i] / down - b[i] / up))
            found["hvp"].append(NAN if lost else arb(c) * v * (a[i] / down**2 + b[i] / up**2))
            continue
        found["value"].append(NAN if lost else -b[i] * up.log() - a[i] * down.log())
        found["grad_logits"].append(NAN if lost else arb(c) * (a[i] / down - b[i] / up))
        found["grad_labels"].append(arb(c) * weight * kept * (down.log() - up.log()))
    return found


def clipped_divergence(r: Row, clip: Clip) -> Values:
    """``Σ t' (log t' − log p')`` of a target and a prediction that are clipped to ``[ε, 1]``.

    The prediction is given by its logarithm. What is clipped has no gradient, nor has what is NaN. In what is
    left the loss is linear: ``−Σ t'_i v_i`` along a tangent, and no second derivative.
    """
    c, eps = arb(r.c[0]), arb(clip[0])
    terms: list[Number] = []
    slopes: list[Number] = []
    others: list[Number] = []
    for t, given in zip(r.p, r.x, strict=True):
        x = float(given)
        target = NAN if math.isnan(t) else arb(min(max(t, clip[0]), 1.0))
        low = not math.isnan(x) and (x == -math.inf or arb(x).exp() < eps)
        log = NAN if math.isnan(x) else eps.log() if low else arb(min(x, 0.0))
        if isinstance(target, float) or isinstance(log, float):
            terms.append(NAN)
            slopes.append(NAN)
            others.append(NAN)
            continue
        terms.append(target * (target.log() - log))
        slopes.append(-target if not low and x <= 0 else ZERO)
        others.append(c * (target.log() - log + 1) if clip[0] <= t <= 1 else ZERO)
    if r.v:
        moved = [times(arb(v), slope) for v, slope in zip(r.v, slopes, strict=True)]
        return {"jvp": [added(moved)], "hvp": [v if isinstance(v, float) else ZERO for v in slopes]}
    return {
        "value": [added(terms)],
        "grad_logits": [times(c, slope) for slope in slopes],
        "grad_labels": others,
    }


def clipped_shares(r: Row, clip: Clip) -> Values:
    """``−Σ q_i log clip(p_i / Σp)``; ``∂/∂p_i = −q_i [i inside] / p_i + Σ_j q_j [j inside] / Σp``."""
    q = effective(r)
    if q is None or any(math.isnan(float(x)) for x in r.x) or any(isinstance(t, float) for t in q):
        return _nothing(r)
    p = [Fraction(float(x)) for x in r.x]
    whole = sum(p, Fraction(0))
    low, high = map(Fraction, clip)
    share = [v / whole for v in p]
    inside = [low <= v <= high for v in share]
    logs = [ball(min(max(v, low), high)).log() for v in share]
    return _of_logs(r, q, logs, [v if kept else None for v, kept in zip(p, inside, strict=True)], whole)


def softmax_of_logarithms(r: Row, clip: Clip) -> Values:
    """``−Σ q_i log (clip(p_i) / Σ clip(p))``, its gradient by what is not clipped."""
    q = effective(r)
    if q is None or any(math.isnan(float(x)) for x in r.x):
        return _nothing(r)
    low, high = map(Fraction, clip)
    p = [Fraction(float(x)) for x in r.x]
    kept = [min(max(v, low), high) for v in p]
    whole = sum(kept, Fraction(0))
    logs = [ball(v / whole).log() for v in kept]
    inside = [v if v == u else None for v, u in zip(kept, p, strict=True)]
    mass = added(list(q))
    found = _of_logs(r, q, logs, inside, whole, mass=mass)
    if r.v:
        return found
    found["grad_logits"] = [
        g if v is not None else ZERO for g, v in zip(found["grad_logits"], inside, strict=True)
    ]
    return found


def _of_logs(
    r: Row,
    q: Sequence[Number],
    logs: Sequence[arb],
    inside: Sequence[Fraction | None],
    whole: Fraction,
    mass: Number | None = None,
) -> Values:
    """The loss of these logarithms, and its gradients; ``mass`` of all labels, where all of them share it."""
    c = arb(r.c[0])
    if mass is None:
        mass = added([t for t, v in zip(q, inside, strict=True) if v is not None])
    shared = times(ONE / ball(whole), mass)
    slopes = [times(-ONE / ball(v), t) if v is not None else ZERO for t, v in zip(q, inside, strict=True)]
    if r.v:
        return _moved(r, q, [added([s, shared]) for s in slopes], inside, whole, mass)
    kept = ONE - arb(r.attributes.label_smoothing)
    weights = [arb(r.attributes.weight_of(i)) for i in range(len(r.x))]
    return {
        "value": [added([times(-v, t) for v, t in zip(logs, q, strict=True)])],
        "grad_logits": [times(c, added([s, shared])) for s in slopes],
        "grad_labels": [-c * w * kept * v for w, v in zip(weights, logs, strict=True)],
    }


def _moved(
    r: Row,
    q: Sequence[Number],
    slopes: Sequence[Number],
    inside: Sequence[Fraction | None],
    whole: Fraction,
    mass: Number,
) -> Values:
    """``Σ v_i ∂f/∂p_i``; ``c (q_i v_i / p_i² − Σq Σv / (Σp)²)``, where nothing is clipped."""
    c, inverse = arb(r.c[0]), ONE / ball(whole)
    v = [arb(u) for u in r.v]
    if any(p is None for p in inside):
        return {"jvp": [NAN], "hvp": [NAN] * len(r.x)}
    common = times(-inverse * inverse * sum(v, ZERO), mass)
    own = [times(u / ball(p) ** 2, t) for u, t, p in zip(v, q, inside, strict=True) if p is not None]
    return {
        "jvp": [added([times(u, s) for u, s in zip(v, slopes, strict=True)])],
        "hvp": [times(c, added([g, common])) for g in own],
    }


def _clipped(p: float, clip: Clip) -> float:
    return p if math.isnan(p) else min(max(p, clip[0]), clip[1])


def _nothing(r: Row) -> Values:
    n = len(r.x)
    if r.v:
        return {"jvp": [NAN], "hvp": [NAN] * n}
    return {"value": [NAN], "grad_logits": [NAN] * n, "grad_labels": [NAN] * n}


Documented = Callable[[Row, Clip], Values]

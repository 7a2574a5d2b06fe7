"""A correct implementation in higher precision, rounded once: the suite must find nothing in it.

Written apart from the reference, in mpmath, from the definitions in SPEC.md §0, the special values of
§3–§5 and the attributes of §6. Precision is chosen so large that the plain formulas keep hundreds of
bits. Forward mode and second derivatives are in :mod:`exact_moving`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from mpmath import exp, inf, log, log1p, mp, mpf, nan

PRECISION = {
    "float16": (11, -14, 15),
    "bfloat16": (8, -126, 127),
    "float32": (24, -126, 127),
    "float64": (53, -1022, 1023),
}

Numbers = list[mpf]
Outputs = dict[str, Numbers]
Labels = Sequence[float] | int | None
Given = Mapping[str, Any]
"""Attributes by name, as they are called: ``weight``, ``label_smoothing``, …"""


def answer(
    operator: str,
    dtype: str,
    x: Sequence[float],
    labels: Labels,
    cotangent: Sequence[float],
    given: Given | None = None,
    tangent: Sequence[float] = (),
    copies: int = 1,
) -> dict[str, np.ndarray]:
    """All outputs of one row, each element correctly rounded to ``dtype`` (carried as binary64).

    ``labels`` are a list of floats, an index, or None. With a ``tangent`` the outputs are ``jvp`` and
    ``hvp``. Every logit stands for ``copies`` classes: then the gradients mean nothing.
    """
    from tests.support.exact_moving import MOVING  # it is made of the pieces below

    mp.prec = _bits(x, labels)
    numbers = list(map(mpf, x)), labels, list(map(mpf, cotangent))
    if tangent:
        return _all_rounded(MOVING[operator](*numbers, list(map(mpf, tangent))), dtype)
    return _all_rounded(DEFINITIONS[operator](*numbers, {**(given or {}), "copies": copies}), dtype)


def group(
    operator: str,
    dtype: str,
    examples: Sequence[tuple[Sequence[float], Labels]],
    cotangent: float,
    given: Given,
) -> dict[str, np.ndarray]:
    """The reduced loss of these ``(logits, labels)``, and its gradients side by side (SPEC.md 6.10)."""
    flat = [v for x, _ in examples for v in x]
    mp.prec = _bits(flat, [v for _, y in examples if isinstance(y, Sequence) for v in y])
    one = [mpf(1)] * (len(examples[0][0]) if examples else 0)
    found = [DEFINITIONS[operator](list(map(mpf, x)), y, one, given) for x, y in examples]
    rows = [mpf(v) for v in given.get("row_weight") or [1] * len(examples)]
    by = mpf(1) if given["reduction"] == "sum" else _divisor(operator, examples, given)
    total = mp.fsum(w * v for w, f in zip(rows, found, strict=True) for v in f["value"])
    outputs: Outputs = {"value": [_quotient(total, by)]}
    for name in ("grad_logits", "grad_labels"):
        if found and name in found[0]:
            each = ((w, g) for w, f in zip(rows, found, strict=True) for g in f[name])
            outputs[name] = [_quotient(mpf(cotangent) * w * g, by) for w, g in each]
    return _all_rounded(outputs, dtype)


def _divisor(operator: str, examples: Sequence[tuple[Sequence[float], Labels]], given: Given) -> mpf:
    if given["reduction"] == "weighted_mean":
        counted = [y is None or y != given.get("ignore_index") for _, y in examples]
        return mp.fsum(v for v, counts in zip(given["row_weight"], counted, strict=True) if counts)
    if operator in ("sigmoid_cross_entropy", "binary_cross_entropy"):
        return mpf(sum(len(x) for x, _ in examples))
    by_rows = ("softmax_cross_entropy", "kl_divergence", "kl_divergence_log_target")
    if operator in (*by_rows, "categorical_cross_entropy"):
        return mpf(len(examples))
    weight = given.get("weight")
    kept = [y for _, y in examples if y != given.get("ignore_index")]
    return mp.fsum(weight[y] if weight else 1 for y in kept)


def _quotient(a: mpf, b: mpf) -> mpf:
    return a / b if b != 0 else nan


def _bits(x: Sequence[float], labels: Labels) -> int:
    labels = labels if isinstance(labels, Sequence) else ()
    finite = [v for v in x if math.isfinite(v)] or [0.0]
    spread = min((max(*finite, 0.0) / 4 - min(*finite, 0.0) / 4) * 6, 2600.0)
    tiny = any(0 < abs(v) < 1e-4 for v in (*finite, *labels))
    return int(400 + spread + (2300 if tiny else 0))


def _all_rounded(outputs: Outputs, dtype: str) -> dict[str, np.ndarray]:
    return {name: np.array([_rounded(v, dtype) for v in values]) for name, values in outputs.items()}


def _rounded(value: mpf, dtype: str) -> float:
    """To nearest, ties to even, by integers."""
    if not mp.isfinite(value):
        return float(value)
    precision, emin, emax = PRECISION[dtype]
    sign, mantissa, exponent, bits = value._mpf_
    if mantissa == 0:
        return 0.0
    spacing = max(exponent + bits - 1, emin) - precision + 1
    shift = exponent - spacing
    if shift >= 0:
        whole = int(mantissa) << shift
    elif -shift > bits + 1:
        whole = 0  # far below half the spacing
    else:
        whole = int(mantissa) >> -shift
        left, half = int(mantissa) - (whole << -shift), 1 << (-shift - 1)
        whole += left > half or (left == half and whole % 2)
    if whole.bit_length() + spacing > emax + 1:
        return -math.inf if sign else math.inf
    return math.ldexp(-whole if sign else whole, spacing)


# --- the softmax family ---


def shares(x: Numbers, copies: int = 1) -> tuple[Numbers, Numbers, mpf]:
    """Probabilities, their logarithms, and log Σ exp, with −∞ logits left out (SPEC.md 4.1)."""
    m = max(x)  # shifted, so that one class alone leaves exactly nothing
    once = {v: exp(v - m) if v != -inf else mpf(0) for v in set(x)}  # 16 bits leave few different numbers
    powers = [once[v] for v in x]
    total = copies * mp.fsum(powers)
    whole = log(total)
    return [p / total for p in powers], [v - m - whole for v in x], m + whole


def _undefined(x: Numbers) -> bool:
    return any(mp.isnan(v) or v == inf for v in x) or all(v == -inf for v in x)


def softmax(x: Numbers, _labels: Labels, c: Numbers, a: Given) -> Outputs:
    if _undefined(x):
        return {"value": [nan] * len(x), "grad_logits": [nan] * len(x)}
    s, _, _ = shares(x, a["copies"])
    w = [b - c[0] for b in c]  # a uniform cotangent leaves exactly nothing
    mean = mp.fsum(a * b for a, b in zip(s, w, strict=True))
    return {"value": s, "grad_logits": [a * (b - mean) for a, b in zip(s, w, strict=True)]}


def log_softmax(x: Numbers, _labels: Labels, c: Numbers, a: Given) -> Outputs:
    if _undefined(x):
        return {"value": [nan] * len(x), "grad_logits": [nan] * len(x)}
    s, ell, _ = shares(x, a["copies"])
    total = mp.fsum(c)
    return {"value": ell, "grad_logits": [b - a * total for a, b in zip(s, c, strict=True)]}


def logsumexp(x: Numbers, _labels: Labels, c: Numbers, a: Given) -> Outputs:
    if a.get("weight"):
        terms = [mpf(b) * exp(v) for b, v in zip(a["weight"], x, strict=True)]
        total = mp.fsum(terms)
        if total <= 0:
            return {"value": [nan if total else -inf], "grad_logits": [nan] * len(x)}
        return {"value": [log(total)], "grad_logits": [c[0] * t / total for t in terms]}
    if _undefined(x):
        limit = nan if any(map(mp.isnan, x)) or not x else max(x)  # ±∞: the limit, or the log of nothing
        return {"value": [limit], "grad_logits": [nan] * len(x)}
    s, _, whole = shares(x, a["copies"])
    return {"value": [whole], "grad_logits": [c[0] * a for a in s]}


def softmax_cross_entropy(x: Numbers, labels: Labels, c: Numbers, a: Given) -> Outputs:
    n = len(x)
    if _undefined(x):
        return {"value": [nan], "grad_logits": [nan] * n, "grad_labels": [nan] * n}
    s, ell, _ = shares(x, a.get("copies", 1))
    smooth = mpf(a.get("label_smoothing", 0))
    kept, share, c0 = 1 - smooth, smooth / max(n, 1), c[0]
    w = [mpf(v) for v in a.get("weight") or [1] * n]
    q = [mpf(p) for p in labels]
    if smooth or a.get("weight"):
        q = [b * (kept * p + share) for b, p in zip(w, q, strict=True)]
    mass = mp.fsum(q)
    terms = [-b * a if a != -inf else (inf if b > 0 else mpf(0)) for a, b in zip(ell, q, strict=True)]
    value = inf if inf in terms else mp.fsum(terms)
    return {
        "value": [value],
        "grad_logits": [c0 * (a * mass - b) for a, b in zip(s, q, strict=True)],
        "grad_labels": [-c0 * b * kept * a for a, b in zip(ell, w, strict=True)],
    }


def sparse_softmax_cross_entropy(x: Numbers, y: int, c: Numbers, a: Given) -> Outputs:
    if y == a.get("ignore_index"):
        return {"value": [mpf(0)], "grad_logits": [mpf(0)] * len(x)}
    if not 0 <= y < len(x):
        return {"value": [nan], "grad_logits": [nan] * len(x)}
    one_hot = [float(i == y) for i in range(len(x))]
    out = softmax_cross_entropy(x, one_hot, c, a)
    return {name: out[name] for name in ("value", "grad_logits")}


# --- the sigmoid family ---


def sigma(v: mpf) -> mpf:
    return 1 / (1 + exp(-v)) if mp.isfinite(v) else (v if mp.isnan(v) else mpf(v > 0))


def _softplus(v: mpf) -> mpf:
    return log1p(exp(v)) if mp.isfinite(v) else (mpf(0) if v == -inf else v)


def sigmoid(x: Numbers, _labels: Labels, c: Numbers, _a: Given) -> Outputs:
    return {
        "value": list(map(sigma, x)),
        "grad_logits": [b * sigma(v) * sigma(-v) for v, b in zip(x, c, strict=True)],
    }


def log_sigmoid(x: Numbers, _labels: Labels, c: Numbers, _a: Given) -> Outputs:
    return {
        "value": [-_softplus(-v) for v in x],
        "grad_logits": [b * sigma(-v) for v, b in zip(x, c, strict=True)],
    }


def logit(x: Numbers, _labels: Labels, c: Numbers, a: Given) -> Outputs:
    value, slope = [], []
    eps = a.get("eps")
    for p, b in zip(x, c, strict=True):
        if eps is not None and (p < eps or p > 1 - eps):
            q = mpf(eps) if p < eps else 1 - mpf(eps)
            value.append(log(q / (1 - q)) if 0 < q < 1 else inf * (q - mpf(0.5)))
            slope.append(mpf(0))
        elif mp.isnan(p) or p < 0 or p > 1:
            value.append(nan)
            slope.append(nan)
        elif p in (0, 1):
            value.append(inf if p == 1 else -inf)
            slope.append(inf * b)
        else:
            value.append(log(p / (1 - p)))
            slope.append(b / p + b / (1 - p))
    return {"value": value, "grad_logits": slope}


def sigmoid_cross_entropy(x: Numbers, labels: Labels, c: Numbers, a: Given) -> Outputs:
    n = len(x)
    smooth = mpf(a.get("label_smoothing", 0))
    z = [(1 - smooth) * mpf(v) + smooth / 2 for v in labels]
    w = [mpf(v) for v in a.get("weight") or [1] * n]
    positive = [mpf(v) for v in a.get("pos_weight") or [1] * n]

    def loss(v: mpf, label: mpf, weight: mpf, right_weight: mpf) -> mpf:
        wrong, right = (weight * (1 - label), _softplus(v)), (weight * right_weight * label, _softplus(-v))
        return sum((share * f for share, f in (wrong, right) if share != 0 or mp.isnan(f)), mpf(0))

    def slope(v: mpf, label: mpf, weight: mpf, right_weight: mpf) -> mpf:
        return weight * ((1 - label) * sigma(v) - right_weight * label * sigma(-v))

    def by_label(v: mpf, weight: mpf, right_weight: mpf) -> mpf:
        if right_weight == 1:  # softplus(−x) − softplus(x), also where both are infinite
            return -weight * (1 - smooth) * v
        return weight * (1 - smooth) * (right_weight * _softplus(-v) - _softplus(v))

    return {
        "value": [loss(*e) for e in zip(x, z, w, positive, strict=True)],
        "grad_logits": [b * slope(*e) for b, *e in zip(c, x, z, w, positive, strict=True)],
        "grad_labels": [b * by_label(*e) for b, *e in zip(c, x, w, positive, strict=True)],
    }


# --- given probabilities and log-probabilities ---


def binary_cross_entropy(x: Numbers, labels: Labels, c: Numbers, a: Given) -> Outputs:
    """``−z log p − (1 − z) log(1 − p)``: at an end 0 of a label that agrees, NaN outside."""
    n = len(x)
    smooth = mpf(a.get("label_smoothing", 0))
    z = [(1 - smooth) * mpf(v) + smooth / 2 for v in labels]
    w = [mpf(v) for v in a.get("weight") or [1] * n]

    def logs(p: mpf) -> tuple[mpf, mpf]:
        return log(p) if p else -inf, log1p(-p) if p != 1 else -inf

    def known(p: mpf) -> bool:
        return bool(0 <= p <= 1)

    def loss(p: mpf, label: mpf, weight: mpf) -> mpf:
        if not known(p) or mp.isnan(label):
            return nan
        terms = zip((weight * label, weight * (1 - label)), logs(p), strict=True)
        return -sum((share * f for share, f in terms if share != 0), mpf(0))

    def slope(p: mpf, label: mpf, weight: mpf) -> mpf:
        if not known(p) or mp.isnan(label):
            return nan
        parts = ((-weight * label, p), (weight * (1 - label), 1 - p))
        return sum((s / d if d else inf * s for s, d in parts if s != 0), mpf(0))

    by_label = [log_rest - log_p if known(p) else nan for p in x for log_p, log_rest in [logs(p)]]
    return {
        "value": [loss(*e) for e in zip(x, z, w, strict=True)],
        "grad_logits": [b * slope(*e) for b, *e in zip(c, x, z, w, strict=True)],
        "grad_labels": [b * v * (1 - smooth) * g for b, v, g in zip(c, w, by_label, strict=True)],
    }


def categorical_cross_entropy(x: Numbers, labels: Labels, c: Numbers, a: Given) -> Outputs:
    """``−Σ t log p``; nothing of ``t = 0``, beside a probability of 0 too."""
    n = len(x)
    smooth = mpf(a.get("label_smoothing", 0))
    w = [mpf(v) for v in a.get("weight") or [1] * n]
    q = [b * ((1 - smooth) * mpf(t) + smooth / n) for b, t in zip(w, labels, strict=True)]
    logs = [(log(v) if v else -inf) if 0 <= v <= 1 else nan for v in x]

    def share(t: mpf, of: mpf) -> mpf:
        return mpf(0) if t == 0 and not mp.isnan(of) else t * of

    by = [(1 / v if v else inf) if 0 <= v <= 1 else nan for v in x]
    return {
        "value": [_sum(-share(t, v) for t, v in zip(q, logs, strict=True))],
        "grad_logits": [-c[0] * share(t, v) for t, v in zip(q, by, strict=True)],
        "grad_labels": [-c[0] * b * (1 - smooth) * v for b, v in zip(w, logs, strict=True)],
    }


def sparse_categorical_cross_entropy(x: Numbers, y: int, c: Numbers, a: Given) -> Outputs:
    """``−w_y log p_y``; on no other class it depends."""
    n = len(x)
    if y != a.get("ignore_index") and 0 <= y < n:
        w = a["weight"][y] if a.get("weight") else 1
        found = categorical_cross_entropy([x[y]], [1.0], c, {"weight": [w]})
        slope = found["grad_logits"][0]
        return {"value": found["value"], "grad_logits": [slope if i == y else mpf(0) for i in range(n)]}
    return negative_log_likelihood(x, y, c, a)


def kl_divergence(x: Numbers, labels: Labels, c: Numbers, a: Given) -> Outputs:
    """``Σ p (log p − x)``; nothing of ``p = 0``, beside −∞ too."""

    def term(p: mpf, v: mpf) -> mpf:
        if mp.isnan(p) or mp.isnan(v):
            return nan
        return p * (log(p) - v) if p else mpf(0)

    p = list(map(mpf, labels))
    log_p = [log(v) if v else -inf for v in p]
    return {
        "value": [_sum(term(*e) for e in zip(p, x, strict=True))],
        "grad_logits": [-c[0] * v for v in p],
        "grad_labels": [c[0] * (v + 1 - b) for v, b in zip(log_p, x, strict=True)],
    }


def kl_divergence_log_target(x: Numbers, labels: Labels, c: Numbers, a: Given) -> Outputs:
    """``Σ exp(t) (t − x)``; nothing of ``t = −∞``, beside −∞ too."""
    t = list(map(mpf, labels))

    def term(t: mpf, v: mpf, more: int) -> mpf:
        if mp.isnan(t) or mp.isnan(v):
            return nan
        return exp(t) * (t - v + more) if t != -inf else mpf(0)

    return {
        "value": [_sum(term(*e, 0) for e in zip(t, x, strict=True))],
        "grad_logits": [-c[0] * exp(v) for v in t],
        "grad_labels": [c[0] * term(*e, 1) for e in zip(t, x, strict=True)],
    }


def _by_elements(x: Numbers, labels: Labels, c: Numbers, whole: int) -> Outputs:
    """``p log(p/q)``, and ``whole`` times ``− p + q``, as SciPy documents it."""
    pairs = list(zip(map(mpf, labels), x, strict=True))

    def value(p: mpf, q: mpf) -> mpf:
        if mp.isnan(p) or mp.isnan(q):
            return nan
        if p > 0 and q > 0:
            return p * (log(p) - log(q)) - whole * (p - q)
        return whole * q if p == 0 and q >= 0 else inf

    def moves(p: mpf, q: mpf) -> bool:
        return bool(p >= 0 and q > 0)

    logs = [log(p) - log(q) if moves(p, q) and p else -inf for p, q in pairs]
    return {
        "value": [value(p, q) for p, q in pairs],
        "grad_logits": [
            b * (whole - p / q) if moves(p, q) else nan for b, (p, q) in zip(c, pairs, strict=True)
        ],
        "grad_labels": [
            b * (v + 1 - whole) if moves(p, q) else nan for b, v, (p, q) in zip(c, logs, pairs, strict=True)
        ],
    }


def relative_entropy(x: Numbers, labels: Labels, c: Numbers, a: Given) -> Outputs:
    return _by_elements(x, labels, c, 0)


def elementwise_kl_divergence(x: Numbers, labels: Labels, c: Numbers, a: Given) -> Outputs:
    return _by_elements(x, labels, c, 1)


def negative_log_likelihood(x: Numbers, y: int, c: Numbers, a: Given) -> Outputs:
    """``−w_y x_y``; on no other class it depends."""
    n = len(x)
    if y == a.get("ignore_index"):
        return {"value": [mpf(0)], "grad_logits": [mpf(0)] * n}
    if not 0 <= y < n:
        return {"value": [nan], "grad_logits": [nan] * n}
    w = mpf(a["weight"][y]) if a.get("weight") else mpf(1)
    return {"value": [-w * x[y]], "grad_logits": [-c[0] * w if i == y else mpf(0) for i in range(n)]}


def _sum(terms: Iterable[mpf]) -> mpf:
    """Of infinities too, which mpmath's own sum does not add."""
    total = mpf(0)
    for term in terms:
        total += term
    return total


DEFINITIONS: dict[str, Callable[..., Outputs]] = {
    f.__name__: f
    for f in (
        softmax,
        log_softmax,
        logsumexp,
        softmax_cross_entropy,
        sparse_softmax_cross_entropy,
        sigmoid,
        log_sigmoid,
        logit,
        sigmoid_cross_entropy,
        binary_cross_entropy,
        categorical_cross_entropy,
        sparse_categorical_cross_entropy,
        kl_divergence,
        kl_divergence_log_target,
        relative_entropy,
        elementwise_kl_divergence,
        negative_log_likelihood,
    )
}

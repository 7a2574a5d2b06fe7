"""A correct implementation in higher precision, rounded once: the suite must find nothing in it.

Written apart from the reference, in mpmath, from the definitions in SPEC.md §0 and the special values
of §3–§5. Precision is chosen so large that the plain formulas keep hundreds of bits.
"""

from __future__ import annotations

import math
from collections.abc import Callable

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


def answer(operator: str, dtype: str, x, labels, cotangent) -> dict[str, np.ndarray]:
    """All outputs of one row, each element correctly rounded to ``dtype`` (carried as binary64).

    ``x`` and ``cotangent`` are lists of floats; ``labels`` a list of floats, an index, or None.
    """
    mp.prec = _bits(x, [] if labels is None or isinstance(labels, int) else labels)
    c = list(map(mpf, cotangent))
    outputs = DEFINITIONS[operator](list(map(mpf, x)), labels, c)
    return {name: np.array([_rounded(v, dtype) for v in values]) for name, values in outputs.items()}


def _bits(x: list[float], labels: list[float]) -> int:
    finite = [v for v in x if math.isfinite(v)] or [0.0]
    spread = min((max(*finite, 0.0) / 4 - min(*finite, 0.0) / 4) * 6, 2600.0)
    tiny = any(0 < abs(v) < 1e-4 for v in (*finite, *labels))
    return int(400 + spread + (2300 if tiny else 0))


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


def _shares(x: Numbers) -> tuple[Numbers, Numbers, mpf]:
    """Probabilities, their logarithms, and log Σ exp, with −∞ logits left out (SPEC.md 4.1)."""
    m = max(x)  # shifted, so that one class alone leaves exactly nothing
    powers = [exp(v - m) if v != -inf else mpf(0) for v in x]
    total = mp.fsum(powers)
    whole = log(total)
    return [p / total for p in powers], [v - m - whole for v in x], m + whole


def _undefined(x: Numbers) -> bool:
    return any(mp.isnan(v) or v == inf for v in x) or all(v == -inf for v in x)


def softmax(x: Numbers, _labels, c: Numbers) -> Outputs:
    if _undefined(x):
        return {"value": [nan] * len(x), "grad_logits": [nan] * len(x)}
    s, _, _ = _shares(x)
    mean = mp.fsum(a * b for a, b in zip(s, c, strict=True))
    return {"value": s, "grad_logits": [a * (b - mean) for a, b in zip(s, c, strict=True)]}


def log_softmax(x: Numbers, _labels, c: Numbers) -> Outputs:
    if _undefined(x):
        return {"value": [nan] * len(x), "grad_logits": [nan] * len(x)}
    s, ell, _ = _shares(x)
    total = mp.fsum(c)
    return {"value": ell, "grad_logits": [b - a * total for a, b in zip(s, c, strict=True)]}


def logsumexp(x: Numbers, _labels, c: Numbers) -> Outputs:
    if _undefined(x):
        limit = inf if inf in x and not any(map(mp.isnan, x)) else nan
        return {"value": [limit], "grad_logits": [nan] * len(x)}
    s, _, whole = _shares(x)
    return {"value": [whole], "grad_logits": [c[0] * a for a in s]}


def softmax_cross_entropy(x: Numbers, labels, c: Numbers) -> Outputs:
    n = len(x)
    if _undefined(x):
        return {"value": [nan], "grad_logits": [nan] * n, "grad_labels": [nan] * n}
    s, ell, _ = _shares(x)
    p = list(map(mpf, labels))
    mass = mp.fsum(p)
    terms = [-b * a if a != -inf else (inf if b > 0 else mpf(0)) for a, b in zip(ell, p, strict=True)]
    value = inf if inf in terms else mp.fsum(terms)
    return {
        "value": [value],
        "grad_logits": [c[0] * (a * mass - b) for a, b in zip(s, p, strict=True)],
        "grad_labels": [-c[0] * a for a in ell],
    }


def sparse_softmax_cross_entropy(x: Numbers, y: int, c: Numbers) -> Outputs:
    one_hot = [float(i == y) for i in range(len(x))]
    out = softmax_cross_entropy(x, one_hot, c)
    return {name: out[name] for name in ("value", "grad_logits")}


# --- the sigmoid family ---


def _sigma(v: mpf) -> mpf:
    return 1 / (1 + exp(-v)) if mp.isfinite(v) else (v if mp.isnan(v) else mpf(v > 0))


def _softplus(v: mpf) -> mpf:
    return log1p(exp(v)) if mp.isfinite(v) else (mpf(0) if v == -inf else v)


def sigmoid(x: Numbers, _labels, c: Numbers) -> Outputs:
    return {
        "value": list(map(_sigma, x)),
        "grad_logits": [b * _sigma(v) * _sigma(-v) for v, b in zip(x, c, strict=True)],
    }


def log_sigmoid(x: Numbers, _labels, c: Numbers) -> Outputs:
    return {
        "value": [-_softplus(-v) for v in x],
        "grad_logits": [b * _sigma(-v) for v, b in zip(x, c, strict=True)],
    }


def logit(x: Numbers, _labels, c: Numbers) -> Outputs:
    value, slope = [], []
    for p, b in zip(x, c, strict=True):
        if mp.isnan(p) or p < 0 or p > 1:
            value.append(nan)
            slope.append(nan)
        elif p in (0, 1):
            value.append(inf if p == 1 else -inf)
            slope.append(inf * b)
        else:
            value.append(log(p / (1 - p)))
            slope.append(b / p + b / (1 - p))
    return {"value": value, "grad_logits": slope}


def sigmoid_cross_entropy(x: Numbers, labels, c: Numbers) -> Outputs:
    z = list(map(mpf, labels))

    def loss(v: mpf, label: mpf) -> mpf:
        wrong, right = (1 - label, _softplus(v)), (label, _softplus(-v))
        return sum((w * f for w, f in (wrong, right) if w != 0 or mp.isnan(f)), mpf(0))

    return {
        "value": [loss(v, a) for v, a in zip(x, z, strict=True)],
        "grad_logits": [b * (_sigma(v) - a) for v, a, b in zip(x, z, c, strict=True)],
        "grad_labels": [-b * v for v, b in zip(x, c, strict=True)],
    }


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
    )
}

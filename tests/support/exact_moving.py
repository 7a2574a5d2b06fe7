"""Forward mode and second derivatives of the correct implementation: ``jvp`` and ``hvp`` of SPEC.md §0."""

from __future__ import annotations

from collections.abc import Callable

from mpmath import mp, mpf

from tests.support.exact import Labels, Numbers, Outputs, shares, sigma


def _directions(x: Numbers, v: Numbers) -> tuple[Numbers, Numbers]:
    """Probabilities ``s`` and the derivatives ``t`` of their logarithms."""
    s, _, _ = shares(x)
    mean = mp.fsum(a * b for a, b in zip(s, v, strict=True))
    return s, [b - mean for b in v]


def _curved(factor: mpf, s: Numbers, t: Numbers) -> Numbers:
    return [factor * a * b for a, b in zip(s, t, strict=True)]


def softmax(x: Numbers, _labels: Labels, c: Numbers, v: Numbers) -> Outputs:
    s, t = _directions(x, v)
    mean = mp.fsum(a * b for a, b in zip(s, c, strict=True))
    together = mp.fsum(a * b * d for a, b, d in zip(s, t, c, strict=True))
    hvp = [a * (b * (d - mean) - together) for a, b, d in zip(s, t, c, strict=True)]
    return {"jvp": _curved(mpf(1), s, t), "hvp": hvp}


def log_softmax(x: Numbers, _labels: Labels, c: Numbers, v: Numbers) -> Outputs:
    s, t = _directions(x, v)
    return {"jvp": t, "hvp": _curved(-mp.fsum(c), s, t)}


def logsumexp(x: Numbers, _labels: Labels, c: Numbers, v: Numbers) -> Outputs:
    s, t = _directions(x, v)
    return {"jvp": [v[0] - t[0]], "hvp": _curved(c[0], s, t)}


def softmax_cross_entropy(x: Numbers, labels: Labels, c: Numbers, v: Numbers) -> Outputs:
    s, t = _directions(x, v)
    p = list(map(mpf, labels))
    jvp = -mp.fsum(a * b for a, b in zip(p, t, strict=True))
    return {"jvp": [jvp], "hvp": _curved(c[0] * mp.fsum(p), s, t)}


def sparse_softmax_cross_entropy(x: Numbers, y: int, c: Numbers, v: Numbers) -> Outputs:
    return softmax_cross_entropy(x, [float(i == y) for i in range(len(x))], c, v)


def _slope(x: mpf) -> mpf:
    return sigma(x) * sigma(-x)


def sigmoid(x: Numbers, _labels: Labels, c: Numbers, v: Numbers) -> Outputs:
    return {
        "jvp": [_slope(a) * d for a, d in zip(x, v, strict=True)],
        "hvp": [b * d * _slope(a) * (sigma(-a) - sigma(a)) for a, b, d in zip(x, c, v, strict=True)],
    }


def log_sigmoid(x: Numbers, _labels: Labels, c: Numbers, v: Numbers) -> Outputs:
    return {
        "jvp": [sigma(-a) * d for a, d in zip(x, v, strict=True)],
        "hvp": [-b * d * _slope(a) for a, b, d in zip(x, c, v, strict=True)],
    }


def logit(x: Numbers, _labels: Labels, c: Numbers, v: Numbers) -> Outputs:
    return {
        "jvp": [d / (p * (1 - p)) for p, d in zip(x, v, strict=True)],
        "hvp": [b * d * (2 * p - 1) / (p * (1 - p)) ** 2 for p, b, d in zip(x, c, v, strict=True)],
    }


def sigmoid_cross_entropy(x: Numbers, labels: Labels, c: Numbers, v: Numbers) -> Outputs:
    return {
        "jvp": [(sigma(a) - mpf(z)) * d for a, z, d in zip(x, labels, v, strict=True)],
        "hvp": [b * d * _slope(a) for a, b, d in zip(x, c, v, strict=True)],
    }


def binary_cross_entropy(x: Numbers, labels: Labels, c: Numbers, v: Numbers) -> Outputs:
    z = list(map(mpf, labels))
    return {
        "jvp": [d * ((1 - b) / (1 - p) - b / p) for p, b, d in zip(x, z, v, strict=True)],
        "hvp": [e * d * ((1 - b) / (1 - p) ** 2 + b / p**2) for p, b, e, d in zip(x, z, c, v, strict=True)],
    }


def categorical_cross_entropy(x: Numbers, labels: Labels, c: Numbers, v: Numbers) -> Outputs:
    t = list(map(mpf, labels))
    return {
        "jvp": [-mp.fsum(b * d / p for p, b, d in zip(x, t, v, strict=True))],
        "hvp": [c[0] * b * d / p**2 for p, b, d in zip(x, t, v, strict=True)],
    }


def sparse_categorical_cross_entropy(x: Numbers, y: int, c: Numbers, v: Numbers) -> Outputs:
    return categorical_cross_entropy(x, [float(i == y) for i in range(len(x))], c, v)


def kl_divergence(x: Numbers, labels: Labels, c: Numbers, v: Numbers) -> Outputs:
    jvp = -mp.fsum(mpf(p) * b for p, b in zip(labels, v, strict=True))
    return {"jvp": [jvp], "hvp": [mpf(0)] * len(x)}


def kl_divergence_log_target(x: Numbers, labels: Labels, c: Numbers, v: Numbers) -> Outputs:
    jvp = -mp.fsum(mp.exp(mpf(t)) * b for t, b in zip(labels, v, strict=True))
    return {"jvp": [jvp], "hvp": [mpf(0)] * len(x)}


def relative_entropy(x: Numbers, labels: Labels, c: Numbers, v: Numbers) -> Outputs:
    p = list(map(mpf, labels))
    return {
        "jvp": [-d * b / q for q, b, d in zip(x, p, v, strict=True)],
        "hvp": [e * d * b / q**2 for q, b, e, d in zip(x, p, c, v, strict=True)],
    }


def elementwise_kl_divergence(x: Numbers, labels: Labels, c: Numbers, v: Numbers) -> Outputs:
    found = relative_entropy(x, labels, c, v)
    return found | {"jvp": [d + b for d, b in zip(v, found["jvp"], strict=True)]}


def negative_log_likelihood(x: Numbers, y: int, c: Numbers, v: Numbers) -> Outputs:
    return {"jvp": [-v[y]], "hvp": [mpf(0)] * len(x)}


MOVING: dict[str, Callable[..., Outputs]] = {
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
"""By operator, asked of finite rows."""

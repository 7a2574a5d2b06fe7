"""A second opinion: every operator and gradient from its textbook definition, in mpmath.

Nothing here is arranged to be stable. ``exp(x_i) / Σ exp(x_j)`` is written as it stands and the
working precision is made so large that whatever cancels or is absorbed still leaves hundreds of
bits: that keeps it independent of the shifted and mirrored forms of the reference it checks.
"""

from __future__ import annotations

from collections.abc import Callable

from mpmath import exp, log, mp, mpf

from xent_conformance.reference.operators import OPERATORS

MOST_BITS = 2600
"""Beyond this nothing is gained: ``exp(−d)`` that needs more is far below every subnormal."""

Outputs = dict[str, list[mpf]]


def softmax(x, p, c) -> Outputs:
    s = _probabilities(x)
    mean = sum(a * b for a, b in zip(s, c, strict=True))
    return {"value": s, "grad_logits": [a * (b - mean) for a, b in zip(s, c, strict=True)]}


def log_softmax(x, p, c) -> Outputs:
    s = _probabilities(x)
    return {"value": list(map(log, s)), "grad_logits": [b - a * sum(c) for a, b in zip(s, c, strict=True)]}


def logsumexp(x, p, c) -> Outputs:
    return {"value": [log(sum(map(exp, x)))], "grad_logits": [c[0] * s for s in _probabilities(x)]}


def softmax_cross_entropy(x, p, c) -> Outputs:
    s = _probabilities(x)
    return {
        "value": [-sum(b * log(a) for a, b in zip(s, p, strict=True))],
        "grad_logits": [c[0] * (a * sum(p) - b) for a, b in zip(s, p, strict=True)],
        "grad_labels": [-c[0] * log(a) for a in s],
    }


def sparse_softmax_cross_entropy(x, p, c) -> Outputs:
    s, y = _probabilities(x), int(p[0])
    return {"value": [-log(s[y])], "grad_logits": [c[0] * (a - (i == y)) for i, a in enumerate(s)]}


def sigmoid(x, p, c) -> Outputs:
    s = [_sigma(v) for v in x]
    return {"value": s, "grad_logits": [b * a * (1 - a) for a, b in zip(s, c, strict=True)]}


def log_sigmoid(x, p, c) -> Outputs:
    s = [_sigma(v) for v in x]
    return {"value": list(map(log, s)), "grad_logits": [b * (1 - a) for a, b in zip(s, c, strict=True)]}


def logit(x, p, c) -> Outputs:
    return {
        "value": [log(v / (1 - v)) for v in x],
        "grad_logits": [b / v + b / (1 - v) for v, b in zip(x, c, strict=True)],
    }


def sigmoid_cross_entropy(x, p, c) -> Outputs:
    return {
        "value": [-z * log(_sigma(v)) - (1 - z) * log(_sigma(-v)) for v, z in zip(x, p, strict=True)],
        "grad_logits": [b * (_sigma(v) - z) for v, z, b in zip(x, p, c, strict=True)],
        "grad_labels": [-b * v for v, b in zip(x, c, strict=True)],
    }


def binary_cross_entropy(x, p, c) -> Outputs:
    return {
        "value": [-z * log(v) - (1 - z) * log(1 - v) for v, z in zip(x, p, strict=True)],
        "grad_logits": [b * ((1 - z) / (1 - v) - z / v) for v, z, b in zip(x, p, c, strict=True)],
        "grad_labels": [b * (log(1 - v) - log(v)) for v, b in zip(x, c, strict=True)],
    }


def categorical_cross_entropy(x, p, c) -> Outputs:
    return {
        "value": [-sum(b * log(a) for a, b in zip(x, p, strict=True))],
        "grad_logits": [-c[0] * b / a for a, b in zip(x, p, strict=True)],
        "grad_labels": [-c[0] * log(a) for a in x],
    }


def sparse_categorical_cross_entropy(x, p, c) -> Outputs:
    y = int(p[0])
    return {"value": [-log(x[y])], "grad_logits": [-c[0] * (i == y) / a for i, a in enumerate(x)]}


def kl_divergence(x, p, c) -> Outputs:
    return {
        "value": [sum(b * (log(b) - a) if b else mpf(0) for a, b in zip(x, p, strict=True))],
        "grad_logits": [-c[0] * b for b in p],
        "grad_labels": [c[0] * (log(b) + 1 - a) if b else mpf("-inf") for a, b in zip(x, p, strict=True)],
    }


def kl_divergence_log_target(x, t, c) -> Outputs:
    return {
        "value": [sum(exp(b) * (b - a) for a, b in zip(x, t, strict=True))],
        "grad_logits": [-c[0] * exp(b) for b in t],
        "grad_labels": [c[0] * exp(b) * (b - a + 1) for a, b in zip(x, t, strict=True)],
    }


def relative_entropy(q, p, c) -> Outputs:
    return {
        "value": [b * log(b / a) if b else mpf(0) for a, b in zip(q, p, strict=True)],
        "grad_logits": [-d * b / a for a, b, d in zip(q, p, c, strict=True)],
        "grad_labels": [d * (log(b / a) + 1) for a, b, d in zip(q, p, c, strict=True)],
    }


def elementwise_kl_divergence(q, p, c) -> Outputs:
    return {
        "value": [b * log(b / a) - b + a for a, b in zip(q, p, strict=True)],
        "grad_logits": [d * (1 - b / a) for a, b, d in zip(q, p, c, strict=True)],
        "grad_labels": [d * log(b / a) for a, b, d in zip(q, p, c, strict=True)],
    }


def negative_log_likelihood(x, p, c) -> Outputs:
    y = int(p[0])
    return {"value": [-x[y]], "grad_logits": [-c[0] * (i == y) for i in range(len(x))]}


def _probabilities(x: list[mpf]) -> list[mpf]:
    powers = list(map(exp, x))
    return [v / sum(powers) for v in powers]


def _sigma(v: mpf) -> mpf:
    return 1 / (1 + exp(-v))


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


def evaluate(operator: str, x: list[float], p: list[float], c: list[float]) -> tuple[Outputs, mpf]:
    """All outputs of one finite row, and a bound of this module's own absolute error.

    A confident row needs ``1.44 · range`` bits before ``1 − s`` shows its first digit; the rest is
    for the digits that are compared, and for inputs as small as 2**-1074.
    """
    wide = max((*x, 0.0)) / 4 - min((*x, 0.0)) / 4  # a quarter: the range itself may be beyond binary64
    smallest = min((abs(v) for v in (*x, *p, *c) if v), default=1.0)
    mp.prec = int(400 + min(6 * wide, MOST_BITS) + (0 if smallest > 1e-4 else 1200))
    x, p, c = ([mpf(v) for v in values] for values in (x, p, c))
    size = (2 + max(map(abs, x))) * (2 + sum(map(abs, p))) * (2 + sum(map(abs, c)))
    if OPERATORS[operator].domain == "log_distributions":
        mp.prec += 1600  # exp(t) of the smallest number
    if OPERATORS[operator].domain == "nonnegative":
        mp.prec += 4800  # the slope 1/q, and p log p of the smallest subnormals
        size *= (2 + max(1 / abs(v) for v in (*x, *p) if v)) ** 2
    if OPERATORS[operator].within_unit:
        mp.prec += 2400  # the slope 1/p, of the smallest subnormal
        size *= max(1 / v + (1 / (1 - v) if v < 1 else 0) for v in x) ** 2
    return DEFINITIONS[operator](x, p, c), size * len(x) * mpf(2) ** (40 - mp.prec)

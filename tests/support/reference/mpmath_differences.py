"""A second opinion that knows no derivative: unshifted values in mpmath, and central differences of them.

Only values are written down here, each as its definition reads (``−log`` of ``exp(x_y) / Σ exp(x_j)``,
attributes as the frameworks document them). Gradients, ``jvp`` and ``hvp`` are differences of these
values with a step ``h`` of hundreds of bits: the truncation is of order ``h²``, the rounding of order
``2**-precision / h²``, and both are so far below the digits compared that no formula is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from mpmath import exp, log, mp, mpf

from xent_conformance.reference.attributes import Attributes
from xent_conformance.reference.exact.row import Row
from xent_conformance.reference.operators import OPERATORS

NAN = mpf("nan")
Vector = list[mpf]


def probabilities(x: Vector, copies: int = 1) -> Vector:
    powers = list(map(exp, x))
    total = copies * sum(powers)
    return [v / total for v in powers]


def sigma(v: mpf) -> mpf:
    return 1 / (1 + exp(-v))


# --- values of one row ----------------------------------------------------------------------------


def dense_loss(x: Vector, p: Vector, a: Attributes) -> Vector:
    """``−Σ w_i p'_i log s_i`` with the smoothed labels ``p' = (1 − ε) p + ε/N``."""
    eps, n = mpf(a.label_smoothing), len(x)
    smoothed = [(1 - eps) * v + eps / n for v in p]
    terms = zip(smoothed, probabilities(x), strict=True)
    return [-sum(mpf(a.weight_of(i)) * q * log(s) for i, (q, s) in enumerate(terms))]


def index_loss(x: Vector, y: int, a: Attributes) -> Vector:
    """As PyTorch documents it: ``(1 − ε) w_y (−log s_y) + ε/N Σ w_j (−log s_j)``; an ignored row is 0."""
    n, eps = len(x), mpf(a.label_smoothing)
    if y == a.ignore_index:
        return [mpf(0)]
    if not 0 <= y < n:
        return [NAN]
    nll = [mpf(a.weight_of(j)) * -log(s) for j, s in enumerate(probabilities(x))]
    return [(1 - eps) * nll[y] + eps / n * sum(nll)]


def binary_loss(x: Vector, z: Vector, a: Attributes) -> Vector:
    """``−w (P z' log σ(x) + (1 − z') log (1 − σ(x)))`` with ``z' = (1 − ε) z + ε/2``."""
    eps, found = mpf(a.label_smoothing), []
    for i, (v, label) in enumerate(zip(x, z, strict=True)):
        soft = (1 - eps) * label + eps / 2
        positive, negative = soft * log(sigma(v)), (1 - soft) * log(sigma(-v))
        found.append(-mpf(a.weight_of(i)) * (mpf(a.pos_weight_of(i)) * positive + negative))
    return found


def weighted_sum(x: Vector, a: Attributes) -> mpf:
    """``log Σ b_i exp(x_i)``: minus infinity of nothing, NaN of less."""
    total = sum((mpf(a.weight_of(i)) * exp(v) for i, v in enumerate(x)), mpf(0))
    return log(total) if total > 0 else NAN if total else -mpf("inf")


def clamped(x: Vector, a: Attributes) -> Vector:
    """As PyTorch documents it: ``eps`` if ``x < eps``, ``1 − eps`` if ``x > 1 − eps``, ``x`` otherwise."""
    if a.eps is None:
        return x
    eps = mpf(a.eps)
    return [eps if v < eps else 1 - eps if v > 1 - eps else v for v in x]


def given_binary_loss(x: Vector, z: Vector, a: Attributes) -> Vector:
    """``−w (P z' log p + (1 − z') log (1 − p))`` with ``z' = (1 − ε) z + ε/2``."""
    eps, found = mpf(a.label_smoothing), []
    for i, (v, label) in enumerate(zip(x, z, strict=True)):
        soft = (1 - eps) * label + eps / 2
        positive, negative = soft * log(v), (1 - soft) * log(1 - v)
        found.append(-mpf(a.weight_of(i)) * (mpf(a.pos_weight_of(i)) * positive + negative))
    return found


def given_loss(x: Vector, p: Vector, a: Attributes) -> Vector:
    """``−Σ w_i t'_i log p_i`` with the smoothed labels ``t' = (1 − ε) t + ε/N``."""
    eps, n = mpf(a.label_smoothing), len(x)
    terms = (((1 - eps) * t + eps / n) * log(v) for t, v in zip(p, x, strict=True))
    return [-sum(mpf(a.weight_of(i)) * term for i, term in enumerate(terms))]


def given_index_loss(x: Vector, y: int, a: Attributes) -> Vector:
    """``−w_y log p_y``, smoothed as by :func:`likelihood`."""
    return likelihood([log(v) for v in x], y, a)


def divergence(x: Vector, p: Vector, a: Attributes) -> Vector:
    """``Σ w_i p'_i (log p'_i − x_i)`` with the smoothed target ``p' = (1 − ε) p + ε/N``."""
    eps, n = mpf(a.label_smoothing), len(x)
    smoothed = [(1 - eps) * v + eps / n for v in p]
    terms = [q * (log(q) - v) if q else mpf(0) for q, v in zip(smoothed, x, strict=True)]
    return [sum(mpf(a.weight_of(i)) * t for i, t in enumerate(terms))]


def likelihood(x: Vector, y: int, a: Attributes) -> Vector:
    """``(1 − ε) w_y (−x_y) + ε/N Σ w_j (−x_j)``; an ignored row is 0."""
    n, eps = len(x), mpf(a.label_smoothing)
    if y == a.ignore_index:
        return [mpf(0)]
    if not 0 <= y < n:
        return [NAN]
    nll = [mpf(a.weight_of(j)) * -v for j, v in enumerate(x)]
    return [(1 - eps) * nll[y] + eps / n * sum(nll)]


VALUES: dict[str, Callable[[Vector, Vector, Attributes], Vector]] = {
    "softmax": lambda x, p, a: probabilities(x),
    "log_softmax": lambda x, p, a: list(map(log, probabilities(x))),
    "logsumexp": lambda x, p, a: [weighted_sum(x, a)],
    "softmax_cross_entropy": dense_loss,
    "sparse_softmax_cross_entropy": lambda x, p, a: index_loss(x, int(p[0]), a),
    "sigmoid": lambda x, p, a: list(map(sigma, x)),
    "log_sigmoid": lambda x, p, a: [log(sigma(v)) for v in x],
    "logit": lambda x, p, a: [log(v / (1 - v)) for v in clamped(x, a)],
    "sigmoid_cross_entropy": binary_loss,
    "binary_cross_entropy": given_binary_loss,
    "categorical_cross_entropy": given_loss,
    "sparse_categorical_cross_entropy": lambda x, p, a: given_index_loss(x, int(p[0]), a),
    "kl_divergence": divergence,
    "kl_divergence_log_target": lambda x, t, a: [sum(exp(u) * (u - v) for u, v in zip(t, x, strict=True))],
    "relative_entropy": lambda x, p, a: [u * log(u / v) for u, v in zip(p, x, strict=True)],
    "elementwise_kl_divergence": lambda x, p, a: [u * log(u / v) - u + v for u, v in zip(p, x, strict=True)],
    "negative_log_likelihood": lambda x, p, a: likelihood(x, int(p[0]), a),
}


def before(x: Vector, a: Attributes) -> Vector:
    """``scale · xW / temperature + bias``, as it stands."""
    if a.matrix:
        columns = zip(*a.matrix, strict=True)
        x = [sum((u * mpf(w) for u, w in zip(x, column, strict=True)), mpf(0)) for column in columns]
    bias = a.bias or [0.0] * len(x)
    return [mpf(a.scale) * v / mpf(a.temperature) + mpf(b) for v, b in zip(x, bias, strict=True)]


def _of_row(operator: str, x: Vector, p: Vector, a: Attributes) -> Vector:
    """The value of a row, with what stands around it."""
    return [mpf(a.times) * v for v in VALUES[operator](before(x, a), p, a)]


# --- groups of rows -------------------------------------------------------------------------------


def _split(r: Vector, count: int) -> list[Vector]:
    width = len(r) // count if count else 0
    return [r[i * width : (i + 1) * width] for i in range(count)]


def value(operator: str, x: Vector, p: Vector, a: Attributes) -> Vector:
    """The value of a row, or the sum or the mean of a group of ``a.examples`` rows."""
    if a.examples is None:
        return _of_row(operator, x, p, a)
    logits, labels = _split(x, a.examples), _split(p, a.examples)
    each = [_of_row(operator, u, v, a) for u, v in zip(logits, labels, strict=True)]
    total = sum((mpf(a.row_weight_of(i)) * f for i, losses in enumerate(each) for f in losses), mpf(0))
    if a.reduction == "sum":
        return [total]
    if a.reduction == "weighted_mean":
        counts = [OPERATORS[operator].labels != "index" or int(v[0]) != a.ignore_index for v in labels]
        by = sum((mpf(a.row_weight_of(i)) for i, kept in enumerate(counts) if kept), mpf(0))
        return [total / by if by else NAN]
    if OPERATORS[operator].labels == "index":
        weights = [mpf(a.weight_of(int(v[0]))) for v in labels if int(v[0]) != a.ignore_index]
        by = sum(weights, mpf(0))
    else:
        by = mpf(sum(map(len, each)))
    return [total / by if by else NAN]


# --- derivatives ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Opinion:
    """The outputs of one row, and a bound of their absolute error."""

    outputs: dict[str, Vector]
    slack: mpf


def opinion(operator: str, row: Row, wanted: Sequence[str]) -> Opinion:
    """Every wanted output of a finite row, by values and their differences."""
    x, p, c, v = ([mpf(u) for u in part] for part in (row.x, row.p, row.c, row.v))
    bits = _reach(operator, row)
    h, mp.prec = mpf(2) ** -bits, 4 * bits + 64
    attributes = row.attributes

    def f(moved: Vector, labels: Vector = p) -> mpf:
        return sum(
            (a * b for a, b in zip(c, value(operator, moved, labels, attributes), strict=True)), mpf(0)
        )

    def along(i: int, start: Vector) -> tuple[Vector, Vector]:
        return tuple([u + sign * h * (j == i) for j, u in enumerate(start)] for sign in (1, -1))

    def slopes(g: Callable[[Vector], mpf], start: Vector) -> Vector:
        pairs = (along(i, start) for i in range(len(start)))
        return [(g(up) - g(down)) / (2 * h) for up, down in pairs]

    outputs: dict[str, Vector] = {}
    if "value" in wanted:
        outputs["value"] = value(operator, x, p, attributes)
    if "grad_logits" in wanted:
        outputs["grad_logits"] = slopes(f, x)
    if "grad_labels" in wanted:
        outputs["grad_labels"] = slopes(lambda labels: f(x, labels), p)
    if "jvp" in wanted:
        ahead, behind = ([a + sign * h * b for a, b in zip(x, v, strict=True)] for sign in (1, -1))
        pairs = zip(
            value(operator, ahead, p, attributes), value(operator, behind, p, attributes), strict=True
        )
        outputs["jvp"] = [(a - b) / (2 * h) for a, b in pairs]
        further, back = slopes(f, ahead), slopes(f, behind)
        outputs["hvp"] = [(a - b) / (2 * h) for a, b in zip(further, back, strict=True)]
    return Opinion(outputs, _size(row) * mpf(2) ** (40 - 2 * bits))


def _reach(operator: str, row: Row) -> int:
    """How small the step is, in bits: 200 beyond the smallest probability that a row can have.

    A fourth derivative of ``logit`` is as large as the fifth power of one over the smallest ``p``.
    """
    if OPERATORS[operator].within_unit:
        return 200 + 5 * int(-log(min(min(v, 1 - v) for v in map(mpf, row.x)), 2) + 1)
    if OPERATORS[operator].domain == "nonnegative":
        return 200 + 5 * int(-log(min(map(mpf, (*row.x, *row.p))), 2) + 1)
    y = [float(v) for v in before([mpf(v) for v in row.x], replace(row.attributes, bias=()))]
    span = max((*y, 0.0)) - min((*y, 0.0)) + 2 * max(map(abs, row.attributes.bias), default=0.0)
    return 200 + int(1.5 * span)


def _size(row: Row) -> mpf:
    """What errors are relative to: the product of everything that multiplies a derivative."""
    a, size = row.attributes, mpf(max(len(row.x), 1))
    factors = (a.scale, a.scale / a.temperature, a.times)
    for part in (
        row.x,
        row.p,
        row.c,
        row.v,
        a.weight,
        a.pos_weight,
        a.row_weight,
        a.bias,
        *a.matrix,
        *((f,) for f in factors),
    ):
        size *= 2 + max(map(abs, map(mpf, part)), default=0)
    return size**4

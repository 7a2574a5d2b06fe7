"""What stands around an operator, as it is computed: rounded step by step, or fused into the difference."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from tests.support.reference import innocents, textbook
from tests.support.reference.arithmetic import Arithmetic, Array
from tests.support.reference.rows import shapes
from xent_conformance.reference.attributes import Attributes
from xent_conformance.reference.formats import Format
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.operators import OPERATORS

Composite = Callable[..., Array]

LENGTHS = (2, 7, 40)

WHOLE = 7
"""Up to so many logits a product with a matrix of small whole numbers is exact in every format."""


def attributed(operator: str, fmt: Format) -> Iterator[Inputs]:
    """Moderate logits under each kind of attribute, and logits that nearly tie under a large scale."""
    o = OPERATORS[operator]
    for n in LENGTHS:
        every = np.stack(list(shapes(fmt, n).values()))
        bias = tuple(fmt.nearest((np.arange(n) * 7 % 11 - 5) / 3).tolist())
        number = {x: float(fmt.nearest(np.array(x))) for x in (1 / 0.07, 0.07, 1 / 3, -2.5)}
        kinds = [
            Attributes(scale=number[1 / 0.07]),
            Attributes(scale=number[-2.5], times=number[1 / 3]),
            Attributes(temperature=number[0.07]),
            Attributes(temperature=number[0.07], bias=bias, times=number[1 / 3]),
            Attributes(bias=bias),
            Attributes(times=number[-2.5]),
        ]
        if not o.elementwise and o.labels != "dense":  # where the textbook has 0 · ∞ (4.2)
            kinds.append(Attributes(mask=tuple(i % 3 != 2 for i in range(n)), scale=number[-2.5]))
        for a in kinds:
            yield _inputs(operator, fmt, fmt.nearest(every / a.factor), a)
        if n <= WHOLE:
            matrix = (np.arange(n * n).reshape(n, n) * 5 % 7 - 3) / 4
            whole = (np.arange(len(every) * n).reshape(-1, n) * 7 % 15 - 7) / 2.0
            for more in ((), bias):
                a = Attributes(matrix=tuple(map(tuple, matrix.tolist())), bias=more)
                yield _inputs(operator, fmt, whole, a)
        near = 0.7 * (1 - 80 * fmt.u * (np.arange(len(every) * n).reshape(-1, n) * 5 % 9))
        large = min(fmt.largest / 4, float(np.ldexp(3e8, fmt.precision - 24)))
        yield _inputs(operator, fmt, fmt.nearest(near), Attributes(scale=float(fmt.nearest(np.array(large)))))


def _inputs(operator: str, fmt: Format, x: Array, a: Attributes) -> Inputs:
    o, (rows, n) = OPERATORS[operator], x.shape
    there = np.array(a.mask or (True,) * n)
    y = np.where(there[np.arange(rows) * 5 % n], np.arange(rows) * 5 % n, 0).astype(np.float64)[:, None]
    p = np.asarray(np.arange(n) == y, dtype=np.float64)
    if not a.mask:
        p[::2] = fmt.nearest((np.arange(n) % 4 + 1) / (4 if o.elementwise else 2 * n))
    labels = {"none": np.zeros((rows, 0)), "index": y, "dense": p}[o.labels]
    width = n if o.value_shape == "row" else 1
    c = ((np.arange(rows * width).reshape(rows, width) * 7 % 31) - 15) / 8
    c = np.where(there, c, 0.0) if width == n and o.name == "log_softmax" else c
    return Inputs(operator, fmt, x, labels, c, a)


# --- rounded ---------------------------------------------------------------------------------------


def before(a: Arithmetic, x: Array, given: Attributes) -> Array:
    """The logits that the operator sees, each step rounded."""
    x = a.of(x.astype(np.float64) @ np.array(given.matrix)) if given.matrix else x
    y = x * a.of(given.scale) if given.scale != 1.0 else x
    y = a.divide(y, a.of(given.temperature)) if given.temperature != 1.0 else y
    y = y + a.of([given.bias]) if given.bias else y
    return np.where(np.array(given.mask), y, a.of(-np.inf)) if given.mask else y


def by_reciprocal(a: Arithmetic, x: Array, given: Attributes) -> Array:
    """A quotient as a product with the reciprocal of the temperature."""
    y = x * a.divide(a.one, a.of(given.temperature))
    return y + a.of([given.bias]) if given.bias else y


def rounded(algorithm: Any, output: str, first: Callable[..., Array]) -> Composite:
    """The algorithm of the operator, of what stands before it; the factor goes into the cotangent."""

    def composite(a: Arithmetic, x: Array, p: Array, c: Array, given: Attributes) -> Array:
        step = first if given.temperature != 1.0 else before
        y = a.derived(step, x, lambda: step(a, x, given))
        if output == "value":
            return times(a, a.once(algorithm, y, lambda: algorithm(a, y, p, c)), given)
        found = a.once((algorithm, output), y, lambda: algorithm(a, y, p, times(a, c, given)))
        return chained(a, found, given) if output == "grad_logits" else found

    return composite


def times(a: Arithmetic, v: Array, given: Attributes) -> Array:
    return v * a.of(given.times) if given.times != 1.0 else v


def chained(a: Arithmetic, g: Array, given: Attributes) -> Array:
    """By the chain rule; nothing by what is masked."""
    g = a.divide(g, a.of(given.temperature)) if given.temperature != 1.0 else g
    g = g * a.of(given.scale) if given.scale != 1.0 else g
    g = np.where(np.array(given.mask), g, a.of(0.0)) if given.mask else g
    return np.concatenate([a.sum(g * a.of([row])) for row in given.matrix], axis=1) if given.matrix else g


def _table(tier: str) -> dict[tuple[str, str], dict[str, Composite]]:
    return {
        (operator, output): {
            f"{name} {first.__name__}": rounded(algorithm, output, first)
            for name, algorithm in table.items()
            for first in (before, by_reciprocal)
        }
        for (operator, output), table in innocents.PLAIN[tier].items()
        if operator != "logit"
    }


# --- fused -----------------------------------------------------------------------------------------


def fused(a: Arithmetic, x: Array, given: Attributes) -> tuple[Array, Array]:
    """``scale · x − m′`` rounded once, with the rounded maximum ``m′``."""
    wide = np.longdouble if x.dtype == np.float64 else np.float64
    x = (x.astype(np.float64) @ np.array(given.matrix)).astype(x.dtype) if given.matrix else x
    y = x.astype(wide) * wide(given.scale) / wide(given.temperature)
    y = y + np.array([given.bias], dtype=wide) if given.bias else y
    y = np.where(np.array(given.mask), y, -np.inf) if given.mask else y
    m = before(a, x, replace(given, matrix=())).max(axis=1, keepdims=True)
    return m, (y - m.astype(wide)).astype(x.dtype)


def _fused(of: Callable[..., Array], output: str) -> Composite:
    def composite(a: Arithmetic, x: Array, p: Array, c: Array, given: Attributes) -> Array:
        m, d = fused(a, x, given)
        e = a.exp(d)
        if output == "value":
            return times(a, of(a, m, d, e, a.sum(e), p), given)
        found = of(a, a.divide(e, a.sum(e)), p, times(a, c, given))
        return chained(a, found, given)

    return composite


FUSED: dict[tuple[str, str], dict[str, Composite]] = {
    ("softmax", "value"): {"fused": _fused(lambda a, m, d, e, S, p: a.divide(e, S), "value")},
    ("log_softmax", "value"): {"fused": _fused(lambda a, m, d, e, S, p: d - a.log(S), "value")},
    ("logsumexp", "value"): {"fused": _fused(lambda a, m, d, e, S, p: m + a.log(S), "value")},
    ("sparse_softmax_cross_entropy", "value"): {
        "fused": _fused(
            lambda a, m, d, e, S, p: a.log(S) - np.take_along_axis(d, p.astype(np.int64), axis=1), "value"
        )
    },
    ("softmax", "grad_logits"): {"fused": _fused(lambda a, s, p, c: s * (c - a.sum(s * c)), "grad_logits")},
    ("log_softmax", "grad_logits"): {"fused": _fused(lambda a, s, p, c: c - s * a.sum(c), "grad_logits")},
    ("logsumexp", "grad_logits"): {"fused": _fused(lambda a, s, p, c: c * s, "grad_logits")},
    ("softmax_cross_entropy", "grad_logits"): {
        "fused": _fused(lambda a, s, p, c: c * (s * a.sum(p) - p), "grad_logits")
    },
    ("sparse_softmax_cross_entropy", "grad_logits"): {
        "fused": _fused(lambda a, s, p, c: c * (s - textbook.one_hot(a, s, p)), "grad_logits")
    },
}

TABLES = {
    "stable": {key: {**table, **FUSED.get(key, {})} for key, table in _table("stable").items()},
    "accurate": _table("accurate"),
}

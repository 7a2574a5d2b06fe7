"""The softmax family as competent authors write it: the innocent that no bound may accuse.

Every function takes an :class:`Arithmetic` and the row's logits ``x``, labels ``p`` and cotangent
``c`` in its format, and returns one output. ``STABLE`` are the usual shifted algorithms; ``ACCURATE``
keep relative accuracy: the maximum's own 1 stays apart from ``R``, sums have terms of one sign.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.support.reference.arithmetic import Arithmetic, Array

LOG2_E = 1.4426950408889634

Algorithm = Callable[[Arithmetic, Array, Array, Array], Array]
Table = dict[tuple[str, str], dict[str, Algorithm]]

# --- probabilities and their logarithms -----------------------------------------------------------


def quotient(a: Arithmetic, x: Array) -> Array:
    _, e, total = a.exponentials(x)
    return a.divide(e, total)


def reciprocal(a: Arithmetic, x: Array) -> Array:
    _, e, total = a.exponentials(x)
    return e * a.divide(a.one, total)


def base_two(a: Arithmetic, x: Array) -> Array:
    """``exp2((x − m) log2 e)``: in 16 bits the exponent is a number of the accumulator."""
    wide = x.astype(a.wide)
    e = a.exp2((wide - wide.max(axis=1, keepdims=True)) * a.wide.type(LOG2_E))
    return a.divide(e, a.sum(e))


def log_softmax(a: Arithmetic, x: Array) -> Array:
    m, _, total = a.exponentials(x)
    return (x - m) - a.log(total)


def by_logarithm(a: Arithmetic, x: Array) -> Array:
    return a.exp(log_softmax(a, x))


def logsumexp(a: Arithmetic, x: Array) -> Array:
    m, _, total = a.exponentials(x)
    return m + a.log(total)


def exp_of_difference(a: Arithmetic, x: Array) -> Array:
    """``exp(x − v)`` with the rounded ``v = logsumexp x``, where SPEC.md 8.4 counts it as textbook.

    Beyond, ``v`` has lost what it is wanted for and no author can use it: the quotient stands in.
    """
    v = logsumexp(a, x)
    wide, top = x.astype(np.float64), v.astype(np.float64)
    shifted = wide.max(axis=1, keepdims=True)
    size = np.abs(top) + (shifted - wide) + np.abs(top - shifted) + 6 + 2
    return np.where(a.fmt.u * size < 0.99, a.exp(x - v), quotient(a, x))


def rest_of_sum(a: Arithmetic, x: Array) -> tuple[Array, Array]:
    """``exp(x − m)`` and ``R``, their sum without the largest class."""
    _, e, _ = a.exponentials(x)
    k = np.argmax(x.astype(np.float64), axis=1)[:, None]
    others = e.copy()
    np.put_along_axis(others, k, a.of(0.0), axis=1)
    np.put_along_axis(e, k, a.one, axis=1)
    return e, a.sum(others)


def accurate_softmax(a: Arithmetic, x: Array) -> Array:
    e, rest = rest_of_sum(a, x)
    return a.divide(e, a.one + rest)


def accurate_log_softmax(a: Arithmetic, x: Array) -> Array:
    _, rest = rest_of_sum(a, x)
    return (x - x.max(axis=1, keepdims=True)) - a.log1p(rest)


def one_hot(a: Arithmetic, x: Array, y: Array) -> Array:
    return a.of(np.arange(x.shape[1]) == y.astype(np.int64))


ROUTES = {"quotient": quotient, "reciprocal": reciprocal, "by_logarithm": by_logarithm}

# --- gradients ------------------------------------------------------------------------------------


def others(a: Arithmetic, v: Array) -> Array:
    """``Σ_{j≠i} v_j`` for every ``i``, by adding them and not by subtracting one from all."""
    rows, n = v.shape
    kept = np.where(np.eye(n, dtype=bool), a.of(0.0), v[:, None, :]).reshape(rows * n, n)
    return a.sum(kept).reshape(rows, n)


def balance(a: Arithmetic, x: Array, p: Array, c: Array) -> Array:
    """``c (s_i Σ_{j≠i} p_j − p_i Σ_{j≠i} s_j)``: hard labels do not cancel."""
    s = accurate_softmax(a, x)
    return c * (s * others(a, p) - p * others(a, s))


def _softmax_grads() -> dict[str, Algorithm]:
    def inner(route):
        def grad(a, x, p, c):
            s = route(a, x)
            return s * (c - a.sum(s * c))

        return grad

    def apart(route):
        def grad(a, x, p, c):
            s = route(a, x)
            return s * c - s * a.sum(s * c)

        return grad

    return {f"{f.__name__} {r}": f(route) for r, route in ROUTES.items() for f in (inner, apart)}


def _dense_grads() -> dict[str, Algorithm]:
    def formula(route):
        return lambda a, x, p, c: c * (route(a, x) * a.sum(p) - p)

    def cotangent_first(route):
        def grad(a, x, p, c):
            g = -(c * p)  # the cotangent of log_softmax, then its VJP
            return g - route(a, x) * a.sum(g)

        return grad

    return {f"{f.__name__} {r}": f(route) for r, route in ROUTES.items() for f in (formula, cotangent_first)}


def sum_is_one(a: Arithmetic, x: Array, p: Array, c: Array) -> Array:
    """``c (s − p)`` where the labels sum to one within one rounding, ``c (s Σp − p)`` elsewhere."""
    p64 = p.astype(np.float64)
    on_simplex = abs(p64.sum(axis=1, keepdims=True) - 1) <= a.fmt.u * abs(p64).sum(axis=1, keepdims=True)
    s = quotient(a, x)
    return c * (np.where(on_simplex, s, s * a.sum(p)) - p)


def accurate_softmax_grad(a: Arithmetic, x: Array, p: Array, c: Array) -> Array:
    s = accurate_softmax(a, x)
    w = c - np.take_along_axis(c, np.argmax(x.astype(np.float64), axis=1)[:, None], axis=1)
    return s * (w - a.sum(s * w))


def accurate_sparse_grad(a: Arithmetic, x: Array, p: Array, c: Array) -> Array:
    s, hot = accurate_softmax(a, x), one_hot(a, x, p)
    missing = a.sum(s * (a.one - hot))
    return np.where(hot == a.one, -(c * missing), c * s)


STABLE: Table = {
    ("softmax", "value"): {
        "quotient": lambda a, x, p, c: quotient(a, x),
        "reciprocal": lambda a, x, p, c: reciprocal(a, x),
        "base_two": lambda a, x, p, c: base_two(a, x),
    },
    ("softmax", "grad_logits"): _softmax_grads(),
    ("log_softmax", "value"): {"log_softmax": lambda a, x, p, c: log_softmax(a, x)},
    ("log_softmax", "grad_logits"): {
        name: (lambda a, x, p, c, route=route: c - route(a, x) * a.sum(c)) for name, route in ROUTES.items()
    },
    ("logsumexp", "value"): {"m_plus_log": lambda a, x, p, c: logsumexp(a, x)},
    ("logsumexp", "grad_logits"): {
        **{name: (lambda a, x, p, c, route=route: c * route(a, x)) for name, route in ROUTES.items()},
        "exp_of_difference": lambda a, x, p, c: c * exp_of_difference(a, x),
    },
    ("softmax_cross_entropy", "value"): {
        "nll": lambda a, x, p, c: -a.sum(p * log_softmax(a, x)),
        "log_minus_shifted": lambda a, x, p, c: a.sum(p * -log_softmax(a, x)),
        "two_sums": lambda a, x, p, c: (
            a.log(a.exponentials(x)[2]) * a.sum(p) + a.sum(p * (x.max(axis=1, keepdims=True) - x))
        ),
    },
    ("softmax_cross_entropy", "grad_logits"): _dense_grads() | {"sum_is_one": sum_is_one},
    ("softmax_cross_entropy", "grad_labels"): {"nll": lambda a, x, p, c: -(c * log_softmax(a, x))},
    ("sparse_softmax_cross_entropy", "value"): {
        "gather": lambda a, x, p, c: -np.take_along_axis(log_softmax(a, x), p.astype(np.int64), axis=1)
    },
    ("sparse_softmax_cross_entropy", "grad_logits"): {
        name: (lambda a, x, p, c, route=route: c * (route(a, x) - one_hot(a, x, p)))
        for name, route in ROUTES.items()
    },
}
"""Textbook algorithms, to be run in every order of summation."""

ACCURATE: Table = {
    ("softmax", "value"): {"apart": lambda a, x, p, c: accurate_softmax(a, x)},
    ("softmax", "grad_logits"): {"centred": accurate_softmax_grad},
    ("log_softmax", "value"): {"log1p": lambda a, x, p, c: accurate_log_softmax(a, x)},
    ("log_softmax", "grad_logits"): {"balance": lambda a, x, p, c: balance(a, x, -c, a.one)},
    ("logsumexp", "value"): {
        "log1p": lambda a, x, p, c: x.max(axis=1, keepdims=True) + a.log1p(rest_of_sum(a, x)[1])
    },
    ("logsumexp", "grad_logits"): {"apart": lambda a, x, p, c: c * accurate_softmax(a, x)},
    ("softmax_cross_entropy", "value"): {"log1p": lambda a, x, p, c: a.sum(p * -accurate_log_softmax(a, x))},
    ("softmax_cross_entropy", "grad_logits"): {"balance": balance},
    ("softmax_cross_entropy", "grad_labels"): {"log1p": lambda a, x, p, c: -(c * accurate_log_softmax(a, x))},
    ("sparse_softmax_cross_entropy", "value"): {
        "log1p": lambda a, x, p, c: (
            -np.take_along_axis(accurate_log_softmax(a, x), p.astype(np.int64), axis=1)
        )
    },
    ("sparse_softmax_cross_entropy", "grad_logits"): {"sum_of_others": accurate_sparse_grad},
}
"""Algorithms with relative accuracy, to be run with tree summation."""

QUADRATIC = {"balance"}
"""Algorithms of N² work: short rows only."""

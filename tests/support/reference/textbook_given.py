"""Losses of given log-probabilities as competent authors write them: each form that SPEC.md 8.15 lists.

Same signatures as :mod:`textbook`, :mod:`textbook_derivatives` and :mod:`textbook_attributes`: a target, or
an index, ``p``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.support.reference.arithmetic import Arithmetic, Array
from tests.support.reference.textbook import one_hot
from tests.support.reference.textbook_attributes import SCALARS, Attributed, Scalars, weights

DIVERGENCE, LIKELIHOOD = "kl_divergence", "negative_log_likelihood"

Forms = dict[str, Callable[..., Array]]

# --- the divergence: target t, weights w ----------------------------------------------------------


def log_of(a: Arithmetic, t: Array) -> Array:
    """Of a target of zero, which is multiplied by it, zero."""
    return a.log(np.where(t > 0, t, a.one))


def difference(a, x, t, w):
    return a.sum(w * (t * (log_of(a, t) - x)))


def products(a, x, t, w):
    return a.sum(w * (t * log_of(a, t) - t * x))


def weighed_first(a, x, t, w):
    return a.sum((w * t) * log_of(a, t) - (w * t) * x)


def two_sums(a, x, t, w):
    return a.sum(w * (t * log_of(a, t))) - a.sum(w * (t * x))


DIVERGENCES = (difference, products, weighed_first, two_sums)


def by_argument(a, x, t, w, kept, c):
    return -(c * (w * t))


def by_argument_in_turn(a, x, t, w, kept, c):
    return (-c * w) * t


def by_target(a, x, t, w, kept, c):
    return (c * (w * kept)) * ((a.log(t) - x) + a.one)


def by_target_in_turn(a, x, t, w, kept, c):
    """The derivatives of ``t log t`` and of ``t x``, the first a sum of two."""
    g = c * w
    return kept * ((g * a.log(t) + a.divide(g * t, t)) - g * x)


def divergence(form: Callable[..., Array], scalars: Scalars, *, slope: bool) -> Attributed:
    def of(a, x, p, c, given):
        n = x.shape[1]
        kept, share = scalars(a, given, n)
        t, w = kept * p + share, weights(a, given, n)
        return form(a, x, t, w, kept, c) if slope else form(a, x, t, w)

    return of


def _divergences(forms: tuple[Callable[..., Array], ...], *, slope: bool) -> dict[str, Attributed]:
    return {
        f"{f.__name__} {name}": divergence(f, scalars, slope=slope)
        for f in forms
        for name, scalars in SCALARS.items()
    }


# --- the likelihood: effective labels q -----------------------------------------------------------


def picked(a: Arithmetic, v: Array, y: Array) -> Array:
    return np.take_along_axis(v, y.astype(np.int64), axis=1)


def times_one_hot(a: Arithmetic, v: Array, y: Array) -> Array:
    return a.sum(one_hot(a, v, y) * v)


PICKS = (picked, times_one_hot)


def likelihood(form: Callable[..., Array]) -> Attributed:
    """``form(a, x, q, c)``; nothing of an ignored row, whose index names a class here."""

    def of(a, x, p, c, given):
        n = x.shape[1]
        y = np.where(p == given.ignore_index, 0.0, p)
        kept, share = SCALARS["in_binary64"](a, given, n)
        q = weights(a, given, n) * (kept * one_hot(a, x, y) + share)
        return np.where(p == given.ignore_index, a.of(0.0), form(a, x, q, c))

    return of


# --- tables ---------------------------------------------------------------------------------------


def _plain(forms: tuple[Callable[..., Array], ...]) -> Forms:
    return {f.__name__: lambda a, x, p, c, f=f: f(a, x, p, a.one) for f in forms}


def _plain_slopes(forms: tuple[Callable[..., Array], ...]) -> Forms:
    return {f.__name__: lambda a, x, p, c, f=f: f(a, x, p, a.one, a.one, c) for f in forms}


STABLE = {
    (DIVERGENCE, "value"): _plain(DIVERGENCES),
    (DIVERGENCE, "grad_logits"): _plain_slopes((by_argument, by_argument_in_turn)),
    (DIVERGENCE, "grad_labels"): _plain_slopes((by_target, by_target_in_turn)),
    (LIKELIHOOD, "value"): {f.__name__: lambda a, x, p, c, f=f: -f(a, x, p) for f in PICKS},
    (LIKELIHOOD, "grad_logits"): {"scattered": lambda a, x, p, c: -c * one_hot(a, x, p)},
}
ACCURATE = {
    **STABLE,
    (DIVERGENCE, "value"): _plain((difference,)),
    (DIVERGENCE, "grad_labels"): _plain_slopes((by_target,)),
}

MOVING_STABLE = {
    (DIVERGENCE, "jvp"): {
        "summed": lambda a, x, p, c, v: -a.sum(p * v),
        "each": lambda a, x, p, c, v: a.sum(p * -v),
    },
    (DIVERGENCE, "hvp"): {"nothing": lambda a, x, p, c, v: np.zeros_like(x)},
    (LIKELIHOOD, "jvp"): {f.__name__: lambda a, x, p, c, v, f=f: -f(a, v, p) for f in PICKS},
    (LIKELIHOOD, "hvp"): {"nothing": lambda a, x, p, c, v: np.zeros_like(x)},
}
MOVING_ACCURATE = MOVING_STABLE

ROWS_STABLE = {
    (DIVERGENCE, "value"): _divergences(DIVERGENCES, slope=False),
    (DIVERGENCE, "grad_logits"): _divergences((by_argument, by_argument_in_turn), slope=True),
    (DIVERGENCE, "grad_labels"): _divergences((by_target, by_target_in_turn), slope=True),
    (LIKELIHOOD, "value"): {
        "of_labels": likelihood(lambda a, x, q, c: -a.sum(q * x)),
        "of_terms": likelihood(lambda a, x, q, c: a.sum(q * -x)),
    },
    (LIKELIHOOD, "grad_logits"): {
        "scattered": likelihood(lambda a, x, q, c: -(c * q)),
        "weights_last": likelihood(lambda a, x, q, c: -c * q),
    },
}
ROWS_ACCURATE = {
    **ROWS_STABLE,
    (DIVERGENCE, "value"): _divergences((difference,), slope=False),
    (DIVERGENCE, "grad_labels"): _divergences((by_target,), slope=True),
}

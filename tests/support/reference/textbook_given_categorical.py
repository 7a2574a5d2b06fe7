"""Categorical cross-entropies of given probabilities as competent authors write them: SPEC.md 8.17.

Same signatures as :mod:`textbook_given`: probabilities ``x``, labels, or an index, ``p``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.support.reference.arithmetic import Array
from tests.support.reference.textbook import one_hot
from tests.support.reference.textbook_attributes import SCALARS, Attributed, Scalars, weights
from tests.support.reference.textbook_given import likelihood, picked
from tests.support.reference.textbook_given_binary import taken

DENSE, SPARSE = "categorical_cross_entropy", "sparse_categorical_cross_entropy"

# --- forms: smoothed labels t, weights w ----------------------------------------------------------


def labels_first(a, x, t, w):
    return -a.sum(taken(a, w * t, a.log(x)))


def weights_last(a, x, t, w):
    return a.sum(w * taken(a, t, -a.log(x)))


VALUES = (labels_first, weights_last)


def quotient(a, x, t, w, kept, c):
    return np.where(t == 0, a.of(0.0), -a.divide(c * (w * t), x))


def in_turn(a, x, t, w, kept, c):
    """What arrives at the logarithm, times its derivative."""
    return -taken(a, (c * w) * t, a.divide(a.one, x))


SLOPES = (quotient, in_turn)


def by_label(a, x, t, w, kept, c):
    return -(c * (w * kept)) * a.log(x)


def by_label_last(a, x, t, w, kept, c):
    return kept * (w * (-c * a.log(x)))


BY_LABELS = (by_label, by_label_last)

# --- along a tangent ------------------------------------------------------------------------------


def jvp(a, x, t, v):
    return -a.sum(np.where(t == 0, a.of(0.0), a.divide(t * v, x)))


def jvp_in_turn(a, x, t, v):
    """The gradient times the tangent."""
    return a.sum(taken(a, np.where(t == 0, a.of(0.0), a.divide(-t, x)), v))


JVPS = (jvp, jvp_in_turn)


def hvp(a, x, t, c, v):
    return np.where(t == 0, a.of(0.0), a.divide(a.divide((c * t) * v, x), x))


def hvp_of_labels(a, x, t, c, v):
    return np.where(t == 0, a.of(0.0), a.divide(a.divide((c * v) * t, x), x))


HVPS = (hvp, hvp_of_labels)

# --- tables ---------------------------------------------------------------------------------------


def _values() -> dict[str, Callable[..., Array]]:
    return {f.__name__: lambda a, x, p, c, f=f: f(a, x, p, a.one) for f in VALUES}


def _plain(forms: tuple[Callable[..., Array], ...]) -> dict[str, Callable[..., Array]]:
    return {f.__name__: lambda a, x, p, c, f=f: f(a, x, p, a.one, a.one, c) for f in forms}


def _hot(forms: tuple[Callable[..., Array], ...]) -> dict[str, Callable[..., Array]]:
    """Of an index, as a one-hot row."""
    return {f.__name__: lambda a, x, y, c, f=f: f(a, x, one_hot(a, x, y), a.one, a.one, c) for f in forms}


STABLE = {
    (DENSE, "value"): _values(),
    (DENSE, "grad_logits"): _plain(SLOPES),
    (DENSE, "grad_labels"): _plain(BY_LABELS),
    (SPARSE, "value"): {
        "picked": lambda a, x, y, c: -a.log(picked(a, x, y)),
        "one_hot": lambda a, x, y, c: -a.sum(taken(a, one_hot(a, x, y), a.log(x))),
    },
    (SPARSE, "grad_logits"): _hot(SLOPES),
}
ACCURATE = STABLE

MOVING_STABLE = {
    (DENSE, "jvp"): {f.__name__: lambda a, x, p, c, v, f=f: f(a, x, p, v) for f in JVPS},
    (DENSE, "hvp"): {f.__name__: lambda a, x, p, c, v, f=f: f(a, x, p, c, v) for f in HVPS},
    (SPARSE, "jvp"): {f.__name__: lambda a, x, y, c, v, f=f: f(a, x, one_hot(a, x, y), v) for f in JVPS},
    (SPARSE, "hvp"): {f.__name__: lambda a, x, y, c, v, f=f: f(a, x, one_hot(a, x, y), c, v) for f in HVPS},
}
MOVING_ACCURATE = MOVING_STABLE


def dense(form: Callable[..., Array], scalars: Scalars, *, slope: bool) -> Attributed:
    def of(a, x, p, c, given):
        n = x.shape[1]
        kept, share = scalars(a, given, n)
        t, w = kept * p + share, weights(a, given, n)
        return form(a, x, t, w, kept, c) if slope else form(a, x, t, w)

    return of


def _dense(forms: tuple[Callable[..., Array], ...], *, slope: bool) -> dict[str, Attributed]:
    return {f"{f.__name__} {n}": dense(f, s, slope=slope) for f in forms for n, s in SCALARS.items()}


ROWS_STABLE = {
    (DENSE, "value"): _dense(VALUES, slope=False),
    (DENSE, "grad_logits"): _dense(SLOPES, slope=True),
    (DENSE, "grad_labels"): _dense(BY_LABELS, slope=True),
    (SPARSE, "value"): {
        "of_labels": likelihood(lambda a, x, q, c: -a.sum(taken(a, q, a.log(x)))),
        "of_terms": likelihood(lambda a, x, q, c: a.sum(taken(a, q, -a.log(x)))),
    },
    (SPARSE, "grad_logits"): {
        "quotient": likelihood(lambda a, x, q, c: np.where(q == 0, a.of(0.0), -a.divide(c * q, x))),
        "in_turn": likelihood(lambda a, x, q, c: -taken(a, c * q, a.divide(a.one, x))),
    },
}
ROWS_ACCURATE = ROWS_STABLE

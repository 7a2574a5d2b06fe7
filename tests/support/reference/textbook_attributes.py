"""Softmax cross-entropy with weights, smoothing and an ignored index, as competent authors write it.

Every function takes an :class:`Arithmetic`, the row's logits ``x``, labels ``p``, cotangent ``c`` in its
format, and the attributes. An index label is its one-hot row; where it is ignored the result is zero.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from tests.support.reference.arithmetic import Arithmetic, Array
from tests.support.reference.textbook import ROUTES, accurate_log_softmax, balance, log_softmax, one_hot
from xent_conformance.reference.attributes import Attributes
from xent_conformance.reference.formats import Format

Attributed = Callable[[Arithmetic, Array, Array, Array, Attributes], Array]
Table = dict[tuple[str, str], dict[str, Attributed]]
Scalars = Callable[[Arithmetic, Attributes, int], tuple[Array, Array]]
Loss = Callable[..., Array]

# --- the numbers ----------------------------------------------------------------------------------


def in_binary64(a: Arithmetic, given: Attributes, n: int) -> tuple[Array, Array]:
    """``1 − ε`` and ``ε/N`` of Python's numbers, rounded once."""
    eps = given.label_smoothing
    return rounded(a.fmt, 1 - eps), rounded(a.fmt, eps / n)


@functools.cache
def rounded(fmt: Format, v: float) -> Array:
    """A number of Python's in a format."""
    found: Array = fmt.nearest(np.array(v)).astype(fmt.dtype)
    return found


def in_the_format(a: Arithmetic, given: Attributes, n: int) -> tuple[Array, Array]:
    """``ε`` is rounded to the format first, and what is made of it again."""
    eps = rounded(a.fmt, given.label_smoothing)
    return a.one - eps, a.divide(eps, a.of(float(n)))


SCALARS = {f.__name__: f for f in (in_binary64, in_the_format)}


def weights(a: Arithmetic, given: Attributes, n: int) -> Array:
    return a.of([given.weight or (1.0,) * n])


# --- forms: labels p, weights w, 1 − ε, ε/N -> the loss -------------------------------------------


def labels_first(a, x, p, w, kept, share, ell):
    """``−Σ q ℓ`` with the effective labels ``q = w ((1 − ε) p + ε/N)``."""
    return -a.sum((w * (kept * p + share)) * ell)


def weights_last(a, x, p, w, kept, share, ell):
    """Smoothed labels, and weights on the terms: ``Σ w (p' (−ℓ))``."""
    return a.sum(w * ((kept * p + share) * -ell))


def two_terms(a, x, p, w, kept, share, ell):
    """``(1 − ε) Σ p w (−ℓ) + ε/N Σ w (−ℓ)``: PyTorch's two terms."""
    nll = w * -ell
    return kept * a.sum(p * nll) + share * a.sum(nll)


def weighed_labels_and_mean(a, x, p, w, kept, share, ell):
    """The same two, the weights first on the labels, the share of a class last."""
    return kept * -a.sum((w * p) * ell) - a.sum(w * ell) * share


VALUES = (labels_first, weights_last, two_terms, weighed_labels_and_mean)


def formula(a, s, p, w, kept, share, c):
    q = w * (kept * p + share)
    return c * (s * a.sum(q) - q)


def cotangent_first(a, s, p, w, kept, share, c):
    """Labels, weights, cotangent: what arrives at ``ℓ``, and the VJP of log-softmax."""
    g = -(((c * w) * p) * kept + (c * w) * share)
    return g - s * a.sum(g)


def slope_of_two_terms(a, s, p, w, kept, share, c):
    """The derivative of the two terms, each balanced by itself."""
    wp = w * p
    return c * (kept * (s * a.sum(wp) - wp) + share * (s * a.sum(w) - w))


SLOPES = (formula, cotangent_first, slope_of_two_terms)


# --- index labels or dense ones -------------------------------------------------------------------


def labelled(form: Callable[..., Array], scalars: Scalars, operator: str) -> Attributed:
    """``form(a, x, p, w, kept, share, c)`` of dense labels, or of an index as its one-hot row."""
    dense = operator == "softmax_cross_entropy"

    def of(a, x, p, c, given):
        n = x.shape[1]
        w, (kept, share) = weights(a, given, n), scalars(a, given, n)
        found = form(a, x, p if dense else one_hot(a, x, p), w, kept, share, c)
        return found if dense else np.where(p == given.ignore_index, a.of(0.0), found)

    return of


def with_cotangent(form: Loss, ell: Callable[[Arithmetic, Array], Array]) -> Callable[..., Array]:
    return lambda a, x, p, w, kept, share, c: form(a, x, p, w, kept, share, ell(a, x))


def _stable(operator: str) -> Table:
    value, grad = {}, {}
    for name, scalars in SCALARS.items():
        for f in VALUES:
            value[f"{f.__name__} {name}"] = labelled(with_cotangent(f, log_softmax), scalars, operator)
        for f in SLOPES:
            for route, s in ROUTES.items():

                def slope(a, x, p, w, kept, share, c, f=f, s=s):
                    return f(a, s(a, x), p, w, kept, share, c)

                grad[f"{f.__name__} {route} {name}"] = labelled(slope, scalars, operator)
    return {(operator, "value"): value, (operator, "grad_logits"): grad}


def by_labels(ell: Callable[[Arithmetic, Array], Array]) -> dict[str, Attributed]:
    def slope_first(a, x, p, w, kept, share, c):
        return c * ((w * kept) * -ell(a, x))

    def cotangent_first(a, x, p, w, kept, share, c):
        return -(((c * kept) * w) * ell(a, x))

    return {
        f"{f.__name__} {name}": labelled(f, scalars, "softmax_cross_entropy")
        for f in (slope_first, cotangent_first)
        for name, scalars in SCALARS.items()
    }


def _accurate(operator: str) -> Table:
    def value(a, x, p, w, kept, share, c):
        return labels_first(a, x, p, w, kept, share, accurate_log_softmax(a, x))

    def terms(a, x, p, w, kept, share, c):
        return two_terms(a, x, p, w, kept, share, accurate_log_softmax(a, x))

    def grad(a, x, p, w, kept, share, c):
        return balance(a, x, w * (kept * p + share), c)

    def table(*forms: Callable[..., Array]) -> dict[str, Attributed]:
        return {
            f"{f.__name__} {name}": labelled(f, scalars, operator)
            for f in forms
            for name, scalars in SCALARS.items()
        }

    return {(operator, "value"): table(value, terms), (operator, "grad_logits"): table(grad)}


DENSE, INDEX = "softmax_cross_entropy", "sparse_softmax_cross_entropy"

STABLE: Table = {
    **_stable(DENSE),
    (DENSE, "grad_labels"): by_labels(log_softmax),
    **_stable(INDEX),
}
ACCURATE: Table = {
    **_accurate(DENSE),
    (DENSE, "grad_labels"): by_labels(accurate_log_softmax),
    **_accurate(INDEX),
}

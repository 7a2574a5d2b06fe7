"""``jvp`` and ``hvp`` of the softmax family as automatic differentiation and competent authors write them.

Every function takes an :class:`Arithmetic`, the row's logits ``x``, labels ``p``, cotangent ``c`` and
tangent ``v`` in its format. Forward over reverse differentiates the gradient along ``v``; reverse over
reverse is the VJP, with cotangent ``v``, of the gradient; both of every textbook gradient.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.support.reference.arithmetic import Arithmetic, Array
from tests.support.reference.textbook import ROUTES, accurate_softmax, exp_of_difference, one_hot

Moving = Callable[[Arithmetic, Array, Array, Array, Array], Array]
Table = dict[tuple[str, str], dict[str, Moving]]
Route = Callable[[Arithmetic, Array], Array]

# --- what everything is made of -------------------------------------------------------------------


def at_top(x: Array, v: Array) -> Array:
    """``v`` at the largest class."""
    return np.take_along_axis(v, np.argmax(x.astype(np.float64), axis=1)[:, None], axis=1)


def centred(x: Array, v: Array) -> Array:
    return v - at_top(x, v)


def mean_through_sum(a: Arithmetic, x: Array, v: Array) -> Array:
    """``Σ e v / S``: the derivative of ``log S`` as forward mode has it."""
    _, e, total = a.exponentials(x)
    return a.divide(a.sum(e * v), total)


def softmax_vjp(a: Arithmetic, s: Array, g: Array) -> Array:
    return s * (g - a.sum(s * g))


def directions() -> dict[str, Moving]:
    """``s_i t_i``, the derivative of a probability."""

    def inner(s: Route) -> Moving:
        return lambda a, x, p, c, v: softmax_vjp(a, s(a, x), v)

    def apart(s: Route) -> Moving:
        return lambda a, x, p, c, v: s(a, x) * v - s(a, x) * a.sum(s(a, x) * v)

    def quotient_rule(a, x, p, c, v):
        _, e, total = a.exponentials(x)
        de = e * v
        return a.divide(de, total) - a.divide(e, total) * a.divide(a.sum(de), total)

    def quotient_rule_after(a, x, p, c, v):
        _, e, total = a.exponentials(x)
        de = e * v
        return a.divide(de - a.divide(e, total) * a.sum(de), total)

    def maximum_moves_too(a, x, p, c, v):
        return quotient_rule(a, x, p, c, centred(x, v))

    forms = {f"{f.__name__} {name}": f(s) for name, s in ROUTES.items() for f in (inner, apart)}
    others = (quotient_rule, quotient_rule_after, maximum_moves_too)
    return forms | {f.__name__: f for f in others}


def slopes() -> dict[str, Moving]:
    """``t_i``, the derivative of a log-probability."""

    def through_sum(a, x, p, c, v):
        return v - mean_through_sum(a, x, v)

    def maximum_moves_too(a, x, p, c, v):
        w = centred(x, v)
        return w - mean_through_sum(a, x, w)

    forms: dict[str, Moving] = {
        name: (lambda a, x, p, c, v, s=s: v - a.sum(s(a, x) * v)) for name, s in ROUTES.items()
    }
    return forms | {f.__name__: f for f in (through_sum, maximum_moves_too)}


def hessians(factor: Callable[[Arithmetic, Array, Array, Array], Array]) -> dict[str, Moving]:
    """``X s_i t_i``: of every loss whose gradient is ``X s`` and a constant, ``X = factor(x, p, c)``."""

    def scaled(form: Moving) -> Moving:
        return lambda a, x, p, c, v: factor(a, x, p, c) * form(a, x, p, c, v)

    def reverse(s: Route) -> Moving:
        return lambda a, x, p, c, v: softmax_vjp(a, s(a, x), factor(a, x, p, c) * v)

    def through_logarithm(s: Route) -> Moving:
        """The gradient holds ``exp(ℓ)``: a cotangent ``X v exp(ℓ)`` of ``ℓ``, and its VJP."""

        def form(a, x, p, c, v):
            g = (factor(a, x, p, c) * v) * s(a, x)
            return g - s(a, x) * a.sum(g)

        return form

    def factor_last(s: Route) -> Moving:
        return lambda a, x, p, c, v: s(a, x) * ((v - a.sum(s(a, x) * v)) * factor(a, x, p, c))

    forms = {name: scaled(form) for name, form in directions().items()}
    for f in (reverse, through_logarithm, factor_last):
        forms |= {f"{f.__name__} {name}": f(s) for name, s in ROUTES.items()}
    return forms


# --- softmax itself -------------------------------------------------------------------------------


def softmax_hessians() -> dict[str, Moving]:
    """``s_i (t_i (c_i − c̄) − Σ s_j t_j c_j)``: a covariance, by every order of differentiation."""

    def formula(s, a, x, c, v):
        t = v - a.sum(s * v)
        return s * (t * (c - a.sum(s * c)) - a.sum((s * t) * c))

    def forward_over_inner(s, a, x, c, v):
        ds, mean = softmax_vjp(a, s, v), a.sum(s * c)
        return ds * (c - mean) - s * a.sum(ds * c)

    def forward_over_apart(s, a, x, c, v):
        ds = s * v - s * a.sum(s * v)
        return ds * c - (ds * a.sum(s * c) + s * a.sum(ds * c))

    def reverse_over_inner(s, a, x, c, v):
        return softmax_vjp(a, s, v * (c - a.sum(s * c)) - c * a.sum(v * s))

    def reverse_over_apart(s, a, x, c, v):
        g = v * c - v * a.sum(s * c) - c * a.sum(v * s)
        return softmax_vjp(a, s, g)

    def reverse_over_forward(s, a, x, c, v):
        return softmax_vjp(a, s, c * (v - a.sum(s * v)) - v * a.sum(c * s))

    forms = (
        formula,
        forward_over_inner,
        forward_over_apart,
        reverse_over_inner,
        reverse_over_apart,
        reverse_over_forward,
    )
    return {
        f"{f.__name__} {name}": (lambda a, x, p, c, v, f=f, s=s: f(s(a, x), a, x, c, v))
        for f in forms
        for name, s in ROUTES.items()
    }


# --- the losses -----------------------------------------------------------------------------------


def dense_jvps() -> dict[str, Moving]:
    forms: dict[str, Moving] = {
        f"label_times_slope {name}": (lambda a, x, p, c, v, t=t: -a.sum(p * t(a, x, p, c, v)))
        for name, t in slopes().items()
    }
    for name, s in ROUTES.items():
        forms[f"two_sums {name}"] = lambda a, x, p, c, v, s=s: a.sum(p) * a.sum(s(a, x) * v) - a.sum(p * v)
        forms[f"gradient_times_tangent {name}"] = lambda a, x, p, c, v, s=s: a.sum(
            (s(a, x) * a.sum(p) - p) * v
        )
    return forms


def _through_log_softmax() -> dict[str, Moving]:
    """Of the gradient of ``Σ −p ℓ`` through a log-softmax with the cotangent ``−c p``."""
    forms = hessians(lambda a, x, p, c: a.sum(c * p))
    return {f"cotangent_first {n}": f for n, f in forms.items() if n.startswith(("reverse", "through"))}


def sparse_jvps() -> dict[str, Moving]:
    def picked(v: Array, y: Array) -> Array:
        return np.take_along_axis(v, y.astype(np.int64), axis=1)

    forms: dict[str, Moving] = {
        f"gather {name}": (lambda a, x, p, c, v, t=t: -picked(t(a, x, p, c, v), p))
        for name, t in slopes().items()
    }
    for name, s in ROUTES.items():
        forms[f"gradient_times_tangent {name}"] = lambda a, x, p, c, v, s=s: a.sum(
            (s(a, x) - one_hot(a, x, p)) * v
        )
    return forms


def logsumexp_jvps() -> dict[str, Moving]:
    forms: dict[str, Moving] = {
        name: (lambda a, x, p, c, v, s=s: a.sum(s(a, x) * v))
        for name, s in (ROUTES | {"exp_of_difference": exp_of_difference}).items()
    }
    forms["through_sum"] = lambda a, x, p, c, v: mean_through_sum(a, x, v)
    forms["maximum_moves_too"] = lambda a, x, p, c, v: at_top(x, v) + mean_through_sum(a, x, centred(x, v))
    return forms


def logsumexp_hessians() -> dict[str, Moving]:
    def by_value(a, x, p, c, v):
        e = exp_of_difference(a, x)
        return (c * e) * (v - a.sum(e * v))

    def by_value_reversed(a, x, p, c, v):
        g, e = (v * c) * exp_of_difference(a, x), exp_of_difference(a, x)
        return g - a.sum(g) * e

    forms = hessians(lambda a, x, p, c: c)
    return forms | {f.__name__: f for f in (by_value, by_value_reversed)}


STABLE: Table = {
    ("softmax", "jvp"): directions(),
    ("softmax", "hvp"): softmax_hessians(),
    ("log_softmax", "jvp"): slopes(),
    ("log_softmax", "hvp"): hessians(lambda a, x, p, c: -a.sum(c)),
    ("logsumexp", "jvp"): logsumexp_jvps(),
    ("logsumexp", "hvp"): logsumexp_hessians(),
    ("softmax_cross_entropy", "jvp"): dense_jvps(),
    ("softmax_cross_entropy", "hvp"): hessians(lambda a, x, p, c: c * a.sum(p)) | _through_log_softmax(),
    ("sparse_softmax_cross_entropy", "jvp"): sparse_jvps(),
    ("sparse_softmax_cross_entropy", "hvp"): hessians(lambda a, x, p, c: c),
}
"""Textbook forms, to be run in every order of summation."""


def _accurate() -> Table:
    def parts(a: Arithmetic, x: Array, v: Array) -> tuple[Array, Array]:
        """``s`` and ``t`` from the tangent centred on the largest class."""
        s, w = accurate_softmax(a, x), centred(x, v)
        return s, w - a.sum(s * w)

    def moved(factor: Callable[..., Array]) -> dict[str, Moving]:
        def form(a, x, p, c, v):
            s, t = parts(a, x, v)
            return factor(a, x, p, c) * (s * t)

        return {"centred": form}

    def covariance(a, x, p, c, v):
        s, t = parts(a, x, v)
        b = centred(x, c)
        return s * (t * (b - a.sum(s * b)) - a.sum((s * t) * b))

    def mean(a, x, p, c, v):
        return at_top(x, v) + a.sum(accurate_softmax(a, x) * centred(x, v))

    return {
        ("softmax", "jvp"): moved(lambda a, x, p, c: a.one),
        ("softmax", "hvp"): {"centred": covariance},
        ("log_softmax", "jvp"): {"centred": lambda a, x, p, c, v: parts(a, x, v)[1]},
        ("log_softmax", "hvp"): moved(lambda a, x, p, c: -a.sum(c)),
        ("logsumexp", "jvp"): {"centred": mean},
        ("logsumexp", "hvp"): moved(lambda a, x, p, c: c),
        ("softmax_cross_entropy", "jvp"): {"centred": lambda a, x, p, c, v: -a.sum(p * parts(a, x, v)[1])},
        ("softmax_cross_entropy", "hvp"): moved(lambda a, x, p, c: c * a.sum(p)),
        ("sparse_softmax_cross_entropy", "jvp"): {
            "centred": lambda a, x, p, c, v: (
                -np.take_along_axis(parts(a, x, v)[1], p.astype(np.int64), axis=1)
            )
        },
        ("sparse_softmax_cross_entropy", "hvp"): moved(lambda a, x, p, c: c),
    }


ACCURATE = _accurate()
"""Tangents centred on the largest class, to be run with tree summation."""

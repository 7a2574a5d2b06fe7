"""``jvp`` and ``hvp`` of the sigmoid family: elementwise, so a ``jvp`` is the VJP with the tangent.

Every ``hvp`` is ``c v`` times a second derivative, by each sigmoid of SPEC.md 8.7 and by the
derivative of each textbook gradient.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.support.reference import textbook_sigmoid
from tests.support.reference.arithmetic import Arithmetic, Array
from tests.support.reference.textbook import Algorithm
from tests.support.reference.textbook_derivatives import Moving, Table
from tests.support.reference.textbook_sigmoid import SIGMAS, two_branches

OPERATORS = ("sigmoid", "log_sigmoid", "logit", "sigmoid_cross_entropy")


def along(form: Algorithm) -> Moving:
    """A gradient with the tangent for its cotangent."""
    return lambda a, x, p, c, v: form(a, x, p, v)


def sigmoid_hessians() -> dict[str, Moving]:
    def polynomial(y, a, c, v):
        return (c * v) * (y * (a.one - y) * (a.one - (y + y)))

    def forward_over_reverse(y, a, c, v):
        dy = (y * (a.one - y)) * v
        return c * (dy * (a.one - y) - y * dy)

    def reverse_over_reverse(y, a, c, v):
        g = v * c
        return (g * (a.one - y) - g * y) * (y * (a.one - y))

    def expanded(y, a, c, v):
        dy = v * (y - y * y)
        return c * dy - (c * (y + y)) * dy

    forms = (polynomial, forward_over_reverse, reverse_over_reverse, expanded)
    return {
        f"{f.__name__} {name}": (lambda a, x, p, c, v, f=f, sigma=sigma: f(sigma(a, x), a, c, v))
        for f in forms
        for name, sigma in SIGMAS.items()
    }


def slope_products(sign: float) -> dict[str, Moving]:
    """``± c v σσ⁻``: the second derivative of a softplus."""

    def one_minus(y: Callable[[Arithmetic, Array], Array]) -> Moving:
        return lambda a, x, p, c, v: a.of(sign) * (c * (v * (y(a, x) * (a.one - y(a, x)))))

    def one_minus_mirror(y: Callable[[Arithmetic, Array], Array]) -> Moving:
        return lambda a, x, p, c, v: a.of(sign) * ((v * c) * ((a.one - y(a, -x)) * y(a, -x)))

    def through_quotient(a, x, p, c, v):
        """The derivative of ``e / (1 + e)``, ``e = exp(−|x|)``, as the quotient rule gives it."""
        e = a.exp(-abs(x))
        t = a.divide(e, a.one + e)
        return a.of(sign) * (c * (v * (t - t * t)))

    forms = {f"{f.__name__} {n}": f(y) for n, y in SIGMAS.items() for f in (one_minus, one_minus_mirror)}
    return forms | {"through_quotient": through_quotient}


def weighed_slopes() -> dict[str, Moving]:
    """``(1 − z) σ' + z σ'``, each softplus of the loss differentiated by itself."""

    def form(y: Callable[[Arithmetic, Array], Array]) -> Moving:
        def of(a, x, z, c, v):
            d = y(a, x) * (a.one - y(a, x))
            return (c * v) * ((a.one - z) * d + z * d)

        return of

    return {f"two_softplus {name}": form(y) for name, y in SIGMAS.items()}


def logit_hessians() -> dict[str, Moving]:
    def quotients(a, x, p, c, v):
        """``c v ((1 − p)⁻² − p⁻²)``, the derivative of ``c/p + c/(1 − p)``."""
        q, g = a.one - x, c * v
        return a.divide(a.divide(g, q), q) - a.divide(a.divide(g, x), x)

    def of_product(a, x, p, c, v):
        """The derivative of ``c / d``, ``d = p (1 − p)``."""
        d = x * (a.one - x)
        return -a.divide(a.divide(c, d) * (v * (a.one - x) - x * v), d)

    def factored(a, x, p, c, v):
        d = x * (a.one - x)
        return a.divide(a.divide((c * v) * ((x + x) - a.one), d), d)

    return {f.__name__: f for f in (quotients, of_product, factored)}


STABLE: Table = {
    **{
        (o, "jvp"): {n: along(f) for n, f in textbook_sigmoid.STABLE[o, "grad_logits"].items()}
        for o in OPERATORS
    },
    ("sigmoid", "hvp"): sigmoid_hessians(),
    ("log_sigmoid", "hvp"): slope_products(-1.0),
    ("logit", "hvp"): logit_hessians(),
    ("sigmoid_cross_entropy", "hvp"): slope_products(1.0) | weighed_slopes(),
}


def both_sides(a: Arithmetic, x: Array) -> Array:
    return two_branches(a, x) * two_branches(a, -x)


ACCURATE: Table = {
    **{
        (o, "jvp"): {n: along(f) for n, f in textbook_sigmoid.ACCURATE[o, "grad_logits"].items()}
        for o in OPERATORS
    },
    ("sigmoid", "hvp"): {"tanh": lambda a, x, p, c, v: -((c * v) * (both_sides(a, x) * a.tanh(a.half * x)))},
    ("log_sigmoid", "hvp"): {"both_sides": lambda a, x, p, c, v: -((c * v) * both_sides(a, x))},
    ("logit", "hvp"): {"factored": logit_hessians()["factored"]},
    ("sigmoid_cross_entropy", "hvp"): {"both_sides": lambda a, x, p, c, v: (c * v) * both_sides(a, x)},
}

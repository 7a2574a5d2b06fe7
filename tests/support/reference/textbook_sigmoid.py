"""The sigmoid family as competent authors write it: each form that SPEC.md 8.7 – 8.9 lists.

Same signature as :mod:`textbook`: arithmetic, logits ``x``, labels ``p`` (called z in the formulas),
cotangent ``c``. Forms in ``ACCURATE`` have relative accuracy, so both tables hold them to a bound.
"""

from __future__ import annotations

import numpy as np

from tests.support.reference.arithmetic import Arithmetic, Array
from tests.support.reference.textbook import Algorithm, Table

# --- sigmoids -------------------------------------------------------------------------------------


def one_branch(a: Arithmetic, x: Array) -> Array:
    """``1 / (1 + exp(−x))``: zero, not subnormal, once exp overflows; so not relatively accurate."""
    return a.divide(a.one, a.one + a.exp(-x))


def two_branches(a: Arithmetic, x: Array) -> Array:
    """``exp(x) / (1 + exp(x))`` on the left, ``1 / (1 + exp(−x))`` on the right: never overflows."""
    e = a.exp(-abs(x))
    return a.divide(np.where(x < 0, e, a.one), a.one + e)


def by_tanh(a: Arithmetic, x: Array) -> Array:
    return a.half * (a.one + a.tanh(a.half * x))


def by_tanh_last_add(a: Arithmetic, x: Array) -> Array:
    return a.half * a.tanh(a.half * x) + a.half


SIGMAS = {f.__name__: f for f in (one_branch, two_branches, by_tanh, by_tanh_last_add)}

# --- softplus and cross-entropy -------------------------------------------------------------------


def positive(x: Array) -> Array:
    return np.maximum(x, np.zeros_like(x))


def softplus(a: Arithmetic, x: Array) -> Array:
    return positive(x) + a.log1p(a.exp(-abs(x)))


def softplus_by_log(a: Arithmetic, x: Array) -> Array:
    return positive(x) + a.log(a.one + a.exp(-abs(x)))


SOFTPLUS = {"log1p": softplus, "log": softplus_by_log}


def _losses() -> dict[str, Algorithm]:
    def kept_apart(log):
        return lambda a, x, z, c: (positive(x) - x * z) + log(a, a.exp(-abs(x)))

    def one_softplus(plus):
        return lambda a, x, z, c: (a.one - z) * x + plus(a, -x)

    def two_softplus(plus):
        return lambda a, x, z, c: z * plus(a, -x) + (a.one - z) * plus(a, x)

    def shifted(a, x, z, c):
        m = positive(-x)
        return ((a.one - z) * x + m) + a.log(a.exp(-m) + a.exp(-x - m))

    logs = {"log1p": lambda a, e: a.log1p(e), "log": lambda a, e: a.log(a.one + e)}
    forms = {f"max_apart {n}": kept_apart(log) for n, log in logs.items()}
    forms |= {
        f"{f.__name__} {n}": f(plus) for n, plus in SOFTPLUS.items() for f in (one_softplus, two_softplus)
    }
    return forms | {"shifted": shifted}


def relative_slope(a: Arithmetic, x: Array, z: Array, c: Array) -> Array:
    return c * ((a.one - z) * two_branches(a, x) - z * two_branches(a, -x))


def slope_of_max_form(a: Arithmetic, x: Array, z: Array, c: Array) -> Array:
    """Derivative of ``max(x, 0) − xz + log1p(exp(−|x|))``, the step and the sign taken as 1 at zero."""
    e = a.exp(-abs(x))
    t = a.divide(e, a.one + e)
    return c * (np.where(x >= 0, a.one, a.of(0.0)) - z + np.where(x >= 0, -t, t))


def slope_of_shifted_form(a: Arithmetic, x: Array, z: Array, c: Array) -> Array:
    """Derivative of ``(1 − z) x + m + log(exp(−m) + exp(−x − m))``."""
    m = positive(-x)
    t = a.exp(-x - m)
    return c * ((a.one - z) - a.divide(t, a.exp(-m) + t))


def slope_of_softplus_form(a: Arithmetic, x: Array, z: Array, c: Array) -> Array:
    """Derivative of ``(1 − z) x + softplus(−x)``."""
    return c * ((a.one - z) - two_branches(a, -x))


def torch_log_sigmoid_slope(a: Arithmetic, x: Array, z: Array, c: Array) -> Array:
    e = a.exp(-abs(x))
    t = a.divide(e, a.one + e)
    return c * np.where(x < 0, a.one - t, t)


# --- logit ----------------------------------------------------------------------------------------


def logit_of_quotient(a: Arithmetic, x: Array, z: Array, c: Array) -> Array:
    return a.log(a.divide(x, a.one - x))


def accurate_logit(a: Arithmetic, x: Array, z: Array, c: Array) -> Array:
    q = a.one - x
    near_half = a.log1p(a.divide((x + x) - a.one, q))
    middle = (x >= a.of(0.25)) & (x <= a.of(0.75))
    return np.where(middle, near_half, logit_of_quotient(a, x, z, c))


STABLE: Table = {
    ("sigmoid", "value"): {n: (lambda a, x, p, c, f=f: f(a, x)) for n, f in SIGMAS.items()},
    ("sigmoid", "grad_logits"): {
        n: (lambda a, x, p, c, f=f: c * (f(a, x) * (a.one - f(a, x)))) for n, f in SIGMAS.items()
    },
    ("log_sigmoid", "value"): {n: (lambda a, x, p, c, f=f: -f(a, -x)) for n, f in SOFTPLUS.items()},
    ("log_sigmoid", "grad_logits"): {
        **{f"1-{n}": (lambda a, x, p, c, f=f: c * (a.one - f(a, x))) for n, f in SIGMAS.items()},
        "torch": torch_log_sigmoid_slope,
    },
    ("logit", "value"): {
        "quotient": logit_of_quotient,
        "two_logs": lambda a, x, p, c: a.log(x) - a.log1p(-x),
    },
    ("logit", "grad_logits"): {
        "product": lambda a, x, p, c: a.divide(c, x * (a.one - x)),
        "two_quotients": lambda a, x, p, c: a.divide(c, x) + a.divide(c, a.one - x),
    },
    ("sigmoid_cross_entropy", "value"): _losses(),
    ("sigmoid_cross_entropy", "grad_logits"): {
        **{f"{n}-z": (lambda a, x, z, c, f=f: c * (f(a, x) - z)) for n, f in SIGMAS.items()},
        "max_form": slope_of_max_form,
        "shifted_form": slope_of_shifted_form,
        "softplus_form": slope_of_softplus_form,
    },
    ("sigmoid_cross_entropy", "grad_labels"): {
        "minus_x": lambda a, x, z, c: -(c * x),
        "two_softplus": lambda a, x, z, c: c * (softplus(a, -x) - softplus(a, x)),
        "two_logs": lambda a, x, z, c: c * (softplus_by_log(a, -x) - softplus_by_log(a, x)),
    },
}

ACCURATE: Table = {
    ("sigmoid", "value"): {"two_branches": lambda a, x, p, c: two_branches(a, x)},
    ("sigmoid", "grad_logits"): {
        "both_sides": lambda a, x, p, c: c * (two_branches(a, x) * two_branches(a, -x))
    },
    ("log_sigmoid", "value"): {"log1p": lambda a, x, p, c: -softplus(a, -x)},
    ("log_sigmoid", "grad_logits"): {"mirror": lambda a, x, p, c: c * two_branches(a, -x)},
    ("logit", "value"): {"log1p": accurate_logit},
    ("logit", "grad_logits"): {"product": lambda a, x, p, c: a.divide(c, x * (a.one - x))},
    ("sigmoid_cross_entropy", "value"): {
        "two_softplus": lambda a, x, z, c: z * softplus(a, -x) + (a.one - z) * softplus(a, x)
    },
    ("sigmoid_cross_entropy", "grad_logits"): {"relative": relative_slope},
    ("sigmoid_cross_entropy", "grad_labels"): {"minus_x": lambda a, x, z, c: -(c * x)},
}

"""Divergences in their other forms as competent authors write them: each form of SPEC.md 8.18.

Predictions ``x`` (log-probabilities, or ``q``), targets ``p`` (log-targets, or ``p``), in the domain.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.support.reference.arithmetic import Arithmetic, Array

LOG_TARGET, RELATIVE = "kl_divergence_log_target", "relative_entropy"
ELEMENTWISE = "elementwise_kl_divergence"

Form = Callable[..., Array]

# --- by elements -----------------------------------------------------------------------------------


def positive(a: Arithmetic, p: Array) -> Array:
    """A target of zero has a share of nothing."""
    return np.where(p > 0, p, a.one)


def taken(a: Arithmetic, p: Array, of: Array) -> Array:
    return np.where(p == 0, a.of(0.0), p * of)


def two_logarithms(a, q, p):
    return taken(a, p, a.log(positive(a, p)) - a.log(q))


def two_products(a, q, p):
    """``xlogy(p, p) − xlogy(p, q)``, JAX's."""
    return taken(a, p, a.log(positive(a, p))) - taken(a, p, a.log(q))


def log_ratio(a, q, p):
    """Of a quotient, or of two logarithms where that is no normal number: SciPy's."""
    found = a.divide(p, q)
    size = np.abs(found.astype(np.float64))
    normal = (size >= a.fmt.smallest_normal) & (size <= a.fmt.largest)
    return np.where(normal, a.log(np.where(normal, found, a.one)), a.log(p) - a.log(q))


def of_quotient(a, q, p):
    return taken(a, p, log_ratio(a, q, positive(a, p)))


def near_one(a, q, p):
    """log1p within a factor of two, SciPy's."""
    kept = positive(a, p)
    near = np.abs(kept.astype(np.float64) - q.astype(np.float64)) <= np.minimum(kept, q).astype(np.float64)
    offset = a.divide(np.where(near, kept - q, a.of(0.0)), q)
    return taken(a, p, np.where(near, a.log1p(offset), log_ratio(a, q, kept)))


RELATIVES = (two_logarithms, two_products, of_quotient, near_one)


def with_masses(form: Form) -> Form:
    return lambda a, q, p: form(a, q, p) - p + q


def masses_first(form: Form) -> Form:
    return lambda a, q, p: form(a, q, p) + (q - p)


def less_log1p(a: Arithmetic, r: Array) -> Array:
    """``r − log1p(r)``, a function of its own (``log1pmx``): by its series where it cancels."""
    wide = r.astype(np.longdouble)
    small = np.where(np.abs(wide) < 0.25, wide, np.longdouble(0))
    series = sum((-1) ** k * small**k / k for k in range(2, 60))
    return a.of(np.where(small != 0, series, np.where(wide == 0, wide, wide - np.log1p(wide))))


def with_relative_accuracy(a, q, p, c):
    """``p (r − log1p r)``, ``r = (q − p)/p``, within a factor of two."""
    kept = positive(a, p)
    near = np.abs(kept.astype(np.float64) - q.astype(np.float64)) <= np.minimum(kept, q).astype(np.float64)
    offset = a.divide(np.where(near, q - kept, a.of(0.0)), kept)
    return np.where(near & (p > 0), p * less_log1p(a, offset), with_masses(near_one)(a, q, p))


def ratio(a, q, p, c):
    return -(c * a.divide(p, q))


def ratio_last(a, q, p, c):
    return -a.divide(c * p, q)


def by_reciprocal(a, q, p, c):
    return -((c * p) * a.divide(a.one, q))


RATIOS = (ratio, ratio_last, by_reciprocal)


def of_difference(a, q, p, c):
    return c * a.divide(q - p, q)


QUOTIENT_FIRST = (ratio.__name__, of_difference.__name__)
"""Derivatives of a quotient as autodiff takes them: it may overflow where the derivative does not."""


def less_ratio(form: Form) -> Form:
    return lambda a, q, p, c: c + form(a, q, p, c)


def by_target(a, q, p, c):
    return c * ((a.log(p) + a.one) - a.log(q))


def by_target_in_turn(a, q, p, c):
    g = c * p
    return (c * a.log(p) + a.divide(g, p)) - c * a.log(q)


def by_target_of_quotient(a, q, p, c):
    return c * (log_ratio(a, q, p) + a.one)


def relative_by_target(a, q, p, c):
    near = np.abs(p.astype(np.float64) - q.astype(np.float64)) <= np.minimum(p, q).astype(np.float64)
    offset = a.divide(np.where(near, p - q, a.of(0.0)), q)
    return np.where(near, a.log1p(offset), log_ratio(a, q, p))


BY_TARGET = (by_target, by_target_in_turn, by_target_of_quotient)


def one_taken_away(form: Form) -> Form:
    return lambda a, q, p, c: form(a, q, p, c) - c


def squares(a, q, p, c, v):
    return a.divide(a.divide((c * v) * p, q), q)


def of_square(a, q, p, c, v):
    r = a.divide(a.one, q)
    return ((c * v) * p) * (r * r)


# --- of logarithms ---------------------------------------------------------------------------------


def factored(a, x, t):
    return a.sum(a.exp(t) * (t - x))


def products(a, x, t):
    return a.sum(a.exp(t) * t - a.exp(t) * x)


def two_sums(a, x, t):
    return a.sum(a.exp(t) * t) - a.sum(a.exp(t) * x)


LOG_TARGETS = (factored, products, two_sums)


def log_by_target(a, x, t, c):
    return c * (a.exp(t) * ((t - x) + a.one))


def log_by_target_in_turn(a, x, t, c):
    e = a.exp(t)
    return (c * (t - x)) * e + c * e


# --- tables ---------------------------------------------------------------------------------------


def _value(forms: tuple[Form, ...], wrap: Callable[[Form], Form] = lambda f: f) -> dict[str, Form]:
    return {f.__name__: lambda a, x, p, c, f=f: wrap(f)(a, x, p) for f in forms}


def _slope(forms: tuple[Form, ...], wrap: Callable[[Form], Form] = lambda f: f) -> dict[str, Form]:
    return {f.__name__: wrap(f) for f in forms}


def _along(forms: dict[str, Form]) -> dict[str, Form]:
    return {name: lambda a, x, p, c, v, f=f: f(a, x, p, v) for name, f in forms.items()}


HESSIANS: dict[str, Form] = {"squares": squares, "of_square": of_square}
NOTHING: dict[str, Form] = {"nothing": lambda a, x, p, c, v: np.zeros_like(x)}

STABLE = {
    (RELATIVE, "value"): _value(RELATIVES),
    (RELATIVE, "grad_logits"): _slope(RATIOS),
    (RELATIVE, "grad_labels"): _slope(BY_TARGET),
    (ELEMENTWISE, "value"): {
        **_value(RELATIVES, with_masses),
        "masses_first": lambda a, x, p, c: masses_first(two_products)(a, x, p),
    },
    (ELEMENTWISE, "grad_logits"): {**_slope(RATIOS, less_ratio), "of_difference": of_difference},
    (ELEMENTWISE, "grad_labels"): {
        **_slope(BY_TARGET, one_taken_away),
        "relative": lambda a, q, p, c: c * relative_by_target(a, q, p, c),
    },
    (LOG_TARGET, "value"): _value(LOG_TARGETS),
    (LOG_TARGET, "grad_logits"): {"product": lambda a, x, t, c: -(c * a.exp(t))},
    (LOG_TARGET, "grad_labels"): _slope((log_by_target, log_by_target_in_turn)),
}
ACCURATE = {
    (RELATIVE, "value"): _value((near_one,)),
    (RELATIVE, "grad_logits"): _slope((ratio, ratio_last)),
    (RELATIVE, "grad_labels"): {
        "relative": lambda a, q, p, c: c * (relative_by_target(a, q, p, c) + a.one),
    },
    (ELEMENTWISE, "value"): {"with_relative_accuracy": with_relative_accuracy},
    (ELEMENTWISE, "grad_logits"): {"of_difference": of_difference},
    (ELEMENTWISE, "grad_labels"): {"relative": lambda a, q, p, c: c * relative_by_target(a, q, p, c)},
    (LOG_TARGET, "value"): _value((factored,)),
    (LOG_TARGET, "grad_logits"): {"product": lambda a, x, t, c: -(c * a.exp(t))},
    (LOG_TARGET, "grad_labels"): _slope((log_by_target,)),
}

MOVING_STABLE = {
    (RELATIVE, "jvp"): _along(STABLE[RELATIVE, "grad_logits"]),
    (RELATIVE, "hvp"): HESSIANS,
    (ELEMENTWISE, "jvp"): _along(STABLE[ELEMENTWISE, "grad_logits"]),
    (ELEMENTWISE, "hvp"): HESSIANS,
    (LOG_TARGET, "jvp"): {"summed": lambda a, x, t, c, v: -a.sum(a.exp(t) * v)},
    (LOG_TARGET, "hvp"): NOTHING,
}
MOVING_ACCURATE = {
    (RELATIVE, "jvp"): _along(ACCURATE[RELATIVE, "grad_logits"]),
    (RELATIVE, "hvp"): {"squares": squares},
    (ELEMENTWISE, "jvp"): _along(ACCURATE[ELEMENTWISE, "grad_logits"]),
    (ELEMENTWISE, "hvp"): {"squares": squares},
    (LOG_TARGET, "jvp"): {"summed": lambda a, x, t, c, v: -a.sum(a.exp(t) * v)},
    (LOG_TARGET, "hvp"): NOTHING,
}

"""Binary cross-entropy of given probabilities as competent authors write it: each form of SPEC.md 8.16.

Same signatures as :mod:`textbook_sigmoid`, :mod:`textbook_derivatives_sigmoid` and
:mod:`textbook_attributes_sigmoid`: probabilities ``x``, labels ``z``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.support.reference.arithmetic import Arithmetic, Array
from tests.support.reference.textbook_attributes import SCALARS, Attributed
from tests.support.reference.textbook_attributes_sigmoid import accurately, smoothed
from tests.support.reference.textbook_sigmoid import accurate_logit, logit_of_quotient

OPERATOR = "binary_cross_entropy"

LOGS: dict[str, Callable[[Arithmetic, Array], Array]] = {
    "log1p": lambda a, x: a.log1p(-x),
    "log": lambda a, x: a.log(a.one - x),
}
"""``log(1 − p)``."""

# --- forms: chosen b = w P z', other a = w (1 − z') ------------------------------------------------


def taken(a: Arithmetic, share: Array, of: Array) -> Array:
    """``share · of``; nothing of an infinity where there is no share, as ``xlogy`` has it (5.6)."""
    return np.where(share == 0, a.of(0.0), share * of)


def two_terms(rest):
    return lambda a, x, chosen, other, c: -(taken(a, chosen, a.log(x)) + taken(a, other, rest(a, x)))


def two_quotients(a, x, chosen, other, c):
    by_rest, by_p = a.divide(other, a.one - x), a.divide(chosen, x)
    return c * (np.where(other == 0, a.of(0.0), by_rest) - np.where(chosen == 0, a.of(0.0), by_p))


def in_turn(a, x, chosen, other, c):
    """The derivative of each logarithm, a reciprocal that is multiplied."""
    return taken(a, c * other, a.divide(a.one, a.one - x)) - taken(a, c * chosen, a.divide(a.one, x))


def at_the_ends(a, x, z, c, inside):
    """A fraction within (0, 1), which is 0/0 at 0 and at 1."""
    return np.where((x == 0) | (x == 1), two_quotients(a, x, z, a.one - z, c), inside)


def fraction(a, x, z, c):
    """``c (p − z) / (p (1 − p))``, of one weight for both terms."""
    return at_the_ends(a, x, z, c, c * a.divide(x - z, x * (a.one - x)))


def fraction_last(a, x, z, c):
    """The same, the cotangent on the difference."""
    return at_the_ends(a, x, z, c, a.divide(c * (x - z), x * (a.one - x)))


def by_two_logs(rest):
    return lambda a, x, extra, c: c * (rest(a, x) - extra * a.log(x))


def relative_by_labels(a, x, extra, c):
    """By ``log1p`` of a quotient near one half, where no positive weight keeps the two logarithms apart."""
    apart = by_two_logs(LOGS["log1p"])(a, x, extra, c)
    return np.where(extra == a.one, -(c * accurate_logit(a, x, None, c)), apart)


def bare(form: Callable[..., Array]) -> Callable[..., Array]:
    """Of a label as it is."""
    return lambda a, x, z, c: form(a, x, z, a.one - z, c)


# --- second derivatives ---------------------------------------------------------------------------


def two_squares(a, x, z, c, v):
    q, g = a.one - x, c * v
    return a.divide(a.divide(g * (a.one - z), q), q) + a.divide(a.divide(g * z, x), x)


def expanded(a, x, z, c, v):
    """``(p² − 2 p z + z) / (p (1 − p))²``, PyTorch's."""
    d = x * (a.one - x)
    return a.divide(a.divide((c * v) * (((x * x) - (x + x) * z) + z), d), d)


def by_quotient_rule(a, x, z, c, v):
    """The derivative of ``(p − z) / d``, ``d = p (1 − p)``: ``(1 − (p − z) (1 − 2p) / d) / d``."""
    d = x * (a.one - x)
    return a.divide((c * v) * (a.one - a.divide((x - z) * (a.one - (x + x)), d)), d)


HESSIANS = {f.__name__: f for f in (two_squares, expanded, by_quotient_rule)}

# --- tables ---------------------------------------------------------------------------------------

STABLE = {
    (OPERATOR, "value"): {n: bare(two_terms(rest)) for n, rest in LOGS.items()},
    (OPERATOR, "grad_logits"): {
        "fraction": fraction,
        "fraction_last": fraction_last,
        "two_quotients": bare(two_quotients),
        "in_turn": bare(in_turn),
    },
    (OPERATOR, "grad_labels"): {
        **{n: lambda a, x, z, c, rest=rest: by_two_logs(rest)(a, x, a.one, c) for n, rest in LOGS.items()},
        "quotient": lambda a, x, z, c: -(c * logit_of_quotient(a, x, z, c)),
    },
}
ACCURATE = {
    (OPERATOR, "value"): {"log1p": bare(two_terms(LOGS["log1p"]))},
    (OPERATOR, "grad_logits"): {"fraction": fraction},
    (OPERATOR, "grad_labels"): {"logit": lambda a, x, z, c: -(c * accurate_logit(a, x, z, c))},
}

MOVING_STABLE = {
    (OPERATOR, "jvp"): {
        n: lambda a, x, z, c, v, f=f: f(a, x, z, v) for n, f in STABLE[OPERATOR, "grad_logits"].items()
    },
    (OPERATOR, "hvp"): HESSIANS,
}
MOVING_ACCURATE = {
    (OPERATOR, "jvp"): {"fraction": lambda a, x, z, c, v: fraction(a, x, z, v)},
    (OPERATOR, "hvp"): {"two_squares": two_squares},
}


def weighed(form: Callable[..., Array], *, last: bool) -> Callable[..., Array]:
    """``form`` of the smoothed label, the weight on its terms or after it."""

    def of(a, x, z, w, extra, c, kept):
        if last:
            return w * form(a, x, extra * z, a.one - z, c)
        return form(a, x, w * (extra * z), w * (a.one - z), c)

    return of


def by_labels(form: Callable[..., Array]) -> Callable[..., Array]:
    return lambda a, x, z, w, extra, c, kept: form(a, x, extra, c * (w * kept))


def _rows(forms: dict[str, Callable[..., Array]]) -> dict[str, Attributed]:
    return {f"{n} {m}": smoothed(f, scalars) for n, f in forms.items() for m, scalars in SCALARS.items()}


def _weighed(forms: dict[str, Callable[..., Array]]) -> dict[str, Attributed]:
    ways = {"": False, " weight_last": True}
    return _rows({n + way: weighed(f, last=last) for n, f in forms.items() for way, last in ways.items()})


ROWS_STABLE = {
    (OPERATOR, "value"): _weighed({n: two_terms(rest) for n, rest in LOGS.items()}),
    (OPERATOR, "grad_logits"): _weighed({"two_quotients": two_quotients, "in_turn": in_turn}),
    (OPERATOR, "grad_labels"): _rows({n: by_labels(by_two_logs(rest)) for n, rest in LOGS.items()}),
}
ROWS_ACCURATE = {
    (OPERATOR, "value"): {n: accurately(two_terms(LOGS["log1p"]), s) for n, s in SCALARS.items()},
    (OPERATOR, "grad_logits"): {n: accurately(two_quotients, s) for n, s in SCALARS.items()},
}
ROWS_ACCURATE[OPERATOR, "grad_labels"] = _rows({"logit": by_labels(relative_by_labels)})

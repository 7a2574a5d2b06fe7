"""Sigmoid cross-entropy with weights, positive weights and smoothing: each form of SPEC.md 8.10."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.reference.arithmetic import Arithmetic, Array
from tests.support.reference.textbook_attributes import SCALARS, Attributed, Scalars, Table, weights
from tests.support.reference.textbook_sigmoid import SIGMAS, SOFTPLUS, positive, softplus, two_branches
from xent_conformance.reference.attributes import Attributes

OPERATOR = "sigmoid_cross_entropy"
Form = Callable[[Arithmetic, Array, Array, Array, Array], Array]
"""``(a, x, z, w, P)`` with the smoothed label ``z``; gradients take ``c`` after it."""


def pos_weights(a: Arithmetic, given: Attributes, n: int) -> Array:
    return a.of([given.pos_weight or (1.0,) * n])


def smoothed(form: Callable[..., Array], scalars: Scalars) -> Attributed:
    """``form(a, x, z', w, P, c, 1 − ε)``."""

    def of(a, x, z, c, given):
        n = x.shape[1]
        kept, share = scalars(a, given, 2)
        return form(a, x, kept * z + share, weights(a, given, n), pos_weights(a, given, n), c, kept)

    return of


def one_plus(a: Arithmetic, z: Array, extra: Array) -> Array:
    """``l = 1 + (P − 1) z``."""
    return a.one + (extra - a.one) * z


def values() -> dict[str, Callable[..., Array]]:
    def direct(plus):
        return lambda a, x, z, w, extra, c, kept: w * ((extra * z) * plus(a, -x) + (a.one - z) * plus(a, x))

    def weight_on_terms(plus):
        return lambda a, x, z, w, extra, c, kept: (
            (w * (z * extra)) * plus(a, -x) + (w * (a.one - z)) * plus(a, x)
        )

    def with_l(plus):
        return lambda a, x, z, w, extra, c, kept: ((a.one - z) * x + one_plus(a, z, extra) * plus(a, -x)) * w

    def shifted(a, x, z, w, extra, c, kept):
        """PyTorch's older form: ``(1−z) x + l (m + log(exp(−m) + exp(−x−m)))``."""
        m = positive(-x)
        inner = a.log(a.exp(-m) + a.exp(-x - m)) + m
        return w * ((a.one - z) * x + one_plus(a, z, extra) * inner)

    forms = {
        f"{f.__name__} {n}": f(plus)
        for n, plus in SOFTPLUS.items()
        for f in (direct, weight_on_terms, with_l)
    }
    return forms | {"shifted": shifted}


def slopes() -> dict[str, Callable[..., Array]]:
    def pytorch(sigma):
        """``w ((P z + 1 − z) σ(x) − P z)``."""

        def form(a, x, z, w, extra, c, kept):
            t = extra * z
            return (((t + a.one) - z) * sigma(a, x) - t) * w * c

        return form

    def of_l(sigma):
        """``w ((1 − z) − l σ(−x))``."""

        def form(a, x, z, w, extra, c, kept):
            return c * (w * ((a.one - z) - one_plus(a, z, extra) * sigma(a, -x)))

        return form

    def two_terms(sigma):
        """``w ((1 − z) σ(x) − P z (1 − σ(x)))``."""

        def form(a, x, z, w, extra, c, kept):
            y = sigma(a, x)
            return (c * w) * ((a.one - z) * y - (extra * z) * (a.one - y))

        return form

    return {f"{f.__name__} {n}": f(s) for n, s in SIGMAS.items() for f in (pytorch, of_l, two_terms)}


def by_labels() -> dict[str, Callable[..., Array]]:
    def two_softplus(plus):
        return lambda a, x, z, w, extra, c, kept: (c * (w * kept)) * (extra * plus(a, -x) - plus(a, x))

    def of_l(plus):
        return lambda a, x, z, w, extra, c, kept: (c * kept) * (w * ((extra - a.one) * plus(a, -x) - x))

    return {f"{f.__name__} {n}": f(plus) for n, plus in SOFTPLUS.items() for f in (two_softplus, of_l)}


def _table(forms: dict[str, Callable[..., Array]]) -> dict[str, Attributed]:
    return {f"{n} {m}": smoothed(f, scalars) for n, f in forms.items() for m, scalars in SCALARS.items()}


def both_labels(scalars: Scalars) -> Callable[..., tuple[Array, Array]]:
    """``z'`` and ``1 − z' = (1 − ε)(1 − z) + ε/2``, which is not subtracted from one."""

    def of(a, z, given):
        kept, share = scalars(a, given, 2)
        return kept * z + share, kept * (a.one - z) + share

    return of


def accurately(form: Callable[..., Array], scalars: Scalars) -> Attributed:
    """``form(a, x, w P z', w (1 − z'), c)``."""

    def of(a, x, z, c, given):
        n = x.shape[1]
        chosen, other = both_labels(scalars)(a, z, given)
        w, extra = weights(a, given, n), pos_weights(a, given, n)
        return form(a, x, w * (extra * chosen), w * other, c)

    return of


def two_softplus(a, x, chosen, other, c):
    return chosen * softplus(a, -x) + other * softplus(a, x)


def relative_slope(a, x, chosen, other, c):
    return c * (other * two_branches(a, x) - chosen * two_branches(a, -x))


def relative_by_labels(a, x, z, w, extra, c, kept):
    return (c * (w * kept)) * (extra * softplus(a, -x) - softplus(a, x))


STABLE: Table = {
    (OPERATOR, "value"): _table(values()),
    (OPERATOR, "grad_logits"): _table(slopes()),
    (OPERATOR, "grad_labels"): _table(by_labels()),
}
ACCURATE: Table = {
    (OPERATOR, "value"): {n: accurately(two_softplus, scalars) for n, scalars in SCALARS.items()},
    (OPERATOR, "grad_logits"): {n: accurately(relative_slope, scalars) for n, scalars in SCALARS.items()},
    (OPERATOR, "grad_labels"): _table({"two_softplus": relative_by_labels}),
}

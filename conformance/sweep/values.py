"""Exact values to binary64, many millions a second, each with a bound on its own error: SPEC.md 8.21.

A value is ``base + rest``. ``base`` is a number without any error, which can be taken from what came back
exactly (0, 1/4, 1/2, 1, a logit); all error is in ``rest``, and relative to it. So ``1 − 10^-40`` is not 1.

The reference decides what this cannot. Nothing here is a bound on anybody else's error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from xent_conformance.reference.formats import Floats

FUNCTION = 2.0**-48
"""What is assumed of exp, expm1, log and log1p of NumPy, relative: 16 ulp of binary64. SPEC.md 8.21."""

RELATIVE = 2.0**-45
"""The relative error of ``rest`` that follows from it, for one argument."""

RELATIVE_OF_PAIRS = 2.0**-42
"""The same for a difference of two logits, which may itself be rounded."""

LEAST = 2.0**-1022
"""Stands for exponentials below it; what that moves a value by is within :data:`ABSOLUTE`."""

ABSOLUTE = 2.0**-1000
"""An error that every ``rest`` may have beside: below any number of 32 bits by 850 powers of two."""

_MIDDLE = 1.0
"""Nearer to 0 than this a sigmoid is told by its distance from one half."""


@dataclass(frozen=True)
class Parts:
    """``base + rest`` of many values, two arrays of one shape, or a ``base`` that is one number.

    ``terms``: the sizes of what the rest is a sum of, where it is one that may cancel.
    """

    base: Floats | float
    rest: Floats
    terms: Floats | None = None

    def mirrored(self) -> Parts:
        """Minus the value."""
        return Parts(-self.base, -self.rest)

    @property
    def size(self) -> Floats:
        """What the error of the rest is relative to."""
        return np.abs(self.rest) if self.terms is None else self.terms


def _exponential(size: Floats) -> Floats:
    """``exp(−|x|)``, never quite 0."""
    return np.maximum(np.exp(-size), LEAST)


def _half_tanh(x: Floats) -> Floats:
    """``σ(|x|) − 1/2 = −t / (2 (2 + t))`` with ``t = expm1(−|x|)``."""
    t = np.expm1(-np.abs(x))
    return -t / (4.0 + 2.0 * t)


def _either(x: Floats, middle: Callable[[Floats], Parts], outer: Callable[[Floats], Parts]) -> Parts:
    """``middle`` where ``|x| < 1``, else ``outer``. Neighbours are mostly on one side."""
    inside = np.abs(x) < _MIDDLE
    if inside.all():
        return middle(x)
    if not inside.any():
        return outer(x)
    one, other = middle(x), outer(x)
    return Parts(np.where(inside, one.base, other.base), np.where(inside, one.rest, other.rest))


def sigma(x: Floats) -> Parts:
    """``σ(x)``: from one half, from 1, or from 0."""

    def outer(x: Floats) -> Parts:
        e = _exponential(np.abs(x))
        return Parts((x > 0).astype(np.float64), np.copysign(e / (1.0 + e), -x))

    return _either(x, lambda x: Parts(0.5, np.copysign(_half_tanh(x), x)), outer)


def slope(x: Floats) -> Parts:
    """``σ(x) σ(−x)``: from one quarter, or from 0."""

    def outer(x: Floats) -> Parts:
        e = _exponential(np.abs(x))
        once = 1.0 + e
        return Parts(0.0, e / (once * once))

    return _either(x, lambda x: Parts(0.25, -(_half_tanh(x) ** 2)), outer)


def softplus(x: Floats) -> Parts:
    """``log(1 + exp(x)) = max(x, 0) + log1p(exp(−|x|))``."""
    return Parts(np.maximum(x, 0.0), np.log1p(_exponential(np.abs(x))))


def log_sigma(x: Floats) -> Parts:
    """``log σ(x) = −softplus(−x)``."""
    return softplus(-x).mirrored()


def logit(p: Floats) -> Parts:
    """``log(p / (1 − p))``; NaN outside [0, 1]. Near one half by ``log1p`` of a quotient of exact numbers."""
    inside = (p >= 0.25) & (p <= 0.75)
    if inside.all():
        return Parts(0.0, np.log1p((2.0 * p - 1.0) / (1.0 - p)))
    outer = np.log(p) - np.log1p(-p)
    if not inside.any():
        return Parts(0.0, outer)
    q = np.where(inside, p, 0.5)
    return Parts(0.0, np.where(inside, np.log1p((2.0 * q - 1.0) / (1.0 - q)), outer))


def logit_slope(p: Floats) -> Parts:
    """``1 / (p (1 − p))``; NaN outside [0, 1], and +∞ at its ends."""
    found = 1.0 / (np.abs(p) * (1.0 - p))
    return Parts(0.0, np.where((p >= 0.0) & (p <= 1.0), found, np.nan))


def _softplus_of_minus(x: Floats) -> Parts:
    return softplus(-x)


def _minus_sigma_of_minus(x: Floats) -> Parts:
    return sigma(-x).mirrored()


SINGLE: Mapping[tuple[str, str, int], Callable[[Floats], Parts]] = {
    ("sigmoid", "value", 0): sigma,
    ("sigmoid", "grad_logits", 0): slope,
    ("log_sigmoid", "value", 0): log_sigma,
    ("log_sigmoid", "grad_logits", 0): lambda x: sigma(-x),
    ("logit", "value", 0): logit,
    ("logit", "grad_logits", 0): logit_slope,
    ("sigmoid_cross_entropy", "value", 0): softplus,
    ("sigmoid_cross_entropy", "value", 1): _softplus_of_minus,
    ("sigmoid_cross_entropy", "grad_logits", 0): sigma,
    ("sigmoid_cross_entropy", "grad_logits", 1): _minus_sigma_of_minus,
}
"""By operator, output and hard label (0 where there is none): the value, with a cotangent of one."""


def difference(pair: Floats) -> tuple[Floats, Floats]:
    """``x_1 − x_2`` of ``(rows, 2)`` logits, exactly, as a sum of two numbers: the second is mostly 0."""
    a, b = pair[:, 0], pair[:, 1]
    d = a - b
    back = d - a
    low = (a - (d - back)) - (b + back)
    return d, np.where(np.isfinite(d), low, 0.0)


def pair_softmax(pair: Floats) -> Parts:
    """``σ(x_1 − x_2)`` and ``σ(x_2 − x_1)``, ``(rows, 2)``."""
    d, _ = difference(pair)
    return sigma(np.stack([d, -d], axis=1))


def pair_log_softmax(pair: Floats) -> Parts:
    """``log σ`` of both differences, ``(rows, 2)``."""
    d, low = difference(pair)
    found = log_sigma(np.stack([d, -d], axis=1))
    lows = np.stack([np.where(d < 0, low, 0.0), np.where(d > 0, -low, 0.0)], axis=1)
    return Parts(found.base, found.rest + lows, np.abs(found.rest) + np.abs(lows))


PAIRS: Mapping[str, Callable[[Floats], Parts]] = {"softmax": pair_softmax, "log_softmax": pair_log_softmax}


# --- what the bounds are made of beside ------------------------------------------------------------


def sizes(operator: str, x: Floats) -> dict[str, Floats]:
    """The sizes that bounds ask of the reference, ``(rows, …)`` as it has them."""
    if operator in PAIRS:
        d = np.abs(difference(x)[0])[:, None]
        rest = _whole(sigma(-d))
        return {"s": _whole(pair_softmax(x)), "L": _whole(softplus(-d)), "rest": rest}
    if operator == "logit":
        return {}
    found = {"sigma": _whole(sigma(x)), "mirror": _whole(sigma(-x))}
    if operator in ("log_sigmoid", "sigmoid_cross_entropy"):
        found["softplus_minus"] = _whole(softplus(-x))
    if operator == "sigmoid_cross_entropy":
        found["softplus"] = _whole(softplus(x))
    return found


def _whole(parts: Parts) -> Floats:
    return np.asarray(parts.base + parts.rest, dtype=np.float64)

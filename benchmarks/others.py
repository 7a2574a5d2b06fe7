"""The same values by mpmath and by gmpy2, at the precision that is certified here; neither certifies any.

As people write them: the shifted softmax family, and the sigmoid family of each logit by itself. Values
alone; what is certified here has gradients and bounds beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType, SimpleNamespace
from typing import Any

import gmpy2
import mpmath

BITS = 128
"""What the first step of the reference's ladder computes in."""

Numbers = Sequence[float]


def _gmpy2() -> Any:
    return SimpleNamespace(number=gmpy2.mpfr, exp=gmpy2.exp, log=gmpy2.log, log1p=gmpy2.log1p, sum=gmpy2.fsum)


def _mpmath() -> Any:
    return SimpleNamespace(
        number=mpmath.mpf, exp=mpmath.exp, log=mpmath.log, log1p=mpmath.log1p, sum=mpmath.fsum
    )


def _shifted(m: Any, x: Numbers) -> tuple[list[Any], Any]:
    every = list(map(m.number, x))
    largest = max(every)
    d = [v - largest for v in every]
    return d, m.sum([m.exp(v) for v in d])


def _softmax(m: Any, x: Numbers, _: Numbers) -> list[Any]:
    d, total = _shifted(m, x)
    return [m.exp(v) / total for v in d]


def _log_softmax(m: Any, x: Numbers, _: Numbers) -> list[Any]:
    d, total = _shifted(m, x)
    log = m.log(total)
    return [v - log for v in d]


def _cross_entropy(m: Any, x: Numbers, y: Numbers) -> list[Any]:
    d, total = _shifted(m, x)
    log = m.log(total)
    return [m.sum([m.number(p) * (log - v) for p, v in zip(y, d, strict=True)])]


def _sigmoid(m: Any, x: Numbers, _: Numbers) -> list[Any]:
    found = []
    for v in map(m.number, x):
        e = m.exp(-abs(v))
        found.append(1 / (1 + e) if v >= 0 else e / (1 + e))
    return found


def _softplus_minus(m: Any, v: Any) -> Any:
    return max(-v, 0) + m.log1p(m.exp(-abs(v)))


def _log_sigmoid(m: Any, x: Numbers, _: Numbers) -> list[Any]:
    return [-_softplus_minus(m, v) for v in map(m.number, x)]


def _binary(m: Any, x: Numbers, y: Numbers) -> list[Any]:
    pairs = zip(map(m.number, x), map(m.number, y), strict=True)
    return [(1 - z) * v + _softplus_minus(m, v) for v, z in pairs]


VALUES: dict[str, Callable[[Any, Numbers, Numbers], list[Any]]] = {
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "softmax_cross_entropy": _cross_entropy,
    "sigmoid": _sigmoid,
    "log_sigmoid": _log_sigmoid,
    "sigmoid_cross_entropy": _binary,
}
"""By operator: the values of one row, of its logits and its labels."""


def values(library: ModuleType, operator: str, logits: Sequence[Numbers], labels: Sequence[Numbers]) -> int:
    """Computes all rows with ``mpmath`` or ``gmpy2``; how many numbers."""
    m = _gmpy2() if library is gmpy2 else _mpmath()
    with gmpy2.context(gmpy2.get_context(), precision=BITS), mpmath.workprec(BITS):
        return sum(len(VALUES[operator](m, x, y)) for x, y in zip(logits, labels, strict=True))

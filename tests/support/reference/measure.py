"""How far an algorithm's answer is from the certified one, as a fraction of its bound.

Written apart from the suite's own judge, from SPEC.md §0, so that a mistake there is not repeated
here. All numbers are scaled by a power of two to where binary64 neither over- nor underflows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tests.support.reference.arithmetic import Arithmetic, Array
from xent_conformance.reference.attributes import PLAIN, Attributes
from xent_conformance.reference.exact.enclosure import Enclosure
from xent_conformance.reference.formats import EIGHT_BITS, Floats, Format
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.reference.oracle import Oracle, Truth


@dataclass(frozen=True)
class Ratios:
    """Error divided by bound, for each judged element; and where they are in the output."""

    accurate: Floats
    stable: Floats
    where: tuple[np.ndarray, ...]

    @property
    def worst_accurate(self) -> float:
        return float(self.accurate.max(initial=0.0))

    @property
    def worst_stable(self) -> float:
        return float(self.stable.max(initial=0.0))


def plain(inputs: Inputs) -> bool:
    """Whether nothing but values and gradients of rows is asked, and every row has a definition and a bound.

    Formats of eight bits have intervals in place of bounds (SPEC.md 8.19).
    """
    if inputs.format.name in EIGHT_BITS:
        return False
    if inputs.definition.labels == "index" and not ((inputs.labels >= 0) & (inputs.labels < inputs.n)).all():
        return False
    return bool(inputs.n) and inputs.attributes == PLAIN and inputs.copies == 1 and not inputs.tangent.size


def answer(algorithm: Callable[..., Array], a: Arithmetic, truth: Truth) -> Array:
    """The algorithm's output on a batch's own inputs, its tangent or its attributes the last argument."""
    with np.errstate(all="ignore"):
        return algorithm(a, *a.given(truth.inputs))


class Ruler:
    """One output of a batch, laid out for measuring one answer after another against it."""

    def __init__(self, truth: Truth, output: str) -> None:
        self.fmt, exact, bound = truth.inputs.format, truth.enclosure(output), truth.bound(output)
        self.shape = exact.hi.shape
        with np.errstate(all="ignore"):
            self.judged = np.isfinite(exact.round_to(self.fmt)) & _finite_rows(truth)
        self._exact, self._bound, self._tiers = exact, bound, dict[str, tuple[Floats, ...]]()

    def ratio(self, got: Array, tier: str) -> Floats:
        """Error / bound of the judged elements: those whose row and whose rounded exact value are finite."""
        assert got.dtype == self.fmt.dtype, "an algorithm left its format"
        assert got.shape == self.shape
        with np.errstate(all="ignore"):
            if tier not in self._tiers:
                self._tiers[tier] = self._scaled(self._exact, getattr(self._bound, tier))
            k, hi, lo, radius, bound = self._tiers[tier]
            error = np.maximum(np.abs((_in_units(got, self.fmt, k) - hi) - lo) - radius, 0.0)
            ratio = error / bound
        return np.where(error == 0, 0.0, np.where(np.isnan(ratio), np.inf, ratio))[self.judged]

    def _scaled(self, exact: Enclosure, bound: Floats) -> tuple[Floats, ...]:
        """Everything in units ``2**k`` near the bound.

        The unit is an ulp of the exact value, or 60 bits below the bound where that is larger: a
        difference between what exists in binary64 and zero is then never lost, nor does it overflow.
        """
        assert bound.shape == self.shape, "a bound of another shape than its output"
        k = np.maximum(self.fmt.ulp_exponent(exact.floor_log2()), np.frexp(bound)[1] - 60)
        parts = (np.ldexp(v, exact.exponent - k) for v in (exact.hi, exact.lo, exact.radius))
        return (k, *parts, np.ldexp(bound, -k))


def ratios(got: Array, truth: Truth, output: str) -> Ratios:
    """Error / bound in both tiers."""
    ruler = Ruler(truth, output)
    accurate, stable = (ruler.ratio(got, tier) for tier in ("accurate", "stable"))
    return Ratios(accurate, stable, np.nonzero(ruler.judged))


def _in_units(got: Array, fmt: Format, k: np.ndarray) -> Floats:
    """``got / 2**k``; an infinity counts as ``2**(emax + 1)``, the next number of the format."""
    g = got.astype(np.float64)
    if np.isfinite(g).all():
        return np.ldexp(g, -k)
    beyond = np.copysign(np.ldexp(1.0, fmt.emax + 1 - k), g)
    return np.where(np.isinf(g), beyond, np.ldexp(np.where(np.isinf(g), 0.0, g), -k))


def _finite_rows(truth: Truth) -> np.ndarray:
    """Rows that the textbook can answer: finite, and no sum of cotangents overflows (2.1 asks for more)."""
    i = truth.inputs
    finite = np.isfinite(i.logits) & (np.isfinite(i.labels) if i.definition.labels == "dense" else True)
    if i.definition.elementwise and not i.attributes.grouped:
        return finite
    summed = np.abs(i.cotangent).sum(axis=1, keepdims=True) <= i.format.largest
    return finite.all(axis=1, keepdims=True) & summed


def ask(
    operator: str,
    fmt: Format,
    x: list[float],
    p: list[float] | None = None,
    output: str = "value",
    attributes: Attributes = PLAIN,
    v: list[float] | None = None,
    c: list[float] | None = None,
) -> Callable[[Callable[..., Array]], Ratios]:
    """Measures an algorithm on one row or group of logits, rounded to the format.

    The cotangent is 1, or the first elements of ``c``.
    """
    o, n = OPERATORS[operator], len(x)
    labels = np.zeros((1, 0)) if p is None else fmt.nearest(np.array([p], dtype=np.float64))
    logits = fmt.nearest(np.array([x], dtype=np.float64))
    width = n if o.value_shape == "row" and not attributes.grouped else 1
    cotangent = np.array([(c or [1.0] * n)[:width]])
    tangent = np.zeros((0, 0)) if v is None else fmt.nearest(np.array([v], dtype=np.float64))
    truth = Oracle().truth(Inputs(operator, fmt, logits, labels, cotangent, attributes, tangent))
    return lambda algorithm: ratios(answer(algorithm, Arithmetic(fmt), truth), truth, output)

"""How far an algorithm's answer is from the certified one, as a fraction of its bound.

Written apart from the suite's own judge, from SPEC.md §0, so that a mistake there is not repeated
here. All numbers are scaled by a power of two to where binary64 neither over- nor underflows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from arithmetic import Arithmetic, Array
from textbook import Algorithm

from reference.enclosure import Enclosure
from reference.formats import Floats, Format
from reference.inputs import Inputs
from reference.operators import OPERATORS
from reference.oracle import Oracle, Truth


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


def answer(algorithm: Algorithm, a: Arithmetic, truth: Truth) -> Array:
    """The algorithm's output on a batch's own inputs."""
    i = truth.inputs
    labels = i.labels if i.definition.labels == "index" else a.of(i.labels)
    with np.errstate(all="ignore"):
        return algorithm(a, a.of(i.logits), labels, a.of(i.cotangent))


def ratios(got: Array, truth: Truth, output: str) -> Ratios:
    """Measure the elements whose row is finite and whose exact value is finite in the format."""
    fmt, enclosure, bound = truth.inputs.format, truth.enclosure(output), truth.bound(output)
    assert got.dtype == fmt.dtype, "an algorithm left its format"
    assert got.shape == enclosure.hi.shape
    with np.errstate(all="ignore"):
        accurate = _error_in_bounds(got, enclosure, fmt, bound.accurate)
        stable = _error_in_bounds(got, enclosure, fmt, bound.stable)
        judged = np.isfinite(enclosure.round_to(fmt)) & _finite_rows(truth)
    return Ratios(accurate[judged], stable[judged], np.nonzero(judged))


def _error_in_bounds(got: Array, exact: Enclosure, fmt: Format, bound: Floats) -> Floats:
    """``(|got − exact| − radius) / bound``, counted in units ``2**k`` near the bound.

    The unit is an ulp of the exact value, or 60 bits below the bound where that is larger: a
    difference between what exists in binary64 and zero is then never lost, nor does it overflow.
    """
    k = np.maximum(fmt.ulp_exponent(exact.floor_log2()), np.frexp(bound)[1] - 60)
    hi, lo, radius = (np.ldexp(v, exact.exponent - k) for v in (exact.hi, exact.lo, exact.radius))
    error = np.maximum(np.abs((_in_units(got, fmt, k) - hi) - lo) - radius, 0.0)
    ratio = error / np.ldexp(bound, -k)
    return np.where(error == 0, 0.0, np.where(np.isnan(ratio), np.inf, ratio))


def _in_units(got: Array, fmt: Format, k: np.ndarray) -> Floats:
    """``got / 2**k``; an infinity counts as ``2**(emax + 1)``, the next number of the format."""
    g = got.astype(np.float64)
    beyond = np.copysign(np.ldexp(1.0, fmt.emax + 1 - k), g)
    return np.where(np.isinf(g), beyond, np.ldexp(np.where(np.isinf(g), 0.0, g), -k))


def _finite_rows(truth: Truth) -> np.ndarray:
    i = truth.inputs
    finite = np.isfinite(i.logits) & (np.isfinite(i.labels) if i.definition.labels == "dense" else True)
    return finite if i.definition.elementwise else finite.all(axis=1, keepdims=True)


def ask(
    operator: str, fmt: Format, x: list[float], p: list[float] | None = None, output: str = "value"
) -> Callable[[Algorithm], Ratios]:
    """Measures an algorithm on one row of logits (rounded to the format) with cotangent 1."""
    o, n = OPERATORS[operator], len(x)
    labels = np.zeros((1, 0)) if p is None else fmt.nearest(np.array([p], dtype=np.float64))
    logits = fmt.nearest(np.array([x], dtype=np.float64))
    truth = Oracle().truth(
        Inputs(operator, fmt, logits, labels, np.ones((1, n if o.value_shape == "row" else 1)))
    )
    return lambda algorithm: ratios(answer(algorithm, Arithmetic(fmt), truth), truth, output)

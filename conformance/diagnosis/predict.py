"""What each hypothesis predicts for a batch, and where that would be wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from xent_conformance.diagnosis.anywhere import ANYWHERE
from xent_conformance.diagnosis.around import AROUND
from xent_conformance.diagnosis.constants import CONSTANTS
from xent_conformance.diagnosis.cotangents import COTANGENTS
from xent_conformance.diagnosis.formulas import FORMULAS
from xent_conformance.diagnosis.hypothesis import SPREAD, Hypothesis
from xent_conformance.diagnosis.labels import LABELS
from xent_conformance.diagnosis.reductions import REDUCTIONS
from xent_conformance.diagnosis.rounding_sigmoid import ROUNDING_SIGMOID
from xent_conformance.diagnosis.rounding_softmax import ROUNDING_SOFTMAX
from xent_conformance.diagnosis.situation import WIDE, Arithmetic, Array, Situation, arithmetics
from xent_conformance.diagnosis.special import SPECIAL
from xent_conformance.diagnosis.weights import WEIGHTS
from xent_conformance.reference.formats import Format, Ints
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.oracle import Truth

Mask = NDArray[np.bool_]

HYPOTHESES: tuple[Hypothesis, ...] = (
    *ROUNDING_SOFTMAX,
    *ROUNDING_SIGMOID,
    *LABELS,
    *WEIGHTS,
    *REDUCTIONS,
    *COTANGENTS,
    *CONSTANTS,
    *SPECIAL,
    *AROUND,
    *ANYWHERE,
)
"""Everything that is computed, in no order: see ``rank``."""

NEAR = 2.0
"""A prediction is met within so many ulps of it: one of the last rounding, one of what it is made of."""

LUCK = 2.0**20
"""Nobody is so much nearer to the exact result than a grid is fine, by luck: a door has ten thousand rows."""

MATERIAL = 4.0
"""A prediction is plainly wrong so many times beyond the accurate bound: not by its order of summation."""

Name = tuple[str, str]
"""A hypothesis, and what it is computed in or with, where there is a choice."""


@dataclass(frozen=True)
class Right:
    """What is right for one output of a batch: exact, rounded once, and the accurate bound, as numbers."""

    truth: Truth
    output: str

    @cached_property
    def exact(self) -> Array:
        return self.truth.enclosure(self.output).approximate()

    @cached_property
    def rounded(self) -> Array:
        return self.truth.enclosure(self.output).round_to(self.truth.inputs.format)

    @cached_property
    def accurate(self) -> Array:
        """The accurate bound, of one rounding at least; of one class nothing but the exact value will do."""
        if self.truth.inputs.n == 1 and not self.truth.inputs.definition.elementwise:
            return np.zeros_like(self.exact)
        with np.errstate(all="ignore"):
            once = np.abs(self.exact) * self.truth.inputs.format.u
            return np.asarray(np.maximum(self.truth.bound(self.output).accurate, once))


@dataclass(frozen=True)
class Prediction:
    """``(rows, elements)`` that would be returned, and how near is near enough, as numbers.

    ``step`` is an ulp of the largest number on the way, 0 where nothing is added.
    """

    hypothesis: Hypothesis
    name: Name
    right: Right
    values: Array
    near: Array
    step: Array

    def met(self, rows: Ints, index: Ints, got: Array, mild: Mask) -> Mask:
        """Where what was returned is what is predicted, and nearer to that than to what is right.

        Where the steps round apart by more than the accurate bound, the error itself is what is predicted,
        and not its digits, of what is a ``mild`` loss of accuracy and no more.
        """
        p, near, right = (a[rows, index] for a in (self.values, self.near, self.right.rounded))
        with np.errstate(all="ignore"):
            off = np.abs(p - got)
            nearer = (off < np.abs(right - got)) | ~np.isfinite(right) | self.hypothesis.rounds
            same = (p == got) | (np.isnan(p) & np.isnan(got)) | ((off <= near) & nearer)
            wrong = (self._error[rows, index] > 1.0) & (right != got)
            if self.hypothesis.rounds:
                wrong |= (NEAR * self.step[rows, index] > self.right.accurate[rows, index]) & mild
        return np.asarray(same & wrong & (mild | (not self.hypothesis.innocent)))

    def contradicted(self, rows: Ints, index: Ints, got: Array) -> Mask:
        """Where what was returned is right, and this would be wrong beyond doubt.

        A number that is near the prediction may be right by luck, on the grid of what was rounded on the way;
        one that is a million times nearer to the exact result than that grid is fine was not had so. (Zero is
        a point of every grid.)
        """
        p, near, exact = (a[rows, index] for a in (self.values, self.near, self.right.exact))
        grid = NEAR * self.step[rows, index] if self.hypothesis.rounds else near
        with np.errstate(all="ignore"):
            other = ~(np.abs(p - got) <= near) | ((np.abs(got - exact) <= grid / LUCK) & (exact != 0))
        return np.asarray(
            (self._error[rows, index] > MATERIAL) & other & ~((p == got) | (np.isnan(p) & np.isnan(got)))
        )

    @cached_property
    def _error(self) -> Array:
        """How far the prediction is from the exact result, over the accurate bound; infinite if special.

        An infinity stands beside the largest number, as it does for the judge (SPEC.md §0).
        """
        values, rounded = self.values, self.right.rounded
        largest = self.right.truth.inputs.format.largest
        with np.errstate(all="ignore"):
            number = np.where(np.isinf(values), np.copysign(largest, values), values)
            far = np.abs(number - self.right.exact) / self.right.accurate
        special = np.isnan(values) != np.isnan(rounded)
        special |= np.isinf(rounded) & (values != rounded)
        far = np.where(np.isinf(rounded) | (values == rounded), 0.0, far)
        return np.where(special, np.inf, np.where(np.isnan(far), 0.0, far))


def predictions(
    truth: Truth,
    output: str,
    wanted: Callable[[Name], bool] = lambda name: True,
    last: int | None = None,
) -> Iterator[Prediction]:
    """Every hypothesis that speaks of this output, in every arithmetic of the format or with every constant.

    ``last`` is the length of the last axis, where that is not the axis of the classes.
    """
    inputs = truth.inputs
    if not modelled(inputs):
        return
    right = Right(truth, output)
    asked = [h for h in HYPOTHESES if (inputs.operator, output) in h.where]
    with np.errstate(all="ignore"):
        for arithmetic in arithmetics(inputs.format):
            z = Situation(truth, arithmetic, output, FORMULAS, last)
            for h in asked:
                if (h.rounds or h.steps) and wanted(named(h, arithmetic.name)):
                    yield from _predicted(right, h, arithmetic.name, z)
        z = Situation(truth, WIDE, output, FORMULAS, last)
        usual = z.whole[0]
        for h in asked:
            if h.rounds or h.steps:
                continue
            for parameter in h.parameters or (None,):
                name = "" if parameter is None else str(parameter)
                if wanted(named(h, name)):
                    yield from _predicted(right, h, name, z, parameter, usual)


def named(h: Hypothesis, computed: str) -> Name:
    return h.name, ", ".join(part for part in (h.variant, computed) if part)


def modelled(inputs: Inputs) -> bool:
    """Whether there is anything to compute, and the models know all of it."""
    a = inputs.attributes
    given = inputs.definition.domain not in ("reals", "unit")
    return bool(inputs.logits.size) and not (a.weight_dtype or a.matrix or given)


def _predicted(
    right: Right, h: Hypothesis, name: str, z: Situation, parameter: object = None, usual: Array | None = None
) -> Iterator[Prediction]:
    """Nothing where the hypothesis has no say, or comes to what is right."""
    changed = h.change(z) if parameter is None else h.change(z, parameter)
    if changed is None:
        return
    result, sized = changed.whole
    if usual is not None and np.array_equal(result, usual, equal_nan=True):
        return
    shape = right.exact.shape
    if result.shape[0] != shape[0] or result.shape[1] not in (1, shape[1]):
        return
    fmt = right.truth.inputs.format
    values = np.broadcast_to(z.rounded(result), shape)
    precision = _precision(changed.a) if h.rounds or h.steps or changed.a is not z.a else fmt.precision
    step = np.broadcast_to(_step(precision, np.asarray(sized, dtype=np.float64)), shape)
    own = _ulps(fmt, values, min(precision, fmt.precision))
    near = NEAR * own + SPREAD * step
    yield Prediction(h, named(h, name), right, values, near, step)


def _precision(a: Arithmetic) -> int:
    return {2: 11, 4: 24, 8: 53}[a.working.itemsize] if a.working.kind == "f" else 8


def _ulps(fmt: Format, values: Array, precision: int) -> Array:
    """An ulp of each number, in so many bits; of what is no number, none."""
    finite = np.where(np.isfinite(values), values, 0.0)
    k = fmt.ulp_exponent(np.frexp(finite)[1].astype(np.int64) - 1) + (fmt.precision - precision)
    return np.asarray(np.ldexp(1.0, k))


def _step(precision: int, scale: Array) -> Array:
    """An ulp of the largest number on the way, in the format of each step."""
    sized = np.isfinite(scale) & (scale > 0)
    exponent = np.frexp(np.where(sized, scale, 1.0))[1]
    return np.asarray(np.where(sized, np.ldexp(1.0, exponent - precision), 0.0))

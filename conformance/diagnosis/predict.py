"""What each hypothesis predicts for a batch, and where that would be wrong."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from xent_conformance.diagnosis.anywhere import ANYWHERE
from xent_conformance.diagnosis.around import AROUND
from xent_conformance.diagnosis.constants import CONSTANTS
from xent_conformance.diagnosis.cotangents import COTANGENTS
from xent_conformance.diagnosis.distributions import DISTRIBUTIONS
from xent_conformance.diagnosis.divergences import DIVERGENCES
from xent_conformance.diagnosis.formulas import FORMULAS
from xent_conformance.diagnosis.fused import FUSED
from xent_conformance.diagnosis.given import GIVEN
from xent_conformance.diagnosis.hypothesis import SPREAD, Hypothesis
from xent_conformance.diagnosis.labels import LABELS
from xent_conformance.diagnosis.layer import situation, speaks_of
from xent_conformance.diagnosis.layers import LAYERS
from xent_conformance.diagnosis.probabilities import PROBABILITIES
from xent_conformance.diagnosis.reductions import REDUCTIONS
from xent_conformance.diagnosis.rounding_sigmoid import ROUNDING_SIGMOID
from xent_conformance.diagnosis.rounding_softmax import ROUNDING_SOFTMAX
from xent_conformance.diagnosis.shifts import SHIFTS
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
    *SHIFTS,
    *CONSTANTS,
    *SPECIAL,
    *GIVEN,
    *PROBABILITIES,
    *DISTRIBUTIONS,
    *DIVERGENCES,
    *LAYERS,
    *AROUND,
    *FUSED,
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
class There:
    """Some elements of one output of a batch, and what is right there, as numbers: see :class:`Right`."""

    rows: Ints
    index: Ints
    format: Format
    exact: Array
    rounded: Array
    accurate: Array


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

    def at(self, rows: Ints, index: Ints) -> There:
        exact, rounded, accurate = (a[rows, index] for a in (self.exact, self.rounded, self.accurate))
        return There(rows, index, self.truth.inputs.format, exact, rounded, accurate)


@dataclass(frozen=True)
class Prediction:
    """``(rows, elements)`` that would be returned, and how large the steps to it were.

    ``result``, ``sized`` and ``usual`` have a column, or one number, where all elements have the same.
    ``precision`` is that of each step; ``usual`` is what the right formula gives in these steps, None where
    that does not matter.
    """

    hypothesis: Hypothesis
    name: Name
    right: Right
    result: Array
    sized: Array
    precision: int
    usual: Array | None

    @property
    def values(self) -> Array:
        """As numbers of the format."""
        return np.asarray(np.broadcast_to(self._rounded(self.result), self.right.exact.shape))

    @property
    def says(self) -> Mask:
        """Where it is not what the right formula gives in these steps."""
        apart = True if self.usual is None else _apart(self.result, self.usual)
        return np.broadcast_to(apart, self.right.exact.shape)

    def at(self, there: There) -> Predicted:
        result = _picked(self.result, there)
        p = self._rounded(result)
        step = _step(self.precision, _picked(self.sized, there))
        says = np.True_ if self.usual is None else _apart(result, _picked(self.usual, there))
        own = _ulps(there.format, p, min(self.precision, there.format.precision))
        return Predicted(self.hypothesis, there, p, NEAR * own + SPREAD * step, step, says)

    def _rounded(self, result: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.asarray(result.astype(self.right.truth.inputs.format.dtype).astype(np.float64))


def _picked(a: Array, there: There) -> Array:
    """Of what may have one row or one column for all, what stands at these elements."""
    if a.ndim < 2:
        return a
    rows = there.rows if a.shape[0] > 1 else 0
    found = a[rows, there.index if a.shape[1] > 1 else 0]
    return np.asarray(found)


@dataclass(frozen=True)
class Predicted:
    """What would be returned at some elements, and how ``near`` is near enough.

    ``step`` is an ulp of the largest number on the way, 0 where nothing is added.
    """

    hypothesis: Hypothesis
    there: There
    values: Array
    near: Array
    step: Array
    says: Mask | np.bool_

    def met(self, got: Array, mild: Mask) -> Mask:
        """Where what was returned is what is predicted, and nearer to that than to what is right.

        Where correct steps may be off by more than the accurate bound, which is half of what two of them may
        be apart, the error itself is what is predicted, and not its digits, of what is a ``mild`` loss of
        accuracy and no more. What the right formula gives in the same steps, an infinity for instance, is
        told of the steps.
        """
        p, right = self.values, self.there.rounded
        alone = self.says | (mild & self.hypothesis.rounds)
        wrong: Mask = (self._error > 1.0) & (right != got) & alone
        if self.hypothesis.rounds:
            wrong |= (SPREAD / 2 * self.step > self.there.accurate) & mild
        if not wrong.any():
            return wrong
        with np.errstate(all="ignore"):
            off, beside = np.abs(p - got), np.abs(right - got)
        nearer = (off < beside) | ~np.isfinite(right) | self.hypothesis.rounds
        same = (p == got) | (np.isnan(p) & np.isnan(got)) | ((off <= self.near) & nearer)
        return np.asarray(same & wrong & (mild | (not self.hypothesis.innocent)))

    def contradicted(self, got: Array) -> Mask:
        """Where what was returned is right, and this would be wrong beyond doubt.

        A number that is near the prediction may be right by luck, on the grid of what was rounded on the way;
        one that is a million times nearer to the exact result than that grid is fine was not had so. (Zero is
        a point of every grid.)
        """
        wrong = self._error > MATERIAL
        if not wrong.any():
            return wrong
        p, exact = self.values, self.there.exact
        grid = NEAR * self.step if self.hypothesis.rounds else self.near
        with np.errstate(all="ignore"):
            other = ~(np.abs(p - got) <= self.near) | ((np.abs(got - exact) <= grid / LUCK) & (exact != 0))
        return np.asarray(wrong & other & ~((p == got) | (np.isnan(p) & np.isnan(got))))

    @cached_property
    def _error(self) -> Array:
        """How far the prediction is from the exact result, over the accurate bound; infinite if special.

        An infinity stands beside the largest number, as it does for the judge (SPEC.md §0).
        """
        values, rounded = np.broadcast_to(self.values, self.there.rounded.shape), self.there.rounded
        found = np.zeros(rounded.shape)
        apart = np.flatnonzero(_apart(values, rounded))
        if not apart.size:
            return found
        p, right = values[apart], rounded[apart]
        number = np.where(np.isinf(p), np.copysign(self.there.format.largest, p), p)
        with np.errstate(all="ignore"):
            far = np.abs(number - self.there.exact[apart]) / self.there.accurate[apart]
        far = np.where(np.isinf(right) | np.isnan(far), 0.0, far)
        special = (np.isnan(p) != np.isnan(right)) | np.isinf(right)
        found[apart] = np.where(special, np.inf, far)
        return found


def predictions(
    right: Right,
    wanted: Callable[[Name], bool] = lambda name: True,
    last: int | None = None,
) -> Iterator[Prediction]:
    """Every hypothesis that speaks of this output, in every arithmetic of the format or with every constant.

    ``last`` is the length of the last axis, where that is not the axis of the classes.
    """
    truth, output = right.truth, right.output
    inputs = truth.inputs
    if not modelled(inputs):
        return
    plan = [step for step in _plan(inputs.operator, output, inputs.format) if wanted(step.name)]
    with np.errstate(all="ignore"):
        # one at a time: of a row of a vocabulary what each has computed is much memory
        for arithmetic, steps in itertools.groupby(plan, key=lambda step: step.arithmetic):
            z = situation(truth, arithmetic, output, FORMULAS, last)
            for step in steps:
                found = _predicted(right, step, z)
                if found is not None:
                    yield found
                    del found


def names(inputs: Inputs, output: str) -> list[Name]:
    """Of those hypotheses, whether they come to anything else than what is right or not; each once."""
    return [step.name for step in _plan(inputs.operator, output, inputs.format)] if modelled(inputs) else []


class _Step(NamedTuple):
    """A hypothesis with one of its constants, or in one arithmetic."""

    name: Name
    hypothesis: Hypothesis
    arithmetic: Arithmetic
    parameter: object = None


@functools.cache
def _plan(operator: str, output: str, fmt: Format) -> tuple[_Step, ...]:
    asked = speaking_of(operator, output)
    in_steps = [_Step(named(h, a.name), h, a) for a in arithmetics(fmt) for h in asked if h.rounds or h.steps]
    at_once = [
        _Step(named(h, "" if parameter is None else str(parameter)), h, WIDE, parameter)
        for h in asked
        if not (h.rounds or h.steps)
        for parameter in h.parameters or (None,)
    ]
    return (*in_steps, *at_once)


@functools.cache
def speaking_of(operator: str, output: str) -> tuple[Hypothesis, ...]:
    """Of a layer also what speaks of its loss."""
    places = {(operator, output), speaks_of(operator, output)}
    return tuple(h for h in HYPOTHESES if places & h.where)


def named(h: Hypothesis, computed: str) -> Name:
    return h.name, ", ".join(part for part in (h.variant, computed) if part)


def modelled(inputs: Inputs) -> bool:
    """Whether there is anything to compute."""
    return bool(inputs.logits.size)


def _predicted(right: Right, step: _Step, z: Situation) -> Prediction | None:
    """Nothing where the hypothesis has no say, or comes to what is right."""
    h, parameter = step.hypothesis, step.parameter
    rounding = h.rounds or h.steps
    changed = h.change(z) if parameter is None else h.change(z, parameter)
    if changed is None or (changed is z and not rounding):
        return None
    result, sized = changed.whole
    usual = z.whole[0]
    if not rounding and _equal(result, usual):
        return None
    shape = right.exact.shape
    if result.shape[0] != shape[0] or result.shape[1] not in (1, shape[1]):
        return None
    own = rounding or changed.a is not z.a
    precision = _precision(changed.a) if own else right.truth.inputs.format.precision
    wide = np.asarray(sized, dtype=np.float64)
    return Prediction(
        h, step.name, right, result, wide, precision, usual if rounding and not h.plain else None
    )


def _equal(a: Array, b: Array) -> bool:
    """The same numbers, NaN among them."""
    return a is b or (a.shape == b.shape and not _apart(a, b).any())


def _apart(a: Array, b: Array) -> Mask:
    return np.asarray((a != b) & ((a == a) | (b == b)))


def _precision(a: Arithmetic) -> int:
    own = {"float8_e4m3fn": 4, "float8_e5m2": 3, "bfloat16": 8}
    return own.get(a.working.name) or {2: 11, 4: 24, 8: 53}[a.working.itemsize]


def _ulps(fmt: Format, values: Array, precision: int) -> Array:
    """An ulp of each number, in so many bits; of what is no number, none."""
    finite = np.where(np.isfinite(values), values, 0.0)
    k = fmt.ulp_exponent(np.frexp(finite)[1].astype(np.int64) - 1) + (fmt.precision - precision)
    return np.asarray(np.ldexp(1.0, k))


def _step(precision: int, scale: Array) -> Array:
    """An ulp of the largest number on the way, in the format of each step."""
    if not scale.ndim and not scale:
        return scale
    sized = np.isfinite(scale) & (scale > 0)
    exponent = np.frexp(np.where(sized, scale, 1.0))[1]
    return np.asarray(np.where(sized, np.ldexp(1.0, exponent - precision), 0.0))

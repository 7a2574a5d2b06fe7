"""What each hypothesis predicts for a batch, and where that would be wrong."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from xent_conformance.diagnosis.anywhere import ANYWHERE
from xent_conformance.diagnosis.around import AROUND
from xent_conformance.diagnosis.constants import CONSTANTS
from xent_conformance.diagnosis.cotangents import COTANGENTS
from xent_conformance.diagnosis.distributions import DISTRIBUTIONS
from xent_conformance.diagnosis.divergences import DIVERGENCES
from xent_conformance.diagnosis.formulas import FORMULAS
from xent_conformance.diagnosis.given import GIVEN
from xent_conformance.diagnosis.hypothesis import SPREAD, Hypothesis
from xent_conformance.diagnosis.labels import LABELS
from xent_conformance.diagnosis.layer import situation, speaks_of
from xent_conformance.diagnosis.layers import LAYERS
from xent_conformance.diagnosis.probabilities import PROBABILITIES
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
    *GIVEN,
    *PROBABILITIES,
    *DISTRIBUTIONS,
    *DIVERGENCES,
    *LAYERS,
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
    """``(rows, elements)`` that would be returned, as numbers, and how large the steps to it were.

    ``precision`` is that of each step. ``says``: where it is not what the right formula gives in these steps.
    """

    hypothesis: Hypothesis
    name: Name
    values: Array
    sized: Array
    precision: int
    says: Mask

    def at(self, there: There) -> Predicted:
        p = self.values[there.rows, there.index]
        step = _step(self.precision, self.sized[there.rows, there.index])
        own = _ulps(there.format, p, min(self.precision, there.format.precision))
        says = self.says[there.rows, there.index]
        return Predicted(self.hypothesis, there, p, NEAR * own + SPREAD * step, step, says)


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
    says: Mask

    def met(self, got: Array, mild: Mask) -> Mask:
        """Where what was returned is what is predicted, and nearer to that than to what is right.

        Where correct steps may be off by more than the accurate bound, which is half of what two of them may
        be apart, the error itself is what is predicted, and not its digits, of what is a ``mild`` loss of
        accuracy and no more. What the right formula gives
        in the same steps, an infinity for instance, is told of the steps.
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
        values, rounded = self.values, self.there.rounded
        number = np.where(np.isinf(values), np.copysign(self.there.format.largest, values), values)
        with np.errstate(all="ignore"):
            far = np.abs(number - self.there.exact) / self.there.accurate
        special = np.isnan(values) != np.isnan(rounded)
        special |= np.isinf(rounded) & (values != rounded)
        far = np.where(np.isinf(rounded) | (values == rounded), 0.0, far)
        return np.where(special, np.inf, np.where(np.isnan(far), 0.0, far))


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
    asked = speaking_of(inputs.operator, output)
    wide = situation(truth, WIDE, output, FORMULAS, last)
    with np.errstate(all="ignore"):
        for arithmetic in arithmetics(inputs.format):
            z = wide if arithmetic is WIDE else situation(truth, arithmetic, output, FORMULAS, last)
            for h in asked:
                if (h.rounds or h.steps) and wanted(named(h, arithmetic.name)):
                    yield from _predicted(right, h, arithmetic.name, z)
        usual = wide.whole[0]
        for h in asked:
            if h.rounds or h.steps:
                continue
            for parameter in h.parameters or (None,):
                name = "" if parameter is None else str(parameter)
                if wanted(named(h, name)):
                    yield from _predicted(right, h, name, wide, parameter, usual)


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


def _predicted(
    right: Right, h: Hypothesis, name: str, z: Situation, parameter: object = None, usual: Array | None = None
) -> Iterator[Prediction]:
    """Nothing where the hypothesis has no say, or comes to what is right."""
    changed = h.change(z) if parameter is None else h.change(z, parameter)
    if changed is None or (usual is not None and changed is z):
        return
    result, sized = changed.whole
    if usual is not None and _equal(result, usual):
        return
    shape = right.exact.shape
    if result.shape[0] != shape[0] or result.shape[1] not in (1, shape[1]):
        return
    fmt = right.truth.inputs.format
    values = np.broadcast_to(z.rounded(result), shape)
    precision = _precision(changed.a) if h.rounds or h.steps or changed.a is not z.a else fmt.precision
    wide = np.broadcast_to(np.asarray(sized, dtype=np.float64), shape)
    own = usual is not None or h.plain
    apart = np.ones((1, 1), dtype=bool) if own else _apart(result, z.whole[0])
    yield Prediction(h, named(h, name), values, wide, precision, np.broadcast_to(apart, shape))


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
    sized = np.isfinite(scale) & (scale > 0)
    exponent = np.frexp(np.where(sized, scale, 1.0))[1]
    return np.asarray(np.where(sized, np.ldexp(1.0, exponent - precision), 0.0))

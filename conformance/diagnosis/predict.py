"""What each hypothesis predicts for a batch, and where that would be wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from xent_conformance.diagnosis.anywhere import ANYWHERE
from xent_conformance.diagnosis.hypothesis import Hypothesis
from xent_conformance.diagnosis.sigmoids import SIGMOIDS
from xent_conformance.diagnosis.situation import Arithmetic, Array, Situation, arithmetics
from xent_conformance.diagnosis.softmaxes import SOFTMAXES
from xent_conformance.reference.formats import FORMATS, Format, Ints
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.oracle import Truth

Mask = NDArray[np.bool_]

HYPOTHESES: tuple[Hypothesis, ...] = (*SOFTMAXES, *SIGMOIDS, *ANYWHERE)
"""Everything that is tried, in no order: see ``rank``."""

NEAR = 2.0
"""A prediction is met within so many ulps of it, and of the largest number on the way."""

LUCK = 1024.0
"""Nobody is so much nearer to the exact result than a grid is fine, by luck."""

MATERIAL = 4.0
"""A prediction is plainly wrong so many times beyond the accurate bound: not by its order of summation."""


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
        """The accurate bound, of one rounding at least."""
        with np.errstate(all="ignore"):
            once = np.abs(self.exact) * self.truth.inputs.format.u
            return np.asarray(np.maximum(self.truth.bound(self.output).accurate, once))


@dataclass(frozen=True)
class Prediction:
    """``(rows, elements)`` that would be returned, and how near is near enough, as numbers."""

    hypothesis: Hypothesis
    arithmetic: Arithmetic
    right: Right
    values: Array
    near: Array

    @property
    def name(self) -> tuple[str, str]:
        """The hypothesis, and what it is computed in where there is a choice."""
        return self.hypothesis.name, self.arithmetic.name

    def met(self, rows: Ints, index: Ints, got: Array) -> Mask:
        """Where what was returned is what is predicted, and that is wrong."""
        p, near = self.values[rows, index], self.near[rows, index]
        with np.errstate(all="ignore"):
            same = (p == got) | (np.isnan(p) & np.isnan(got)) | (np.abs(p - got) <= near)
        return np.asarray(same & (self._error[rows, index] > 1.0))

    def contradicted(self, rows: Ints, index: Ints, got: Array) -> Mask:
        """Where what was returned is right, and this would be wrong beyond doubt.

        A number that is near the prediction may be right by luck, on the grid of what was rounded on the way;
        one that is a thousand times nearer to the exact result than that grid is fine was not had so.
        """
        p, near, exact = (a[rows, index] for a in (self.values, self.near, self.right.exact))
        with np.errstate(all="ignore"):
            other = ~(np.abs(p - got) <= near) | (np.abs(got - exact) <= near / LUCK)
        return np.asarray((self._error[rows, index] > MATERIAL) & other)

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


def predictions(truth: Truth, output: str) -> Iterator[Prediction]:
    """Every hypothesis that speaks of this output, in every arithmetic of the format."""
    inputs = truth.inputs
    if not modelled(inputs):
        return
    fmt, right = inputs.format, Right(truth, output)
    for arithmetic in arithmetics(fmt):
        z = Situation(truth, arithmetic)
        for h in HYPOTHESES:
            model = h.models.get((inputs.operator, output))
            if model is None or (h.exact and arithmetic != arithmetics(fmt)[0]):
                continue
            with np.errstate(all="ignore"):
                result, scale = model(z)
                values = np.broadcast_to(_rounded(z, h, result), truth.enclosure(output).hi.shape)
                step = _step(z, np.asarray(scale, dtype=np.float64))
                if step.ndim == 2 and step.shape[1] > values.shape[1]:
                    step = step.max(axis=1, keepdims=True)
                near = NEAR * (_ulps(fmt, values) + step)
            yield Prediction(h, arithmetic, right, values, np.broadcast_to(near, values.shape))


def modelled(inputs: Inputs) -> bool:
    """Whether the models know all that is given: one that leaves something out contradicts nobody."""
    a = inputs.attributes
    unknown = a.around or a.eps is not None or a.row_weight or inputs.labels_format or a.weight_dtype
    inside = inputs.definition.labels == "none" and a.weight
    return not (a.grouped or inputs.copies > 1 or not inputs.logits.size or unknown or inside)


def _rounded(z: Situation, h: Hypothesis, result: Array) -> Array:
    return np.asarray(result, dtype=np.float64) if h.exact else z.rounded(result)


def _ulps(fmt: Format, values: Array) -> Array:
    """An ulp of each number; of what is no number, none."""
    finite = np.where(np.isfinite(values), values, 0.0)
    return np.asarray(np.ldexp(1.0, fmt.ulp_exponent(np.frexp(finite)[1].astype(np.int64) - 1)))


def _step(z: Situation, scale: Array) -> Array:
    """An ulp of the largest number on the way, in the format of each step."""
    precision = FORMATS[z.a.working.name].precision
    sized = np.isfinite(scale) & (scale > 0)
    return np.asarray(
        np.where(sized, np.ldexp(1.0, np.frexp(np.where(sized, scale, 1.0))[1] - precision), 0.0)
    )

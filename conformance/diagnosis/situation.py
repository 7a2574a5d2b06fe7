"""One batch in an arithmetic, in the letters of SPEC.md §0: what a hypothesis computes with.

Every operation of NumPy on these arrays rounds to their format, as an implementation that works in it does.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from xent_conformance.reference.formats import Format
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.oracle import Truth

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Arithmetic:
    """``working`` is the format of every step, ``sums`` that of a sum before it is rounded to that."""

    name: str
    working: np.dtype[Any]
    sums: np.dtype[Any]
    saved: bool = False
    """Probabilities and log-probabilities are those that were returned, rounded to the tested format."""


def arithmetics(fmt: Format) -> tuple[Arithmetic, ...]:
    """What code for a format computes in: the format itself, and binary32 throughout for 16 bits."""
    own, single = np.dtype(fmt.dtype), np.dtype(np.float32)
    if fmt.precision >= 24:
        return (Arithmetic("", own, own),)
    return (
        Arithmetic("in binary32, rounded once", single, single),
        Arithmetic("in binary32 from saved results", single, single, saved=True),
        Arithmetic("every step rounded to the format, sums in binary32", own, single),
        Arithmetic("every step and every sum rounded to the format", own, own),
    )


@dataclass(frozen=True)
class Situation:
    """``(rows, N)`` arrays of a batch whose rows are examples; ``a`` is what they are computed in."""

    truth: Truth
    a: Arithmetic

    @property
    def inputs(self) -> Inputs:
        return self.truth.inputs

    def of(self, numbers: Any) -> Array:
        """Numbers of the tested format, as this arithmetic has them."""
        return np.asarray(numbers).astype(self.inputs.format.dtype).astype(self.a.working)

    def total(self, terms: Array) -> Array:
        """``Σ`` over the classes, ``(rows, 1)``."""
        summed = terms.astype(self.a.sums).sum(axis=1, keepdims=True, dtype=self.a.sums)
        return np.asarray(summed.astype(self.a.working))

    def rounded(self, result: Array) -> Array:
        """As it is returned: in the tested format, as binary64 carriers."""
        return np.asarray(result.astype(self.inputs.format.dtype).astype(np.float64))

    def kept(self, result: Array) -> Array:
        """A result that a backward starts from: as it was returned, if that is what was saved."""
        return self.of(result) if self.a.saved else result

    @cached_property
    def x(self) -> Array:
        return self.of(self.inputs.logits)

    @cached_property
    def c(self) -> Array:
        """The cotangent, ``(rows, 1)`` or ``(rows, N)``."""
        return self.of(self.inputs.cotangent)

    @cached_property
    def p(self) -> Array:
        """Labels; one-hot of an index."""
        return self.of(self.inputs.dense_labels)

    @cached_property
    def weight(self) -> Array:
        return self.of([self.inputs.attributes.weight or (1.0,)])

    @cached_property
    def pos_weight(self) -> Array:
        return self.of([self.inputs.attributes.pos_weight or (1.0,)])

    @cached_property
    def smoothing(self) -> Array:
        return self.of(self.inputs.attributes.label_smoothing)

    @cached_property
    def one(self) -> Array:
        return self.of(1.0)

    @cached_property
    def slope(self) -> Array:
        """``∂q_i/∂p_i``."""
        return np.asarray(self.weight * (self.one - self.smoothing))

    @cached_property
    def q(self) -> Array:
        """Effective labels; nothing of an ignored row."""
        inputs = self.inputs
        q = self.p
        if inputs.attributes.label_smoothing:
            q = (self.one - self.smoothing) * q + self.smoothing / self.of(float(inputs.n))
        q = self.weight * q if inputs.attributes.weight else q
        if inputs.attributes.ignore_index is not None:
            q = np.where(inputs.labels == inputs.attributes.ignore_index, self.of(0.0), q)
        return np.asarray(q)

    @cached_property
    def m(self) -> Array:
        return np.asarray(self.x.max(axis=1, keepdims=True))

    @cached_property
    def d(self) -> Array:
        """``x − m``: not positive."""
        return np.asarray(self.x - self.m)

    @cached_property
    def e(self) -> Array:
        return np.asarray(np.exp(self.d))

    @cached_property
    def S(self) -> Array:
        return self.total(self.e)

    @cached_property
    def s(self) -> Array:
        return self.kept(np.asarray(self.e / self.S))

    @cached_property
    def L(self) -> Array:
        return np.asarray(np.log(self.S))

    @cached_property
    def ell(self) -> Array:
        """``d − log S``: the textbook's log-softmax."""
        return self.kept(np.asarray(self.d - self.L))

    @cached_property
    def sigma(self) -> Array:
        """``1 / (1 + exp(−x))``, from the side that does not overflow."""
        t = np.exp(-np.abs(self.x))
        return self.kept(np.asarray(np.where(self.x >= 0, self.one / (self.one + t), t / (self.one + t))))

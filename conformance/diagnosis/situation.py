"""One batch in an arithmetic, in the letters of SPEC.md §0: what a hypothesis computes with.

Every operation of NumPy on these arrays rounds to their format, as an implementation that works in it does.
The formulas keep relative accuracy (SPEC.md 8.1): what a hypothesis supposes is wrong, and nothing else.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from xent_conformance.diagnosis.pieces import Pieces, piece
from xent_conformance.reference.attributes import Attributes
from xent_conformance.reference.formats import FORMATS, Format
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.oracle import Truth

Array = np.ndarray[Any, np.dtype[Any]]

Pair = tuple[Array, Array | float]
"""Results, and the size of the largest number that was added or subtracted on the way: an ulp of that is what
another order of the same steps may move."""

Sum = Callable[["Situation", Array], Array]
Quotient = Callable[["Situation", Array, Array], Array]
Balance = Callable[["Situation", Array, Array], Pair]
Formulas = Mapping[tuple[str, str], Callable[["Situation"], Pair]]


@dataclass(frozen=True)
class Arithmetic:
    """``working`` is the format of every step, ``sums`` that of a sum before it is rounded to that."""

    name: str
    working: np.dtype[Any]
    sums: np.dtype[Any]
    saved: bool = False
    """Probabilities and log-probabilities are those that were returned, rounded to the tested format."""


WIDE = Arithmetic("computed wider, rounded once", np.dtype(np.float64), np.dtype(np.float64))


def arithmetics(fmt: Format) -> tuple[Arithmetic, ...]:
    """What code for a format computes in: the format itself, a wider one, or binary32 for 16 bits."""
    own, single = np.dtype(fmt.dtype), np.dtype(np.float32)
    if fmt.precision == 53:
        return (Arithmetic("", own, own),)
    if fmt.precision == 24:
        return Arithmetic("", own, own), WIDE
    return (
        Arithmetic("in binary32, rounded once", single, single),
        Arithmetic("in binary32 from saved results", single, single, saved=True),
        Arithmetic("every step rounded to the format, sums in binary32", own, single),
        Arithmetic("every step and every sum rounded to the format", own, own),
        WIDE,
    )


def exactly(z: Situation, terms: Array) -> Array:
    """``Σ`` over the classes, ``(rows, 1)``."""
    summed = terms.astype(z.a.sums).sum(axis=1, keepdims=True, dtype=z.a.sums)
    return np.asarray(summed.astype(z.a.working))


def balanced(z: Situation, p: Array, c: Array) -> Pair:
    """``c (s_i Σp − p_i)``; hard labels do not cancel. Sized as the textbook's difference."""
    whole = z.total(p)
    size = np.abs(p)
    most = z.of(2.0) * size > z.total(size)
    others = np.where(most, z.total(np.where(most, z.of(0.0), p)), whole - p)
    sized = np.abs(c) * np.maximum(np.abs(z.s * whole), size)
    return np.asarray(c * (z.s * others - p * z.rest)), np.asarray(sized)


def divided(z: Situation, share: Array, p: Array) -> Array:
    """``share / p``; a share of zero takes an infinite reciprocal away (5.6)."""
    found = share / p
    return np.where((share == 0) & (p == 0), share, found) if z.zero_takes else np.asarray(found)


@functools.cache
def _constant(number: float, dtype: np.dtype[Any], working: np.dtype[Any]) -> Array:
    found = np.asarray(number).astype(dtype).astype(working)
    found.flags.writeable = False
    return found


class Situation(Pieces):
    """``(examples, N)`` arrays of a batch; ``a`` is what they are computed in, ``output`` what is wanted."""

    def __init__(
        self, truth: Truth, a: Arithmetic, output: str, right: Formulas, last: int | None = None
    ) -> None:
        super().__init__()
        self.truth, self.a, self._output, self.right = truth, a, output, right
        self.n = truth.inputs.n
        self.last = truth.inputs.n if last is None else last
        """The length of the last axis of the tensor, which may not be that of the classes."""

    def in_arithmetic(self, a: Arithmetic) -> Situation:
        """The same, from the start."""
        return type(self)(self.truth, a, self.wanted, self.right, self.last)

    @property
    def wanted(self) -> str:
        """The output that was asked for."""
        return self._output

    @property
    def inputs(self) -> Inputs:
        return self.truth.inputs

    @property
    def operator(self) -> str:
        return self.inputs.operator

    @property
    def given(self) -> Attributes:
        return self.inputs.attributes

    @cached_property
    def takes(self) -> frozenset[str]:
        """The names of the attributes that are given."""
        return frozenset(self.given.given)

    @property
    def format(self) -> Format:
        return self.inputs.format

    @property
    def examples(self) -> int:
        """In a group; one where rows are asked apart."""
        return self.given.examples or 1

    @property
    def reduced(self) -> bool:
        return self.given.reduction != "none"

    # --- numbers ---

    def of(self, numbers: Any) -> Array:
        """Numbers of the tested format, as this arithmetic has them."""
        if isinstance(numbers, float):
            return _constant(numbers, self.format.dtype, self.a.working)
        return np.asarray(numbers).astype(self.format.dtype).astype(self.a.working)

    def weights(self, numbers: Any) -> Array:
        """Weights of classes in their own format (6.5), as this arithmetic has them."""
        own = FORMATS.get(self.given.weight_dtype, self.format)
        return np.asarray(numbers).astype(own.dtype).astype(self.a.working)

    def number(self, value: float) -> Array:
        """A constant of the code, as this arithmetic has it."""
        return np.asarray(value, dtype=self.a.working)

    def total(self, terms: Array) -> Array:
        return self.summed(self, terms)

    def rounded(self, result: Array) -> Array:
        """As it is returned: in the tested format, as binary64 carriers."""
        return np.asarray(result.astype(self.format.dtype).astype(np.float64))

    def stored(self, result: Array) -> Array:
        """As it was returned, and read again."""
        return np.asarray(result.astype(self.format.dtype).astype(self.a.working))

    def kept(self, result: Array) -> Array:
        """A result that a backward starts from: as it was returned, if that is what was saved."""
        return self.of(result) if self.a.saved else result

    def across(self, a: Array) -> Array:
        """``Σ`` over the examples of each group, ``(groups, 1)``."""
        return self.total(a.reshape(len(self.inputs), -1))

    def spread(self, a: Array) -> Array:
        """One number of each group for each of its examples."""
        return np.asarray(np.repeat(a, self.examples, axis=0))

    def product(self, weight: Array, value: Array) -> Array:
        """``weight · value``, where a weight of zero takes even an infinity away (4.2)."""
        found = weight * value
        gone = (weight == 0) & np.isinf(value)
        return np.where(gone, self.of(0.0), found) if self.zero_takes else np.asarray(found)

    # --- what is computed how ---

    @piece
    def output(self) -> str:
        return self._output

    @piece
    def summed(self) -> Sum:
        return exactly

    @piece
    def balance(self) -> Balance:
        return balanced

    @piece
    def zero_takes(self) -> bool:
        return True

    # --- logits ---

    @piece
    def arrived(self) -> Array:
        """The logits as they are given, ``(examples, N)``."""
        return self.of(self.inputs.logits.reshape(-1, self.n))

    @piece
    def scale(self) -> float:
        return self.given.scale

    @piece
    def temperature(self) -> float:
        return self.given.temperature

    @piece
    def bias(self) -> Array:
        return self.of([self.given.bias or (0.0,)])

    @piece
    def seen(self) -> Array:
        """``scale · x / temperature + bias``, or ``x W + bias``: before a mask."""
        y = self.of(self.inputs.product) if self.given.matrix else self.arrived
        y = y * self.of(self.scale) if self.scale != 1 else y
        y = y / self.of(self.temperature) if self.temperature != 1 else y
        return np.asarray(y + self.bias if self.given.bias else y)

    @piece
    def matrix(self) -> Array:
        """``(N, N)``; no product of it with the logits is rounded (6.15)."""
        return self.of(self.given.matrix)

    @piece
    def there(self) -> Array:
        return np.array([self.given.mask or (True,)])

    @piece
    def x(self) -> Array:
        """What the operator is taken of: −∞ where a mask takes the class away."""
        return np.where(self.there, self.seen, self.of(-np.inf)) if self.given.mask else self.seen

    @piece
    def chain(self) -> float:
        """What a gradient by the logits is multiplied by."""
        return self.given.factor

    @piece
    def times(self) -> float:
        return self.given.times

    @piece
    def v(self) -> Array:
        return self.of(self.inputs.tangent.reshape(-1, self.n))

    # --- labels (SPEC.md §6) ---

    @piece
    def index(self) -> Array:
        """``(examples, 1)`` indices as they are given."""
        return self.inputs.labels.reshape(-1, 1).astype(np.int64)

    @piece
    def y(self) -> Array:
        """The class that an index names; some class where it names none."""
        return np.clip(self.index, 0, self.n - 1)

    @property
    def indexed(self) -> bool:
        return self.inputs.definition.labels == "index"

    @piece
    def ignore_index(self) -> int | None:
        return self.given.ignore_index

    @piece
    def ignored(self) -> Array:
        if not self.indexed or self.ignore_index is None:
            return np.zeros((1, 1), bool)
        return np.asarray(self.index == self.ignore_index)

    @piece
    def outside(self) -> Array:
        """Rows whose index names no class."""
        return np.asarray((self.index != self.y) & ~self.ignored) if self.indexed else np.zeros((1, 1), bool)

    @piece
    def p(self) -> Array:
        """Labels; one-hot of an index."""
        if self.indexed:
            return self.of(self.y == np.arange(self.n))
        return np.asarray(self.inputs.labels.reshape(-1, self.n)).astype(self.a.working)

    @piece
    def w(self) -> Array:
        """Class weights, ``(1, N)``."""
        return self.weights([self.given.weight or (1.0,) * self.n])

    @piece
    def pos_weight(self) -> Array:
        return self.weights([self.given.pos_weight or (1.0,)])

    @piece
    def smoothing(self) -> Array:
        return self.number(self.given.label_smoothing)

    @piece
    def shares(self) -> Array:
        """``1/N`` of the classes that are there; a half of the two outcomes of an element."""
        outcomes = 2 if self.inputs.definition.elementwise else self.given.present(self.n)
        return np.where(self.there, self.number(1.0 / outcomes), self.number(0.0))

    @piece
    def smoothed(self) -> Array:
        if not self.given.label_smoothing:
            return self.p
        return np.asarray((self.one - self.smoothing) * self.p + self.smoothing * self.shares)

    @piece
    def q(self) -> Array:
        """Effective labels."""
        return np.asarray(self.w * self.smoothed) if self.given.weight else self.smoothed

    @piece
    def slope(self) -> Array:
        """``∂q_i/∂p_i``."""
        return np.asarray(self.w * (self.one - self.smoothing))

    @piece
    def factors(self) -> tuple[Array, Array]:
        """What multiplies the negative and the positive term."""
        return self.one, self.pos_weight

    @piece
    def negative(self) -> Array:
        """``w (1 − z')``."""
        return np.asarray(self.w * self.factors[0] * (self.one - self.smoothed))

    @piece
    def positive(self) -> Array:
        """``w P z'``."""
        return np.asarray(self.w * self.factors[1] * self.smoothed)

    # --- reductions (6.10) ---

    @piece
    def reduction(self) -> str:
        return self.given.reduction

    @piece
    def row_weight(self) -> Array:
        """``(examples, 1)``."""
        one = self.given.row_weight or (1.0,) * self.examples
        return self.of(np.tile(one, len(self.inputs))[:, None])

    @piece
    def counted(self) -> Array:
        """What each example counts in the mean of index labels: the weight of its class."""
        w = np.broadcast_to(self.w, (len(self.y), self.n))
        mine = np.take_along_axis(w, self.y, axis=1)
        return np.where(self.ignored | self.outside, self.of(0.0), mine)

    @piece
    def divisor(self) -> Array:
        """What the sum of the losses of each group is divided by."""
        if self.reduction == "weighted_mean":
            return self.across(np.where(self.ignored, self.of(0.0), self.row_weight))
        if self.reduction != "mean":
            return self.one
        if self.indexed:
            return self.across(self.counted)
        return self.number(self.examples * (self.n if self.inputs.definition.elementwise else 1))

    @piece
    def cotangent(self) -> Array:
        """As it is given, one row for each example."""
        return self.spread(self.of(self.inputs.cotangent))

    @piece
    def c(self) -> Array:
        """The cotangent of each loss, ``(examples, 1)`` or ``(examples, N)``."""
        if not self.reduced:
            return self.cotangent
        by = self.spread(np.broadcast_to(self.divisor, (len(self.inputs), 1)))
        return np.asarray(self.row_weight * (self.cotangent / by))

    # --- the softmax family ---

    @piece
    def one(self) -> Array:
        return self.of(1.0)

    @piece
    def weighs(self) -> bool:
        """Whether there are weights inside of a sum of exponentials."""
        return self.inputs.definition.labels == "none" and bool(self.given.weight)

    @piece
    def m(self) -> Array:
        x = np.where(self.w == 0, self.of(-np.inf), self.x) if self.weighs else self.x
        return np.asarray(x.max(axis=1, keepdims=True))

    @piece
    def d(self) -> Array:
        """``x − m``: not positive."""
        return np.asarray(self.x - self.m)

    @piece
    def e(self) -> Array:
        e = np.exp(self.d)
        return np.where(self.w == 0, self.of(0.0), self.w * e) if self.weighs else np.asarray(e)

    @piece
    def k(self) -> Array:
        """The largest class."""
        return np.asarray(np.argmax(self.x, axis=1)[:, None])

    @piece
    def R(self) -> Array:
        """The sum without the maximum's own 1."""
        others = np.where(np.arange(self.n) == self.k, self.of(0.0), self.e)
        R = self.total(others)
        if self.inputs.copies > 1:  # every logit stands for so many classes
            R = R * self.number(self.inputs.copies) + self.number(self.inputs.copies - 1)
        return np.where(np.isnan(self.m), self.of(np.nan), R)

    @piece
    def S(self) -> Array:
        return self.total(self.e) if self.weighs else np.asarray(self.one + self.R)

    @piece
    def s(self) -> Array:
        return self.kept(np.asarray(self.e / self.S))

    @piece
    def rest(self) -> Array:
        """``1 − s_i``; of what ties with the largest class, as ``R/S``."""
        return np.where(self.d == 0, self.R / self.S, self.one - self.s)

    @piece
    def L(self) -> Array:
        return np.asarray(np.log(self.S) if self.weighs else np.log1p(self.R))

    @piece
    def log_size(self) -> Array:
        """The largest number on the way to a log-probability, in the textbook: the maximum's own 1."""
        return np.maximum(np.abs(self.L), self.one)

    @piece
    def ell(self) -> Array:
        """``log s``."""
        return self.kept(np.asarray(self.d - self.L))

    def along(self, v: Array) -> Array:
        """``v_i − Σ s_j v_j``; exactly zero for a uniform ``v``."""
        centred = v - np.take_along_axis(np.broadcast_to(v, self.x.shape), self.k, axis=1)
        return np.asarray(centred - self.total(self.s * centred))

    # --- the sigmoid family ---

    @piece
    def tail(self) -> Array:
        return np.asarray(np.exp(-np.abs(self.x)))

    @piece
    def sigma(self) -> Array:
        top = np.where(self.x >= 0, self.one, self.tail)
        return self.kept(np.asarray(top / (self.one + self.tail)))

    @piece
    def mirror(self) -> Array:
        """``σ(−x)``."""
        return np.asarray(np.where(self.x >= 0, self.tail, self.one) / (self.one + self.tail))

    @piece
    def log1p_tail(self) -> Array:
        return np.asarray(np.log1p(self.tail))

    @piece
    def softplus(self) -> Array:
        return np.asarray(np.maximum(self.x, self.of(0.0)) + self.log1p_tail)

    @piece
    def softplus_minus(self) -> Array:
        return np.asarray(np.maximum(-self.x, self.of(0.0)) + self.log1p_tail)

    @piece
    def eps(self) -> float | None:
        return self.given.eps

    @piece
    def clamped(self) -> Array:
        """The argument of ``logit``: ``eps`` below it, ``1 − eps`` above that, in this order (6.14)."""
        if self.eps is None:
            return self.x
        low, high = self.of(self.eps), self.of(1 - self.eps)
        return np.where(self.x < low, low, np.where(self.x > high, high, self.x))

    # --- probabilities that are given ---

    @piece
    def chance(self) -> Array:
        """The probabilities; NaN is what is none (5.9)."""
        inside = (self.x >= 0) & (self.x <= 1)
        return np.where(inside, np.abs(self.x), self.of(np.nan))

    @piece
    def log_chance(self) -> Array:
        return np.asarray(np.log(self.chance))

    @piece
    def log_rest(self) -> Array:
        """``log(1 − p)``."""
        return np.asarray(np.log1p(-self.chance))

    @piece
    def quotient(self) -> Quotient:
        return divided

    @piece
    def moves(self) -> Array:
        """Where a derivative passes on its way to the probabilities."""
        return np.ones((1, 1), bool)

    # --- what is returned ---

    @piece
    def rows(self) -> Pair:
        """The output of each example."""
        return self.right[self.operator, self.output](self)

    @piece
    def whole(self) -> Pair:
        """After the reduction, and what stands around."""
        found, size = self.rows
        wide = np.broadcast_to(np.asarray(size, dtype=np.float64), found.shape)
        if self.output in ("value", "jvp"):
            if self.reduced:
                weight = np.abs(self.row_weight.astype(np.float64))
                wide = (weight * wide).reshape(len(self.inputs), -1).sum(axis=1, keepdims=True)
                wide = wide / np.abs(self.divisor.astype(np.float64))
                found = self.across(self.row_weight * found) / self.divisor
            found = found * self.of(self.times) if self.times != 1 else found
            return np.asarray(found), wide * abs(self.times)
        if self.output != "grad_labels" and (self.given.around or self.chain != 1):
            found = found * self.number(self.chain) if self.chain != 1 else found
            found = np.where(self.there, found, self.of(0.0))
            if self.given.matrix:
                found, wide = self._through(found, wide)
        found = found * self.of(self.times) if self.times != 1 else found
        if self.given.cast and self.output == "grad_logits":
            found = found.astype(FORMATS[self.given.cast].dtype).astype(self.a.working)
        groups = len(self.inputs)
        factor = abs(self.times * (1.0 if self.output == "grad_labels" else self.chain))
        return found.reshape(groups, -1), (wide * factor).reshape(groups, -1)

    def _through(self, g: Array, sized: Array) -> tuple[Array, Array]:
        """``Σ_i W_ji g_i``, the gradient by what the logits are made of."""
        terms = self.matrix.astype(self.a.sums) * g[:, None, :].astype(self.a.sums)
        mixed = terms.sum(axis=2, dtype=self.a.sums).astype(self.a.working)
        size = np.maximum(np.abs(g.astype(np.float64)), sized)
        return np.asarray(mixed), (np.abs(self.matrix.astype(np.float64)) * size[:, None, :]).max(axis=2)

"""One call of an operator, in pieces that a fault can replace one at a time.

Works on ``(rows, N)`` arrays of one working dtype, with relative accuracy (SPEC.md 8.1): the maximum's
own 1 is kept apart from the sum, log1p takes the rest, and no two nearly equal numbers are subtracted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.support.faults.sums import Array, Sum
from xent_conformance.reference.operators import OPERATORS


def pick(a: Array, y: Array) -> Array:
    return np.take_along_axis(a, y, axis=1)


def weighted(weight: Array, value: Array) -> Array:
    """``weight · value``, where a weight of zero takes even an infinity away (4.2)."""
    return np.where((weight == 0) & np.isinf(value), 0.0, weight * value)


class piece:  # noqa: N801  # it is read as a property is
    """A piece of a call, computed once; what is shared by kernels is written by none."""

    def __init__(self, make: Callable[[Any], Any]) -> None:
        self.make, self.name = make, make.__name__

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, a: Any, owner: type) -> Any:
        found = a.__dict__[self.name] = self.make(a)
        if isinstance(found, np.ndarray):
            found.flags.writeable = False
        return found


@dataclass(frozen=True, eq=False)
class Ask:
    """Logits ``x``, dense labels or a column of indices, cotangent and tangent, and the attributes.

    ``dtype`` is the tested one, ``x.dtype`` the one that is computed in. A reduction is over the rows,
    with a cotangent ``(1, 1)``. ``x`` is what the operator is taken of, ``seen`` the same before a mask takes
    away what is not ``there``; gradients are multiplied by ``chain`` and, as the value, by ``times``, and go
    back through a ``matrix`` and a ``cast``.
    """

    operator: str
    dtype: np.dtype[Any]
    x: Array
    labels: Array
    cotangent: Array
    v: Array
    total: Sum
    weight: Array
    pos_weight: Array
    smoothing: float = 0.0
    ignore_index: int | None = None
    reduction: str = "none"
    eps: float | None = None
    last: int = 0
    """Length of the last axis of the tensor, whatever axis the classes are on."""
    row_weight: Array = field(default_factory=lambda: np.ones((1, 1)))
    seen: Array = field(default_factory=lambda: np.zeros((0, 0)))
    there: Array = field(default_factory=lambda: np.array([[True]]))
    chain: float = 1.0
    matrix: Array = field(default_factory=lambda: np.array(1.0))
    times: float = 1.0
    cast: str = ""

    def rounded(self, a: Array) -> Array:
        """``a`` in the tested dtype, on its way."""
        return a.astype(self.dtype).astype(self.x.dtype)

    # --- labels (SPEC.md §6) ---

    @property
    def n(self) -> int:
        return self.x.shape[1]

    @piece
    def y(self) -> Array:
        """The class that an index names; some class where it names none."""
        return np.clip(self.labels, 0, self.n - 1)

    @piece
    def ignored(self) -> Array:
        return np.zeros(self.labels.shape, bool) if self.ignore_index is None else self.honoured

    @piece
    def honoured(self) -> Array:
        return self.labels == self.ignore_index

    @piece
    def outside(self) -> Array:
        """Rows whose index is out of range."""
        return (self.labels != self.y) & ~self.ignored

    @piece
    def p(self) -> Array:
        """Dense labels; an index as its one-hot row."""
        if OPERATORS[self.operator].labels == "dense":
            return self.labels
        return (self.y == np.arange(self.n)).astype(self.x.dtype)

    @piece
    def smoothed(self) -> Array:
        """``(1 − ε) p + ε/K``, over the N classes or over the two outcomes of an element."""
        outcomes = 2 if OPERATORS[self.operator].elementwise else self.present
        return (1 - self.smoothing) * self.p + self.smoothing / outcomes * self.there

    @property
    def present(self) -> int:
        """How many classes there are."""
        return int(np.count_nonzero(np.broadcast_to(self.there, (1, self.n))))

    @piece
    def w(self) -> Array:
        """The weights of the classes, in every row."""
        return np.broadcast_to(self.weight, self.x.shape)

    @piece
    def q(self) -> Array:
        """Effective labels."""
        return self.w * self.smoothed

    @piece
    def slope(self) -> Array:
        """``∂q/∂p``."""
        return self.w * (1 - self.smoothing)

    @piece
    def factors(self) -> tuple[Array | int, Array]:
        """What multiplies the negative and the positive term."""
        return 1, self.pos_weight

    @piece
    def negative(self) -> Array:
        """``w (1 − z')``."""
        return self.w * self.factors[0] * (1 - self.smoothed)

    @piece
    def positive(self) -> Array:
        """``w P z'``."""
        return self.w * self.factors[1] * self.smoothed

    # --- reductions ---

    @piece
    def divisor(self) -> Array | int:
        """What the sum of the losses is divided by."""
        if self.reduction == "weighted_mean":
            index = OPERATORS[self.operator].labels == "index"
            counted = np.where(self.ignored, 0.0, self.row_weight) if index else self.row_weight
            return self.across(np.broadcast_to(counted, (len(self.x), 1)))
        if self.reduction != "mean":
            return 1
        op = OPERATORS[self.operator]
        if op.labels == "index":
            return self.across(np.where(self.ignored, 0.0, pick(self.w, self.y)))
        return self.x.size if op.elementwise else len(self.x)

    def across(self, a: Array) -> Array:
        """The sum over all examples, ``(1, 1)``."""
        return self.total(a.reshape(1, -1))

    @piece
    def c(self) -> Array:
        """The cotangent of each loss."""
        shape = self.x.shape if OPERATORS[self.operator].value_shape == "row" else (len(self.x), 1)
        return np.broadcast_to(self.row_weight * (self.cotangent / self.divisor), shape)

    # --- the argument of logit, and sums with weights inside ---

    @piece
    def clamped(self) -> Array:
        """``eps`` below it, ``1 − eps`` above that, in this order (6.14)."""
        if self.eps is None:
            return self.x
        low, high = self.bounds
        return np.where(self.x < low, low, np.where(self.x > high, high, self.x))

    @piece
    def bounds(self) -> tuple[Array, Array]:
        eps = self.x.dtype.type(self.eps)
        return eps, 1 - eps

    @piece
    def weighed(self) -> Array:
        """``b_i exp(x_i − m)``, with the largest class that weighs anything for ``m``."""
        return self.w * np.where(self.w == 0, 0.0, np.exp(self.x - self.top))

    @piece
    def top(self) -> Array:
        there = np.where(self.w == 0, -np.inf, self.x).max(axis=1, keepdims=True)
        return np.where(there == -np.inf, 0.0, there)

    # --- the softmax family ---

    @piece
    def k(self) -> Array:
        return np.argmax(self.x, axis=1)[:, None]

    @piece
    def m(self) -> Array:
        return self.x.max(axis=1, keepdims=True)

    @piece
    def d(self) -> Array:
        return self.m - self.x

    @piece
    def e(self) -> Array:
        return np.exp(-self.d)

    @piece
    def R(self) -> Array:
        others = self.e.copy()
        np.put_along_axis(others, self.k, np.where(np.isnan(self.m), np.nan, 0.0), axis=1)
        return self.total(others)

    @piece
    def S(self) -> Array:
        return 1 + self.R

    @piece
    def L(self) -> Array:
        return np.log1p(self.R)

    @piece
    def s(self) -> Array:
        return self.e / self.S

    @piece
    def rest(self) -> Array:
        """``1 − s_i``; of the largest class, and of what ties with it, as ``R/S``."""
        return np.where(self.d == 0, self.R / self.S, 1 - self.s)

    @piece
    def ell(self) -> Array:
        """``log s``."""
        return -(self.d + self.L)

    def centred(self, v: Array) -> Array:
        return v - pick(v, self.k)

    def along(self, v: Array) -> Array:
        """``v_i − Σ s_j v_j``; exactly zero for a uniform ``v``."""
        w = self.centred(v)
        return w - self.total(self.s * w)

    def others(self, p: Array) -> Array:
        """``Σ_{j≠i} p_j``: of an element that is most of the sum by adding the others."""
        size = np.abs(p)
        most = 2 * size > self.total(size)
        return np.where(most, self.total(np.where(most, 0.0, p)), self.total(p) - p)

    def balance(self, p: Array, c: Array) -> Array:
        """``c (s_i Σp − p_i)`` without cancellation for hard labels."""
        return c * (self.s * self.others(p) - p * self.rest)

    # --- the sigmoid family ---

    @piece
    def tail(self) -> Array:
        return np.exp(-np.abs(self.x))

    @piece
    def sigma(self) -> Array:
        return np.where(self.x >= 0, 1 / (1 + self.tail), self.tail / (1 + self.tail))

    @piece
    def mirror(self) -> Array:
        return np.where(self.x >= 0, self.tail / (1 + self.tail), 1 / (1 + self.tail))

    @piece
    def log1p_tail(self) -> Array:
        return np.log1p(self.tail)

    @piece
    def softplus(self) -> Array:
        return np.maximum(self.x, 0) + self.log1p_tail

    @piece
    def softplus_minus(self) -> Array:
        return np.maximum(-self.x, 0) + self.log1p_tail

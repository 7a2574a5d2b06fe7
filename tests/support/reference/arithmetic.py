"""Floating-point arithmetic as SPEC.md §8.1 assumes it, for writing textbook algorithms in any format.

Arrays are NumPy arrays of the format itself (bfloat16 through ml_dtypes), so ``+ − ×`` round after
every operation. Sums of 16-bit formats accumulate in binary32, as the specification expects, and are
rounded to the format once. ``Arithmetic(fmt, slop=...)`` is the worst library that is still innocent:
its exp, log and tanh are two to three ulps off and its division two and a half, always up, always
down or to both sides; in 16 bits one to two ulps, and division is right. With ``slop="nearest"`` its
functions are right, and the same on every machine; with ``none`` they are NumPy's own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from xent_conformance.reference.attributes import PLAIN
from xent_conformance.reference.formats import Format
from xent_conformance.reference.inputs import Inputs

Array = np.ndarray[Any, np.dtype[Any]]

ORDERS = ("sequential", "pairwise", "blocked", "tree", "online")
"""Orders of summation; ``tree`` halves down to single terms, ``online`` streams with a running maximum."""

BLOCK = 64


@dataclass(frozen=True)
class Arithmetic:
    """One format, one order of summation, and how far off its elementary functions are."""

    fmt: Format
    order: str = "pairwise"
    slop: str = "none"
    _kept: dict[object, Any] = field(default_factory=dict, compare=False, repr=False)

    def of(self, values: Any) -> Array:
        """Numbers of this format (they must be its own already, or a constant like 0.5)."""
        return np.asarray(values).astype(self.fmt.dtype)

    @cached_property
    def one(self) -> Array:
        return self.of(1.0)

    @cached_property
    def half(self) -> Array:
        return self.of(0.5)

    @property
    def narrow(self) -> bool:
        """Whether the format has 16 bits."""
        return self.fmt.precision < 24

    @property
    def wide(self) -> np.dtype[Any]:
        """What sums accumulate in."""
        return np.dtype(np.float32) if self.narrow else self.fmt.dtype

    def exp(self, x: Array) -> Array:
        return self._function(np.exp, x)

    def exp2(self, x: Array) -> Array:
        """Of a number of the accumulator, in this format."""
        return self._function(np.exp2, x).astype(self.fmt.dtype)

    def log(self, x: Array) -> Array:
        return self._function(np.log, x)

    def log1p(self, x: Array) -> Array:
        return self._function(np.log1p, x)

    def tanh(self, x: Array) -> Array:
        return self._function(np.tanh, x)

    def divide(self, a: Array, b: Array) -> Array:
        return a / b if self.narrow else self._off(a / b)

    def sum(self, terms: Array) -> Array:
        """Row sums ``(rows, 1)``, in this order, rounded to the format."""
        wide = np.ascontiguousarray(terms.astype(self.wide))
        return ADD[self.order](wide).astype(self.fmt.dtype)

    def given(self, inputs: Inputs) -> tuple[Any, ...]:
        """What algorithms are called with: logits, labels, cotangent, and the tangent or the attributes.

        The same arrays as long as the inputs are the same, so that what is made of them can be kept; nobody
        can write into them.
        """
        if self._kept.get("inputs") is not inputs:
            index = inputs.definition.labels == "index"
            labels = inputs.labels.view() if index else self.of(inputs.labels)
            arrays = [self.of(inputs.logits), labels, self.of(inputs.cotangent)]
            arrays += [self.of(inputs.tangent)] if inputs.tangent.size else []
            for array in arrays:
                array.flags.writeable = False
            extra = [inputs.attributes] if not inputs.tangent.size and inputs.attributes != PLAIN else []
            self._kept.clear()
            self._kept.update(inputs=inputs, arrays=(*arrays, *extra), logits=arrays[:1])
        found: tuple[Any, ...] = self._kept["arrays"]
        return found

    def exponentials(self, x: Array) -> tuple[Array, Array, Array]:
        """``m``, ``exp(x − m)`` and their sum: the shifted row that every algorithm starts from.

        Of the logits that are :meth:`given` it is computed once for all algorithms.
        """
        m, e, total = self.once("exponentials", x, lambda: self._exponentials(x))
        return m, e.copy(), total

    def once(self, what: object, x: Array, make: Callable[[], Any]) -> Any:
        """What algorithms have in common: of the logits that are :meth:`given` it is made once, for all."""
        place = self._place(x)
        if place is None:
            return make()
        if (what, place) not in self._kept:
            self._kept[what, place] = make()
        return self._kept[what, place]

    def derived(self, what: object, x: Array, make: Callable[[], Array]) -> Array:
        """Logits that are made of those: what is made of them in turn is made once as well."""
        found: Array = self.once(what, x, make)
        if self._place(x) is not None and self._place(found) is None:
            found.flags.writeable = False
            self._kept["logits"].append(found)
        return found

    def _place(self, x: Array) -> int | None:
        """Which of the logits that are remembered these are."""
        return next((i for i, held in enumerate(self._kept.get("logits", ())) if held is x), None)

    def _exponentials(self, x: Array) -> tuple[Array, Array, Array]:
        m = x.max(axis=1, keepdims=True)
        e = self.exp(x - m)
        return m, e, self._stream(x) if self.order == "online" else self.sum(e)

    def _stream(self, x: Array) -> Array:
        """One pass: rescale the sum whenever the maximum moves. In the accumulator's own format."""
        wide = x.astype(self.wide)
        m, total = wide[:, :1], np.ones((len(x), 1), self.wide)
        for j in range(1, x.shape[1]):
            column = wide[:, j : j + 1]
            higher = np.maximum(m, column)
            total = total * np.exp(m - higher) + np.exp(column - higher)
            m = higher
        return total.astype(self.fmt.dtype)

    def _function(self, f: Callable[..., Array], x: Array) -> Array:
        if self.slop == "none":
            return f(x)
        wider = np.longdouble if x.dtype == np.float64 else np.float64
        return self._off(f(x.astype(wider)).astype(self.fmt.dtype))

    def _off(self, value: Array) -> Array:
        """Two ulps, in 16 bits one, from a value within half an ulp; subnormals and infinities stay."""
        if self.slop in ("none", "nearest"):
            return value
        up, down, small = self._limits
        towards = up if self.slop == "up" else down
        if self.slop == "mixed":
            towards = np.full(value.size, down)
            towards[::2] = up
            towards = towards.reshape(value.shape)
        moved = np.nextafter(value, towards)
        if not self.narrow:
            moved = np.nextafter(moved, towards)
        return np.where(np.isfinite(moved) & (abs(value) > small), moved, value)

    @cached_property
    def _limits(self) -> tuple[Array, Array, Array]:
        """Where up and down lead, and what is too small to be moved."""
        return self.of(np.inf), self.of(-np.inf), self.of(4 * self.fmt.smallest_normal)


def _blocked(a: Array) -> Array:
    blocks = [np.add.accumulate(a[:, i : i + BLOCK], axis=1)[:, -1:] for i in range(0, a.shape[1], BLOCK)]
    return np.add.accumulate(np.concatenate(blocks, axis=1), axis=1)[:, -1:]


def _tree(a: Array) -> Array:
    while a.shape[1] > 1:
        if a.shape[1] % 2:
            a = np.concatenate([a, np.zeros_like(a[:, :1])], axis=1)
        a = a[:, 0::2] + a[:, 1::2]
    return a


ADD: dict[str, Callable[[Array], Array]] = {
    "sequential": lambda a: np.add.accumulate(a, axis=1)[:, -1:],
    "pairwise": lambda a: a.sum(axis=1, keepdims=True),
    "blocked": _blocked,
    "tree": _tree,
    "online": lambda a: np.add.accumulate(a, axis=1)[:, -1:],
}

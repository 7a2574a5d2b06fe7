"""Fakes that take everything: any axis and layout, every attribute, ``out``, forward mode.

:class:`Whole` is right in all of it. The others have one fault each, of the kind that only another
manner of asking shows: the second call, the row alone, the class axis in the middle, a negative index.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from tests.support import exact
from tests.support.fakes import DEFINED, Exact
from xent_conformance.frameworks.interface import Array, Call, Implementation, Unsupported
from xent_conformance.reference.operators import OF_ROWS

MANNERS = frozenset(
    {
        "axis",
        "out",
        "weight",
        "pos_weight",
        "label_smoothing",
        "ignore_index",
        "reduction",
        "row_weight",
        "eps",
    }
)
LAYOUTS = frozenset(
    {
        "transposed",
        "strided",
        "sliced",
        "misaligned",
        "reversed",
        "broadcast",
        "class_last",
        "cotangent_broadcast",
        "logits_broadcast",
    }
)
SCALAR = tuple(o.name for o in OF_ROWS.values() if o.value_shape == "scalar")
INDEX = tuple(o.name for o in OF_ROWS.values() if o.labels == "index")

Frozen = tuple[float, ...]


def _not_called(*_: object) -> None:
    raise NotImplementedError("the fakes answer in run()")


@functools.lru_cache(maxsize=65536)
def _row(
    operator: str,
    dtype: str,
    x: Frozen,
    labels: Frozen | int | None,
    c: Frozen,
    given: tuple[tuple[str, Any], ...],
    v: Frozen,
) -> dict[str, np.ndarray]:
    return exact.answer(operator, dtype, x, labels, c, dict(given), v)


def _numbers(a: Array) -> Frozen:
    return tuple(a.astype(np.float64).tolist())


def as_row(call: Call) -> Call:
    """A call of tensors without axes as one of vectors of one element."""
    labels = None if call.labels is None else call.labels[None]
    return replace(call, logits=call.logits[None], cotangent=call.cotangent[None], labels=labels)


class Whole(Exact):
    """Right in every manner."""

    moving = ("jvp", "hvp")
    layouts: ClassVar = LAYOUTS
    implementations = tuple(
        Implementation(f"fake.{o}", o, "fused", _not_called, takes=MANNERS) for o in DEFINED
    )

    def run(self, call: Call) -> Mapping[str, Array]:
        self.before(call.logits, call.outputs)
        call = self.understood(call)
        if not call.logits.ndim:
            return {name: a[0] for name, a in self.run(as_row(call)).items()}
        given = {k: v for k, v in call.keywords.items() if k not in ("axis", "out")}
        if given.get("reduction", "none") != "none":
            return self.reduced(call, given)
        axis, dtype = call.keywords.get("axis", -1), call.logits.dtype
        shape = np.moveaxis(call.logits, axis, -1).shape
        found = self.rows(call, axis, shape[-1], tuple(given.items()))
        answers = {}
        for output in call.outputs:
            with np.errstate(over="ignore"):
                flat = found[output].astype(dtype)
            if output in ("value", "jvp") and call.implementation.operator in SCALAR:
                answers[output] = self.change(output, flat.reshape(shape[:-1]))
            else:
                answers[output] = self.change(output, np.moveaxis(flat.reshape(shape), -1, axis))
        return answers

    def rows(
        self, call: Call, axis: int, n: int, given: tuple[tuple[str, Any], ...]
    ) -> dict[str, np.ndarray]:
        """Every output, its rows one after the other."""
        operator, dtype = call.implementation.operator, call.logits.dtype.name

        def flat(a: Array, *, single: bool = False) -> list[Frozen]:
            rows = a.reshape(-1, 1) if single else np.moveaxis(a, axis, -1).reshape(-1, n)
            return list(map(_numbers, rows))

        x = flat(call.logits)
        labels: Sequence[Any] = [None] * len(x)
        if call.labels is not None:
            labels = call.labels.reshape(-1).tolist() if operator in INDEX else flat(call.labels)
        cotangents = flat(call.cotangent, single=operator in SCALAR)
        tangents = [()] * len(x) if call.tangent is None else flat(call.tangent)
        each = zip(x, labels, cotangents, tangents, strict=True)
        answers = [_row(operator, dtype, *row, given, v) for *row, v in each]
        if not answers:
            return {o: np.zeros(0) for o in call.outputs}
        return {o: np.concatenate([a[o] for a in answers]) for o in answers[0]}

    def reduced(self, call: Call, given: dict[str, Any]) -> Mapping[str, Array]:
        """Rows are the examples of one reduction."""
        operator, dtype = call.implementation.operator, call.logits.dtype
        assert call.labels is not None
        labels = call.labels if operator in INDEX else call.labels.astype(np.float64)
        examples = list(zip(call.logits.astype(np.float64).tolist(), labels.tolist(), strict=True))
        found = exact.group(operator, dtype.name, examples, call.cotangent.item(), given)
        answers = {}
        for output in call.outputs:
            shape = () if output == "value" else call.logits.shape
            with np.errstate(over="ignore"):
                answers[output] = self.change(output, found[output].astype(dtype).reshape(shape))
        return answers

    def understood(self, call: Call) -> Call:
        """The call as this framework understands it."""
        return call


def _nudged(array: Array, where: object = ...) -> Array:
    """The next numbers up: within every bound, and other bits."""
    changed = array.copy()
    changed[where] = np.nextafter(array[where], np.array(np.inf, dtype=array.dtype))
    return changed


class OtherBitsTheSecondTime(Whole):
    """Rounds in one direction, then in the other, as sums by atomic additions do."""

    calls = 0

    def before(self, logits: Array, outputs: Sequence[str]) -> None:
        self.calls += 1

    def change(self, output: str, array: Array) -> Array:
        return _nudged(array) if self.calls % 2 == 0 else array


class OtherBitsAlone(Whole):
    """A row alone takes another code path than a row in a batch."""

    def change(self, output: str, array: Array) -> Array:
        return _nudged(array) if len(array) == 1 else array


class UnequalTail(Whole):
    """The tail of the vector loop rounds differently."""

    def change(self, output: str, array: Array) -> Array:
        return _nudged(array, (..., -1))


class IgnoresTheAxis(Whole):
    """Normalises over the last axis, whatever it is told."""

    def run(self, call: Call) -> Mapping[str, Array]:
        rest = {k: v for k, v in call.keywords.items() if k != "axis"}
        return super().run(replace(call, keywords=rest))


class KeepsADimension(Whole):
    """A value with an axis too many."""

    def change(self, output: str, array: Array) -> Array:
        return array[..., None] if output == "value" else array


class LeavesTheBuffer(Whole):
    """Returns what is right and writes nothing: the buffer keeps the numbers it had."""

    def run(self, call: Call) -> Mapping[str, Array]:
        right = super().run(call)
        return {o: np.full_like(a, 7.0) for o, a in right.items()} if "out" in call.keywords else right


class IgnoresStrides(Whole):
    """Reads memory as if it were contiguous, gaps and all."""

    def understood(self, call: Call) -> Call:
        x = call.logits
        steps = np.cumprod((x.itemsize, *x.shape[:0:-1]))[::-1]
        return replace(call, logits=np.lib.stride_tricks.as_strided(x, x.shape, steps))


class RefusesGaps(Whole):
    """Has kernels for contiguous memory alone, and says so."""

    def understood(self, call: Call) -> Call:
        if not call.logits.flags.c_contiguous:
            raise RuntimeError("not contiguous")
        return call


class WrapsNegativeIndices(Whole):
    """An index counts from the end, as Python's does."""

    def understood(self, call: Call) -> Call:
        if call.labels is None or call.labels.dtype.kind != "i":
            return call
        n = call.logits.shape[-1]
        return replace(call, labels=np.where(call.labels < 0, call.labels + n, call.labels))


class RaisesOutOfRange(Whole):
    """An index that names no class is an error."""

    def understood(self, call: Call) -> Call:
        y = call.labels
        if y is not None and y.dtype.kind in "iu" and ((y < 0) | (y >= call.logits.shape[-1])).any():
            raise IndexError("Target out of bounds")
        return call


class RefusesInt8(Whole):
    """Knows indices of 16 bits and more; says so in an error of its own."""

    def understood(self, call: Call) -> Call:
        if call.labels is not None and call.labels.dtype == np.int8:
            raise TypeError("expected an index, got Char")
        return call


class DeclaresInt8Unsupported(Whole):
    """The same, but the adapter knows."""

    def understood(self, call: Call) -> Call:
        if call.labels is not None and call.labels.dtype == np.int8:
            raise Unsupported("no int8")
        return call


class MeanOverRows(Whole):
    """The mean of index labels divides by the rows, weighted or ignored though they be."""

    def reduced(self, call: Call, given: dict[str, Any]) -> Mapping[str, Array]:
        if given["reduction"] == "sum" or call.implementation.operator not in INDEX:
            return super().reduced(call, given)
        total = super().reduced(call, {**given, "reduction": "sum"})
        rows = np.array(len(call.logits), dtype=call.logits.dtype)
        return {o: a / rows for o, a in total.items()}


class SmoothsAfterWeights(Whole):
    """Spreads the mass evenly, not weighted by its own class: a pair of attributes that fails together."""

    def understood(self, call: Call) -> Call:
        if "label_smoothing" in call.keywords and "weight" in call.keywords:
            mean = float(np.mean(call.keywords["weight"]))
            flat = tuple(mean for _ in call.keywords["weight"])
            return replace(call, keywords={**call.keywords, "weight": flat})
        return call


class JvpWithoutTheMean(Whole):
    """``t_i = v_i``: what the derivative of the normalisation adds is dropped."""

    def run(self, call: Call) -> Mapping[str, Array]:
        found = dict(super().run(call))
        if "jvp" in found and call.implementation.operator == "log_softmax":
            found["jvp"] = call.tangent
        return found


class NoForwardMode(Whole):
    """Has no ``jvp`` and no ``hvp``, and no layout but its own."""

    moving = ()
    layouts: ClassVar = frozenset()


class RaisesOnTheLargest(Whole):
    """Refuses a call with a logit above 50, whichever row it is in."""

    def before(self, logits: Array, outputs: Sequence[str]) -> None:
        if (logits.astype(np.float64) > 50).any():
            raise ValueError("too large for me")

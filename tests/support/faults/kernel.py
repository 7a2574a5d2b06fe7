"""From tensors of any rank, layout and dtype to rows and back, with ``out=`` and reductions.

What an implementation does around its mathematics, in steps that a fault can replace one at a time.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tests.support.faults.blocks import Ask
from tests.support.faults.correct import Table
from tests.support.faults.sharing import Same, same
from tests.support.faults.sums import Array, Sum, pairwise
from xent_conformance.discovery.problems import KEYWORDS
from xent_conformance.frameworks.interface import Call, dtype_of
from xent_conformance.reference.operators import OPERATORS, Operator

TAKES = frozenset(KEYWORDS)

OLD = 7.0
"""What stands in a buffer that is given to be written into."""

Working = Callable[[np.dtype[Any]], np.dtype[Any]]


def binary64(tested: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype(np.float64)


def own(tested: np.dtype[Any]) -> np.dtype[Any]:
    """The tested dtype itself; binary32 for those of 16 bits (SPEC.md §0)."""
    return np.dtype(np.float32) if tested.itemsize < 4 else tested


def higher(tested: np.dtype[Any]) -> np.dtype[Any]:
    """More digits than the tested dtype has, to be rounded once."""
    return np.dtype(np.longdouble) if tested == np.float64 else np.dtype(np.float64)


@functools.cache
def _own_steps(kernel: type[Kernel]) -> frozenset[str]:
    """What a kernel does in a way of its own."""
    return frozenset(name for name in vars(Kernel) if getattr(kernel, name) is not getattr(Kernel, name))


TO_ROWS = frozenset(
    ("axis", "read", "labels_of", "rows_of", "before", "matrix", "product", "hidden", "chain", "definition")
)
"""The steps from tensors to rows: a fault in one of them has rows of its own."""


@dataclass(frozen=True)
class Kernel:
    """An implementation of one operator: its outputs, its pieces, what it computes in, how it sums.

    ``varies``: the same call may give other bits, so it is asked twice, as a worker asks everybody.
    """

    operator: str
    outputs: Table
    ask: type[Ask] = Ask
    working: Working = binary64
    total: Sum = pairwise
    varies: bool = False

    def __call__(self, call: Call) -> dict[str, Array]:
        call = self.asked_for(call)
        if not isinstance(call.keywords.get("axis", -1), int):
            return self.of_axes(call)
        return self.of_axis(call) if call.logits.ndim else self.of_one(call)

    def of_one(self, call: Call) -> dict[str, Array]:
        """The outputs of tensors without axes."""
        labels = None if call.labels is None else call.labels[None]
        row = replace(call, logits=call.logits[None], cotangent=call.cotangent[None], labels=labels)
        return {name: a[0] for name, a in self.of_axis(row).items()}

    def of_axis(self, call: Call) -> dict[str, Array]:
        """The outputs of a call whose classes are on one axis."""
        if not call.logits.shape[self.axis(call)]:
            return {o: np.full(self.shape(call, o), np.nan, call.logits.dtype) for o in call.outputs}
        had = self.shared(call)
        with np.errstate(all="ignore"):
            found = {o: self.answered(call, had, o) for o in call.outputs}
        if "out" in call.keywords:
            buffer = np.full(found["value"].shape, OLD, call.logits.dtype)
            self.write(buffer, found["value"])
            found["value"] = buffer
        return found

    def shared(self, call: Call) -> Same:
        """What kernels that come to the right rows have of this call already, if they share."""
        right = (self.ask, self.working, self.total) == (Ask, binary64, pairwise) and not self.varies
        return same(self.operator, call) if right and not _own_steps(type(self)) & TO_ROWS else Same()

    def answered(self, call: Call, had: Same, output: str) -> Array:
        """An output, in the state and the shape of the call."""
        of = output, self.outputs[output]
        if type(self) is Kernel and of in had.found:
            return had.found[of]
        had.rows = had.rows or self.rows_of(call)
        found = self.tensor(call, output, self.in_state(call, had.rows, output))
        if type(self) is Kernel:
            found.flags.writeable = False
            had.found[of] = found
        return found

    @property
    def definition(self) -> Operator:
        return OPERATORS[self.operator]

    # --- the format, and several axes ---

    def asked_for(self, call: Call) -> Call:
        """The logits in the format that the result is asked for in, before anything is computed."""
        if "dtype" not in call.keywords:
            return call
        return replace(call, logits=call.logits.astype(dtype_of(call.keywords["dtype"])))

    def axes(self, call: Call) -> tuple[int, ...]:
        """The axes of the classes, counted from the front."""
        rank, axes = call.logits.ndim, call.keywords["axis"]
        return tuple(range(rank)) if axes is None else tuple(a % rank for a in axes)

    def of_axes(self, call: Call) -> dict[str, Array]:
        """As one axis, the last, of all these; and every output as it was."""
        axes, shape = self.axes(call), call.logits.shape
        rest = tuple(a for a in range(call.logits.ndim) if a not in axes)
        order = np.argsort((*rest, *axes))

        def flat(a: Array) -> Array:
            lead = a.transpose(*rest, *axes) if a.shape == shape else a
            return lead.reshape((*(shape[i] for i in rest), *((-1,) if a.shape == shape else ())))

        def back(a: Array) -> Array:
            if a.ndim == len(rest):
                return np.expand_dims(a, axes) if call.keywords.get("keepdims") else a
            return a.reshape([shape[i] for i in (*rest, *axes)]).transpose(*order)

        keywords = {k: v for k, v in call.keywords.items() if k not in ("axis", "keepdims")}
        folded = replace(
            call, logits=flat(call.logits), cotangent=flat(call.cotangent), keywords=keywords,
            labels=None if call.labels is None else flat(call.labels),
        )  # fmt: skip
        return {name: back(a) for name, a in self.of_axis(folded).items()}

    # --- tensors to rows ---

    def axis(self, call: Call) -> int:
        """The place of the class axis, counted from the front."""
        return int(call.keywords.get("axis", -1)) % call.logits.ndim

    def read(self, name: str, tensor: Array) -> Array:
        """The elements of a tensor, wherever in memory they are."""
        return np.array(tensor, order="C")

    def labels_of(self, call: Call) -> Array:
        """Indices as whole numbers, dense labels in the dtype that is computed in."""
        assert call.labels is not None
        index = self.definition.labels == "index"
        return self.read("labels", call.labels).astype(np.int64 if index else self.working(call.logits.dtype))

    def rows_of(self, call: Call) -> Ask:
        # what is given in a wider format is computed with in it
        given, axis = call.logits.dtype, self.axis(call)
        if "weight_dtype" in call.keywords:
            given = max(given, dtype_of(call.keywords["weight_dtype"]), key=lambda dtype: dtype.itemsize)
        working = self.working(given)
        n = call.logits.shape[axis]

        def rows(a: Array) -> Array:
            """``(rows, N)``; one number a row, and the one number of a reduction, as a column."""
            if a.shape != call.logits.shape:
                return a.reshape(-1, 1)
            moved = a if axis == a.ndim - 1 else np.moveaxis(a, axis, -1)
            return np.ascontiguousarray(moved.reshape(math.prod(moved.shape[:-1]), n))

        def numbers(name: str, tensor: Array | None) -> Array:
            return np.zeros((0, 0)) if tensor is None else rows(self.read(name, tensor).astype(working))

        def weights(name: str) -> Array:
            return np.array([call.keywords.get(name, (1.0,))], dtype=working)

        y = self.before(call, numbers("logits", call.logits))
        return self.ask(
            operator=self.operator,
            dtype=call.logits.dtype,
            x=self.hidden(call, y),
            seen=y,
            there=np.array([call.keywords.get("mask", (True,))]),
            chain=self.chain(call),
            matrix=self.matrix(call),
            cast=call.keywords.get("cast", ""),
            times=call.keywords.get("times", 1.0),
            labels=np.zeros((0, 0)) if call.labels is None else rows(self.labels_of(call)),
            cotangent=numbers("cotangent", call.cotangent),
            v=numbers("tangent", call.tangent),
            total=self.total,
            weight=weights("weight"),
            pos_weight=weights("pos_weight"),
            smoothing=call.keywords.get("label_smoothing", 0.0),
            ignore_index=call.keywords.get("ignore_index"),
            reduction=call.keywords.get("reduction", "none"),
            eps=call.keywords.get("eps"),
            last=call.logits.shape[-1],
            row_weight=np.array([call.keywords.get("row_weight", (1.0,))], dtype=working).T,
        )

    # --- what stands before the operator and after it ---

    def before(self, call: Call, x: Array) -> Array:
        """``scale · xW / temperature + bias``, in the dtype that is computed in."""
        given = call.keywords
        x = self.product(x, self.matrix(call).astype(x.dtype))
        y = x * x.dtype.type(given.get("scale", 1.0)) / x.dtype.type(given.get("temperature", 1.0))
        return y + np.array([given["bias"]], dtype=x.dtype) if "bias" in given else y

    def matrix(self, call: Call) -> Array:
        """What multiplies the logits; the number one where there is none."""
        return np.array(call.keywords.get("matrix", 1.0))

    def product(self, x: Array, matrix: Array) -> Array:
        return x @ matrix if matrix.ndim else x

    def hidden(self, call: Call, y: Array) -> Array:
        """−∞ where a mask takes the class away."""
        return np.where(np.array(call.keywords["mask"]), y, -np.inf) if "mask" in call.keywords else y

    def chain(self, call: Call) -> float:
        """What a gradient by the logits is multiplied by."""
        return float(call.keywords.get("scale", 1.0) / call.keywords.get("temperature", 1.0))

    def after(self, a: Ask, output: str, found: Array) -> Array:
        """Multiplied, as the value is; the gradient by the chain rule, nothing by what is masked."""
        if output != "grad_logits":
            return found * a.times
        gradient = np.where(a.there, found * a.chain, 0.0) * a.times
        gradient = self.product(gradient, a.matrix.T.astype(gradient.dtype))
        return gradient.astype(dtype_of(a.cast)).astype(found.dtype) if a.cast else gradient

    # --- the outputs ---

    def reduced(self, a: Ask, output: str) -> Array:
        found = self.outputs[output](a)
        if output in ("value", "jvp") and a.reduction != "none":
            found = a.across(a.row_weight * found) / a.divisor
        return self.after(a, output, found)

    # --- what is kept between calls ---

    def in_state(self, call: Call, a: Ask, output: str) -> Array:
        """The output as it is in the state of the call: of inference, of a second backward, of two added."""
        found = self.reduced(a, output)
        if call.state == "inference":
            return self.inference(a, found)
        if call.state == "second_backward":
            return self.second_backward(found)
        return self.added(found, found) if call.state == "accumulated" else found

    def inference(self, a: Ask, value: Array) -> Array:
        """The value without gradients, of the one that comes with them."""
        return value

    def second_backward(self, first: Array) -> Array:
        """The gradient of the second backward through a graph, of that of the first."""
        return first

    def added(self, held: Array, gradient: Array) -> Array:
        """What is held once the gradient has been added."""
        return held + gradient

    # --- rows to tensors ---

    def shape(self, call: Call, output: str) -> tuple[int, ...]:
        """Of the value: nothing of a reduction, a number a row, or as the logits; so is its derivative."""
        if output not in ("value", "jvp"):
            return call.logits.shape
        if "reduction" in call.keywords:
            return ()
        whole, axis = call.logits.shape, self.axis(call)
        if self.definition.value_shape == "row":
            return whole
        kept = self.kept() if call.keywords.get("keepdims") else ()
        return whole[:axis] + kept + whole[axis + 1 :]

    def kept(self) -> tuple[int, ...]:
        """What stays of an axis that is summed over."""
        return (1,)

    def tensor(self, call: Call, output: str, rows: Array) -> Array:
        shape, axis, rounded = self.shape(call, output), self.axis(call), self.rounded(call, rows)
        if shape != call.logits.shape:
            return rounded.reshape(shape)
        if axis == len(shape) - 1:
            return rounded.reshape(shape)
        moved = [*shape[:axis], *shape[axis + 1 :], shape[axis]]
        return np.moveaxis(rounded.reshape(moved), -1, axis)

    def rounded(self, call: Call, rows: Array) -> Array:
        """In the dtype of the logits; through binary64 where ml_dtypes knows no wider one."""
        narrow = rows if rows.dtype != np.longdouble or call.logits.dtype.kind == "f" else rows.astype(float)
        return narrow.astype(call.logits.dtype)

    def write(self, out: Array, value: Array) -> None:
        out[...] = value

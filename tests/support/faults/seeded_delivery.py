"""Faults between tensors and rows: layouts, axes, buffers, batches, bits, modes (SPEC.md §7, 1.4, 2.6)."""

from __future__ import annotations

import itertools

import numpy as np

from tests.support.faults.blocks import Ask
from tests.support.faults.fault import SPARSE, Beyond, delivery, output, part, plain, right
from tests.support.faults.kernel import Kernel, own
from tests.support.faults.sums import Array, backwards, pairwise, sequential
from xent_conformance.frameworks.interface import Call

# --- memory and axes -------------------------------------------------------------------------------


@delivery("softmax", "read", "strides are not looked at: the buffer is read as if it were contiguous")
def strides_ignored(self: Kernel, name: str, tensor: Array) -> Array:
    if not all(stride > 0 for stride in tensor.strides):  # there the memory ends
        return np.array(tensor, order="C")
    contiguous = np.empty(tensor.shape, tensor.dtype).strides
    return np.lib.stride_tricks.as_strided(tensor, strides=contiguous).copy()


@delivery("log_softmax", "read", "a negative stride is taken for a positive one")
def negative_strides_ignored(self: Kernel, name: str, tensor: Array) -> Array:
    forward = tuple(slice(None, None, -1 if stride < 0 else 1) for stride in tensor.strides)
    return np.array(tensor[forward], order="C")


@delivery("softmax", "axis", "the classes are on the last axis, wherever they are said to be")
def last_axis_only(self: Kernel, call: Call) -> int:
    return call.logits.ndim - 1


@delivery("logsumexp", "axis", "with four axes and more the classes are taken to be on the second")
def second_axis_of_images(self: Kernel, call: Call) -> int:
    return 1 if call.logits.ndim >= 4 else Kernel.axis(self, call)


@delivery("softmax", "write", "of the given buffer whole vectors of sixteen are written, their tail is not")
def buffer_written_in_part(self: Kernel, out: Array, value: Array) -> None:
    whole = value.size // 16 * 16
    out.reshape(-1)[:whole] = value.reshape(-1)[:whole]


@delivery("sigmoid", "write", "the result is returned, the given buffer left as it was")
def buffer_not_written(self: Kernel, out: Array, value: Array) -> None:
    return


@delivery("log_softmax", "write", "the result is added to what the buffer holds")
def buffer_added_to(self: Kernel, out: Array, value: Array) -> None:
    out += value


# --- what comes back -------------------------------------------------------------------------------


@delivery("log_sigmoid", "rounded", "16-bit logits come back as binary32")
def promoted(self: Kernel, call: Call, rows: Array) -> Array:
    return rows.astype(own(call.logits.dtype))


@delivery("logsumexp", "tensor", "the axis that was summed over is kept")
def axis_kept(self: Kernel, call: Call, output: str, rows: Array) -> Array:
    found = Kernel.tensor(self, call, output, rows)
    return np.expand_dims(found, self.axis(call)) if output == "value" else found


# --- long sums -------------------------------------------------------------------------------------


@output(
    "logsumexp",
    "value",
    "a binary32 sum in order, which stops at 2^24",
    working=own,
    beyond=Beyond("saturating_sums", "full", "float32", "it takes more than 2^24 classes to stop"),
)
def sum_stops(a: Ask) -> Array:
    return right(a, "value", total=sequential)


@output(
    SPARSE,
    "value",
    "shared memory holds 65 536 classes of four bytes: the others are left out",
    beyond=Beyond("vocabularies", "full", "float32", "the longest binary32 row of quick has 1000 classes"),
)
def classes_left_out(a: Ask) -> Array:
    left_out = (np.arange(a.n) >= 65_536) & (a.dtype.itemsize == 4) & (a.p == 0)
    return right(a, "value", x=np.where(left_out, -np.inf, a.x))


@output("sigmoid", "value", "a table for binary16 with one entry that is wrong, that of 0.4165")
def wrong_table_entry(a: Ask) -> Array:
    entry = np.float16(0.4165)
    return np.where((a.dtype == np.float16) & (a.x == entry), a.sigma * (1 + 2.0**-5), a.sigma)


# --- bits ------------------------------------------------------------------------------------------


@part("log_softmax", "R", "a row alone is summed in another order than one of many", working=own)
def alone_is_another_row(a: Ask) -> Array:
    return plain(a, total=backwards if len(a.x) == 1 else pairwise).R


CALLS = itertools.count()


@part(
    "log_softmax", "R", "threads add in the order in which they come, which changes", working=own, varies=True
)
def order_of_threads(a: Ask) -> Array:
    return plain(a, total=(sequential, backwards)[next(CALLS) % 2]).R


@output("softmax", "value", "beyond a multiple of eight another formula: exp of log-softmax", working=own)
def tail_by_logarithm(a: Ask) -> Array:
    return np.where(np.arange(a.n) < a.n // 8 * 8, a.s, np.exp(a.ell))


# --- modes -----------------------------------------------------------------------------------------


@output(SPARSE, "grad_logits", "compiled only: the cotangent of the trace is baked in", mode="compiled")
def cotangent_of_the_trace(a: Ask) -> Array:
    return right(a, "grad_logits", cotangent=np.ones_like(a.cotangent))

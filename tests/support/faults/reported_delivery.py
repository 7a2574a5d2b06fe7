"""Reported defects between tensors and rows: strides, halves of buffers, axes, crashes.

Each is what a report says went wrong (docs/HISTORICAL.md), as the report says it.
"""

from __future__ import annotations

import numpy as np

from tests.support.faults.fault import BINARY, DENSE, SPARSE, Died, delivery
from tests.support.faults.kernel import Kernel
from tests.support.faults.seeded_delivery import strides_ignored
from tests.support.faults.sums import Array
from xent_conformance.frameworks.interface import Call

# --- memory ----------------------------------------------------------------------------------------


@delivery("log_softmax", "read", "strides are not looked at: the buffer is read as if it were contiguous")
@delivery("log_sigmoid", "read", "strides are not looked at: the buffer is read as if it were contiguous")
@delivery(BINARY, "read", "strides are not looked at: the buffer is read as if it were contiguous")
def buffer_read_through(self: Kernel, name: str, tensor: Array) -> Array:
    return strides_ignored(self, name, tensor)


@delivery("softmax", "read", "the backward kernel takes every cotangent for a contiguous one")
def cotangent_read_through(self: Kernel, name: str, tensor: Array) -> Array:
    found = np.array(tensor, order="C")
    if name != "cotangent":
        return found
    if 0 in tensor.strides and len(tensor) > 1:
        found[1:] = np.nan  # what lies behind the one row that is there
        return found
    return strides_ignored(self, name, tensor)


@delivery("softmax", "read", "half of a binary32 tensor is copied: the element size is that of binary16")
def half_is_copied(self: Kernel, name: str, tensor: Array) -> Array:
    found = np.array(tensor, order="C")
    if found.dtype == np.float32:
        found.reshape(-1)[found.size // 2 :] = 0
    return found


@delivery("softmax", "read", "binary16 memory is read as binary32 where a row has at most 64 classes")
def binary16_read_as_binary32(self: Kernel, name: str, tensor: Array) -> Array:
    found = np.array(tensor, order="C")
    if found.dtype != np.float16 or found.shape[-1] > 64:
        return found
    buffer = found.tobytes() + bytes(found.nbytes)
    return np.frombuffer(buffer, np.float32)[: found.size].reshape(found.shape)


# --- axes ------------------------------------------------------------------------------------------


@delivery(DENSE, "__call__", "the logits are normalised along the last axis, wherever the classes are")
@delivery(SPARSE, "__call__", "the logits are normalised along the last axis, wherever the classes are")
def normalised_along_the_last_axis(self: Kernel, call: Call) -> dict[str, Array]:
    found, axis = Kernel.__call__(self, call), self.axis(call)
    if "value" not in found or axis == call.logits.ndim - 1:
        return found
    x = call.logits.astype(np.float64)
    d = x - x.max(axis=-1, keepdims=True)
    ell, labels = d - np.log(np.exp(d).sum(axis=-1, keepdims=True)), self.labels_of(call)
    if self.definition.labels == "index":
        loss = -np.take_along_axis(ell, np.expand_dims(labels, axis), axis).squeeze(axis)
    else:
        loss = -(labels * ell).sum(axis=axis)
    return found | {"value": loss.astype(call.logits.dtype)}


@delivery("softmax", "axis", "with four axes the classes are taken to be on the second")
def second_of_four_axes(self: Kernel, call: Call) -> int:
    return 1 if call.logits.ndim == 4 else Kernel.axis(self, call)


@delivery("softmax", "axis", "the sign of a negative axis other than −1 is lost")
def negative_axis_miscounted(self: Kernel, call: Call) -> int:
    axis = int(call.keywords.get("axis", -1))
    return -axis % call.logits.ndim if axis < -1 else Kernel.axis(self, call)


# --- crashes ---------------------------------------------------------------------------------------


@delivery("softmax", "__call__", "an aligned vector load at any address: the process dies")
def aligned_load(self: Kernel, call: Call) -> dict[str, Array]:
    if call.logits.ctypes.data % 32 and call.logits.size:
        raise Died("SIGSEGV")
    return Kernel.__call__(self, call)


@delivery("log_softmax", "__call__", "a division by the number of elements, which is zero: the process dies")
def divided_by_nothing(self: Kernel, call: Call) -> dict[str, Array]:
    if not call.logits.size:
        raise Died("SIGFPE")
    return Kernel.__call__(self, call)

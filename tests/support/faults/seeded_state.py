"""Faults in what is kept: between calls, in threads, a graph, arguments, memory (SPEC.md 7.3 to 7.13).

Each gives right numbers to whoever asks once: only the call that is made for it sees it.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np

from tests.support.faults.blocks import Ask
from tests.support.faults.fault import BINARY, DENSE, SPARSE, delivery, output, part, plain
from tests.support.faults.kernel import Kernel, own
from tests.support.faults.sums import Array, backwards, pairwise
from xent_conformance.frameworks.interface import Call

# --- rows that fill a call up ------------------------------------------------------------------------


@part(
    DENSE, "R", "of a call's rows the second half is summed by another block, in another order", working=own
)
def second_block_of_rows(a: Ask) -> Array:
    ahead = np.arange(len(a.x))[:, None] < 32
    return np.where(ahead, plain(a, total=pairwise).R, plain(a, total=backwards).R)


# --- between calls -----------------------------------------------------------------------------------


@dataclass
class _Kept:
    """What a kernel has of the call before."""

    rows: int = 0


PLAN = _Kept()


@part(
    "logsumexp",
    "R",
    "a plan made for the call before is stretched to one of more rows",
    working=own,
    varies=True,
)
def plan_of_the_call_before(a: Ask) -> Array:
    stretched = 1 < PLAN.rows < len(a.x)
    PLAN.rows = len(a.x)
    return plain(a, total=backwards if stretched else pairwise).R


WORKSPACE_OF = threading.get_ident()


@part("softmax", "R", "the workspace is one thread's: another adds in another order", working=own)
def workspace_of_one_thread(a: Ask) -> Array:
    return plain(a, total=pairwise if threading.get_ident() == WORKSPACE_OF else backwards).R


FRESH = 2**17
"""Numbers of a workspace that comes from the system, and not from what NumPy keeps of small ones."""


@output("softmax", "value", "masked classes are not written: zero where memory is fresh", varies=True)
def masked_classes_not_written(a: Ask) -> Array:
    found = np.empty(max(FRESH, a.s.size), a.s.dtype)[: a.s.size].reshape(a.s.shape)
    np.copyto(found, a.s, where=~np.isneginf(a.x))
    return found


# --- gradients ---------------------------------------------------------------------------------------


@delivery(SPARSE, "inference", "without gradients the value takes another path: its logarithm has a bit less")
def inference_takes_another_path(self: Kernel, a: Ask, value: Array) -> Array:
    return np.nextafter(value.astype(a.dtype), np.inf)


@delivery("sigmoid", "second_backward", "a backward frees what was saved: the second multiplies by zero")
def saved_tensor_consumed(self: Kernel, first: Array) -> Array:
    return np.zeros_like(first)


@delivery(BINARY, "added", "a gradient is written where it should be added")
def gradient_overwritten(self: Kernel, held: Array, gradient: Array) -> Array:
    return gradient


# --- arguments ---------------------------------------------------------------------------------------


@delivery("softmax", "rows_of", "the maximum is subtracted from the logits where they lie")
def shifted_in_place(self: Kernel, call: Call) -> Ask:
    a = Kernel.rows_of(self, call)
    if call.logits.size:
        call.logits[...] = call.logits - call.logits.max(axis=self.axis(call), keepdims=True)
    return a


@delivery(DENSE, "labels_of", "labels that are the logits' memory are read after these were shifted in place")
def labels_read_after_the_shift(self: Kernel, call: Call) -> Array:
    labels = Kernel.labels_of(self, call)
    assert call.labels is not None
    shared = np.shares_memory(call.labels, call.logits)
    return labels - labels.max(axis=self.axis(call), keepdims=True) if shared else labels

"""Faults of a linear layer and its loss (SPEC.md 6.18): how examples are cut, counted and added up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.support.faults.fault import delivery
from tests.support.faults.layer import CHUNK, LAYER, LayerKernel
from tests.support.faults.sums import Array
from xent_conformance.frameworks.interface import Call


@delivery(LAYER, "chunks", "a last chunk that is not whole is dropped")
def last_chunk_dropped(self: LayerKernel, examples: int) -> Sequence[slice]:
    return [slice(start, start + CHUNK) for start in range(0, examples - CHUNK + 1, CHUNK)]


@delivery(LAYER, "loss", "the gradient of a chunk is divided by the examples that the chunk keeps")
def chunk_divided_by_its_own_count(
    self: LayerKernel, call: Call, logits: Array, labels: Array, part: slice
) -> tuple[Array, Array]:
    if call.keywords.get("reduction") == "mean":
        own = max(int((labels[part] != call.keywords.get("ignore_index")).sum()), 1)
        of_all = self.count(call, labels, part)
        loss, g = LayerKernel.loss(self, call, logits, labels, part)
        return loss, g * (of_all / own)
    return LayerKernel.loss(self, call, logits, labels, part)


@delivery(LAYER, "count", "a mean that divides by every example, ignored or not")
def ignored_are_counted(self: LayerKernel, call: Call, labels: Array, part: slice) -> Any:
    return len(labels) if call.keywords.get("reduction") == "mean" else 1


@delivery(LAYER, "added_up", "the gradient of the weights is added up in 16 bits, example by example")
def weights_added_up_in_sixteen_bits(
    self: LayerKernel, call: Call, held: Array, g: Array, hidden: Array
) -> Array:
    if call.logits.dtype.itemsize > 2:
        return LayerKernel.added_up(self, call, held, g, hidden)
    for one, state in zip(g.T, hidden, strict=True):
        held = (held + np.outer(one, state)).astype(call.logits.dtype).astype(held.dtype)
    return held


@delivery(LAYER, "added_up", "the gradient of the weights is that of the last chunk")
def weights_of_the_last_chunk(self: LayerKernel, call: Call, held: Array, g: Array, hidden: Array) -> Array:
    return np.asarray(g @ hidden)


@delivery(LAYER, "logits", "the bias is forgotten")
def bias_forgotten(self: LayerKernel, hidden: Array, weight: Array, bias: Array | None) -> Array:
    return np.asarray(hidden @ weight.T)


@delivery(LAYER, "loss", "the loss is log Σ exp(x) of a rounded logarithm less the label's logit")
def offset_kept(
    self: LayerKernel, call: Call, logits: Array, labels: Array, part: slice
) -> tuple[Array, Array]:
    loss, g = LayerKernel.loss(self, call, logits, labels, part)
    m = logits.max(axis=1)
    whole = (m + np.log(np.exp(logits - m[:, None]).sum(axis=1))).astype(call.logits.dtype)
    kept = labels[part] != call.keywords.get("ignore_index")
    there = kept & (labels[part] >= 0) & (labels[part] < logits.shape[1])
    at = np.where(there, labels[part], 0)
    found = whole.astype(loss.dtype) - np.take_along_axis(logits, at[:, None], axis=1)[:, 0]
    return np.where(there, found, loss), g


@delivery(LAYER, "logits", "the product has the eight bits of bfloat16")
def product_in_eight_bits(self: LayerKernel, hidden: Array, weight: Array, bias: Array | None) -> Array:
    cut = [
        (a.astype(np.float32).view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32).astype(a.dtype)
        for a in (hidden, weight)
    ]
    return LayerKernel.logits(self, cut[0], cut[1], bias)


@delivery(LAYER, "loss", "an ignored example has the gradient of its label, taken for class 0")
def ignored_have_a_gradient(
    self: LayerKernel, call: Call, logits: Array, labels: Array, part: slice
) -> tuple[Array, Array]:
    loss, g = LayerKernel.loss(self, call, logits, labels, part)
    ignored = labels == call.keywords.get("ignore_index")
    if not ignored[part].any():
        return loss, g
    _, all_kept = LayerKernel.loss(self, call, logits, np.where(ignored, 0, labels), part)
    return loss, np.where(ignored[part][:, None], all_kept, g)


@delivery(LAYER, "by_hidden", "the gradient by the hidden states knows the first class alone")
def hidden_by_the_first_class(self: LayerKernel, g: Array, weight: Array) -> Array:
    return np.asarray(g[:, :1] @ weight[:1])

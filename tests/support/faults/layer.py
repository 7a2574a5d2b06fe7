"""A linear layer and its loss, examples cut into chunks, in steps that a fault can replace one at a time.

The loss of a chunk's logits is that of :class:`Kernel`; here are the product, the chunks, what a mean divides
by, and how the gradients of the layer are added up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.support.faults.correct import CORRECT
from tests.support.faults.kernel import Kernel
from tests.support.faults.sums import Array
from xent_conformance.frameworks.interface import Call, Implementation
from xent_conformance.frameworks.layer import apart

LAYER, LOSS = "linear_cross_entropy", "sparse_softmax_cross_entropy"

CHUNK = 4


@dataclass(frozen=True)
class LayerKernel(Kernel):
    """A right implementation, in chunks of :data:`CHUNK` examples; its ``outputs`` are those of the loss."""

    def __call__(self, call: Call) -> dict[str, Array]:
        working, given = self.working(call.logits.dtype), call.keywords
        features, affine = given["features"], given.get("affine", False)
        numbers, labels = call.logits.astype(working), np.array(call.labels)
        hidden, weight, bias = apart(numbers, labels, features, affine)
        grad_hidden, grad_weight = np.zeros_like(hidden), np.zeros_like(weight)
        grad_bias = np.zeros(len(weight) if affine else 0, dtype=working)
        losses: list[Array] = []
        with np.errstate(all="ignore"):
            for part in self.chunks(len(labels)):
                logits = self.rounded_logits(call, self.logits(hidden[part], weight, bias))
                loss, g = self.loss(call, logits, labels, part)
                losses.append(loss)
                grad_hidden[part] = self.by_hidden(g, weight)
                grad_weight = self.added_up(call, grad_weight, g.T, hidden[part])
                if affine:
                    grad_bias = grad_bias + g.sum(axis=0)
            value = self.value(call, np.concatenate(losses), labels)
        whole = np.concatenate([grad_hidden.ravel(), grad_weight.ravel(), grad_bias])
        found = {"value": value, "grad_logits": whole}
        return {name: self.rounded(call, found[name]) for name in call.outputs}

    def chunks(self, examples: int) -> Sequence[slice]:
        return [slice(start, start + CHUNK) for start in range(0, examples, CHUNK)]

    def logits(self, hidden: Array, weight: Array, bias: Array | None) -> Array:
        product = hidden @ weight.T
        return product if bias is None else product + bias

    def rounded_logits(self, call: Call, logits: Array) -> Array:
        """As they are kept; here in what is computed in."""
        return logits

    def count(self, call: Call, labels: Array, part: slice) -> Any:
        """What the loss is divided by: in a mean, the examples that are kept, of all chunks."""
        mean = call.keywords.get("reduction") == "mean"
        return (labels != call.keywords.get("ignore_index")).sum() if mean else 1

    def loss(self, call: Call, logits: Array, labels: Array, part: slice) -> tuple[Array, Array]:
        """The losses of a chunk, not divided, and the gradient by its logits, ``c/count`` times each."""
        c = np.asarray(call.cotangent, dtype=logits.dtype) / self.count(call, labels, part)
        cotangent = np.broadcast_to(c, labels.shape)[part].astype(logits.dtype)
        keywords = {name: call.keywords[name] for name in ("ignore_index",) if name in call.keywords}
        found = self.of_the_loss(
            Call(_IMPLEMENTATION, call.mode, call.device, logits, labels[part], cotangent, _OUTPUTS,
                 keywords=keywords)
        )  # fmt: skip
        return found["value"], found["grad_logits"]

    def of_the_loss(self, call: Call) -> dict[str, Array]:
        return Kernel(LOSS, self.outputs, self.ask, self.working, self.total)(call)

    def by_hidden(self, g: Array, weight: Array) -> Array:
        return g @ weight

    def added_up(self, call: Call, held: Array, g: Array, hidden: Array) -> Array:
        """The gradient of the weights, of one more chunk."""
        return held + g @ hidden

    def value(self, call: Call, losses: Array, labels: Array) -> Array:
        """The losses, or their sum over what a mean divides by."""
        if call.keywords.get("reduction", "none") == "none":
            return losses
        return np.asarray(losses.sum() / self.count(call, labels, slice(None)))


def kernel_of(operator: str) -> type[Kernel]:
    return LayerKernel if operator == LAYER else Kernel


def correct(operator: str) -> Kernel:
    return kernel_of(operator)(operator, CORRECT[operator])


_OUTPUTS = ("value", "grad_logits")
_IMPLEMENTATION = Implementation(LOSS, LOSS, "fused", lambda *_: None)

"""A linear layer and its loss: the sparse loss of its logits, and gradients by what makes them. SPEC.md 6.18.

Every hypothesis about the loss of an index speaks of a layer too: what it replaces is before the last step.
"""

from __future__ import annotations

import numpy as np

from xent_conformance.diagnosis.pieces import piece
from xent_conformance.diagnosis.situation import Arithmetic, Array, Formulas, Pair, Situation
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.reference.oracle import Truth

LOSS = "sparse_softmax_cross_entropy"


def speaks_of(operator: str, output: str) -> tuple[str, str]:
    """The operator and output whose hypotheses speak of this one."""
    if operator not in OPERATORS or not OPERATORS[operator].layered:
        return operator, output
    return LOSS, "value" if output == "value" else "grad_logits"


def situation(
    truth: Truth, a: Arithmetic, output: str, right: Formulas, last: int | None = None
) -> Situation:
    kind = Layered if truth.inputs.definition.layered else Situation
    return kind(truth, a, output, right, last)


class Layered(Situation):
    """``operator`` and ``output`` are those of the loss; ``by`` is what is wanted of the layer."""

    def __init__(
        self, truth: Truth, a: Arithmetic, output: str, right: Formulas, last: int | None = None
    ) -> None:
        super().__init__(truth, a, speaks_of(truth.inputs.operator, output)[1], right, last)
        self.by = output

    @property
    def wanted(self) -> str:
        return self.by

    @property
    def operator(self) -> str:
        return LOSS

    def _part(self, i: int, *shape: int) -> Array:
        logits = self.inputs.logits
        of = logits[:, self.given.parts(logits.shape[1])[i]]
        return self.of(of).reshape(len(logits), *shape)

    @piece
    def hidden(self) -> Array:
        """``(groups, examples, features)``."""
        return self._part(0, self.examples, self.given.features)

    @piece
    def layer(self) -> Array:
        """``W``, ``(groups, N, features)``."""
        return self._part(1, self.n, self.given.features)

    @piece
    def offset(self) -> Array:
        """``b``, ``(groups, N)``; nothing where there is none."""
        return self._part(2, self.n) if self.given.affine else self.of(np.zeros((1, self.n)))

    @piece
    def arrived(self) -> Array:
        """``W h + b``, one example below the other."""
        x = self._added(self.hidden[:, :, None, :] * self.layer[:, None, :, :], axis=3)
        return np.asarray(x + self.offset[:, None, :]).reshape(-1, self.n)

    @piece
    def g(self) -> Array:
        """The gradient by the logits, ``(groups, examples, N)``."""
        g = np.broadcast_to(self.rows[0], (len(self.index), self.n))
        return np.asarray(g).reshape(len(self.inputs), self.examples, self.n)

    @piece
    def terms(self) -> Array:
        """What is summed over the examples, the second axis."""
        if self.by == "value":
            return np.asarray(self.rows[0]).reshape(len(self.inputs), self.examples, -1)
        if self.by == "grad_bias":
            return self.g
        return np.asarray(self.g[:, :, :, None] * self.hidden[:, :, None, :])

    @piece
    def over_examples(self) -> Array:
        return self._added(self.terms, axis=1)

    @piece
    def whole(self) -> Pair:
        groups = len(self.inputs)
        sizes = np.abs(np.broadcast_to(np.asarray(self.rows[1], dtype=np.float64), self.rows[0].shape))
        if self.by == "value" and not self.reduced:
            return self.terms.reshape(groups, -1), sizes.reshape(groups, -1)
        if self.by == "value":
            wide = sizes.reshape(groups, -1).sum(axis=1, keepdims=True)
            divisor = self.divisor
            return self.over_examples / divisor, wide / np.abs(divisor.astype(np.float64))
        size = np.maximum(
            np.abs(self.g.astype(np.float64)),
            np.broadcast_to(sizes, (len(self.index), self.n)).reshape(self.g.shape),
        )
        if self.by == "grad_hidden":
            found = self._added(self.g[:, :, :, None] * self.layer[:, None, :, :], axis=2)
            wide = (size[:, :, :, None] * np.abs(self.layer[:, None, :, :].astype(np.float64))).max(axis=2)
        elif self.by == "grad_bias":
            found, wide = self.over_examples, size.max(axis=1)
        else:
            h = np.abs(self.hidden.astype(np.float64))
            found, wide = self.over_examples, (size[:, :, :, None] * h[:, :, None, :]).max(axis=1)
        return found.reshape(groups, -1), wide.reshape(groups, -1)

    def _added(self, terms: Array, axis: int) -> Array:
        return np.asarray(terms.astype(self.a.sums).sum(axis=axis, dtype=self.a.sums)).astype(self.a.working)

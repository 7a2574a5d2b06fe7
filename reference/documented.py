"""What is right by a documented definition: certified values of it, and their bounds. SPEC.md 5.11 and 8.20."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from xent_conformance.reference.bounds.bound import Bound
from xent_conformance.reference.bounds.table import bound
from xent_conformance.reference.exact import documented as exact
from xent_conformance.reference.exact.ball import certify
from xent_conformance.reference.exact.documented import Clip
from xent_conformance.reference.formats import Floats, Format
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.oracle import Truth

EPSILON = 1e-7


@dataclass(frozen=True)
class Definition:
    """A definition that a framework documents, of one operator.

    ``outputs``: those that its words settle. ``source``: where they stand.
    """

    operator: str
    outputs: tuple[str, ...]
    define: exact.Documented
    source: str


_KERAS = "https://keras.io/api/utils/config_utils/#epsilon-function"
_ALL = ("value", "grad_logits", "grad_labels")

DEFINITIONS: dict[str, Definition] = {
    "logarithms of at least -100": Definition(
        "binary_cross_entropy",
        ("value",),
        exact.bounded_logarithms,
        "https://docs.pytorch.org/docs/stable/generated/torch.nn.BCELoss.html",
    ),
    "probabilities within epsilon": Definition("binary_cross_entropy", _ALL, exact.clipped_binary, _KERAS),
    "shares within epsilon": Definition("categorical_cross_entropy", _ALL, exact.clipped_shares, _KERAS),
    "softmax of logarithms within epsilon": Definition(
        "sparse_categorical_cross_entropy", _ALL[:2], exact.softmax_of_logarithms, _KERAS
    ),
}
"""By the name under which an implementation declares it."""


def clip_of(fmt: Format) -> Clip:
    """``ε`` and ``1 − ε`` as the format has them."""
    low, high = fmt.nearest(np.array([EPSILON, 1.0 - EPSILON])).tolist()
    return low, high


@dataclass(frozen=True)
class DocumentedTruth(Truth):
    """What is right for a batch by a documented definition."""

    name: str = ""

    def bound(self, output: str) -> Bound:
        """That of the plain loss at what is clipped, and what dividing by a sum adds (SPEC.md 8.20)."""
        low, high = clip_of(self.inputs.format)
        kept = np.where(np.isnan(self.inputs.logits), np.nan, np.clip(self.inputs.logits, low, high))
        if self.name == "logarithms of at least -100":
            # log p is −100 there, and nearer to one there is no number whose log(1 − p) is so low
            kept = np.clip(self.inputs.logits, np.exp(-100.0), 1.0)
        found = bound(_unchecked(self.inputs, kept), output, self._values, self.certified.sizes)
        more: Floats | float = 0.0
        if self.name == "logarithms of at least -100":
            other = np.abs(1 - self.inputs.labels) * np.abs(
                np.array([self.inputs.attributes.weight or (1.0,)])
            )
            more = np.where(self.inputs.logits == 1, 1000 * self.inputs.format.u * other, 0.0)
        elif not self.inputs.definition.elementwise:
            more = _shared(self.inputs, kept, output)
        return replace(found, accurate=found.accurate + more, stable=found.stable + more)


def _unchecked(inputs: Inputs, logits: Floats) -> Inputs:
    """The same batch with other numbers, which need be none of the format: bounds are made of sizes alone."""
    other = object.__new__(Inputs)
    for name, value in vars(inputs).items():
        if name in Inputs.__dataclass_fields__:
            object.__setattr__(other, name, value)
    object.__setattr__(other, "logits", logits)
    return other


def _shared(inputs: Inputs, p: Floats, output: str) -> Floats:
    """What normalising adds: a sum, a quotient, and the derivative of both."""
    fmt, n = inputs.format, inputs.n
    narrow = fmt.precision < 24
    E, Q = (4.0, 1.0) if narrow else (6.0, 5.0)
    h = n * fmt.u_accumulate / fmt.u + narrow
    log = -np.log(np.where(np.isnan(p), 1.0, p))
    mean = (p * log).sum(axis=1, keepdims=True)
    q = np.abs(inputs.dense_labels) * (
        np.array([inputs.attributes.weight]) if inputs.attributes.weight else 1
    )
    mass = q.sum(axis=1, keepdims=True)
    of_log = (E + 3) * (log + 2 * mean) + (E + 1) * np.log(max(n, 2)) + 2 * E + Q + 3 + h
    if output == "value":
        return np.asarray(fmt.u * (q * of_log).sum(axis=1, keepdims=True))
    c = np.abs(inputs.cotangent)
    if output == "grad_labels":
        return np.asarray(fmt.u * c * of_log)
    slope = mass * (3 * Q + 6 + of_log) + q / p * (2 * Q + 5 + h)
    return np.asarray(fmt.u * c * slope)


def documented(name: str, inputs: Inputs) -> DocumentedTruth | None:
    """What is right by that definition; None where it is not of the batch's operator, or settles nothing.

    Groups of examples and tangents are judged by the mathematical definition alone.
    """
    definition = DEFINITIONS[name]
    if definition.operator != inputs.operator or inputs.attributes.grouped or inputs.tangent.size:
        return None
    clip = clip_of(inputs.format)
    certified = certify(lambda i: definition.define(inputs.row(i), clip), len(inputs))
    return DocumentedTruth(inputs, certified, name)

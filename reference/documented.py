"""What is right by a documented definition: certified values, and their bounds. SPEC.md 5.11 and 8.20."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from xent_conformance.reference.bounds.bound import Bound
from xent_conformance.reference.bounds.documented import CLIPPED, RAISED, OfDefinition
from xent_conformance.reference.bounds.eight_bits import around
from xent_conformance.reference.bounds.eight_bits_given import SHARES, Arguments, GivenForm
from xent_conformance.reference.bounds.reductions import of_examples, reduced
from xent_conformance.reference.bounds.sizes import Sizes, rowsum
from xent_conformance.reference.bounds.table import BOUNDS
from xent_conformance.reference.exact import documented as exact
from xent_conformance.reference.exact.ball import Values, certify
from xent_conformance.reference.exact.documented import Clip
from xent_conformance.reference.exact.reductions import reduce
from xent_conformance.reference.exact.row import Row
from xent_conformance.reference.formats import EIGHT_BITS, Floats, Format
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.oracle import Truth

EPSILON = 1e-7


@dataclass(frozen=True)
class Definition:
    """A definition that a framework documents, of one operator.

    ``outputs``: those that its words settle. ``source``: where they stand. ``bounds``: its own, where it is
    no loss of §0 at another argument. ``in_eight_bits``: the intervals of its steps; without them it says
    nothing there, where no first order holds (8.19).
    """

    operator: str
    outputs: tuple[str, ...]
    define: exact.Documented
    source: str
    bounds: Mapping[str, OfDefinition] = field(default_factory=dict)
    in_eight_bits: Mapping[str, GivenForm] = field(default_factory=dict)


_KERAS = "https://keras.io/api/utils/config_utils/#epsilon-function"
_ALL = ("value", "grad_logits", "grad_labels")
_MOVED = ("jvp", "hvp")

DEFINITIONS: dict[str, Definition] = {
    "logarithms of at least -100": Definition(
        "binary_cross_entropy",
        ("value",),
        exact.bounded_logarithms,
        "https://docs.pytorch.org/docs/stable/generated/torch.nn.BCELoss.html",
    ),
    "probabilities within epsilon": Definition("binary_cross_entropy", _ALL, exact.clipped_binary, _KERAS),
    "shares within epsilon": Definition(
        "categorical_cross_entropy",
        (*_ALL, *_MOVED),
        exact.clipped_shares,
        _KERAS,
        in_eight_bits=SHARES,
    ),
    "softmax of logarithms within epsilon": Definition(
        "sparse_categorical_cross_entropy", (*_ALL[:2], *_MOVED), exact.softmax_of_logarithms, _KERAS
    ),
    "an epsilon added to probabilities": Definition(
        "binary_cross_entropy",
        (*_ALL, *_MOVED),
        exact.raised_binary,
        "https://www.tensorflow.org/api_docs/python/tf/compat/v1/losses/log_loss",
        RAISED,
    ),
    "divergence of what is within epsilon": Definition(
        "kl_divergence",
        (*_ALL, *_MOVED),
        exact.clipped_divergence,
        "https://keras.io/api/losses/probabilistic_losses/#kl_divergence-function",
        CLIPPED,
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
        if self.inputs.format.name in EIGHT_BITS:
            found = self._definition.in_eight_bits[output](Arguments(self.inputs))
            return around(self._values[output], found)
        sizes = self.certified.sizes
        inputs = self.inputs if self._definition.bounds else _unchecked(self.inputs, self._kept)
        with np.errstate(all="ignore"):
            if not inputs.attributes.grouped:
                return self._of_row(output)(Sizes(inputs, self._values, sizes))
            scalar = output in ("value", "jvp")
            inner = self._of_row(output)(of_examples(inputs, sizes))
            return reduced(inputs, self._values[output], sizes, inner, scalar=scalar)

    @property
    def _kept(self) -> Floats:
        """What is left of the probabilities, or one whose logarithm is −100."""
        low, high = (float(np.exp(-100.0)), 1.0) if self._bounded else clip_of(self.inputs.format)
        p = self.inputs.logits
        return np.where(np.isnan(p), p, np.clip(p, low, high))

    @property
    def _definition(self) -> Definition:
        return DEFINITIONS[self.name]

    @property
    def _bounded(self) -> bool:
        return self._definition.define is exact.bounded_logarithms

    def _of_row(self, output: str) -> Callable[[Sizes], Bound]:
        if self._definition.bounds:
            eps, _ = clip_of(self.inputs.format)
            return lambda z: self._definition.bounds[output](z, eps)

        def of(z: Sizes) -> Bound:
            found = BOUNDS[z.inputs.operator, output](z)
            more: Floats | float = 0.0
            if self._bounded:  # at 1 the other logarithm is −100
                more = np.where(z.inputs.logits == 1, 1000 * z.unit * z.weight * np.abs(1 - z.p), 0.0)
            elif not z.inputs.definition.elementwise:
                more = z.unit * _shared(z, output)
                if output.startswith("grad"):  # c s_i may be subnormal, and is divided by p_i
                    more = more + z.eta * (2 + z.inputs.n + 1 / z.inputs.logits)
            return replace(found, accurate=found.accurate + more, stable=found.stable + more)

        return of


def _unchecked(inputs: Inputs, logits: Floats) -> Inputs:
    """The same batch with other numbers, which need be none of the format: bounds are made of sizes alone."""
    other = object.__new__(Inputs)
    for name, value in vars(inputs).items():
        if name in Inputs.__dataclass_fields__:
            object.__setattr__(other, name, value)
    object.__setattr__(other, "logits", logits)
    if inputs.attributes.grouped and inputs.logits.size:  # its examples are made of numbers that are checked
        apart = _unchecked(inputs.apart, logits.reshape(inputs.apart.logits.shape))
        object.__setattr__(other, "apart", apart)
    return other


def _shared(z: Sizes, output: str) -> Floats:
    """What normalising adds, in units of u: a sum, a quotient, and the derivative of both."""
    p, n, h, E, Q = z.inputs.logits, z.inputs.n, z.h_stable, z.E, z.Q
    log = -np.log(np.where(np.isnan(p), 1.0, p))
    of_log = (E + 3) * (log + 2 * rowsum(p * log)) + (E + 1) * np.log(max(n, 2)) + 2 * E + Q + 3 + h
    q, c, v = np.abs(z.q), np.abs(z.c), np.abs(z.v)
    mass = rowsum(q)
    slope = mass * (3 * Q + 6 + z.kappa + of_log) + q / p * (2 * Q + 5 + z.kappa + h)
    if output == "value":
        return rowsum(q * of_log)
    if output == "jvp":
        return rowsum(v * (slope + h * (mass + q / p)))
    if output == "hvp":
        common = 2 * mass * rowsum(v) * (3 * Q + 6 + of_log)
        return np.asarray(c * (common + q * v / p**2 * (4 * Q + 12 + 2 * h)))
    return np.asarray(c * (z.slope * of_log if output == "grad_labels" else slope))


def _by_cotangent(define: exact.Documented, row: Row, clip: Clip, *, elementwise: bool) -> Values:
    """NaN in the gradients of a cotangent that is not finite (3.2, 5.5): in all, where a sum divides."""
    lost = [not math.isfinite(c) for c in row.c]
    if not any(lost):
        return define(row, clip)
    kept = [1.0 if gone else c for c, gone in zip(row.c, lost, strict=True)]
    found = define(replace(row, c=kept), clip)
    for name in ("grad_logits", "grad_labels", "hvp"):
        if name in found:
            gone = lost if elementwise else [True] * len(found[name])
            found[name] = [math.nan if g else v for g, v in zip(gone, found[name], strict=True)]
    return found


def documented(name: str, inputs: Inputs) -> DocumentedTruth | None:
    """What is right by that definition; None where it is not of the batch's operator, or settles nothing.

    Tangents are judged by the mathematical definition where the words settle none.
    """
    definition = DEFINITIONS[name]
    if definition.operator != inputs.operator:
        return None
    if inputs.format.name in EIGHT_BITS and not definition.in_eight_bits:
        return None
    op, a = inputs.definition, inputs.attributes
    if inputs.tangent.size and not set(_MOVED) <= set(definition.outputs):
        return None
    clip = clip_of(inputs.format)

    def define(row: Row) -> Values:
        return _by_cotangent(definition.define, row, clip, elementwise=op.elementwise)

    def of(i: int) -> Values:
        if not a.grouped:
            return define(inputs.row(i))
        return reduce(define, inputs.row(i), labels=op.labels, elementwise=op.elementwise)

    certified = certify(of, len(inputs))
    return DocumentedTruth(inputs, certified, name)

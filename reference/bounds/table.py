"""How far from the truth a result may be: the accurate and the stable bound of every output.

Each bound is a formula derived in SPEC.md §8 and evaluated here, element by element, beside the
reference. Letters are those of SPEC.md (see :mod:`xent_conformance.reference.bounds.sizes`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from xent_conformance.reference.bounds.around import around, rounded, untimed
from xent_conformance.reference.bounds.bound import Bound
from xent_conformance.reference.bounds.derivatives import MOVING
from xent_conformance.reference.bounds.divergences import DIVERGENCES
from xent_conformance.reference.bounds.eight_bits import EIGHT_BITS, in_eight_bits
from xent_conformance.reference.bounds.given import GIVEN
from xent_conformance.reference.bounds.layer import of_a_layer
from xent_conformance.reference.bounds.reductions import of_examples, reduced
from xent_conformance.reference.bounds.sigmoid import SIGMOID
from xent_conformance.reference.bounds.sizes import Sizes
from xent_conformance.reference.bounds.softmax import SOFTMAX
from xent_conformance.reference.formats import Floats
from xent_conformance.reference.inputs import Inputs

BOUNDS: dict[tuple[str, str], Callable[[Sizes], Bound]] = {
    **SOFTMAX,
    **SIGMOID,
    **GIVEN,
    **DIVERGENCES,
    **MOVING,
}


SHARED = 2**14
"""Logits of a batch whose sizes stay for its other outputs; those of a larger one are much memory, and those
of all batches together would be: they stay until another batch is looked at."""


class Bounds:
    """The bounds of a batch, from its inputs, certified values and sizes."""

    def __init__(self, inputs: Inputs, values: Mapping[str, Floats], sizes: Mapping[str, Floats]) -> None:
        self._inputs, self._values, self._sizes = inputs, values, sizes

    def of(self, output: str) -> Bound:
        """The bound of one output.

        Elements where the reference is NaN or infinite have a meaningless bound; a judge never reads it.
        """
        inputs, values = self._inputs, self._values
        if not inputs.logits.size:
            nothing = np.zeros_like(values[output])
            return Bound(nothing, nothing, nothing)
        with np.errstate(all="ignore"):
            if inputs.format.name in EIGHT_BITS:
                return in_eight_bits(inputs, output, values)
            if inputs.definition.layered:
                return of_a_layer(inputs, output, values, self._sizes)
            of_row = around(BOUNDS[inputs.operator, output], inputs.attributes, output)
            # the same for all outputs
            found = of_row(_latest(self) if inputs.logits.size <= SHARED else self.sizes())
            if inputs.attributes.grouped:
                scalar = output in ("value", "jvp")
                whole = reduced(inputs, values[output], self._sizes, found, scalar=scalar)
                return rounded(whole, inputs, values[output], output)
            found = rounded(found, inputs, values[output], output)
            if not output.startswith("grad"):
                return found
            # a cotangent that is subnormal itself may be flushed, and the gradient with it (SPEC.md 8.1)
            lost = (np.abs(inputs.cotangent) < inputs.format.smallest_normal).any(axis=1, keepdims=True)
            return replace(
                found, flush=np.where(lost, np.maximum(found.flush, np.abs(values[output])), found.flush)
            )

    def sizes(self) -> Sizes:
        """The sizes of every row, of a group of every example, made anew."""
        inputs = self._inputs
        if inputs.attributes.grouped:
            return of_examples(inputs, self._sizes)
        inner = {name: untimed(inputs, a) for name, a in self._values.items()}
        return Sizes(inputs, inner, self._sizes)


@functools.lru_cache(maxsize=1)
def _latest(of: Bounds) -> Sizes:
    return of.sizes()

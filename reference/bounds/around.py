"""What multiplies a result and its gradient, after the operator and on the way back: SPEC.md 8.14."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from xent_conformance.reference.attributes import Attributes
from xent_conformance.reference.bounds.before import products
from xent_conformance.reference.bounds.bound import Bound
from xent_conformance.reference.bounds.sizes import Sizes, rowsum
from xent_conformance.reference.formats import FORMATS, Floats
from xent_conformance.reference.inputs import Inputs

OfRow = Callable[[Sizes], Bound]


def around(of_row: OfRow, a: Attributes, output: str) -> OfRow:
    """The operator's own bound, times what multiplies the output."""
    if not a.around:
        return of_row
    by = abs(a.times) * (abs(a.factor) if output == "grad_logits" else 1.0)

    def bound(z: Sizes) -> Bound:
        found, more = of_row(z), _cotangent(z) if output == "grad_logits" and a.times != 1.0 else 0.0
        outer = Bound(by * (found.accurate + more), by * (found.stable + more), by * found.flush)
        return _through(z, outer) if a.matrix and output == "grad_logits" else outer

    return bound


def _through(z: Sizes, found: Bound) -> Bound:
    """Of ``Σ_i W_ji g_i``: what each ``g_i`` is off by, its product, and their sum in any order."""
    weight, shape = np.abs(np.array(z.inputs.attributes.matrix)), z.inputs.logits.shape

    def mixed(a: Floats) -> Floats:
        return np.asarray(np.broadcast_to(a, shape) @ weight.T, dtype=np.float64)

    count = z.inputs.n + 1
    more = z.unit * (1 + z.h_stable) * z.reference_sizes["mixed"] + count * z.eta
    return Bound(
        mixed(found.accurate) + more, mixed(found.stable) + more, mixed(found.flush) + count * z.tiny
    )


def _cotangent(z: Sizes) -> Floats | float:
    """The factor goes into the cotangent: each element is rounded, equal ones alike.

    One number for all multiplies the gradient, whose rounding is counted there.
    """
    if z.c.shape[1] == 1 or z.inputs.definition.elementwise:
        return 0.0
    c = np.abs(z.c)
    at_k = np.take_along_axis(z.c, z.k, axis=1)
    apart = np.where(z.c == at_k, 0.0, c + np.abs(at_k))
    if z.inputs.operator == "log_softmax":  # c_i − s_i Σ c_j
        return np.asarray(z.unit * (c + z.s * rowsum(c)), dtype=np.float64)
    return np.asarray(z.unit * z.s * (apart + rowsum(z.s * apart)), dtype=np.float64)


def untimed(inputs: Inputs, values: Floats) -> Floats:
    """A result before it was multiplied; of zero times it nothing is left to be known."""
    times = inputs.attributes.times
    return values if times == 1.0 else np.asarray(values / times if times else np.zeros_like(values))


def rounded(found: Bound, inputs: Inputs, values: Floats, output: str) -> Bound:
    """The roundings of those products, of which each may underflow."""
    a, fmt = inputs.attributes, inputs.format
    count = (a.times != 1.0) + (products(inputs) if output == "grad_logits" else 0.0)
    if not count and not (a.cast and output == "grad_logits"):
        return found
    finite = np.where(np.isfinite(values), np.abs(values), 0.0)
    extra = count * (fmt.u * finite + fmt.smallest_subnormal)
    flush = found.flush + count * fmt.smallest_normal * (1 + abs(a.times) * max(abs(a.factor), 1.0))
    if a.cast and output == "grad_logits":  # it goes back to where the logits came from
        narrow = FORMATS[a.cast]
        extra = extra + narrow.u * finite * (1 + narrow.u) + narrow.smallest_subnormal
        flush = flush + narrow.smallest_normal
    return Bound(found.accurate + extra, found.stable + extra, flush)

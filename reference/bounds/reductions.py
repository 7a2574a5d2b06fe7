"""Bounds of a sum or a mean of examples: SPEC.md 8.12."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from xent_conformance.reference.bounds.bound import Bound
from xent_conformance.reference.bounds.sizes import SATURATED, Sizes
from xent_conformance.reference.formats import Floats
from xent_conformance.reference.inputs import Inputs


def of_examples(inputs: Inputs, sizes: Mapping[str, Floats]) -> Sizes:
    """The sizes of the examples of all groups, each a row with a cotangent of one."""
    rows = len(inputs) * (inputs.attributes.examples or 0)
    apart = {name: a.reshape(rows, -1) for name, a in sizes.items() if name not in ("f", "by")}
    each = sizes["f"].reshape(rows, -1)
    return Sizes(inputs.apart, {"value": each, "jvp": each}, apart)


def reduced(
    inputs: Inputs,
    exact: Floats,
    sizes: Mapping[str, Floats],
    inner: Bound,
    *,
    scalar: bool,
) -> Bound:
    """``inner``, the bound of each example with a cotangent of one, reduced as value (or gradient) is.

    ``exact`` is the reduced output. The weights may be summed, and the quotient formed, in the format.
    """
    fmt, groups = inputs.format, len(inputs)
    rows = groups * (inputs.attributes.examples or 0)
    scale = np.abs(inputs.cotangent / sizes["by"])
    each = np.abs(inputs.attributes.row_weight or (1.0,))  # of every example
    more = 1.0 if inputs.attributes.row_weight else 0.0  # its product is rounded
    if not scalar:
        scale = scale * np.repeat(
            np.broadcast_to(each, (1, inputs.attributes.examples or 0)), inputs.n, axis=1
        )

        def spread(a: Floats) -> Floats:
            each_row = np.broadcast_to(a, inputs.apart.logits.shape).reshape(groups, -1)
            return np.asarray(scale * each_row, dtype=np.float64)

        rounded = (6 + more) * fmt.u * np.abs(exact) + 4 * fmt.smallest_subnormal * (1 + scale)
        flush = spread(inner.flush) + 4 * fmt.smallest_normal * (1 + scale)
        return Bound(spread(inner.accurate) + rounded, spread(inner.stable) + rounded, flush)

    share = 1 / np.abs(sizes["by"])
    terms = np.abs(sizes["f"]) * share
    count = terms.shape[1]
    pairwise = ((count - 1).bit_length() + 4) * fmt.u_accumulate
    in_order = min(count * fmt.u_accumulate, SATURATED)
    total = terms.sum(axis=1, keepdims=True)

    def summed(a: Floats) -> Floats:
        full = np.broadcast_to(a, (rows, count * groups // rows)).reshape(groups, -1)
        full = full * np.repeat(np.broadcast_to(each, rows // groups), count * groups // rows)
        return np.asarray(share * full.sum(axis=1, keepdims=True), dtype=np.float64)

    underflow = 2 * fmt.smallest_subnormal
    return Bound(
        summed(inner.accurate) + (2 * pairwise + (6 + more) * fmt.u) * total + underflow,
        summed(inner.stable) + (2 * in_order + (6 + more) * fmt.u) * total + underflow,
        summed(inner.flush) + 2 * fmt.smallest_normal,
    )

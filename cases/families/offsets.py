"""``offsets``: one number added to all logits, exactly, up to where the format counts in ones (7.1).

The classic trap is ``[1e8, 1e8]`` in binary32: ``max + log Σ exp`` rounds the logarithm of two away, and
a loss of ``log 2`` becomes zero. Distances are whole multiples of the spacing at the offset, so that
every sum is exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xent_conformance.cases.case import Ask
from xent_conformance.cases.family import Family
from xent_conformance.cases.words import Words
from xent_conformance.reference.formats import Floats, Format, Ints
from xent_conformance.reference.operators import Operator


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    if operator.elementwise:
        return ()
    return (10,) if profile == "quick" else (10, 2)


def _offsets(fmt: Format) -> list[tuple[str, float]]:
    """From small to the first power of two at which neighbours are eight apart."""
    top = fmt.precision + 2
    exponents = {
        "small": 3,
        "half_precision": fmt.precision // 2,
        "counting": fmt.precision - 1,
        "coarse": top,
    }
    return [(name, sign * 2.0**k) for name, k in exponents.items() for sign in (1.0, -1.0)]


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    for name, offset in _offsets(fmt):
        yield Ask(name, np.full(n, offset), "7.1")
        for _ in range(2):
            yield Ask(name, _exactly(fmt, offset, words.below(9, n)), "7.1")
    # the number that everybody types; nearest is what a user gets
    everyday = float(fmt.nearest(np.array(1e8))) if fmt.largest > 1e8 else 30000.0
    yield Ask("everyday", np.full(n, everyday), "7.1")
    yield Ask("everyday", np.full(n, -everyday), "7.1")


def _exactly(fmt: Format, offset: float, steps: Ints) -> Floats:
    """``offset`` plus at most eight steps of its own spacing, or of one where that is finer."""
    step = float(np.copysign(max(fmt.ulp(offset), 1.0), offset))
    return offset + step * steps.astype(np.float64)


OFFSETS = Family("offsets", "one number added to all logits, exactly, small to coarse", _lengths, _rows)

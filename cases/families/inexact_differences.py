"""``inexact_differences``: logits of many magnitudes, with all their digits: ``max − x`` is rounded (1.1).

Bell-shaped rows have 40 bits after the point, offsets and ladders are whole steps: there the differences
are exact in binary64, and in binary32 where the logits have 16 bits. Here hardly one is in its format, and
many of 16-bit logits are not even in binary32: whoever shifts rounds. Sixty-four classes, from nearly
equal ones to one that stands far above all. Then the largest many times over, with one cotangent: what
each of them was rounded by adds up, where a gradient goes through the maximum.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xent_conformance.cases.case import Ask
from xent_conformance.cases.family import Family, sparingly_in_single
from xent_conformance.cases.words import Words
from xent_conformance.reference.formats import Floats, Format, Ints
from xent_conformance.reference.operators import Operator

CLASSES = 64
LARGEST = {"nearly_equal": -3, "unit": 0, "ten": 3, "hundred": 6}
"""The exponent of the largest logit."""

TIES = (37, 43, 47, 53, 55, 57, 60, 61)
"""How many classes share the probability: a reciprocal that rounding moves, up or down, in every format."""

SPAN = 21
"""Exponents below it: binary32 cannot hold the difference of two 16-bit numbers that far apart."""


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    return () if operator.elementwise else (CLASSES,)


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    width = 1 if operator.value_shape == "scalar" else n
    for name, top in LARGEST.items():
        for _ in range(3):
            yield Ask(name, _row(fmt, n, top, words), "1.1")
    for ties in TIES:
        x = _row(fmt, n, LARGEST["hundred"], words)
        yield Ask("ties", np.where(np.arange(n) < ties, x.max(), x), "1.1", cotangent=np.ones(width))


def _row(fmt: Format, n: int, top: int, words: Words) -> Floats:
    """One logit of the largest exponent; beside it, of either sign, only what is smaller or negative."""
    below = words.below(SPAN, n)
    k = int(words.below(n, 1)[0])
    below[k] = 0
    negative = (words.integers(1, n) == 1) | (below == 0)
    negative[k] = False
    exponents = np.maximum(top - below, fmt.emin)
    return np.where(negative, -1.0, 1.0) * np.ldexp(_digits(fmt, n, words), exponents)


def _digits(fmt: Format, n: int, words: Words) -> Floats:
    """Significands in [1, 2) whose last bit is set."""
    bits: Ints = words.integers(fmt.precision - 1, n) | 1
    return 1.0 + np.ldexp(bits.astype(np.float64), 1 - fmt.precision)


INEXACT_DIFFERENCES = Family(
    "inexact_differences",
    "logits of many magnitudes with all their digits: hardly a difference is exact",
    _lengths,
    _rows,
    compiled=sparingly_in_single,
)

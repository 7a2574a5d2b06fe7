"""``near_ties``: logits one ulp apart, at every scale, and permutations of them (1.1).

The distance of two neighbours is exact, and their probabilities differ by less than an ulp: an
implementation that sorts, compares or accumulates carelessly shows here first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xent_conformance.cases.case import Ask
from xent_conformance.cases.family import Family
from xent_conformance.cases.words import Words
from xent_conformance.reference.formats import Format
from xent_conformance.reference.operators import Operator


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    return () if operator.elementwise else (10,)


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    for exponent in (-12, -4, 0, 3, 6):
        at = 2.0**exponent
        for sign in (1.0, -1.0):
            ladder = sign * (at + fmt.ulp(at) * np.arange(n, dtype=np.float64))
            yield Ask("ladder", ladder, "1.1")
            yield Ask("pair", np.where(np.arange(n) == n // 2, sign * (at + fmt.ulp(at)), sign * at), "1.1")
            order = np.argsort(words.integers(40, n), kind="stable")
            yield Ask("shuffled", ladder[order], "1.1")
    yield Ask("zeros", np.zeros(n), "1.1")
    yield Ask("signed_zeros", np.where(np.arange(n) % 2 == 0, 0.0, -0.0), "1.1")
    # the element order and a vector's tail must not matter: one number, repeated
    yield Ask("repeated", fmt.nearest(np.full(n, 0.2)), "1.1")


NEAR_TIES = Family("near_ties", "logits one ulp apart at several scales, in several orders", _lengths, _rows)

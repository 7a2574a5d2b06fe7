"""``index_range``: indices that name no class (6.4), beside rows that name one: the last, the first (6.3).

Each is in a batch of its own: where an implementation raises, the others keep their answers. −100 is
left out: it is what PyTorch ignores if nothing else is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xent_conformance.cases.case import Ask
from xent_conformance.cases.families.common import ordinary
from xent_conformance.cases.family import GIVEN, Family
from xent_conformance.cases.words import Words
from xent_conformance.reference.formats import Format
from xent_conformance.reference.operators import Operator

BEYOND = {
    "classes": 0.0,
    "one_beyond": 1.0,
    "far_beyond": 1000.0,
}
OUTSIDE = {"minus_one": -1.0, "wraps_in_32_bits": 2.0**32 + 1.0, "lowest": -(2.0**62)}


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    return (10,) if operator.labels == "index" else ()


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    wrong = {name: n + extra for name, extra in BEYOND.items()} | OUTSIDE | {"minus_classes": -float(n)}
    for name, y in wrong.items():
        yield Ask("clean", ordinary(operator, fmt, n, words, 2.0), "3.1", np.array([1.0]))
        yield Ask(name, ordinary(operator, fmt, n, words, 2.0), "6.4", np.array([y]))
    yield Ask("clean", ordinary(operator, fmt, n, words, 2.0), "3.1", np.array([n - 1.0]))
    # of given probabilities and logarithms nothing else of ``quick`` names the first class on purpose
    yield Ask("first", ordinary(operator, fmt, n, words, 2.0), "6.3", np.array([0.0]))


INDEX_RANGE = Family(
    "index_range",
    "indices out of range and negative, beside rows whose index is right",
    _lengths,
    _rows,
    domains=GIVEN,
)

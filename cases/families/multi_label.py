"""``multi_label``: sigmoid cross-entropy over many labels at once, confident ones among them (1.1).

``x = +20, z = 1`` and its mirror image ``x = −20, z = 0`` have the same tiny loss; forms that keep a
``max(x, 0)`` apart lose it on one side only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xent_conformance.cases.case import Ask
from xent_conformance.cases.family import Family
from xent_conformance.cases.words import Words
from xent_conformance.reference.formats import Floats, Format
from xent_conformance.reference.operators import Operator

CONFIDENT = (6.0, 10.0, 16.0, 20.0, 40.0)


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    if operator.name != "sigmoid_cross_entropy":
        return ()
    return (16,) if profile == "quick" else (16, 1000)


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    for scale in (1.0, 4.0):
        for _ in range(3):
            few = np.asarray(words.below(8, n) == 0, dtype=np.float64)
            yield Ask("few_positives", words.bell(fmt, scale, n), "1.1", few)
    for x in CONFIDENT:
        sign: Floats = 2.0 * words.below(2, n).astype(np.float64) - 1.0
        yield Ask("confident_right", x * sign, "1.1", (sign + 1.0) / 2.0)
        yield Ask("confident_wrong", x * sign, "1.1", (1.0 - sign) / 2.0)
    yield Ask("all_positive", words.bell(fmt, 4.0, n), "1.1", np.ones(n))
    yield Ask("none_positive", words.bell(fmt, 4.0, n), "1.1", np.zeros(n))


MULTI_LABEL = Family(
    "multi_label", "many independent labels in a row, confident ones among them", _lengths, _rows
)

"""``two_classes``: N = 2, where softmax is the sigmoid of the difference (2.5, and 1.2 for confident rows).

Ties, neighbours one ulp apart, confident rows whose loss is tiny, and a common offset.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xent_conformance.cases.case import Ask
from xent_conformance.cases.family import Family, sparingly_in_single
from xent_conformance.cases.words import Words
from xent_conformance.reference.formats import Format
from xent_conformance.reference.operators import Operator

CONFIDENT = (5.0, 8.0, 10.0, 15.0, 20.0, 30.0, 50.0, 80.0)


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    return () if operator.elementwise else (2,)


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    def ask(variant: str, a: float, b: float, y: int, clause: str = "2.5") -> Ask:
        label = {"none": None, "index": np.array([float(y)]), "dense": np.eye(2)[y]}[operator.labels]
        return Ask(variant, fmt.nearest(np.array([a, b])), clause, label)

    for x in (0.0, 1.0, -3.0, 100.0):
        yield ask("tie", x, x, 0)
        yield ask("near_tie", 1.0 + x, 1.0 + x + fmt.ulp(1.0 + x), 1)
    for d in CONFIDENT:
        yield ask("confident_right", d, 0.0, 0, "1.2")
        yield ask("confident_right", 0.0, d, 1, "1.2")
        yield ask("confident_wrong", d, 0.0, 1)
    for row in words.bell(fmt, 4.0, 6, 2).tolist():
        yield ask("random", row[0], row[1], 0)
    for offset in (256.0, -256.0):
        yield ask("offset", offset, offset + 2.0, 0)


TWO_CLASSES = Family(
    "two_classes",
    "N = 2: ties, near ties, confident rows, offsets",
    _lengths,
    _rows,
    formats_in={"quick": ("float32", "bfloat16")},
    compiled=sparingly_in_single,
)

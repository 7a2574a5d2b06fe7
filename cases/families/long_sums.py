"""``long_sums``: so many classes that a narrow sum overflows (2.6).

Every logit stands for 65 536 equal classes. A sum of 2^17 ones is beyond binary16, and a bfloat16 sum
of ones stops at 256; the results are ordinary numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xent_conformance.cases.case import Ask
from xent_conformance.cases.family import Family, sparingly
from xent_conformance.cases.words import Words
from xent_conformance.reference.formats import Floats, Format
from xent_conformance.reference.operators import Operator

COPIES = 2**16
OPERATORS_ = ("softmax", "log_softmax", "logsumexp", "sparse_softmax_cross_entropy")


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    return (2,) if operator.name in OPERATORS_ else ()


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    labels: list[Floats | None] = [None, None]
    if operator.labels == "index":
        labels = [np.array([0.0]), np.array([1.0])]
    for name, row in (("equal", [0.5, 0.5]), ("two_levels", [3.0, -2.0]), ("offset", [-64.0, -64.0])):
        for label in labels[: 2 if operator.labels == "index" else 1]:
            yield Ask(f"{name}", np.array(row), "2.6", label, copies=COPIES)


LONG_SUMS = Family(
    "long_sums",
    "2^17 classes, whose sum a 16-bit format cannot hold",
    _lengths,
    _rows,
    formats=("float16", "bfloat16"),
    compiled=sparingly,
)

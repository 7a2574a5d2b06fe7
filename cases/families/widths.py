"""``widths``: row lengths around vector and block sizes, and the tails of loops (1.1, 7.5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xent_conformance.cases.case import Ask
from xent_conformance.cases.families.common import label_on, ordinary
from xent_conformance.cases.family import GIVEN_LATER, Family, sparingly_in_single
from xent_conformance.cases.words import Words
from xent_conformance.reference.formats import FORMATS, Format
from xent_conformance.reference.operators import Operator

AROUND = (8, 16, 32, 128, 256, 1024)
EVERY = tuple(sorted({2, 3, *(w + i for w in AROUND for i in (-1, 0, 1))}))
SOME = (9, 17, 33, 129, 1025)


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    return {"quick": (9,), "standard": SOME, "full": EVERY}[profile]


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    """An ordinary row, one whose largest logit is the last, and equal ones."""
    width = 1 if operator.value_shape == "scalar" else n
    if operator.within_unit:
        yield Ask("ordinary", ordinary(operator, fmt, n, words), "1.1")
        if operator.value_shape == "scalar":
            return  # equal shares of one are no numbers of a format
        label = np.full(n, 0.75) if operator.labels == "dense" else None
        yield Ask("equal", np.full(n, 0.25), "7.5", label, cotangent=np.ones(n))
        return
    given = operator.domain == "log_probabilities"
    yield Ask("ordinary", ordinary(operator, fmt, n, words, 2.0), "1.1")
    last = ordinary(operator, fmt, n, words, 1.0)
    last[-1] = 0.0 if given else 9.0
    yield Ask("largest_last", last, "1.1", label_on(operator, n, n - 1))
    fifth = float(fmt.nearest(np.array(0.2)))
    for x in (-fifth if given else fifth, -3.0):
        binary = operator.elementwise and operator.labels == "dense"
        label = np.full(n, 0.25) if binary else label_on(operator, n, 0)
        yield Ask("equal", np.full(n, x), "7.5", label, cotangent=np.ones(width))


WIDTHS = Family(
    "widths",
    "row lengths around vector and block sizes; equal classes",
    _lengths,
    _rows,
    formats_in={"quick": ("float32",), "standard": ("float32",)},
    # every format around a small and around a large power of two; each width is compiled for itself
    formats_at={("standard", n): tuple(FORMATS) for n in (33, 129)},
    domains=GIVEN_LATER,
    compiled=sparingly_in_single,
)

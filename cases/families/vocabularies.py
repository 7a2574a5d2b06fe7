"""``vocabularies``: rows as long as the vocabularies of language models (1.1, 6.3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xent_conformance.cases.case import Ask
from xent_conformance.cases.family import Family, sparingly_in_single
from xent_conformance.cases.words import Words
from xent_conformance.reference.formats import Format
from xent_conformance.reference.operators import Operator

SIZES = (32_000, 128_256, 151_936)
OPERATORS_ = ("softmax", "log_softmax", "logsumexp", "sparse_softmax_cross_entropy")


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    if operator.name not in OPERATORS_:
        return ()
    return {"quick": (), "standard": SIZES[:1], "full": SIZES}[profile]


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    """The label is the last class, which no 16-bit format can count."""
    last = np.array([n - 1.0]) if operator.labels == "index" else None
    yield Ask("spread", words.bell(fmt, 4.0, n), "6.3" if last is not None else "1.1", last)


VOCABULARIES = Family(
    "vocabularies",
    "32 000, 128 256 and 151 936 classes",
    _lengths,
    _rows,
    formats=("float32", "bfloat16"),
    compiled=sparingly_in_single,
)

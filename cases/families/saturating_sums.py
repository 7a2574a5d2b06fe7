"""``saturating_sums``: 2^25 equal classes, where a binary32 sum of ones has stopped at 2^24 (2.6).

On the last axis and on the first: reductions over a strided axis are other code, and it is there that
a sum in order survives. ``full`` only: a call takes 128 MB a row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xent_conformance.cases.case import Ask
from xent_conformance.cases.family import Family
from xent_conformance.cases.form import Form
from xent_conformance.cases.words import Words
from xent_conformance.reference.formats import Format
from xent_conformance.reference.operators import Operator

COPIES = 2**25


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    asked = operator.name in ("softmax", "log_softmax", "logsumexp")
    return (1,) if asked and profile == "full" else ()


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    yield Ask("last_axis", np.array([0.25]), "2.6", copies=COPIES)
    yield Ask("first_axis", np.array([0.25]), "2.6", copies=COPIES, form=Form(shape=(1,), axis=0))


SATURATING_SUMS = Family(
    "saturating_sums",
    "2^25 equal classes on the last and on the first axis",
    _lengths,
    _rows,
    formats=("float32",),
)

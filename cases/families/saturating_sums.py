"""``saturating_sums``: 2^25 equal classes, where a binary32 sum of ones has stopped at 2^24 (2.6).

On the last axis and on the first: reductions over a strided axis are other code, and it is there that
a sum in order survives. ``full`` only: a call takes 128 MB a row. A loss by index has two
logits, each for more than 2^24 classes: the label of the second is odd, and no number of binary32 (6.3).
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
ODD = 2**24 + 1


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    if profile != "full":
        return ()
    if operator.labels == "index":
        return (2,)
    return (1,) if operator.name in ("softmax", "log_softmax", "logsumexp") else ()


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    if operator.labels == "index":
        for y in (0.0, 1.0):
            yield Ask("beyond_2_24", np.array([1.25, -0.75]), "6.3", np.array([y]), copies=ODD)
        return
    yield Ask("last_axis", np.array([0.25]), "2.6", copies=COPIES)
    yield Ask("first_axis", np.array([0.25]), "2.6", copies=COPIES, form=Form(shape=(1,), axis=0))


SATURATING_SUMS = Family(
    "saturating_sums",
    "2^25 equal classes on the last and on the first axis; a label beyond 2^24",
    _lengths,
    _rows,
    formats=("float32",),
)

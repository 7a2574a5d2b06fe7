"""``index_labels``: first and last class, and classes whose number the format cannot hold (6.3).

A label that passes through the logits' format lands on a neighbour: beyond 2048 in binary16, beyond
256 in bfloat16. The logits rise by class, so that a neighbour has another loss.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xent_conformance.cases.case import Ask
from xent_conformance.cases.families.common import ordinary
from xent_conformance.cases.family import GIVEN_LATER, Family, in_single
from xent_conformance.cases.form import Form
from xent_conformance.cases.words import Words
from xent_conformance.reference.formats import Floats, Format
from xent_conformance.reference.operators import Operator

WANTED = (0, 1, 2, 7, 127, 128, 129, 255, 256, 257, 259, 511, 513, 767, 2047, 2049, 2051, 4097, 16385, 32769)


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    if operator.labels != "index":
        return ()
    return (10, 1000) if profile == "quick" else (10, 1000, 50257)


def _name(y: int, n: int) -> str:
    return "first" if y == 0 else "last" if y == n - 1 else "between"


def _beside(p: Floats, y: int) -> Floats:
    """The largest share before a class, and the smallest behind it; their sum stays what it is."""
    for other, found in ((y - 1, int(np.argmax(p))), (y + 1, int(np.argmin(p)))):
        if 0 <= other < len(p):
            p[[other, found]] = p[[found, other]]
    return p


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    classes = [y for y in (*WANTED, n - 2, n - 1) if 0 <= y < n]
    if n > 10_000:
        classes = [257, 2049, 32769, n - 1]  # certifying a vocabulary costs: four of its rows
    for y in dict.fromkeys(classes):
        row = ordinary(operator, fmt, n, words, 1.0)
        if operator.within_unit:
            row = _beside(row, y)
            yield Ask(_name(y, n), row, "6.3", np.array([float(y)]))
            continue
        below = 5.0 if operator.domain == "log_probabilities" else 0.0
        # its neighbours stand out on either side, so that taking one of them is seen at once
        for other, height in ((y - 1, 4.0), (y, 2.0), (y + 1, -4.0)):
            if 0 <= other < n:
                row[other] = height - below
        yield Ask(_name(y, n), row, "6.3", np.array([float(y)]))
    if n == 1000:
        for y in (127, 128, 200, 255):  # an unsigned byte is not a signed one
            form = Form(label_dtype="uint8")
            yield Ask(
                "upper_half_uint8",
                ordinary(operator, fmt, n, words, 1.0),
                "6.5",
                np.array([float(y)]),
                form=form,
            )


INDEX_LABELS = Family(
    "index_labels",
    "first, last and large indices, beyond what a 16-bit format counts",
    _lengths,
    _rows,
    # a thousand classes are beyond what bfloat16 counts, and not beyond what binary16 does
    formats_at={("quick", 1000): ("float32", "bfloat16")},
    domains=GIVEN_LATER,
    compiled=in_single,
)

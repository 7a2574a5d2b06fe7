"""``tiles``: rows of more than one block of classes, and what stands at its edges (1.1, 2.6, 4.1, 3.2).

A kernel walks a long row in blocks of 64 to 4096 classes, keeps a maximum and a sum from one to the next, and
has other code for what is left behind the last whole one. So the largest logit stands in each quarter, the
maximum rises and falls from block to block, the probability is all in the tail, whole blocks are masked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xent_conformance.cases.case import Ask
from xent_conformance.cases.families.common import label_on
from xent_conformance.cases.family import Family, sparingly_in_single
from xent_conformance.cases.words import Words
from xent_conformance.reference.formats import Floats, Format
from xent_conformance.reference.operators import Operator

QUARTERS = 4
INFINITY = float("inf")


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    """One more than a multiple of every block, a multiple of every block, and both of the largest."""
    if operator.elementwise:
        return ()
    return {"quick": (1025,), "standard": (1025, 4096), "full": (1025, 4096, 4097, 65537)}[profile]


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    quarter = n // QUARTERS
    place = np.arange(n) // quarter  # the class behind the last whole block is a block of its own

    def ask(name: str, x: Floats, clause: str, y: int, dense: str = "") -> Ask:
        clauses = {"grad_labels": "4.5"} if clause == "4.1" and operator.labels == "dense" else {}
        told = dense if dense and operator.labels == "dense" else clause
        return Ask(name, fmt.nearest(x), told, label_on(operator, n, y), clauses)

    for t in range(QUARTERS):
        row = words.bell(fmt, 1.0, n)
        row[t * quarter + quarter // 2] = 12.0
        yield ask("largest_in_each_block", row, "1.1", t * quarter)
    for name, slope in (("rising", 4.0), ("falling", -4.0)):
        yield ask(name, words.bell(fmt, 1.0, n) + slope * place, "1.1", n - 1)
    tail = words.bell(fmt, 1.0, n)
    tail[:-3] -= 24.0
    yield ask("mass_in_the_tail", tail, "1.1", n - 2)
    yield ask("mass_in_the_head", tail[::-1], "1.1", n - 1)
    yield ask("equal", np.full(n, 0.5), "2.6", n - 1)
    for name, masked in (
        ("masked_prefix", place < 3),
        ("masked_suffix", place >= 1),
        ("masked_block", place == 1),
        ("masked_but_the_last", np.arange(n) < n - 1),
    ):
        row = np.where(masked, -INFINITY, words.bell(fmt, 1.0, n))
        yield ask(name, row, "4.1", int(np.flatnonzero(~masked)[-1]), "4.2")
    nan = words.bell(fmt, 1.0, n)
    nan[n - 1] = np.nan
    yield ask("nan_in_the_tail", nan, "3.2", 0)


TILES = Family(
    "tiles",
    "long rows in blocks: the maximum in each, mass in the tail, whole blocks masked",
    _lengths,
    _rows,
    formats_in={"quick": ("float32", "bfloat16")},
    compiled=sparingly_in_single,
)

"""``invariance``: permuted classes, the same call twice, a row alone, every mode (7.2, 7.3, 7.4, 7.7)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xent_conformance.cases.case import Ask
from xent_conformance.cases.families.common import label_on, ordinary
from xent_conformance.cases.family import GIVEN_LATER, Family, sparingly_in_single
from xent_conformance.cases.form import Form
from xent_conformance.cases.words import Words
from xent_conformance.reference.formats import Format
from xent_conformance.reference.operators import Operator

ROWS = 5


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    return (16,) if operator.elementwise else (10,)


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    for name, clause, form in (
        ("modes", "7.7", Form()),
        ("twice", "7.3", Form(again="twice")),
        ("alone", "7.4", Form(again="alone")),
    ):
        for _ in range(ROWS):
            yield Ask(name, ordinary(operator, fmt, n, words), clause, form=form)
    if not operator.elementwise:
        yield from _permutations(operator, fmt, n, words)


def _permutations(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    """One row in five orders; the label goes with its class."""
    x = ordinary(operator, fmt, n, words)
    orders = [np.argsort(x, kind="stable"), np.argsort(-x, kind="stable"), np.arange(n)[::-1]]
    orders += [np.arange(n) * 3 % n, np.arange(n) * 7 % n]
    y = int(words.below(n, 1)[0])
    for order in orders:
        place = int(np.flatnonzero(order == y)[0])
        yield Ask("permuted", x[order], "7.2", label_on(operator, n, place))


INVARIANCE = Family(
    "invariance",
    "permuted classes, the same call twice, a row alone, every mode",
    _lengths,
    _rows,
    formats_in={"quick": ("float32",), "standard": ("float32", "bfloat16")},
    domains=GIVEN_LATER,
    compiled=sparingly_in_single,
)

"""``positions``: NaN and the infinities in every place of a row, and in many rows at once (§3 – §5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xent_conformance.cases.case import Ask
from xent_conformance.cases.families.common import label_on
from xent_conformance.cases.family import Family
from xent_conformance.cases.words import Words
from xent_conformance.reference.formats import Floats, Format
from xent_conformance.reference.operators import Operator

NAN, INFINITY = float("nan"), float("inf")


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    if operator.domain == "unit":
        return ()
    return (16,) if operator.elementwise else (10,)


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    for i in range(n):
        yield from _at(operator, i, words.bell(fmt, 2.0, n), n)
        yield Ask("clean", words.bell(fmt, 2.0, n), "3.1", label_on(operator, n, (i + 1) % n))


def _at(operator: Operator, i: int, row: Floats, n: int) -> Iterator[Ask]:
    def put(value: float) -> Floats:
        changed = row.copy()
        changed[i] = value
        return changed

    dense = operator.labels == "dense"
    other = label_on(operator, n, (i + 1) % n)
    yield Ask("nan", put(NAN), "3.2", other)
    if operator.elementwise:
        yield Ask("plus_infinity", put(INFINITY), "5.2", np.ones(n) if dense else None)
        yield Ask("minus_infinity", put(-INFINITY), "5.2", np.zeros(n) if dense else None)
        return
    derivative = {"grad_labels": "4.5"} if dense else {}
    yield Ask("minus_infinity", put(-INFINITY), "4.2" if dense else "4.1", other, derivative)
    if operator.labels != "none":
        excluded = {"grad_logits": "4.5", "grad_labels": "4.5"}
        yield Ask("minus_infinity_label", put(-INFINITY), "4.3", label_on(operator, n, i), excluded)
    # beside NaN, an infinity changes nothing
    both = put(NAN)
    both[(i + 3) % n] = INFINITY
    yield Ask("nan_beside_infinity", both, "3.2", other)


POSITIONS = Family("positions", "NaN and infinities in every place of a row", _lengths, _rows)

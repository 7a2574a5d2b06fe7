"""``huge_logits``: every overflow and underflow threshold of every format, from both sides.

``exp`` overflows at the logarithm of the largest number, becomes subnormal at the logarithm of the
smallest normal one and vanishes at half the smallest subnormal. An implementation may compute in
another format than it is given, so each format meets the thresholds of all four. Clauses 2.1, 1.3 where
exponentials are subnormal, and 2.2 where the exact result itself is beyond the format.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xent_conformance.cases.case import Ask
from xent_conformance.cases.families.common import label_on
from xent_conformance.cases.family import Family
from xent_conformance.cases.words import Words
from xent_conformance.reference.formats import Floats, Format
from xent_conformance.reference.operators import Operator

ELEMENTS = 16

# Decimal digits of emax·ln 2 and its like: exact enough to land on the right neighbours.
OVERFLOW = {
    "float16": 11.089866488461016,
    "bfloat16": 88.718925212351863,
    "float32": 88.722839052068353,
    "float64": 709.782712893383973,
}
SUBNORMAL = {"float16": 9.704060527839234, "float32": 87.336544750553109, "float64": 708.396418532264107}
VANISHING = {
    "float16": 17.328679513998633,
    "bfloat16": 92.881722195032671,
    "float32": 103.972077083991796,
    "float64": 745.133219101941108,
}


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    if operator.domain == "unit":
        return ()
    if operator.elementwise:
        return (ELEMENTS,)
    return (10,) if profile == "quick" else (10, 1000)


def _sides(fmt: Format, threshold: float) -> list[float]:
    """The format's numbers just below, at and just above a threshold."""
    at = float(fmt.nearest(np.array(threshold)))
    return [at - fmt.ulp(at), at, at + fmt.ulp(at)]


def _thresholds(fmt: Format) -> Iterator[tuple[str, float]]:
    for variant, table in (
        ("at_exp_overflow", OVERFLOW),
        ("at_exp_subnormal", SUBNORMAL),
        ("at_exp_vanishing", VANISHING),
    ):
        for threshold in table.values():
            for x in _sides(fmt, threshold):
                yield variant, x


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    yield from _elements(operator, fmt, n, words) if operator.elementwise else _peaks(operator, fmt, n)


def _peaks(operator: Operator, fmt: Format, n: int) -> Iterator[Ask]:
    """Softmax family: one class stands out by ``x``; the label is on it, then on another."""
    first, last = label_on(operator, n, 0), label_on(operator, n, n - 1)
    for i, (variant, x) in enumerate(_thresholds(fmt)):
        clause = "1.3" if variant == "at_exp_subnormal" else "2.1"
        yield Ask(variant, _peak(n, x), clause, first if i % 2 else last)
        if variant != "at_exp_overflow":
            yield Ask(variant, _peak(n, -x), clause, first if i % 2 else last)
    largest = fmt.largest
    for k in (fmt.emax // 4, fmt.emax // 2, fmt.emax - 1, fmt.emax):
        yield Ask("powers_of_two", _peak(n, 2.0**k), "2.1", first, unit_cotangent=True)
    yield Ask("largest", _peak(n, largest), "2.1", first, unit_cotangent=True)
    yield Ask("largest", _peak(n, largest), "2.1", last, unit_cotangent=True)
    yield Ask("largest_everywhere", np.full(n, largest), "2.1", first)
    yield Ask("lowest_everywhere", np.full(n, -largest), "2.1", last)
    # the distance itself is beyond the format: so are the log-probability and the loss
    beyond = np.full(n, -largest)
    beyond[0] = largest
    overflows = {"value": "2.2", "grad_labels": "2.2"} if operator.name in _UNBOUNDED else {}
    yield Ask("largest_against_lowest", beyond, "2.1", last, overflows, unit_cotangent=True)


_UNBOUNDED = {"log_softmax", "softmax_cross_entropy", "sparse_softmax_cross_entropy"}


def _peak(n: int, x: float) -> Floats:
    row = np.zeros(n)
    row[0] = x
    return row


def _elements(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    """Sigmoid family: thresholds of both signs, sixteen to a row, with hard labels either way."""
    thresholds = list(_thresholds(fmt))
    for variant in dict.fromkeys(name for name, _ in thresholds):
        xs = [x for name, x in thresholds if name == variant]
        values = np.array([s * x for s in (1.0, -1.0) for x in xs])
        values = np.resize(values, (-(-len(values) // n) * n))
        yield from _hard(operator, variant, values.reshape(-1, n))
    powers = [2.0**k for k in np.linspace(4, fmt.emax, 7).astype(int).tolist()] + [fmt.largest]
    row = np.array([s * x for s in (1.0, -1.0) for x in powers])
    yield from _hard(operator, "to_the_largest", np.resize(row, n)[None])


def _hard(operator: Operator, variant: str, rows: Floats) -> Iterator[Ask]:
    """Each row with all labels 1 and all 0; ``−c x`` must not overflow where ``x`` does not."""
    unit = variant == "to_the_largest"
    for row in rows:
        if operator.labels == "none":
            yield Ask(variant, row, "2.1", unit_cotangent=unit)
        else:
            yield Ask(variant, row, "2.1", np.ones_like(row), unit_cotangent=unit)
            yield Ask(variant, row, "2.1", np.zeros_like(row), unit_cotangent=unit)


HUGE_LOGITS = Family(
    "huge_logits",
    "exp's overflow and underflow thresholds of every format, up to the largest number",
    _lengths,
    _rows,
)

"""``eight_bits``: rows in OCP's formats of eight bits, where an implementation takes them (1.1, 6.17).

Their numbers are few: quarters, so that the two formats have them, far from the end of the range.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xent_conformance.cases.case import Ask
from xent_conformance.cases.families.common import label_on
from xent_conformance.cases.family import Family
from xent_conformance.cases.words import Words
from xent_conformance.reference.formats import EIGHT_BITS as FORMATS
from xent_conformance.reference.formats import Floats, Format
from xent_conformance.reference.operators import Operator

OPERATORS_ = (
    "softmax",
    "log_softmax",
    "logsumexp",
    "softmax_cross_entropy",
    "sparse_softmax_cross_entropy",
    "sigmoid",
    "log_sigmoid",
    "sigmoid_cross_entropy",
)
MOVING = ("softmax", "sigmoid")
"""Of which forward mode and second derivatives are asked: each shape of them is compiled for itself."""
CLASSES = 4
LABELLED = 1
SOFT = (0.25, 0.5, 0.125, 0.125)
"""A distribution, and probabilities, that both formats have."""


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    return (CLASSES,) if operator.name in OPERATORS_ else ()


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    width = 1 if operator.value_shape == "scalar" else n
    one, hard = np.ones(width), label_on(operator, n, LABELLED)

    def drawn(scale: float) -> Floats:
        """Logits of which ``exp(−x)`` is a number of both formats, too."""
        x = words.bell(fmt, scale, n)
        return np.clip(x, -6.0, 6.0) if operator.elementwise else x

    reported = np.array([1.0, 2.0, 3.0, 0.0])  # softmax of it is NaN where minus infinity is not there
    yield Ask("one_two_three", reported, "1.1", hard, cotangent=one)
    for name, scale in (("unit", 1.0), ("spread4", 4.0)):
        for turn in range(4):
            x, c = drawn(scale), _quarters(width, words)
            yield Ask(name, x, "1.1", hard if turn % 2 else _soft(operator, turn), cotangent=c)
    yield Ask("equal", np.full(n, 1.5), "1.1", hard, cotangent=one)
    if not operator.elementwise:
        masked = np.array([-96.0, 1.0, -96.0, 0.5])
        yield Ask("masked_by_a_number", masked, "2.3", hard, cotangent=one)
    nan = words.bell(fmt, 1.0, n)
    nan[2] = np.nan
    yield Ask("nan", nan, "3.2", hard, cotangent=one)
    if operator.name in MOVING:
        yield Ask("moving", drawn(1.0), "6.17", cotangent=one, tangent=_quarters(n, words))


def _quarters(n: int, words: Words) -> Floats:
    """Between −7/4 and 7/4, and none of them zero."""
    sign = np.where(words.below(2, n) == 0, -1.0, 1.0)
    return np.asarray(sign * (1.0 + words.below(7, n)) / 4.0, dtype=np.float64)


def _soft(operator: Operator, turn: int) -> Floats | None:
    """A label that is soft, or another index."""
    if operator.labels == "dense":
        return np.roll(np.array(SOFT), turn)
    return label_on(operator, CLASSES, turn)


EIGHT_BITS = Family(
    "eight_bits",
    "logits of eight bits, of implementations that take them",
    _lengths,
    _rows,
    formats=tuple(FORMATS),
)

"""``eight_bits``: rows in OCP's formats of eight bits, where an implementation takes them (1.1, 6.17).

Their numbers are few: quarters, so that the two formats have them, far from the end of the range.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xent_conformance.cases.case import Ask
from xent_conformance.cases.family import Family
from xent_conformance.cases.words import Words
from xent_conformance.reference.formats import EIGHT_BITS as FORMATS
from xent_conformance.reference.formats import Format
from xent_conformance.reference.operators import Operator

OPERATORS_ = ("softmax", "log_softmax", "logsumexp", "sigmoid", "log_sigmoid")
CLASSES = 4


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    return (CLASSES,) if operator.name in OPERATORS_ else ()


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    gradients, width = {"grad_logits": "6.17"}, 1 if operator.value_shape == "scalar" else n
    one = np.ones(width)
    reported = np.array([1.0, 2.0, 3.0, 0.0])  # softmax of it is NaN where minus infinity is not there
    yield Ask("one_two_three", reported, "1.1", clauses=gradients, cotangent=one)
    for name, scale in (("unit", 1.0), ("spread4", 4.0)):
        for _ in range(4):
            x = words.bell(fmt, scale, n)
            if operator.elementwise:  # exp(−x) is a number of both formats
                x = np.clip(x, -6.0, 6.0)
            yield Ask(name, x, "1.1", clauses=gradients, cotangent=one)
    yield Ask("equal", np.full(n, 1.5), "1.1", clauses=gradients, cotangent=one)
    if not operator.elementwise:
        masked = np.array([-96.0, 1.0, -96.0, 0.5])
        yield Ask("masked_by_a_number", masked, "2.3", clauses=gradients, cotangent=one)
    nan = words.bell(fmt, 1.0, n)
    nan[2] = np.nan
    yield Ask("nan", nan, "3.2", clauses=gradients, cotangent=one)


EIGHT_BITS = Family(
    "eight_bits",
    "logits of eight bits, of implementations that take them",
    _lengths,
    _rows,
    formats=tuple(FORMATS),
)

"""``every_half``: all numbers of binary16 and of bfloat16, for the sigmoid family (1.1, 5.7).

There are 65 536 bit patterns in a 16-bit format, so nothing has to be sampled. NaN and the infinities
are left to ``special_values``; of probabilities what lies strictly between 0 and 1 is asked. ``quick`` asks
the sigmoid itself in binary16, which is where there are tables of it, and of nobody who would compile for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xent_conformance.cases.case import Ask
from xent_conformance.cases.family import GIVEN, Family
from xent_conformance.cases.words import Words
from xent_conformance.reference.formats import Floats, Format
from xent_conformance.reference.operators import NEXT_TO_AN_END, Operator

ELEMENTS = 1024
QUICK, QUICK_FORMAT = "sigmoid", "float16"


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    asked = operator.name == QUICK if profile == "quick" else operator.elementwise
    return (ELEMENTS,) if asked else ()


def every_number(fmt: Format) -> Floats:
    """All finite numbers of a 16-bit format, by bit pattern; −0 and 0 are both there."""
    bits = np.arange(2**16, dtype=np.uint16)
    with np.errstate(invalid="ignore"):  # signalling NaNs are among them
        values = bits.view(fmt.dtype).astype(np.float64)
    return values[np.isfinite(values)]


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    numbers = every_number(fmt)
    if operator.domain != "reals":
        numbers = numbers[(numbers > 0) & (numbers < 1)]
    close = numbers < NEXT_TO_AN_END if operator.domain == "probabilities" else np.zeros(len(numbers), bool)
    for name, clause, asked in (("all", "1.1", numbers[~close]), ("next_to_zero", "5.7", numbers[close])):
        for row in np.resize(asked, (-(-len(asked) // n), n)):
            yield Ask(name, row, clause, unit_cotangent=True)


def _compiled(operator: Operator, fmt: Format, n: int) -> bool:
    return (operator.name, fmt.name) != (QUICK, QUICK_FORMAT)


EVERY_HALF = Family(
    "every_half",
    "every finite number of the two 16-bit formats",
    _lengths,
    _rows,
    formats=("float16", "bfloat16"),
    formats_in={"quick": (QUICK_FORMAT,)},
    domains=GIVEN,
    compiled=_compiled,
)

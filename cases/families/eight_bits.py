"""``eight_bits``: rows in OCP's formats of eight bits, where an implementation takes them (1.1, 6.17).

Their numbers are few: quarters, so that the two formats have them, far from the end of the range. Of given
probabilities eighths, and of given pairs quarters: no quotient of theirs is beyond the range (SPEC.md §0).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xent_conformance.cases.case import Ask
from xent_conformance.cases.families.common import label_on
from xent_conformance.cases.family import DIVERGENCES, GIVEN, Family, sparingly
from xent_conformance.cases.words import Words
from xent_conformance.reference.formats import EIGHT_BITS as FORMATS
from xent_conformance.reference.formats import Floats, Format
from xent_conformance.reference.operators import Operator

MOVING = ("softmax", "sigmoid")
"""Of which forward mode and second derivatives are asked: each shape of them is compiled for itself."""
CLASSES, MORE = 4, 10
"""A vector of four; and more, that are no multiple of one: a compiler walks, and keeps, each otherwise."""
LABELLED = 1
SOFT = {4: (0.25, 0.5, 0.125, 0.125), 10: (0.25, *[0.125] * 4, *[0.0625] * 3, *[0.03125] * 2)}
"""By the number of classes, a distribution, and probabilities, that both formats have."""
SHARES = {
    4: (SOFT[4], (0.375, 0.5, 0.0625, 0.0625)),
    10: (SOFT[10], (0.375, *[0.125] * 2, *[0.0625] * 5, *[0.03125] * 2)),
}
"""Given distributions."""


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    return (CLASSES,) if profile == "quick" else (CLASSES, MORE)


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    if operator.domain == "reals":
        yield from _of_logits(operator, fmt, n, words)
    else:
        yield from _of_given(operator, fmt, n, words)


_NO_SLOPE = {"grad_labels": "4.5"}
_AT_ZERO = dict.fromkeys(
    ("kl_divergence", "relative_entropy", "elementwise_kl_divergence"), ("4.7", _NO_SLOPE)
) | {"binary_cross_entropy": ("1.1", {})}
"""The clauses of a target of zero; of a distribution it is one with another sum."""


def _of_given(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    """What is given, and labels that are positive; one of zero, whose logarithm has no share; NaN."""
    width = 1 if operator.value_shape == "scalar" else n
    one = np.ones(width)
    for turn in range(6):
        x, label = _given(operator, fmt, n, words, turn), _label(operator, fmt, n, words, turn)
        yield Ask("given", x, "1.1", label, cotangent=_quarters(width, words))
    x = _given(operator, fmt, n, words, 0)
    if operator.labels == "dense" and operator.domain != "log_distributions":
        label = _label(operator, fmt, n, words, 1)
        assert label is not None
        zero = np.where(np.arange(n) == 2, 0.0, label)
        clause, by_target = _AT_ZERO.get(operator.name, ("6.1", {}))
        yield Ask("zero_target", x, clause, zero, by_target, cotangent=one)
    lost = x.copy()
    lost[LABELLED] = np.nan
    clause = "5.8" if operator.within_unit and operator.labels != "none" else "3.2"
    label = _label(operator, fmt, n, words, LABELLED)
    yield Ask("nan", lost, clause, label, cotangent=_quarters(width, words))


def _given(operator: Operator, fmt: Format, n: int, words: Words, turn: int) -> Floats:
    if operator.domain in ("log_probabilities", "log_distributions"):
        return -fmt.nearest((1.0 + words.below(16, n).astype(np.float64)) / 4.0)
    if operator.domain == "nonnegative":
        return fmt.nearest((1.0 + words.below(15, n).astype(np.float64)) / 4.0)
    if operator.elementwise:
        return np.asarray((1.0 + words.below(7, n)) / 8.0, dtype=np.float64)
    return np.roll(np.array(SHARES[n][turn % 2]), int(words.below(n, 1)[0]))


def _label(operator: Operator, fmt: Format, n: int, words: Words, turn: int) -> Floats | None:
    """An index in its turn; a target that is given as the prediction is, or a distribution."""
    if operator.labels != "dense":
        return label_on(operator, n, turn % n) if operator.labels == "index" else None
    if operator.plain_labels:
        return _given(operator, fmt, n, words, turn)
    if operator.elementwise:
        return words.below(5, n) / 4.0
    return np.roll(np.array(SOFT[n]), turn)


def _of_logits(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    width = 1 if operator.value_shape == "scalar" else n
    one, hard = np.ones(width), label_on(operator, n, LABELLED)

    def drawn(scale: float) -> Floats:
        """Logits of which ``exp(−x)`` is a number of both formats, too."""
        x = words.bell(fmt, scale, n)
        return np.clip(x, -6.0, 6.0) if operator.elementwise else x

    reported = np.resize([1.0, 2.0, 3.0, 0.0], n)  # softmax of it is NaN where minus infinity is not there
    yield Ask("one_two_three", reported, "1.1", hard, cotangent=one)
    for name, scale in (("unit", 1.0), ("spread4", 4.0)):
        for turn in range(4):
            x, c = drawn(scale), _quarters(width, words)
            yield Ask(name, x, "1.1", hard if turn % 2 else _soft(operator, n, turn), cotangent=c)
    yield Ask("equal", np.full(n, 1.5), "1.1", hard, cotangent=one)
    if not operator.elementwise:
        masked = np.resize([-96.0, 1.0, -96.0, 0.5], n)
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


def _soft(operator: Operator, n: int, turn: int) -> Floats | None:
    """A label that is soft, or another index."""
    if operator.labels == "dense":
        return np.roll(np.array(SOFT[n]), turn)
    return label_on(operator, n, turn)


def _compiled(operator: Operator, fmt: Format, n: int) -> bool:
    """Of every operator in the format that has no infinity; of more classes, of the foundations alone."""
    return (fmt.name == "float8_e4m3fn" and n == CLASSES) or sparingly(operator, fmt, n)


EIGHT_BITS = Family(
    "eight_bits",
    "numbers of eight bits, of implementations that take them",
    _lengths,
    _rows,
    formats=tuple(FORMATS),
    domains={**GIVEN, **DIVERGENCES},
    compiled=_compiled,
)

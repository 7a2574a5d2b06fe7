"""``values``: zeros of both signs, subnormal numbers in and on the way (1.1, 1.3, 5.4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xent_conformance.cases.case import Ask
from xent_conformance.cases.families.common import label_on
from xent_conformance.cases.families.huge_logits import VANISHING
from xent_conformance.cases.family import Family
from xent_conformance.cases.words import Words
from xent_conformance.reference.formats import Floats, Format
from xent_conformance.reference.operators import Operator

ELEMENTS = 16


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    return (ELEMENTS,) if operator.elementwise else (10,)


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    if operator.domain == "unit":
        yield from _subnormal_probabilities(fmt, n)
        return
    labels = _labels(operator, n)
    signs = np.where(np.arange(n) % 2 == 0, -1.0, 1.0)
    yield Ask("zeros_of_both_signs", 0.0 * signs, "1.1", labels)
    yield Ask("negative_zeros", np.full(n, -0.0), "1.1", labels)
    tiny = signs * fmt.smallest_subnormal * (1.0 + words.integers(5, n))
    yield Ask("subnormal_logits", tiny, "1.1", labels)
    beside = words.bell(fmt, 2.0, n)
    beside[::3] = tiny[::3]
    yield Ask("subnormal_logits", beside, "1.1", labels)
    for last in (False, True):  # e and s become subnormal one after the other, and vanish
        ladder = _ladder(fmt, n)
        yield Ask("subnormal_probabilities", ladder[::-1] if last else ladder, "1.3", labels)


def _labels(operator: Operator, n: int) -> Floats | None:
    """Where a label is zero, a negative zero is no other label."""
    if operator.labels != "dense":
        return label_on(operator, n, 1)
    return np.asarray(np.where(np.arange(n) == 1, 1.0, -0.0), dtype=np.float64)


def _ladder(fmt: Format, n: int) -> Floats:
    """Zero, and distances from three before to one beyond where exp vanishes: half of them subnormal."""
    vanishing = VANISHING[fmt.name]
    steps = (n - 2 - np.arange(n - 1)) * (fmt.precision * 0.75 / n)
    return fmt.nearest(np.concatenate([[0.0], 1.0 - vanishing + steps]))


def _subnormal_probabilities(fmt: Format, n: int) -> Iterator[Ask]:
    """``logit`` of a subnormal number is an ordinary one; its derivative overflows where 1/p does."""
    counts = np.ldexp(1.0, np.arange(n) * (fmt.precision - 1) // n)
    yield Ask("subnormal", fmt.smallest_subnormal * counts, "5.4", cotangent=np.ones(n))
    yield Ask("smallest_normal", np.full(n, fmt.smallest_normal), "1.1", cotangent=np.ones(n))


VALUES = Family("values", "zeros of both signs, subnormal logits and probabilities", _lengths, _rows)

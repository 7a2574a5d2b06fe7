"""``derivatives``: forward mode and Hessian-vector products, along tangents whose elements differ (1.6)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xent_conformance.cases.case import Ask
from xent_conformance.cases.families.common import label_on, ordinary
from xent_conformance.cases.family import DIVERGENCES, GIVEN, Family, sparingly_in_single
from xent_conformance.cases.words import Words
from xent_conformance.reference.formats import Floats, Format
from xent_conformance.reference.operators import Operator

ELEMENTS = 10


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    return (ELEMENTS,)


def _tangent(words: Words, n: int) -> Floats:
    return words.cotangent(n)


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    if operator.domain == "unit":
        for bits in (4, 6, 8):
            p = fmt.nearest(words.fractions(n, bits=bits))
            yield Ask("inside", np.clip(p, 2.0**-8, 1 - 2.0**-7), "1.6", tangent=_tangent(words, n))
        return
    if operator.domain == "probabilities":
        yield from _given(operator, fmt, n, words)
        return
    for name, scale in (("unit", 1.0), ("spread8", 8.0)):
        for _ in range(3):
            yield Ask(name, ordinary(operator, fmt, n, words, scale), "1.6", tangent=_tangent(words, n))
    if operator.domain == "reals":
        confident = words.bell(fmt, 1.0, n)
        confident[3] = 12.0
        yield Ask("confident", confident, "1.6", tangent=_tangent(words, n))
        yield Ask("offset", np.full(n, 96.0), "1.6", tangent=_tangent(words, n))
    one = np.asarray(np.arange(n) == 3, dtype=np.float64)
    yield Ask("one_direction", ordinary(operator, fmt, n, words, 2.0), "1.6", tangent=one)
    if operator.labels == "dense" and not operator.plain_labels:
        weights = 1.0 + words.integers(3, n)
        soft = fmt.nearest(weights / (n * 8.0 if operator.elementwise else weights.sum()))
        if not operator.elementwise:
            off = words.integers(3, n) / 8.0
            # TensorFlow documents a gradient that assumes labels on the simplex (6.2), and differentiates it
            x = ordinary(operator, fmt, n, words)
            yield Ask("off_simplex", x, "1.6", off, {"hvp": "6.2"}, tangent=_tangent(words, n))
        x = ordinary(operator, fmt, n, words)
        yield Ask("soft_label", x, "1.6", soft, tangent=_tangent(words, n))


def _given(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    """Given probabilities, now the one, now the other term of a second derivative the larger."""
    for _ in range(3):
        yield Ask("inside", ordinary(operator, fmt, n, words), "1.6", tangent=_tangent(words, n))
    one = np.asarray(np.arange(n) == 3, dtype=np.float64)
    label = None if operator.elementwise else label_on(operator, n, 3)  # else nothing moves
    yield Ask("one_direction", ordinary(operator, fmt, n, words), "1.6", label, tangent=one)
    if operator.labels == "index":
        return
    if not operator.elementwise:
        off, x = words.integers(3, n) / 8.0, ordinary(operator, fmt, n, words)
        yield Ask("off_simplex", x, "1.6", off, {"hvp": "6.2"}, tangent=_tangent(words, n))
    weights = 1.0 + words.integers(3, n).astype(np.float64)
    soft = fmt.nearest(weights / (16.0 if operator.elementwise else weights.sum()))
    yield Ask("soft_label", ordinary(operator, fmt, n, words), "1.6", soft, tangent=_tangent(words, n))


DERIVATIVES = Family(
    "derivatives",
    "jvp and hvp along uneven tangents",
    _lengths,
    _rows,
    formats_in={"quick": ("float32",), "standard": ("float32", "float16", "bfloat16")},
    domains={**GIVEN, **DIVERGENCES},
    compiled=sparingly_in_single,
)

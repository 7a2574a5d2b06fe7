"""``ordinary``: bell-shaped logits at three spreads, from one class to a real vocabulary.

Clause 1.1, and 2.4 for one class. The sigmoid operators get rows of 16 elements; ``logit`` gets
probabilities from all over (0, 1), crowded at both ends and at one half; so do losses of probabilities,
but for what is next to an end (5.7), which special_values asks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xent_conformance.cases.case import Ask
from xent_conformance.cases.families.common import ordinary
from xent_conformance.cases.family import DIVERGENCES, GIVEN, Family, sparingly
from xent_conformance.cases.words import Words
from xent_conformance.reference.formats import Floats, Format
from xent_conformance.reference.operators import Operator

ELEMENTS = 16
USUAL = 10
"""Classes of a row that other families have too."""
SPREADS = {"unit": 1.0, "spread8": 8.0, "spread32": 32.0}


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    if operator.elementwise:
        return (ELEMENTS,)
    if operator.domain in ("log_probabilities", "probabilities", "log_distributions"):
        return (USUAL,) if profile == "quick" else (USUAL, 1, 1000)
    return (1, USUAL, 1000) if profile == "quick" else (1, USUAL, 1000, 3, 100, 50257)


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    if operator.within_unit and operator.elementwise:
        yield from _probabilities(operator, fmt, n, words)
        return
    repeats = 5 if n <= 100 else 1
    for name, scale in SPREADS.items():
        for _ in range(repeats):
            alone = n == 1 and not operator.elementwise and operator.domain == "reals"
            yield Ask(name, ordinary(operator, fmt, n, words, scale), "2.4" if alone else "1.1")


def _probabilities(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    """Fractions kept inside (0, 1): the ends are clause 5.4 and special_values asks them."""
    shift = -words.below(fmt.precision, n).astype(np.int64)
    away = 2.0**-19 if operator.domain == "probabilities" else 0.0

    def inside(p: Floats) -> Floats:
        return np.clip(fmt.nearest(p), max(fmt.smallest_normal, away), 1.0 - max(fmt.u, away))

    for _ in range(3):
        yield Ask("uniform", inside(words.fractions(n)), "1.1")
    yield Ask("near_zero", inside(np.ldexp(words.fractions(n), shift)), "1.1")
    yield Ask("near_one", inside(1.0 - np.ldexp(words.fractions(n, bits=20), shift)), "1.1")
    yield Ask("near_half", inside(0.5 + np.ldexp(words.fractions(n, bits=20) - 0.5, shift)), "1.1")


def _compiled(operator: Operator, fmt: Format, n: int) -> bool:
    """Of every operator in the usual shape; of some where the length is the question."""
    return n == USUAL or operator.elementwise or sparingly(operator, fmt, n)


ORDINARY = Family(
    "ordinary",
    "bell-shaped logits at three spreads, 1 to 50 257 classes",
    _lengths,
    _rows,
    formats_at={("quick", 1): ("float32",), ("quick", 1000): ("float32", "bfloat16")},
    domains={**GIVEN, **DIVERGENCES},
    compiled=_compiled,
)

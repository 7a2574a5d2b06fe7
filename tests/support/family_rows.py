"""The rows of one family by variant: what the tests of the families look at."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.corpus import of_corpus
from xent_conformance.cases.case import Ask
from xent_conformance.reference.formats import FORMATS, Format
from xent_conformance.reference.operators import OPERATORS

SOFTMAX = "softmax_cross_entropy"
EVERY = pytest.mark.parametrize("fmt", FORMATS.values(), ids=lambda f: f.name)


def ask(family: str, operator: str, fmt: Format, *, n: int | None = None) -> dict[str, list[Ask]]:
    """The rows of a family by variant, with labels as the batch has them, over all lengths (or one)."""
    found: dict[str, list[Ask]] = {}
    for b in of_corpus("standard", operators=[operator], families=[family], dtypes=[fmt.name]):
        if n is None or b.inputs.n == n:
            for row, one in enumerate(b.asks):
                labels = b.inputs.labels[row]
                found.setdefault(one.variant, []).append(
                    Ask(one.variant, b.inputs.logits[row], one.clause, labels, one.clauses)
                )
    assert found
    return found


def flat(asks: list[Ask]) -> np.ndarray:
    return np.concatenate([a.logits for a in asks])


WIDELY = tuple(o for o in OPERATORS.values() if not o.plain_labels and not o.layered)
"""Operators that every family may have rows of; the others have families of their own."""

"""What many families share: an ordinary row of an operator, and the label that names one class.

A divergence has a logarithm of its target: unless zeros are what is asked for, its targets are positive.
"""

from __future__ import annotations

import numpy as np

from xent_conformance.cases.words import Words
from xent_conformance.reference.formats import Floats, Format
from xent_conformance.reference.operators import Operator

NEXT_TO_AN_END = 1e-6
"""Within which of 0 and 1 a given probability may be clamped by whoever documents it (SPEC.md 5.7)."""


def ordinary(operator: Operator, fmt: Format, n: int, words: Words, scale: float = 4.0) -> Floats:
    """Bell-shaped logits, log-probabilities below zero; probabilities well inside (0, 1)."""
    if operator.within_unit:
        return fmt.nearest(words.fractions(n, bits=7))
    drawn = words.bell(fmt, scale, n)
    return -np.abs(drawn) if operator.domain == "log_probabilities" else drawn


def label_on(operator: Operator, n: int, y: int) -> Floats | None:
    """Class ``y``, as the operator takes its labels; None if it takes none."""
    if operator.labels == "none":
        return None
    if operator.labels == "index":
        return np.array([float(y)])
    hot = np.asarray(np.arange(n) == y, dtype=np.float64)
    if operator.domain == "log_probabilities":
        unit = 0.5 ** (1 + (n - 1).bit_length())
        rest = np.floor(256 * (1 - (n - 1) * unit)) / 256  # eight bits, as many as every format has
        return np.asarray(np.where(hot == 1, rest, unit), dtype=np.float64)
    return hot


def target(n: int, words: Words) -> Floats:
    """A positive distribution, drawn: whole numbers below 32 whose sum is a power of two."""
    total = 8 << (n - 1).bit_length()
    parts = np.full(n, total // n)
    parts[np.argsort(words.fractions(n), kind="stable")[: total % n]] += 1
    moved = words.below(4, n // 2)
    parts[0 : 2 * len(moved) : 2] += moved
    parts[1 : 2 * len(moved) : 2] -= moved
    return np.asarray(parts / total, dtype=np.float64)

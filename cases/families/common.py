"""What many families share: an ordinary row of an operator, and the label that names one class.

A divergence has a logarithm of its target: unless zeros are what is asked for, its targets are positive.
"""

from __future__ import annotations

import numpy as np

from xent_conformance.cases.words import Words
from xent_conformance.reference.formats import Floats, Format
from xent_conformance.reference.operators import Operator


def ordinary(
    operator: Operator, fmt: Format, n: int, words: Words, scale: float = 4.0, examples: int = 1
) -> Floats:
    """Bell-shaped logits, log-probabilities below zero; probabilities well inside (0, 1).

    Of classes they are a distribution, for each of the ``examples`` that the ``n`` numbers are.
    """
    if operator.within_unit and operator.elementwise:
        return fmt.nearest(words.fractions(n, bits=7))
    if operator.within_unit:
        found = [distribution(fmt, n // examples, words) for _ in range(examples)]
        return np.concatenate(found)
    if operator.domain == "nonnegative":
        return fmt.nearest(4.0 * words.fractions(n, bits=7))
    drawn = words.bell(fmt, scale, n)
    return -np.abs(drawn) if operator.domain in ("log_probabilities", "log_distributions") else drawn


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


def distribution(fmt: Format, n: int, words: Words) -> Floats:
    """Positive probabilities whose sum is exactly one: whole parts of a power of two, as many as fit.

    Whoever divides them by their sum divides by one, and so does no other function (SPEC.md 6.16).
    """
    total = 1 << max(min(fmt.precision, 20), n.bit_length() + 3)
    if not n:
        return np.zeros(0)
    weights = 1 + words.integers(5, n)
    parts = np.maximum(weights * total // weights.sum(), 1)
    parts[: int(total - parts.sum())] += 1
    return np.asarray(parts / total, dtype=np.float64)


def target(n: int, words: Words) -> Floats:
    """A positive distribution, drawn: whole numbers below 32 whose sum is a power of two."""
    total = 8 << (n - 1).bit_length()
    parts = np.full(n, total // n)
    parts[np.argsort(words.fractions(n), kind="stable")[: total % n]] += 1
    moved = words.below(4, n // 2)
    parts[0 : 2 * len(moved) : 2] += moved
    parts[1 : 2 * len(moved) : 2] -= moved
    return np.asarray(parts / total, dtype=np.float64)


def log_target(fmt: Format, n: int, words: Words, spread: float = 4.0) -> Floats:
    """A target that is given by its logarithms, nearly on the simplex: the least of them is that of most."""
    drawn = np.abs(words.bell(fmt, spread, n))
    drawn[int(words.below(n, 1)[0])] = 0.25
    return -drawn

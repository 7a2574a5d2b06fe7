"""What many families share: an ordinary row of an operator, and the label that names one class."""

from __future__ import annotations

import numpy as np

from xent_conformance.cases.words import Words
from xent_conformance.reference.formats import Floats, Format
from xent_conformance.reference.operators import Operator


def ordinary(operator: Operator, fmt: Format, n: int, words: Words, scale: float = 4.0) -> Floats:
    """Bell-shaped logits; for ``logit`` probabilities well inside (0, 1)."""
    if operator.domain == "unit":
        return fmt.nearest(words.fractions(n, bits=7))
    return words.bell(fmt, scale, n)


def label_on(operator: Operator, n: int, y: int) -> Floats | None:
    """Class ``y``, as the operator takes its labels; None if it takes none."""
    if operator.labels == "none":
        return None
    if operator.labels == "index":
        return np.array([float(y)])
    return np.asarray(np.arange(n) == y, dtype=np.float64)

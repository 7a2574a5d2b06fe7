"""What the pages feature: operators by the names of the field, and clauses that a reader asks about first.

An operator or a clause that is not named here is on the pages all the same; it is in no column of the first
screen, in no chart, and in no sentence that is told before one chooses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

CALLED = {
    "softmax_cross_entropy": "cross-entropy with probabilities",
    "sparse_softmax_cross_entropy": "cross-entropy by index",
    "sigmoid_cross_entropy": "binary cross-entropy of logits",
    "negative_log_likelihood": "cross-entropy by index, of log-probabilities",
}
"""What else the operators are called, by those who look for one of them."""

GROUPS: Mapping[str, tuple[str, ...]] = {
    "softmax": ("softmax",),
    "cross-entropy": ("softmax_cross_entropy", "sparse_softmax_cross_entropy"),
    "binary cross-entropy": ("sigmoid_cross_entropy",),
}
"""Names of the field, and the operators that they stand for."""

COLUMNS = ("softmax", "cross-entropy")
"""The groups whose worst errors stand in the scorecard."""

DRAWN = ("softmax", "sparse_softmax_cross_entropy", "sigmoid_cross_entropy")
"""The operators whose errors are drawn."""

FORMULATED = "softmax_cross_entropy"
"""The operator whose formulations are drawn at once."""

MASKED, BAD_INDEX, LONG_SUM = "4.2", "6.4", "2.6"
"""Clauses on a label of zero on a masked class, on an index out of range, and on sums of many terms."""


@dataclass(frozen=True)
class Edge:
    """What may happen at an edge: the ``clauses`` that speak of it, and the word for one that conforms."""

    name: str
    about: str
    clauses: tuple[str, ...]
    right: str


EDGES = (
    Edge(
        "masked class",
        "a class with the logit −∞, or that a mask takes away",
        ("4.1", "4.2", "4.3", "4.6"),
        "right",
    ),
    Edge("±∞ logit", "an infinite logit where the limit exists", ("5.2", "5.3"), "right"),
    Edge("bad index", "an index label outside of the classes", ("6.4",), "caught"),
    Edge("2¹⁷ classes", "long sums, whose accumulator may saturate or overflow", ("2.6",), "right"),
    Edge("tiny results", "small results: digits lost (1.2) or flushed to zero (1.3)", ("1.2", "1.3"), "kept"),
    Edge("Σ labels ≠ 1", "labels that do not sum to one", ("6.1", "6.2"), "right"),
    Edge("batch = alone", "a row alone has the bits that it has in its batch", ("7.4", "7.5"), "same"),
)

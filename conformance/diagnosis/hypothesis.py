"""What a hypothesis is: a name, a sentence, where it is known from, and what it predicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from xent_conformance.diagnosis.situation import Array, Situation

Model = Callable[[Situation], tuple[Array, Array | float]]
"""What would be returned, ``(rows, elements)`` before the last rounding, and the size of the largest number
that was added or subtracted on the way: an ulp of that is what another order of the same steps may move."""


@dataclass(frozen=True)
class Hypothesis:
    """One way in which real code goes wrong.

    ``models`` says for each operator and output what code of this kind returns. ``rank``: of two that explain
    the same, the lower is told: it supposes less. ``exact``: it is computed from the exact result and in no
    arithmetic.
    """

    name: str
    sentence: str
    source: str
    models: Mapping[tuple[str, str], Model]
    rank: int = 1
    exact: bool = False


SOFTMAX, LOG_SOFTMAX, LOGSUMEXP = "softmax", "log_softmax", "logsumexp"
DENSE, SPARSE = "softmax_cross_entropy", "sparse_softmax_cross_entropy"
SIGMOID, LOG_SIGMOID, LOGIT, BINARY = "sigmoid", "log_sigmoid", "logit", "sigmoid_cross_entropy"


def plain(result: Array) -> tuple[Array, float]:
    """A result of products and quotients alone: nothing cancels."""
    return result, 0.0


def size(*terms: Array) -> Array:
    """The largest of the sizes."""
    found = np.abs(terms[0])
    for term in terms[1:]:
        found = np.maximum(found, np.abs(term))
    return np.asarray(found)


def picked(a: Array, z: Situation) -> Array:
    """The labelled class of each row; NaN where there is none."""
    y = z.inputs.labels.astype(np.int64)
    inside = (y >= 0) & (y < z.inputs.n)
    taken = np.take_along_axis(a, np.where(inside, y, 0), axis=1)
    return np.where(inside, taken, np.nan)

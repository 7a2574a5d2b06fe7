"""A Delivery put to a compute that keeps what it was given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from xent_conformance.frameworks.interface import Manner
from xent_conformance.worker.delivery import Delivery

Array = np.ndarray[Any, np.dtype[Any]]
Compute = Callable[[Mapping[str, Array], Mapping[str, Any]], Mapping[str, Array]]

EVERYTHING = frozenset({"axis", "out"})


def rows(count: int, n: int, *, scalar: bool = False, labels: str = "") -> dict[str, Array]:
    """A batch as the driver sends it; no two of its numbers are equal."""
    x = 1.0 + np.arange(count * n, dtype=np.float32).reshape(count, n)
    found = {"logits": x, "cotangent": -np.arange(1.0, count + 1, dtype=np.float32) if scalar else -x}
    if labels == "dense":
        found["labels"] = 1000 + x
    elif labels == "index":
        found["labels"] = np.arange(count, dtype=np.int64) % n
    return found


class Kept:
    """Computes, and remembers every call."""

    def __init__(self, compute: Compute) -> None:
        self.compute = compute
        self.arrays: list[Mapping[str, Array]] = []
        self.keywords: list[Mapping[str, Any]] = []
        self.states: list[str] = []

    def __call__(
        self, arrays: Mapping[str, Array], keywords: Mapping[str, Any], state: str
    ) -> Mapping[str, Array]:
        self.arrays.append(arrays)
        self.keywords.append(keywords)
        self.states.append(state)
        return self.compute(arrays, keywords)


def delivered(
    manner: Manner,
    compute: Compute,
    arrays: Mapping[str, Array],
    takes: frozenset[str] = EVERYTHING,
) -> tuple[dict[str, Array], Kept]:
    """The answer, and the calls it took."""
    kept = Kept(compute)
    scalar = arrays["cotangent"].ndim == 1
    return Delivery(manner, takes, scalar).answer(kept, arrays), kept

"""Rows with nothing in them to object to: who refuses them refuses the question, or can answer none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from xent_conformance.frameworks.interface import Array, Question
from xent_conformance.worker.delivery import PLAIN


def harmless(question: Question, arrays: Mapping[str, Array]) -> tuple[Question, dict[str, Array]]:
    """The question without what is wrong in its manner, and rows for it: small ones where it is plain."""
    right = replace(question, manner=replace(question.manner, wrong=""))
    return right, _two_rows(arrays) if right.manner == PLAIN else _same_shapes(arrays)


def _two_rows(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Two rows of three classes."""
    dtype = arrays["logits"].dtype
    plain: dict[str, Array] = {"logits": np.full((2, 3), 0.5, dtype=dtype)}
    if "labels" in arrays:
        shape = (2,) if arrays["labels"].ndim == 1 else (2, 3)
        plain["labels"] = np.zeros(shape, dtype=arrays["labels"].dtype)
    plain["cotangent"] = np.ones((2,) if arrays["cotangent"].ndim == 1 else (2, 3), dtype=dtype)
    if "tangent" in arrays:
        plain["tangent"] = np.ones((2, 3), dtype=dtype)
    return plain


def _same_shapes(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Rows of the same shapes and types."""
    fill = {"logits": 0.5, "labels": 0, "cotangent": 1.0, "tangent": 1.0}
    return {name: np.full_like(a, fill[name]) for name, a in arrays.items()}

"""``jvp`` and ``hvp`` under attributes, by a second opinion: differences of the reduced loss in mpmath."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.support.corpus import of_corpus
from tests.support.reference.second_opinion import compare
from xent_conformance.cases.case import Batch

LOSSES = {
    "softmax_cross_entropy": "quick",
    "sparse_softmax_cross_entropy": "quick",
    "sigmoid_cross_entropy": "quick",
    "binary_cross_entropy": "standard",
    "categorical_cross_entropy": "standard",
}
"""Each with the first profile that asks it."""


def moving(operator: str) -> list[Batch]:
    """Rows of the crossing that move under attributes, as short as a difference by each logit wants them."""
    found = of_corpus(LOSSES[operator], operators=[operator], families=["crossing"], dtypes=["float32"])
    return [
        b
        for b in found
        if b.inputs.tangent.size and b.inputs.attributes.given and b.inputs.logits.shape[1] <= 48
    ]


@pytest.mark.parametrize("operator", LOSSES)
def test_derivatives_along_a_tangent_under_attributes(operator: str) -> None:
    count = 0
    for b in moving(operator):
        x, p = b.inputs.logits, b.inputs.labels
        narrow = np.isfinite(x).all(axis=1) & np.isfinite(p).all(axis=1) & (np.abs(x).max(axis=1) < 50)
        index = b.inputs.definition.labels == "index"
        known = (p < b.inputs.n).all(axis=1) if index else np.ones(len(x), bool)
        rows = np.flatnonzero(narrow & known)[-1:]
        if rows.size:
            count += compare(
                replace(
                    b.inputs,
                    logits=x[rows],
                    labels=p[rows],
                    cotangent=b.inputs.cotangent[rows],
                    tangent=b.inputs.tangent[rows],
                )
            )
    assert count >= 4

"""The corpus's own rows with attributes and tangents, by the second opinion."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.support.corpus import of_corpus
from tests.support.reference.measure import plain
from tests.support.reference.second_opinion import compare
from xent_conformance.cases.case import Batch
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.operators import OF_ROWS

WIDEST = 100.0
"""Logits farther apart take thousands of bits; the rows of the other files have them."""

LONGEST = 16
"""Logits of a row or a group: a difference by each of them takes the value of all of them."""

ROWS = {"jvp": 2, "value": 1}
"""How many of a batch, by what it asks first."""


def comparable(inputs: Inputs) -> Inputs | None:
    """The first rows that have a definition by differences, if the batch asks more than plain rows."""
    if plain(inputs) or inputs.copies > 1 or not 0 < inputs.logits.shape[1] <= LONGEST:
        return None
    x, p, a = inputs.logits, inputs.labels, inputs.attributes
    scale = abs(a.scale / a.temperature)
    if scale > WIDEST or a.mask:  # a step of a difference is scaled as well; masks have a test of their own
        return None
    largest = np.abs(inputs.product).max(axis=1) * max(1.0, scale)  # of what the operator sees
    narrow = largest + np.abs(np.array(a.bias)).max(initial=0.0) < WIDEST
    keep = narrow & np.isfinite(x).all(axis=1) & np.isfinite(p).all(axis=1)
    if inputs.definition.within_unit:
        keep &= ((x > 2.0**-30) & (x < 1)).all(axis=1)
    rows = np.flatnonzero(keep)[: ROWS[inputs.outputs[0]]]
    if not rows.size:
        return None
    tangent = inputs.tangent[rows] if inputs.tangent.size else inputs.tangent
    return replace(inputs, logits=x[rows], labels=p[rows], cotangent=inputs.cotangent[rows], tangent=tangent)


def kind_of(batch: Batch) -> tuple[object, ...]:
    """What is new about a batch. Of the crossing: its attributes by name, its reduction, what it asks."""
    a = batch.inputs.attributes
    crossed = batch.family == "crossing"
    return (batch.family, *sorted(a.given), a.reduction, batch.inputs.outputs[0]) if crossed else (batch.id,)


@pytest.mark.parametrize("operator", OF_ROWS)
def test_rows_of_the_corpus(operator: str) -> None:
    """In binary32 alone: definitions know of no format, and rows differ between them in bits only."""
    count, seen = 0, set[tuple[object, ...]]()
    for batch in of_corpus("quick", operators=[operator], dtypes=["float32"]):
        inputs = comparable(batch.inputs)
        kind = kind_of(batch)
        if inputs is not None and kind not in seen:
            count += compare(inputs)
            seen.add(kind)
    assert count >= 8

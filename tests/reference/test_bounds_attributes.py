"""Innocent losses with attributes, and their sums and means, never exceed their bound (SPEC.md 8.10, 8.12).

Weights before or after the sum, smoothing as labels or as a second term, positive weights directly or
through ``l = 1 + (P − 1) z``, means divided first or last: in every format and order of summation.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.reference.innocence import accused, in_orders, orders, worst
from tests.support.reference.innocents import GROUPS, ROWS
from tests.support.reference.rows_attributes import attributed, grouped
from tests.support.reference.strain import Rows, assert_tiers_in_order, strain, tried
from xent_conformance.reference.attributes import Attributes
from xent_conformance.reference.formats import BINARY16
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.operators import OF_ROWS, OPERATORS
from xent_conformance.reference.oracle import Oracle

LOSSES = tuple(o.name for o in OF_ROWS.values() if o.labels != "none" and not o.plain_labels)
QUESTIONS = [(name, output, tier) for name in LOSSES for output in OPERATORS[name].outputs for tier in ROWS]


def test_every_output_of_a_loss_has_innocents() -> None:
    outputs = {(name, output) for name in LOSSES for output in OPERATORS[name].outputs}
    for tables in (ROWS, GROUPS):
        assert set(tables["stable"]) == set(tables["accurate"]) == outputs


@pytest.mark.parametrize(("operator", "output", "tier"), QUESTIONS)
def test_rows(operator: str, output: str, tier: str) -> None:
    runs = in_orders(tried(attributed, operator), orders(operator, tier))
    found = worst(runs, ROWS[tier][operator, output], output, tier)
    scalar = output == "value" and OPERATORS[operator].value_shape == "scalar"
    assert all(count >= (1000 if scalar else 20_000) for _, count, _ in found.values())
    assert accused(found) == {}


@pytest.mark.parametrize(("operator", "output", "tier"), QUESTIONS)
def test_groups(operator: str, output: str, tier: str) -> None:
    runs = in_orders(tried(grouped, operator), orders(operator, tier))
    found = worst(runs, GROUPS[tier][operator, output], output, tier)
    assert all(count >= (350 if output == "value" else 100_000) for _, count, _ in found.values())
    assert accused(found) == {}


@pytest.mark.parametrize("operator", LOSSES)
@pytest.mark.parametrize("rows", [attributed, grouped])
def test_accurate_is_never_looser_than_stable(rows: Rows, operator: str) -> None:
    for truth in strain(rows, operator):
        assert_tiers_in_order(truth, truth.inputs.outputs)


@pytest.mark.parametrize("operator", LOSSES)
def test_attributes_that_are_not_given_loosen_nothing(operator: str) -> None:
    """The bound of a plain row is that of SPEC.md 8.5 – 8.8, without ``κ``; one that is given adds it."""
    x, c = np.array([[1.5, -0.5, 0.25]]), np.ones((1, 3 if OPERATORS[operator].value_shape == "row" else 1))
    if OPERATORS[operator].within_unit:
        x = np.array([[0.5, 0.125, 0.375]])
    p = np.array([[1.0]]) if OPERATORS[operator].labels == "index" else np.array([[0.0, 1.0, 0.0]])
    plain, weighed = (
        Oracle().truth(Inputs(operator, BINARY16, x, p, c, attributes))
        for attributes in (Attributes(), Attributes(weight=(1.0, 1.0, 1.0)))
    )
    for output in plain.inputs.outputs:
        assert (plain.bound(output).accurate < weighed.bound(output).accurate).any()
        assert (plain.bound(output).stable <= weighed.bound(output).stable).all()

"""Innocent forms of ``jvp`` and ``hvp`` never exceed their bound (SPEC.md 8.11, 8.13).

Forward mode, forward over reverse and reverse over reverse, of every textbook gradient, in every
format and order of summation, with NumPy's functions and with the worst that SPEC.md §8.1 allows.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.reference.innocence import accused, in_orders, orders, worst
from tests.support.reference.innocents import MOVING as TABLES
from tests.support.reference.rows_moving import moving
from tests.support.reference.strain import assert_tiers_in_order, strain, tried
from xent_conformance.reference.formats import BINARY64
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.operators import MOVING, OF_ROWS, OPERATORS
from xent_conformance.reference.oracle import Oracle

SUMS = [name for name, o in OPERATORS.items() if not o.elementwise and o.domain == "reals"]

QUESTIONS = [(name, output, tier) for name in OF_ROWS for output in MOVING for tier in TABLES]


@pytest.mark.parametrize(("operator", "output", "tier"), QUESTIONS)
def test_the_innocent_are_never_accused(operator: str, output: str, tier: str) -> None:
    runs = in_orders(tried(moving, operator), orders(operator, tier))
    found = worst(runs, TABLES[tier][operator, output], output, tier)
    assert found
    scalar = output == "jvp" and OPERATORS[operator].value_shape == "scalar"
    for name, (_, count, _) in found.items():
        assert count >= (3000 if scalar else 50_000), f"{name} was judged on {count} elements only"
    assert accused(found) == {}


@pytest.mark.parametrize("operator", OF_ROWS)
@pytest.mark.parametrize("output", MOVING)
def test_accurate_is_never_looser_than_stable(operator: str, output: str) -> None:
    for truth in strain(moving, operator):
        assert_tiers_in_order(truth, [output])


@pytest.mark.parametrize("operator", SUMS)
def test_the_accurate_bound_of_a_uniform_tangent_is_underflow_alone(operator: str) -> None:
    """The Hessian annihilates it, and centring shows it; the textbook's cancellation is only stable."""
    n = 5
    o = OPERATORS[operator]
    width = n if o.value_shape == "row" else 1
    labels = {"none": np.zeros((1, 0)), "index": np.ones((1, 1)), "dense": np.full((1, n), 0.25)}[o.labels]
    x = np.arange(float(n))[None, :]
    uniform = Inputs(operator, BINARY64, x, labels, np.ones((1, width)), tangent=np.full((1, n), 0.75))
    truth = Oracle().truth(uniform)
    assert (truth.enclosure("hvp").hi == 0).all()
    assert (truth.bound("hvp").accurate <= 1000 * BINARY64.smallest_subnormal).all()
    assert (truth.bound("hvp").stable >= BINARY64.u * 1e-2).all()

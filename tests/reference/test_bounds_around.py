"""What stands before an operator and after it, innocently computed, never exceeds its bound (SPEC.md 8.14).

Rounded step by step, by a reciprocal, or fused into the difference with a rounded maximum.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.reference.innocence import accused, in_orders, orders, worst
from tests.support.reference.measure import ratios
from tests.support.reference.strain import assert_tiers_in_order, strain, tried
from tests.support.reference.textbook_around import TABLES, attributed
from xent_conformance.reference.attributes import Attributes
from xent_conformance.reference.bounds.before import Before
from xent_conformance.reference.formats import BINARY32, Floats
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.reference.oracle import Oracle, Truth

ASKED = [o for o in OPERATORS.values() if o.domain == "reals"]
QUESTIONS = [(o.name, output, tier) for o in ASKED for output in o.outputs for tier in TABLES]


@pytest.mark.parametrize(("operator", "output", "tier"), QUESTIONS)
def test_the_innocent_are_never_accused(operator: str, output: str, tier: str) -> None:
    runs = in_orders(tried(attributed, operator), orders(operator, tier))
    found = worst(runs, TABLES[tier][operator, output], output, tier)
    assert found and all(count >= 1000 for _, count, _ in found.values())
    assert accused(found) == {}


@pytest.mark.parametrize("operator", [o.name for o in ASKED])
def test_accurate_is_never_looser_than_stable(operator: str) -> None:
    for truth in strain(attributed, operator):
        assert_tiers_in_order(truth, truth.inputs.definition.outputs)


# --- what it allows, and what not ------------------------------------------------------------------


def scaled(operator: str, x: list[float], **given: float) -> Truth:
    """One row in binary32, its numbers and those of the attributes rounded to it."""
    row = BINARY32.nearest(np.array([x]))
    a = Attributes(**{name: float(BINARY32.nearest(np.array(v))) for name, v in given.items()})
    width = len(x) if OPERATORS[operator].value_shape == "row" else 1
    return Oracle().truth(Inputs(operator, BINARY32, row, np.zeros((1, 0)), np.ones((1, width)), a))


def ratio(truth: Truth, got: list[float], output: str = "value") -> float:
    return ratios(np.array([got], dtype=np.float32), truth, output).worst_stable


@pytest.mark.parametrize(("second", "allowed"), [(-3008.0, True), (-3004.0742, True), (-3040.0, False)])
def test_a_product_that_is_rounded_conforms_and_one_that_is_not(second: float, allowed: bool) -> None:
    assert (ratio(scaled("log_softmax", [0.7, 0.69999], scale=3e8), [0.0, second]) <= 1) == allowed


def test_equal_logits_stay_equal_however_much_their_products_are_off() -> None:
    """By 178 each; of three that are not equal, one ulp apart, hardly anything is known."""
    for operator, right, wrong in (("softmax", 0.5, 0.51), ("log_softmax", -np.log(2.0), -0.71)):
        truth = scaled(operator, [0.1, 0.1], scale=3e10)
        assert ratio(truth, [right, right]) <= 1 < ratio(truth, [wrong, wrong])
    apart = scaled("softmax", [0.1, 0.1, 0.1 * (1 + 2.0**-23)], scale=3e10)
    assert (apart.bound("value").stable <= 1 + 1e-3).all() and apart.bound("value").stable.max() > 0.5


def test_a_probability_that_binary64_does_not_show_may_come_back() -> None:
    """Where errors of 3570 leave it below the other by 25 000 it may not; from 2235 below it may tie."""
    for steps, least, most in ((13, 0.0, 1e-30), (1, 0.4, 1.001)):
        truth = scaled("softmax", [0.1, 0.1 - steps * 2.0**-27], scale=3e11)
        assert truth.enclosure("value").hi[0, 1] == 0.0
        assert least <= truth.bound("value").stable[0, 1] <= most


def test_what_errors_move_a_probability_by_is_the_most_that_they_can() -> None:
    """No choice of errors within the box moves ``log s_i`` further; one of them that far."""
    x = np.array([[0.1, 0.0999999, 0.0999998, 0.09]])
    truth = scaled("softmax", x[0].tolist(), scale=3e8)
    before = Before(truth.inputs, truth.inputs.logits * truth.inputs.attributes.scale, truth.certified.sizes)
    log_s, moves = before.log_s[0], before.u * before.moves[0]
    signs = np.array(np.meshgrid(*[(-1.0, 0.0, 1.0)] * 4)).reshape(4, -1).T
    moved = log_s + signs * before.u * before.g
    found: Floats = np.abs(moved - np.logaddexp.reduce(moved, axis=1, keepdims=True) - log_s)
    np.testing.assert_allclose(found.max(axis=0), moves, rtol=1e-9)


@pytest.mark.parametrize("operator", [o.name for o in ASKED])
def test_a_scale_that_the_gradient_forgets_is_beyond_the_bound(operator: str) -> None:
    truth = next(t for t in strain(attributed, operator) if t.inputs.format is BINARY32)
    assert truth.inputs.attributes.around == {"scale"}
    right = truth.enclosure("grad_logits").round_to(BINARY32)
    wrong = right / truth.inputs.attributes.scale
    assert ratios(right.astype(np.float32), truth, "grad_logits").worst_stable <= 1
    assert ratios(wrong.astype(np.float32), truth, "grad_logits").worst_stable > 100

"""When a prediction is met, and when what is right contradicts it."""

from __future__ import annotations

import weakref
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.support.by_hand import batch
from xent_conformance.diagnosis import predict
from xent_conformance.diagnosis.hypothesis import Hypothesis
from xent_conformance.diagnosis.predict import LUCK, MATERIAL, Predicted, Right, There, predictions, situation
from xent_conformance.diagnosis.situation import Situation, arithmetics
from xent_conformance.reference.formats import BINARY32
from xent_conformance.reference.oracle import Oracle

FIRST = np.zeros(1, dtype=np.int64)
OTHER = Hypothesis("another", "a sentence", "a source", frozenset(), lambda z: z)
ROUNDS = replace(OTHER, rounds=True)


def of(
    value: float,
    right: float,
    *,
    h: Hypothesis = OTHER,
    near: float = 0.1,
    step: float = 0.0,
    says: bool = True,
) -> Predicted:
    """One number that is predicted where ``right`` is right, to an accurate bound of 0.01."""
    exact = np.array([right])
    there = There(FIRST, FIRST, BINARY32, exact, exact, np.array([0.01]))
    return Predicted(h, there, np.array([value]), np.array([near]), np.array([step]), np.array([says]))


def met(p: Predicted, got: float, *, mild: bool = False) -> bool:
    return bool(p.met(np.array([got]), np.array([mild]))[0])


def contradicted(p: Predicted, got: float) -> bool:
    return bool(p.contradicted(np.array([got]))[0])


def test_a_number_is_met_near_the_prediction_and_nowhere_else() -> None:
    assert met(of(2.0, 1.0), 2.05) and not met(of(2.0, 1.0), 2.15)


def test_what_is_nearer_to_what_is_right_says_nothing() -> None:
    assert not met(of(1.08, 1.0), 1.02) and met(of(1.08, 1.0), 1.06)
    assert not met(of(1.08, 1.0), 1.0)


def test_what_the_right_formula_gives_in_the_same_steps_is_not_the_hypothesis() -> None:
    """It overflows in the format, whatever is replaced: that is told of the steps, and of nothing else."""
    assert met(of(np.inf, 1.0), np.inf) and not met(of(np.inf, 1.0, says=False), np.inf)
    assert contradicted(of(np.inf, 1.0, says=False), 1.0)


def test_special_values_are_met_by_themselves() -> None:
    assert (
        met(of(np.nan, 1.0), np.nan) and not met(of(np.nan, 1.0), 1.0) and not met(of(np.nan, np.nan), np.nan)
    )
    assert met(of(np.inf, 1.0), np.inf) and not met(of(np.inf, 1.0), -np.inf)
    assert met(of(3.0, np.nan), 3.05) and met(of(3.0, np.inf), 3.05)


def test_what_is_predicted_right_explains_nothing() -> None:
    assert not met(of(1.005, 1.0), 1.006)


def test_rounding_that_may_be_so_large_explains_a_loss_of_accuracy_and_no_more() -> None:
    """The prediction itself is right: another order of the same steps, off by 4.5 of them, was not."""
    steps = of(1.0, 1.0, h=ROUNDS, step=0.02)
    assert met(steps, 1.05, mild=True) and not met(steps, 1.05)
    assert not met(of(1.0, 1.0, h=ROUNDS, step=0.002), 1.05, mild=True)
    assert not met(of(1.0, 1.0, step=0.02), 1.05, mild=True), "of another function the digits are told"


def test_what_is_no_fault_explains_nothing_beyond_the_stable_bound() -> None:
    innocent = replace(ROUNDS, innocent=True)
    assert met(of(2.0, 1.0, h=innocent), 2.05, mild=True) and not met(of(2.0, 1.0, h=innocent), 2.05)


def test_a_right_number_contradicts_what_is_plainly_wrong() -> None:
    assert contradicted(of(2.0, 1.0), 1.0)
    assert not contradicted(of(1.0 + 0.9 * MATERIAL * 0.01, 1.0, near=0.001), 1.0), "not plainly"
    assert contradicted(of(np.nan, 1.0), 1.0) and not contradicted(of(np.nan, np.nan), np.nan)


def test_a_right_number_on_the_grid_is_luck_unless_it_is_far_too_good() -> None:
    grid = of(1.05, 1.0, h=ROUNDS, near=0.1, step=0.05)
    assert not contradicted(grid, 1.0 + 0.01)
    assert contradicted(grid, 1.0 + 0.05 / LUCK)
    assert not contradicted(of(0.05, 0.0, h=ROUNDS, near=0.1, step=0.05), 0.0), (
        "zero is a point of every grid"
    )


def test_what_one_arithmetic_has_computed_is_gone_when_the_next_begins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of rows of a vocabulary that is many megabytes each, and of 16 bits there are five."""
    made: list[weakref.ref[Situation]] = []

    def watched(*given: Any) -> Situation:
        made.append(weakref.ref(z := situation(*given)))
        return z

    monkeypatch.setattr(predict, "situation", watched)
    asked = batch("softmax", [[1.0, 2.0, 3.0]], dtype="bfloat16")
    for _ in predictions(Right(Oracle().truth(asked.inputs), "value")):
        assert sum(z() is not None for z in made) == 1
    assert len(made) == len(arithmetics(asked.inputs.format)) == 5

"""Where the errors lie: every row in one bin or one gutter, and none of the gutters is counted in ulps."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import pytest

from tests.support.small_run import header, run_of, verdict
from xent_conformance.reports.views.strips import EDGES, Lane, Strips, strips

JAX = {"framework": "jax", "implementation": "jax.nn.softmax"}
LOST = {"status": "breaks_should"}
FLUSHED = {"status": "breaks_should", "clause": "1.3", "symptom": "flushed to zero", "grade": "divergent"}
NAN = {"status": "breaks_must", "symptom": "NaN", "grade": "wrong_special", "ulps": inf, "got": nan}
INFINITE = NAN | {"symptom": "infinite where finite", "got": inf}
RAISED = {
    "status": "breaks_must",
    "symptom": "raised",
    "grade": "none",
    "ulps": nan,
    "got": nan,
    "rounded": nan,
}


def of(*rows: dict[str, Any]) -> Strips:
    (found,) = strips(run_of([row | {"case": str(i)} for i, row in enumerate(rows)]))
    return found


def lane(*rows: dict[str, Any]) -> Lane:
    (found,) = of(*rows).lanes
    return found


@pytest.mark.parametrize(
    ("error", "place"), [(0.0, 0), (0.25, 0), (0.2500001, 1), (1.0, 2), (128.0, 9), (129.0, 10)]
)
def test_an_error_lies_in_the_bin_that_it_does_not_exceed(error: float, place: int) -> None:
    found = lane(verdict(ulps=error))
    assert found.bins == tuple(int(i == place) for i in range(len(EDGES) + 1))
    assert found.rows == 1


def test_what_has_no_distance_is_in_a_gutter_and_in_no_bin() -> None:
    found = lane(verdict(ulps=0.3), verdict(**LOST), verdict(**FLUSHED), verdict(**NAN), verdict(**INFINITE))
    assert (found.lost, found.flushed, found.nan, found.infinite) == (1, 1, 1, 1)
    assert sum(found.bins) == 1 and found.rows == 5


def test_nan_and_lost_digits_do_not_move_the_median() -> None:
    found = lane(
        verdict(ulps=1.0), verdict(ulps=3.0), *[verdict(**NAN)] * 5, *[verdict(**LOST, ulps=1e9)] * 5
    )
    assert found.median == 2.0
    assert lane(verdict(**NAN)).median is None


def test_a_fault_without_a_number_is_counted_and_an_error_that_is_right_is_not() -> None:
    right = RAISED | {"status": "conforms", "symptom": "none"}
    found = lane(verdict(), verdict(**RAISED), verdict(**right))
    assert found.silent == 1 and found.rows == 2


def test_where_nan_or_infinity_is_right_there_is_no_error_to_place() -> None:
    finite = NAN | {"symptom": "a number where NaN", "got": 1.0, "rounded": nan}
    found = lane(verdict(), verdict(rounded=inf, got=inf, ulps=0.0), verdict(**finite))
    assert found.rows == 1


def test_values_that_users_call_are_shown_and_nothing_else() -> None:
    found = lane(
        verdict(),
        verdict(formulation="naive", implementation="naive", ulps=99.0),
        verdict(output="grad_logits", ulps=99.0),
        verdict(n=1, ulps=0.0),
        verdict(status="open"),
        verdict(status="unsupported"),
    )
    assert found.rows == 1


def test_lanes_are_compared_on_the_cases_that_all_were_asked() -> None:
    rows = [verdict(ulps=0.1), verdict(**JAX, ulps=0.1), verdict(case="more", ulps=999.0)]
    (found,) = strips(run_of(rows))
    assert found.cases == (("float32", 1),)
    assert [(x.place.framework, x.rows, x.bins[-1]) for x in found.lanes] == [("jax", 1, 0), ("torch", 1, 0)]


def test_who_shares_no_case_has_an_empty_lane_and_does_not_vanish() -> None:
    rows = [verdict(), verdict(implementation="torch.b"), verdict(**JAX, case="another")]
    (found,) = strips(run_of(rows))
    assert [(x.place.framework, x.rows) for x in found.lanes] == [("jax", 0), ("torch", 2)]


def test_formats_come_in_their_order_and_operators_that_are_shown_in_theirs() -> None:
    rows = [
        verdict(operator=o, dtype=d)
        for o in ("sigmoid_cross_entropy", "softmax")
        for d in ("float32", "bfloat16")
    ]
    found = strips(run_of(rows))
    assert [s.operator for s in found] == ["softmax", "sigmoid_cross_entropy"]
    assert [x.dtype for x in found[0].lanes] == ["bfloat16", "float32"]


def test_a_run_of_other_operators_shows_those() -> None:
    rows = [verdict(operator="log_softmax")]
    assert [s.operator for s in strips(run_of(rows, header(operators={"log_softmax": ""})))] == [
        "log_softmax"
    ]
    assert strips(run_of([verdict(status="open")])) == ()


def test_what_is_behind_the_gutters_is_named() -> None:
    assert of(verdict(**LOST, cause="in-fewer-bits"), verdict()).causes == ("in-fewer-bits",)

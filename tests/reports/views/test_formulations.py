"""What a formulation costs by magnitude: fair cases, ulps of what is measured, faults counted."""

from __future__ import annotations

from math import inf, nan
from typing import Any

from tests.support.small_run import run_of, verdict
from xent_conformance.reports.views.formulations import SPECIAL, Costs, Fared, costs
from xent_conformance.reports.views.scorecard import SMALL

NAIVE = {"implementation": "torch.exp/sum", "formulation": "naive"}
COMPOSED = {"implementation": "torch.log_softmax.exp", "formulation": "composed"}
NAN = {"status": "breaks_must", "symptom": "NaN", "grade": "wrong_special", "ulps": inf, "got": nan}
FLUSHED = {"status": "breaks_should", "symptom": "flushed to zero", "grade": "divergent", "ulps": 1e6}


def of(*rows: dict[str, Any]) -> Costs:
    (found,) = costs(run_of([{"variant": "unit"} | row for row in rows]))
    return found


def unit(**changes: Any) -> dict[str, Any]:
    return verdict(**{"variant": "unit", "case": "a"} | changes)


def first(found: Costs, formulation: str = "fused") -> Fared:
    (way,) = found.ways(formulation)
    fared = way.fared[0]
    assert fared is not None
    return fared


def test_ulps_are_of_what_was_a_number_and_neither_lost_nor_flushed() -> None:
    rows = [unit(ulps=0.5), unit(case="b", status="breaks_should", ulps=4000.0), unit(case="c", **FLUSHED)]
    fared = first(of(*rows, unit(case="d", **NAN)))
    assert fared.worst == 0.5 and fared.rows == 4
    assert fared.counted(SMALL) == 2 and fared.counted(SPECIAL) == 1
    assert fared.grade == "wrong_special"
    assert first(of(unit(**NAN))).worst is None


def test_ways_are_compared_on_what_all_of_a_framework_were_asked_at_home() -> None:
    found = of(
        unit(ulps=0.5),
        unit(ulps=0.75, **NAIVE),
        unit(case="only asked of the first", ulps=77.0),
        unit(mode="autocast", ulps=88.0),
        unit(output="grad_logits", ulps=99.0),
        unit(case="one class", n=1, ulps=55.0),
        unit(case="one class", n=1, ulps=55.0, **NAIVE),
        unit(dtype="float64", status="unsupported", ulps=66.0),
    )
    assert first(found).worst == 0.5 and first(found).rows == 1
    assert first(found, "naive").worst == 0.75


def test_the_format_is_that_of_most_ways_and_float32_before_others() -> None:
    assert of(unit(), unit(dtype="bfloat16", ulps=9.0)).dtype == "float32"
    rows = [unit(), unit(dtype="float16"), unit(dtype="float16", **COMPOSED)]
    assert of(*rows).dtype == "float16"


def test_magnitudes_come_from_mild_to_extreme_and_formulations_in_their_order() -> None:
    rows = [unit(**way, variant=v, family=f, case=v) for way in (NAIVE, {}, COMPOSED) for f, v in
            (("huge_logits", "largest"), ("ordinary", "unit"))]  # fmt: skip
    found = of(*rows)
    assert found.magnitudes == ("|x| about 1", "the largest numbers")
    assert found.formulations == ("fused", "composed", "naive")


def test_ways_that_fared_alike_share_a_line_and_others_do_not() -> None:
    found = of(unit(implementation="a"), unit(implementation="b"), unit(implementation="c", ulps=2.0))
    assert [way.implementations for way in found.ways("fused")] == [("a", "b"), ("c",)]


def test_a_magnitude_that_a_framework_was_not_asked_is_none() -> None:
    jax = {"framework": "jax", "implementation": "jax.nn.softmax"}
    found = of(unit(), unit(variant="spread8", case="b"), unit(**jax))
    assert [[f is None for f in way.fared] for way in found.ways("fused")] == [[False, True], [False, False]]


def test_causes_are_of_what_users_call() -> None:
    wrong = {"status": "breaks_must", "case": "b"}
    found = of(unit(), unit(**wrong, cause="offset-kept"), unit(**NAIVE), unit(**NAIVE, **wrong, cause=""))
    assert found.causes == ("offset-kept",)


def test_a_run_without_a_magnitude_has_none() -> None:
    assert costs(run_of([verdict(family="shapes")])) == ()

"""Material or not: one row is a rounding, unless no rounding can do it; more rows are told from luck."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest

from tests.support.small_run import run_of, verdict
from xent_conformance.decision import material
from xent_conformance.decision.compare import compare
from xent_conformance.decision.material import luck, materially_worse

BEYOND, LOST, FLUSHED = "beyond the stable bound", "lost relative accuracy", "flushed to zero"


def _row(number: int, size: float, symptom: str, dtype: str = "float32") -> dict[str, Any]:
    """A row with an error of ``size`` stable bounds, or where accuracy was lost, of so many ulps."""
    sized = {"ulps": size} if symptom == LOST else {"ratio": size, "ulps": 8 * size}
    broken = {"status": "breaks_should" if symptom == LOST else "breaks_must", "grade": "divergent"}
    fine = {"status": "conforms", "grade": "stable", "symptom": "none"}
    here = broken | {"symptom": symptom} if symptom == LOST or size > 1 else fine
    return verdict(case=f"row {number}", dtype=dtype, **{"ratio": 0.5, **sized, **here})


def _found(then: Sequence[float], now: Sequence[float], symptom: str = BEYOND) -> pl.DataFrame:
    before, after = ([_row(i, size, symptom) for i, size in enumerate(sizes)] for sizes in (then, now))
    return materially_worse(compare(run_of(before), run_of(after)).pairs)


def test_luck_is_the_sign_test() -> None:
    assert luck(1, 0) == 0.5 and luck(10, 0) == 2.0**-10
    assert luck(5, 4) == pytest.approx(0.5) and luck(2, 9) > 0.99


@pytest.mark.parametrize(
    ("then", "now", "found"),
    [
        ([0.5], [1.3], True),
        ([0.5], [1.2], False),  # stood at the bound, and crossed it
        ([0.7], [1.3], False),  # the next rounding on the same grid
        ([0.5, 3.0], [1.3, 3.0], False),  # where rows were beyond it before, one is luck
        ([0.5, 3.0], [1.3, 1e6], False),
        ([3.0] * 9, [30.0] * 9, False),  # nine in a row are luck once in 512 places
        ([3.0] * 10, [30.0] * 10, True),
        ([3.0] * 10 + [30.0] * 5, [30.0] * 10 + [3.0] * 5, False),
        ([3.0] * 10, [5.0] * 10, False),
        ([3.0] * 10, [0.1] * 10, False),
    ],
)
def test_beyond_the_stable_bound(then: list[float], now: list[float], found: bool) -> None:
    places = _found(then, now)
    assert (places.height == 1) is found
    if found:
        assert places["symptom"].to_list() == [BEYOND] and places["worse"][0] == len(then)


@pytest.mark.parametrize(
    ("then", "now", "found"),
    [
        ([3.0], [1e9], False),
        ([3.0] * 10, [100.0] * 10, True),
        ([3.0] * 5 + [100.0] * 4, [100.0] * 5 + [3.0] * 4, False),
        ([0.0] * 10, [0.9] * 10, False),  # to be exact is luck
        ([0.0] * 10, [1.1] * 10, True),
    ],
)
def test_beyond_the_accurate_bound(then: list[float], now: list[float], found: bool) -> None:
    assert (_found(then, now, LOST).height == 1) is found


def test_the_accurate_bound_is_asked_over_all_formats_together() -> None:
    def rows(size: float) -> list[dict[str, Any]]:
        return [_row(i, size, LOST, dtype) for i in range(5) for dtype in ("float32", "bfloat16")]

    numbered = (
        [r | {"case": f"{r['case']} {r['dtype']}"} for r in rows(3.0)],
        [r | {"case": f"{r['case']} {r['dtype']}"} for r in rows(100.0)],
    )
    places = materially_worse(compare(run_of(numbered[0]), run_of(numbered[1])).pairs)
    assert set(places["dtype"]) == {"float32", "bfloat16"} and set(places["worse"]) == {10}


def test_what_is_flushed_or_no_number_takes_no_part() -> None:
    kept = verdict(case="a", ratio=0.5)
    flushed = verdict(case="a", ratio=1e30, status="breaks_should", grade="divergent", symptom=FLUSHED)
    special = verdict(
        case="a", ratio=float("inf"), status="breaks_must", grade="wrong_special", symptom="NaN"
    )
    for now in (flushed, special):
        assert materially_worse(compare(run_of([kept]), run_of([now])).pairs).is_empty()


@pytest.mark.parametrize("name", ["BEYOND", "DOUBLED"])
def test_each_margin_decides(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it, a rounding is taken for another formula."""
    then, now = {"BEYOND": ([0.5], [1.2]), "DOUBLED": ([0.7], [1.3])}[name]
    assert _found(then, now).is_empty()
    monkeypatch.setattr(material, name, 1.0)
    assert _found(then, now).height == 1

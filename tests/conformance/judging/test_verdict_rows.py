"""Which element decides a row, which clause a row is judged by, and what is recorded of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from tests.support.by_hand import NAN
from tests.support.judging import ULP, Truth, Verdict, case, check, judged, verdicts_of
from xent_conformance.judging.judge import Judge
from xent_conformance.reference.formats import FORMATS
from xent_conformance.reports.run.words import Grade, Status, Symptom

# --- the element that decides a row ------------------------------------------------------------------


@pytest.mark.parametrize("order", [1, -1])
def test_the_heaviest_clause_decides_a_row(order: int) -> None:
    """A must broken by 20 ulps outweighs a should broken by a thousand."""
    got = np.array([1.0 + 1000 * ULP, 1.0 + 20 * ULP, 1.0])[::order]
    stable = np.array([2000.0, 16.0, 16.0])[::order]
    v = judged(got, [1.0, 1.0, 1.0], stable=stable)
    check(v, Grade.DIVERGENT, Status.BREAKS_MUST, Symptom.BEYOND_BOUND, "1.1")
    assert (v.index, v.ulps) == (1, 20.0)


def test_the_grade_decides_between_clauses_of_one_level() -> None:
    v = judged([1.0 + 10 * ULP, NAN], [1.0, 1.0], clause="5.2")
    check(v, Grade.WRONG_SPECIAL, Status.BREAKS_SHOULD, Symptom.NAN, "5.2")
    assert v.index == 1


def test_the_ulps_decide_between_equals() -> None:
    v = judged([1.0 + 20 * ULP, 1.0 + 30 * ULP, 1.0 + 25 * ULP], [1.0] * 3)
    assert (v.index, v.ulps) == (1, 30.0)
    v = judged([1.0, 1.0 + 2 * ULP, 1.0 + ULP], [1.0] * 3)
    assert (v.index, v.ulps, v.status) == (1, 2.0, Status.CONFORMS)
    assert (v.got, v.hi, v.rounded) == (1.0 + 2 * ULP, 1.0, 1.0)


# --- batches -----------------------------------------------------------------------------------------


def _several(rows: Sequence[int], clauses: Sequence[str]) -> list[Verdict]:
    hi = np.array([[1.0], [2.0], [4.0]])
    got = np.array([[1.0], [NAN], [4.0 + 4 * 17 * ULP]], dtype=np.float32)
    cases = [case(row, clause) for row, clause in zip(rows, clauses, strict=True)]
    return verdicts_of(Judge(Truth(hi)), cases, "value", got)  # type: ignore[arg-type]


def test_each_row_is_judged_by_its_own_clause() -> None:
    verdicts = _several([0, 1, 2], ["2.4", "4.4", "1.1"])
    assert [v.status for v in verdicts] == [Status.CONFORMS, Status.OPEN, Status.BREAKS_MUST]


def test_some_rows_of_a_batch_in_any_order() -> None:
    last, first = _several([2, 0], ["1.1", "1.1"])
    assert (last.hi, last.got, last.ulps) == (4.0, 4.0 + 4 * 17 * ULP, 17.0)
    assert (first.hi, first.status) == (1.0, Status.CONFORMS)


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="value has 2 elements a row, the reference 1"):
        Judge(Truth(1.0)).verdicts([case(0, "1.1")], "value", np.ones((1, 2)))  # type: ignore[arg-type]


def test_the_bits_tell_what_the_numbers_do_not() -> None:
    """Signed zeros and NaN payloads are equal to a judge and different bits to a comparison of runs."""
    assert judged(0.0, 0.0).bits == judged(0.0, 1.0).bits != judged(-0.0, 0.0).bits
    assert judged(1.0, 1.0).bits != judged(1.0, 1.0, dtype="float64").bits


@pytest.mark.parametrize("dtype", FORMATS)
def test_one_ulp_in_every_format(dtype: str) -> None:
    one = 2.0 ** (1 - FORMATS[dtype].precision)
    v = judged(1.0 + one, 1.0, dtype=dtype)
    assert (v.grade, v.ulps) == (Grade.ACCURATE, 1.0)
    assert judged(1.0, 1.0 + one * 0.25, dtype=dtype, lo=0.0).grade is Grade.EXACT

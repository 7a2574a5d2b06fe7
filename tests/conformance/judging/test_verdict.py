"""Every grade, symptom and status is fired by hand-made answers, each with the clause it is charged to."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.by_hand import INFINITY, NAN, batch
from tests.support.judging import F32, STABLE, ULP, check, judged, verdicts_of
from xent_conformance.cases.corpus import find_case
from xent_conformance.judging.judge import Judge
from xent_conformance.judging.numbered import broken
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.words import Grade, Status, Symptom

# --- grades of finite elements -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("got", "hi", "grade", "ulps"),
    [
        (1.0, 1.0, Grade.EXACT, 0.0),
        (1.0, 1.0 + 0.25 * ULP, Grade.EXACT, 0.25),
        (1.0 + ULP, 1.0 + 0.25 * ULP, Grade.FAITHFUL, 0.75),
        (1.0 + ULP, 1.0, Grade.ACCURATE, 1.0),
        (1.0 + 4 * ULP, 1.0, Grade.ACCURATE, 4.0),
        (0.0, 0.0, Grade.EXACT, 0.0),
        (-0.0, 0.0, Grade.EXACT, 0.0),
        (F32.smallest_subnormal, 0.0, Grade.ACCURATE, 1.0),
    ],
)
def test_conforming_grades(got: float, hi: float, grade: Grade, ulps: float) -> None:
    v = judged(got, hi)
    check(v, grade, Status.CONFORMS, Symptom.NONE, "1.1")
    assert v.ulps == ulps
    assert v.ratio == ulps / STABLE


def test_half_an_ulp_below_a_power_of_two_is_not_exact() -> None:
    """Below 1 the format is twice as fine: the neighbour is half an ulp of 1 away, and not the nearest."""
    v = judged(1.0 - ULP / 2, 1.0)
    assert (v.ulps, v.grade) == (0.5, Grade.FAITHFUL)


def test_a_tie_that_the_low_part_breaks() -> None:
    above = {"hi": 1.0 + ULP / 2, "lo": 2.0**-70}
    assert judged(1.0, **above).grade is Grade.FAITHFUL
    assert judged(1.0 + ULP, **above).grade is Grade.EXACT
    assert judged(1.0 + ULP, **above).rounded == 1.0 + ULP
    assert judged(1.0, 1.0 + ULP / 2).grade is judged(1.0 + ULP, 1.0 + ULP / 2).grade is Grade.EXACT


def test_the_references_own_doubt_is_not_charged() -> None:
    assert judged(1.0 + 17 * ULP, 1.0, radius=2 * ULP).ulps == 15.0
    assert judged(1.0 + ULP, 1.0, radius=2 * ULP).ulps == 0.0


def test_lost_relative_accuracy_is_charged_to_1_2() -> None:
    v = judged(1.0 + 10 * ULP, 1.0, clause="2.5")
    check(v, Grade.STABLE, Status.BREAKS_SHOULD, Symptom.LOST_ACCURACY, "1.2")


@pytest.mark.parametrize("clause", ["1.2", "1.3", "1.4", "1.7", "3.1", "3.2", "7.3", "7.4", "7.5"])
def test_a_wrong_number_is_charged_to_what_is_wrong_with_it(clause: str) -> None:
    """Not to what its row was made for: that is not about numbers, and some of it is a should."""
    v = judged(1.0 + 17 * ULP, 1.0, clause=clause)
    check(v, Grade.DIVERGENT, Status.BREAKS_MUST, Symptom.BEYOND_BOUND, "1.1")


@pytest.mark.parametrize("clause", ["7.3", "7.4", "7.5"])
def test_nan_in_a_row_that_is_asked_for_its_bits_is_no_matter_of_bits(clause: str) -> None:
    check(judged(NAN, 1.0, clause=clause), Grade.WRONG_SPECIAL, Status.BREAKS_MUST, Symptom.NAN, "1.1")


@pytest.mark.parametrize("clause", ["3.1", "3.2"])
def test_what_a_clause_about_nan_says_of_nan_is_its_own(clause: str) -> None:
    assert judged(NAN, 1.0, clause=clause).clause == clause
    assert judged(1.0, NAN, clause=clause).clause == clause


@pytest.mark.parametrize("clause", ["1.1", "1.2", "1.7", "2.5", "7.4"])
def test_what_conforms_is_counted_for_the_clause_that_was_tested(clause: str) -> None:
    assert judged(1.0, 1.0, clause=clause).clause == clause


@pytest.mark.parametrize("clause", ["1.1", "2.5", "6.1"])
def test_beyond_the_stable_bound_is_charged_to_the_case(clause: str) -> None:
    v = judged(1.0 + 17 * ULP, 1.0, clause=clause)
    check(v, Grade.DIVERGENT, Status.BREAKS_MUST, Symptom.BEYOND_BOUND, clause)
    assert (v.ulps, v.ratio) == (17.0, 17.0 / 16.0)


def test_a_should_clause_weighs_less() -> None:
    v = judged(1.0 + 17 * ULP, 1.0, clause="5.2")
    check(v, Grade.DIVERGENT, Status.BREAKS_SHOULD, Symptom.BEYOND_BOUND, "5.2")


def test_across_zero() -> None:
    """From one side of zero to the other is two ulps, not a jump."""
    tiny = F32.smallest_subnormal
    assert judged(-tiny, tiny).ulps == 2.0


# --- flushing ----------------------------------------------------------------------------------------

TINY = 1e-40  # subnormal in binary32


def test_flushed_to_zero_is_charged_to_1_3() -> None:
    for zero in (0.0, -0.0):
        v = judged(zero, TINY, flush=F32.smallest_normal, clause="2.5")
        check(v, Grade.DIVERGENT, Status.BREAKS_SHOULD, Symptom.FLUSHED, "1.3")


def test_flushing_does_not_explain_a_normal_number() -> None:
    v = judged(0.0, 1e-30, flush=F32.smallest_normal)
    check(v, Grade.DIVERGENT, Status.BREAKS_MUST, Symptom.BEYOND_BOUND, "1.1")


def test_flushing_explains_zero_alone() -> None:
    v = judged(TINY * 2, TINY, flush=F32.smallest_normal)
    check(v, Grade.DIVERGENT, Status.BREAKS_MUST, Symptom.BEYOND_BOUND, "1.1")


def test_a_zero_within_the_stable_bound_is_not_flushed() -> None:
    """Nothing is charged to flushing that the form of the computation explains."""
    v = judged(0.0, 10 * F32.smallest_subnormal, flush=F32.smallest_normal)
    check(v, Grade.STABLE, Status.BREAKS_SHOULD, Symptom.LOST_ACCURACY, "1.2")


def test_a_zero_within_the_accurate_bound_is_not_flushed() -> None:
    v = judged(0.0, 3 * F32.smallest_subnormal, flush=F32.smallest_normal)
    check(v, Grade.ACCURATE, Status.CONFORMS, Symptom.NONE, "1.1")


# --- NaN and infinities ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("got", "hi", "symptom"),
    [
        (NAN, 1.0, Symptom.NAN),
        (NAN, 0.0, Symptom.NAN),
        (NAN, INFINITY, Symptom.NAN),
        (INFINITY, 1.0, Symptom.INFINITE),
        (-INFINITY, 0.0, Symptom.INFINITE),
        (-INFINITY, INFINITY, Symptom.WRONG_INFINITY),
        (1.0, INFINITY, Symptom.FINITE_FOR_INFINITE),
        (F32.largest, INFINITY, Symptom.FINITE_FOR_INFINITE),
        (0.0, -INFINITY, Symptom.FINITE_FOR_INFINITE),
        (1.0, NAN, Symptom.FINITE_FOR_NAN),
        (INFINITY, NAN, Symptom.FINITE_FOR_NAN),
    ],
)
@pytest.mark.parametrize(
    ("clause", "status"), [("3.2", Status.BREAKS_MUST), ("5.2", Status.BREAKS_SHOULD), ("4.4", Status.OPEN)]
)
def test_wrong_special_values(got: float, hi: float, symptom: Symptom, clause: str, status: Status) -> None:
    v = judged(got, hi, clause=clause)
    check(v, Grade.WRONG_SPECIAL, status, symptom, clause)
    assert v.ulps == v.ratio == INFINITY


@pytest.mark.parametrize("value", [NAN, INFINITY, -INFINITY])
def test_right_special_values(value: float) -> None:
    v = judged(value, value, clause="3.2")
    check(v, Grade.EXACT, Status.CONFORMS, Symptom.NONE, "3.2")
    assert v.ulps == v.ratio == 0.0


# --- at overflow -------------------------------------------------------------------------------------

BEYOND = {"hi": 1.0, "exponent": 128}  # 2**128, the number after the largest of binary32


def test_an_infinity_where_the_exact_value_rounds_to_it() -> None:
    v = judged(INFINITY, clause="2.2", **BEYOND)
    check(v, Grade.EXACT, Status.CONFORMS, Symptom.NONE, "2.2")
    assert (v.ulps, v.rounded) == (0.0, INFINITY)
    v = judged(-INFINITY, clause="2.2", **BEYOND)
    check(v, Grade.WRONG_SPECIAL, Status.BREAKS_MUST, Symptom.INFINITE, "2.2")


def test_the_largest_number_is_one_ulp_below_overflow() -> None:
    v = judged(F32.largest, clause="2.2", **BEYOND)
    assert (v.grade, v.ulps) == (Grade.ACCURATE, 1.0)
    v = judged(F32.largest, 1.0, exponent=129, clause="2.2")
    check(v, Grade.DIVERGENT, Status.BREAKS_MUST, Symptom.BEYOND_BOUND, "2.2")


def test_an_infinity_counts_as_the_next_number() -> None:
    v = judged(INFINITY, F32.largest)
    assert (v.grade, v.ulps) == (Grade.ACCURATE, 1.0)
    v = judged(INFINITY, F32.largest, accurate=0.25, stable=0.5)
    check(v, Grade.WRONG_SPECIAL, Status.BREAKS_MUST, Symptom.INFINITE, "1.1")
    v = judged(INFINITY, F32.largest * (1 - 2.0**-10))
    check(v, Grade.WRONG_SPECIAL, Status.BREAKS_MUST, Symptom.INFINITE, "1.1")


# --- one class, open clauses, doubt ------------------------------------------------------------------


def test_one_class_must_be_exact() -> None:
    check(judged(1.0, 1.0, clause="2.4"), Grade.EXACT, Status.CONFORMS, Symptom.NONE, "2.4")
    check(judged(-0.0, 0.0, clause="2.4"), Grade.EXACT, Status.CONFORMS, Symptom.NONE, "2.4")
    for got, hi in ((1.0 - ULP / 2, 1.0), (1.0 + ULP, 1.0), (F32.smallest_subnormal, 0.0)):
        v = judged(got, hi, clause="2.4")
        check(v, Grade.DIVERGENT, Status.BREAKS_MUST, Symptom.BEYOND_BOUND, "2.4")


@pytest.mark.parametrize("got", [1.0, 1.0 + 10 * ULP, 2.0, 0.0, NAN, INFINITY])
def test_an_open_clause_is_never_judged(got: float) -> None:
    v = judged(got, 1.0, clause="4.4", flush=2.0)
    assert (v.status, v.clause) == (Status.OPEN, "4.4")


@pytest.mark.parametrize("got", [1.0, 2.0, NAN])
def test_an_undecided_reference_accuses_nobody(got: float) -> None:
    v = judged(got, 1.0, undecided=True)
    assert (v.status, v.clause) == (Status.UNDECIDED, "1.1")


def test_a_reference_without_enough_precision_is_undecided() -> None:
    """A gradient that cancels is not known at 128 bits; given more, it is."""
    x, p = [0.0, 2.0**-149], [0.5, 0.5]
    b = batch("softmax_cross_entropy", [x], labels=[p])
    got = np.zeros((1, 2), dtype=np.float32)
    judge = Judge(Oracle(precisions=(128,)).truth(b.inputs))
    (short,) = verdicts_of(judge, b.cases, "grad_logits", got)
    assert short.status is Status.UNDECIDED
    (enough,) = verdicts_of(Judge(Oracle().truth(b.inputs)), b.cases, "grad_logits", got)
    assert enough.status is Status.CONFORMS


@pytest.mark.parametrize("tested", ["1.2", "1.3", "1.4"])
def test_cases_of_accuracy_underflow_and_shape_are_finite_rows_like_any_other(tested: str) -> None:
    """What is beyond the stable bound there breaks 1.1, a must; only their own symptom breaks them."""
    assert broken(Symptom.BEYOND_BOUND, tested) == broken(Symptom.NAN, tested) == "1.1"
    assert broken(Symptom.LOST_ACCURACY, tested) == "1.2"
    assert broken(Symptom.FLUSHED, tested) == "1.3"


@pytest.mark.parametrize(("times", "grade"), [(0.5, Grade.STABLE), (2.0, Grade.DIVERGENT)])
def test_an_error_that_no_ulp_can_count_is_held_against_its_bound(times: float, grade: Grade) -> None:
    """Beside a subnormal of binary64 one is more ulps than there are numbers, and so is a bound of 1e-14."""
    found, case = find_case("sparse_softmax_cross_entropy/huge_logits/at_exp_overflow/float64/n10/r9")
    truth = Oracle().truth(found.inputs)
    got = truth.enclosure("grad_logits").round_to(found.inputs.format)
    stable = truth.bound("grad_logits").stable[case.row]
    tiny = int(np.argmax(stable))
    assert 0 < abs(got[case.row, tiny]) < 1e-300
    with np.errstate(over="ignore"):
        assert np.isinf(np.ldexp(stable[tiny], 1074)), "in ulps"
    got[case.row, tiny] += times * stable[tiny]
    (v,) = verdicts_of(Judge(truth), [case], "grad_logits", got)
    assert (v.grade, v.index) == (grade, tiny) and v.ratio == pytest.approx(times)
    assert (v.status is Status.BREAKS_MUST) is (grade is Grade.DIVERGENT)

"""What to know before one chooses: said where the run shows it, and not where it does not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.small_run import run_of, verdict
from xent_conformance.reports.views.causes import causes
from xent_conformance.reports.views.know import Line, know


def lines(rows: list[dict[str, Any]]) -> list[Line]:
    run = run_of(rows)
    return know(run, causes(run))


def masked(name: str, **changes: Any) -> dict[str, Any]:
    return verdict(operator="softmax_cross_entropy", clause="4.2", implementation=name, **changes)


def long(**changes: Any) -> dict[str, Any]:
    return verdict(clause="2.6", dtype="float16", operator="log_softmax", **changes)


def test_a_broken_must_clause_is_told_before_a_should_clause() -> None:
    """Also where the cause of the should clause breaks a worse clause elsewhere, and is the worst there."""
    nan = {"symptom": "NaN", "cause": "zero-times-infinity"}
    rows = [
        masked("a", status="breaks_should", **nan),
        masked("a", case="huge", status="breaks_must", **nan) | {"clause": "2.2"},
        long(framework="torch", status="breaks_must", symptom="infinite where finite", cause="sum"),
    ]
    assert [cause.id for cause in causes(run_of(rows))] == ["zero-times-infinity", "sum"]
    told = [(line.cause, line.level) for line in lines(rows)]
    assert told == [("sum", "must"), ("zero-times-infinity", "should")]


def test_of_one_level_the_worst_cause_is_told_first() -> None:
    rows = [
        long(framework="torch", status="breaks_must", symptom="infinite where finite", cause="sum"),
        masked("a", status="breaks_must", symptom="NaN", cause="zero-times-infinity"),
    ]
    assert [line.cause for line in lines(rows)] == [cause.id for cause in causes(run_of(rows))]


def test_nothing_to_know_is_nothing_said() -> None:
    assert lines([verdict()]) == []


def test_a_masked_class_says_who_is_right() -> None:
    wrong = {"status": "breaks_should", "symptom": "NaN", "cause": "zero-times-infinity"}
    (line,) = lines([masked("a", **wrong), masked("b", **wrong), masked("c")])
    assert line.cause == "zero-times-infinity" and line.level == "should"
    assert "in 2 of 3 implementations" in line.sentence and "; c is right" in line.sentence


def test_an_implementation_that_is_wrong_once_is_not_called_right() -> None:
    wrong = {"status": "breaks_should", "symptom": "NaN", "cause": "zero-times-infinity"}
    (line,) = lines([masked("a", **wrong), masked("a"), masked("b")])
    assert "; b is right" in line.sentence


@pytest.mark.parametrize(
    ("right", "told"),
    [
        (
            [],
            "in 1 of 1 implementation, for a label of zero on a class whose logit is −∞; a in xla is right.",
        ),
        ([masked("b")], "in 1 of 2 implementations, {}; b is right, and so is a in xla."),
    ],
)
def test_who_is_wrong_in_one_mode_alone_is_counted_and_the_right_mode_is_told(
    right: list[dict[str, Any]], told: str
) -> None:
    """Also where nobody else is right: its users have a way out."""
    wrong = {"status": "breaks_should", "symptom": "NaN", "cause": "zero-times-infinity"}
    (line,) = lines([masked("a", mode="eager", **wrong), masked("a", mode="xla"), *right])
    assert line.sentence == told.format("for a label of zero on a class whose logit is −∞")


def test_of_many_right_modes_it_is_said_how_many() -> None:
    wrong = {"status": "breaks_should", "symptom": "NaN", "cause": "zero-times-infinity"}
    rows = [masked(n, mode=m, **(wrong if m == "eager" else {})) for n in "abcde" for m in ("eager", "xla")]
    (line,) = lines(rows)
    assert line.sentence.endswith("; a in xla, b in xla, c in xla and 2 more are right.")


def test_a_bad_index_says_who_is_silent_and_who_raises() -> None:
    rows = [
        verdict(
            clause="6.4", framework="jax", status="breaks_must", symptom="a number where NaN", cause="wraps"
        ),
        verdict(clause="6.4", framework="torch", outcome="raised", grade="none"),
        verdict(clause="6.4", framework="tensorflow"),
    ]
    (line,) = lines(rows)
    assert line.level == "must" and "by implementations of jax" in line.sentence
    assert "; tensorflow and torch never are silent." in line.sentence


def test_softmax_in_sixteen_bits_says_the_least_accurate_and_by_how_much() -> None:
    rows = [
        verdict(dtype="bfloat16", framework="torch", ulps=0.5),
        verdict(dtype="bfloat16", framework="jax", ulps=36.65, grade="accurate"),
        verdict(dtype="bfloat16", framework="onnx", ulps=87.4, status="breaks_must"),
    ]
    (line,) = lines(rows)
    assert line.what == "bfloat16 softmax" and line.level == "must"
    assert (
        "torch is within 0.50 ulp" in line.sentence and "onnx reaches 87.4, beyond its bound" in line.sentence
    )
    assert "between them jax 36.6" in line.sentence or "between them jax 36.7" in line.sentence


def test_frameworks_that_are_alike_are_not_compared() -> None:
    rows = [verdict(dtype="bfloat16", framework=f, ulps=u) for f, u in (("torch", 0.5), ("jax", 0.7))]
    assert lines(rows) == []


def twins(lost: int, rows: int = 4) -> list[dict[str, Any]]:
    """Two implementations of the same rows, of which one loses so many."""
    of = {"operator": "sigmoid_cross_entropy", "dtype": "float16"}
    near = [verdict(case=f"r{i}", implementation="near", ulps=0.49, **of) for i in range(rows)]
    far = [
        verdict(case=f"r{i}", implementation="far", **of, **({"status": "breaks_should"} if i < lost else {}))
        for i in range(rows)
    ]
    return near + far


def test_who_loses_digits_that_another_keeps_is_told() -> None:
    (line,) = lines(twins(lost=2))
    assert line.what == "Binary cross-entropy in torch, float16" and line.operator == "sigmoid_cross_entropy"
    assert line.sentence == "far loses the digits of 2 of 4 ordinary rows, near of none: 0.49 ulp at worst."


def test_twins_that_keep_them_are_not_told_apart() -> None:
    assert lines(twins(lost=0)) == []


def test_of_a_run_of_one_framework_no_frameworks_are_counted() -> None:
    (line,) = lines(
        [long(framework="torch", status="breaks_must", symptom="infinite where finite", cause="sum")]
    )
    assert line.sentence == "log softmax come back infinite in 1 of 1 implementations."


def test_long_sums_name_the_format_and_who_conforms() -> None:
    rows = [
        long(framework="torch", status="breaks_must", symptom="infinite where finite", cause="sum"),
        long(framework="onnxruntime", implementation="onnxruntime:LogSoftmax"),
    ]
    (line,) = lines(rows)
    assert line.what == "float16 with 2¹⁷ classes" and line.cause == "sum"
    assert (
        "log softmax come back infinite in 1 of 2 implementations, of 1 framework; onnxruntime conforms."
        in line.sentence
    )

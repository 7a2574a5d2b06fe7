"""Accepts and refuses: what was done with wrong input, in whose words, and what is silent."""

from __future__ import annotations

import math
from typing import Any

from tests.support.small_run import CLAUSES, HOSTILE, header, verdict
from tests.support.small_sections import section

NAN = math.nan
JAX = {"framework": "jax", "version": "0.10.2", "implementation": "jax.nn.softmax", "mode": "jit"}
WRONG = {"6.4": "must", "6.5": "must", "6.1": "must", "6.2": "should", "6.13": "open"}
RAISED = {"outcome": "raised", "grade": "none", "got": NAN, "ulps": NAN}


def refused(rows: list[dict[str, Any]]) -> tuple[str, str]:
    more = {c: {"level": level, "title": f"Title {c}", "text": "Text."} for c, level in WRONG.items()}
    return section("refusals", rows, header(clauses=CLAUSES | more))


def asks(clause: str, variant: str, **changes: Any) -> dict[str, Any]:
    family = {"6.4": "index_range", "6.5": "label_types", "6.13": "refusals"}.get(clause, "soft_labels")
    row = verdict(**{"symptom": "none", "family": family, **changes})
    return row | {"clause": clause, "level": WRONG[clause], "variant": variant}


def test_a_finite_number_for_an_index_out_of_range_breaks_a_must() -> None:
    rows = [
        asks("6.4", "minus_one", **RAISED, message="IndexError: Target -1 is out of bounds."),
        asks("6.4", "classes", got=NAN, **JAX, case="c"),
        asks("6.4", "classes", got=NAN, **JAX, case="c2"),
        asks("6.4", "minus_one", **JAX, case="d", status="breaks_must", grade="wrong_special", got=2.5),
        asks("6.4", "minus_one", **JAX, case="e", got=NAN),
    ]
    text, _ = refused(rows)
    assert "Accepts and refuses 1 kind of wrong or unusual input" in text
    assert (
        "Of 2 implementations asked, 1 always raises an error; 1 at least once gave a finite number or an "
        "infinity silently (jax.nn.softmax)."
    ) in text
    assert "Implementation −1 N jax.nn.softmax" in text
    assert "✕ a finite number 1 of 2 ● NaN 1 of 2 ● NaN torch.softmax" in text
    assert "● raised IndexError: Target -1 is out of bounds. –" in text


def test_naive_controls_take_no_part() -> None:
    naive = {"formulation": "naive", "implementation": "torch.exp/sum"}
    rows = [asks("6.4", "minus_one", **RAISED), asks("6.4", "minus_one", got=2.5, **naive)]
    text, _ = refused(rows)
    assert "Of 1 implementation asked, 1 always raises an error; none gave" in text
    assert "torch.exp/sum" not in text


def test_arguments_that_do_not_fit_are_raised_or_returned() -> None:
    returned = {"grade": "none", "got": NAN, "ulps": NAN, "status": "open", "symptom": "wrong shape"}
    words = {"status": "open", "symptom": "raised", "message": f"ValueError: {'shapes ' * 40}"}
    rows = [
        asks("6.13", "labels_extra_axis", **{**RAISED, **words}),
        asks("6.13", "labels_extra_axis", **JAX, **returned, message="returned shape (4,), finite"),
        asks("6.13", "labels_floats", **JAX, **returned, message="returned shape (4, 4), NaN"),
        asks("6.13", "labels_floats", **{**RAISED, **words, "message": "TypeError: {{node x/y}} 1"}),
        asks("6.13", "labels_floats", **{**RAISED, **words, "message": "TypeError: 2"}, case="r1"),
        asks("6.13", "labels_floats", **{**RAISED, **words, "message": "other"}, case="r2"),
    ]
    text, _ = refused(rows)
    assert "1 always raises an error; 1 at least once returned finite numbers instead of an error" in text
    assert "labels with an axis too many floats as index labels" in text
    assert "○ a finite number shape (4,) ○ NaN shape (4, 4)" in text
    assert "shapes… ○ raised TypeError: 1 (and 1 other)" in text


def test_labels_off_the_simplex_and_of_another_type_are_measured() -> None:
    accuracy = asks("6.1", "zero", status="breaks_should", symptom="lost relative accuracy", case="b")
    rows = [
        asks("6.1", "zero"),
        accuracy | {"clause": "1.2"},  # broke another clause, but tested this one
        asks("6.1", "sum_two", status="breaks_must", symptom="beyond the stable bound"),
        asks("6.2", "sum_two", output="grad_logits", status="breaks_should", got=NAN, symptom="NaN"),
        asks("6.5", "index_int8", status="breaks_must", grade="none", got=NAN, symptom="wrong dtype")
        | {"message": "returned float64, the logits are float32"},
        asks("6.5", "index_int16", status="unsupported"),
    ]
    text, _ = refused(rows)
    # how exact the formula's number is, is told elsewhere
    assert "sum 2 all zero torch.softmax torch · softmax ✕ another number ● as the formula" in text
    assert "1 at least once gave another number than the formula" in text
    assert "▲ NaN" in text and "index int16" not in text
    assert "✕ wrong dtype float64, the logits are float32" in text


def test_implementations_that_answer_alike_share_a_line() -> None:
    rows = [asks("6.4", "classes", **RAISED, message="out", implementation=f"torch.{i}") for i in range(3)]
    assert "torch.0, torch.1, torch.2 torch · softmax ● raised out" in refused(rows)[0]


def test_frameworks_that_answer_alike_without_words_share_a_line() -> None:
    rows = [asks("6.4", "classes", got=NAN), asks("6.4", "classes", got=NAN, **JAX, case="c")]
    assert "jax.nn.softmax, torch.softmax jax, torch · softmax ● NaN" in refused(rows)[0]


def test_neighbouring_kinds_of_wrong_input_share_a_cell() -> None:
    said = "IndexError: Target {} is out of bounds {}".format
    rows = [
        asks("6.4", "minus_one", **RAISED, message=said(-1, "x" * 90)),
        asks("6.4", "classes", **RAISED, message=said(10_000, "x" * 90)),
        asks("6.4", "far_beyond", **RAISED, message="another"),
    ]
    text, source = refused(rows)
    assert text.count("IndexError: Target -1") == 1 and "10000" not in text and "another" in text
    assert source.count('colspan="2"') == 1


def test_cases_that_cross_features_share_a_column_and_stand_last() -> None:
    crossed = [f"out of range+{other}" for other in ("masked", "transposed", "weighted")]
    rows = [asks("6.4", v, family="crossing", case=v, **RAISED, message="no") for v in crossed]
    rows += [asks("6.4", "torch-1", family="historical", **RAISED, message="no")]
    rows += [asks("6.4", "classes", case="plain", got=NAN)]
    text, _ = refused(rows)
    assert "Implementation N crossed with others from bug reports torch.softmax" in text or (
        "Implementation N from bug reports crossed with others torch.softmax" in text
    )
    assert "transposed" not in text


def test_no_wrong_input_is_a_sentence() -> None:
    text, _ = refused([verdict()])
    assert "Accepts and refuses none was asked No wrong input was asked in this run" in text


def test_foreign_text_is_escaped() -> None:
    rows = [asks("6.4", HOSTILE, **RAISED, message=HOSTILE, implementation=HOSTILE, framework=HOSTILE)]
    text, source = refused(rows)
    assert text.count(HOSTILE) >= 4 and "<script" not in source

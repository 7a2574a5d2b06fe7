"""Open answers: counted side by side, the many without names, those who answer otherwise with theirs."""

from __future__ import annotations

import math
from typing import Any

from tests.support.small_run import CLAUSES, HOSTILE, header, verdict
from tests.support.small_sections import section

NAN, INF = math.nan, math.inf


def answer(name: str, got: float, **changes: Any) -> dict[str, Any]:
    return verdict(**{"status": "open", "implementation": f"torch.{name}", "got": got, **changes})


def text_of(rows: list[dict[str, Any]]) -> str:
    return section("open", rows)[0]


def test_answers_are_counted_side_by_side() -> None:
    rows = [
        answer("softmax", NAN),
        answer("softmax", 0.0, case="r1"),
        answer("softmax", 0.0, case="r2"),
        answer("other", -INF),
    ]
    text = text_of(rows)
    assert "Open answers 4 answers, 1 clause; not judged" in text
    assert "4.4 spread1: value -inf torch.other 0 ×2, NaN ×1 torch.softmax" in text


def test_modes_that_differ_are_told_apart() -> None:
    assert "eager · cpu: 0; xla · cpu: NaN torch.a" in text_of(
        [answer("a", 0.0), answer("a", NAN, mode="xla")]
    )


def test_most_are_counted_and_the_others_named() -> None:
    rows = [answer(f"usual{i}", NAN) for i in range(6)] + [answer("alone", 0.0), answer("also", 0.0)]
    text = text_of(rows)
    assert "NaN the other 6 of 8 0 torch.alone, torch.also" in text and "usual" not in text


def test_few_are_named_even_where_they_are_most() -> None:
    text = text_of([answer("a", NAN), answer("b", NAN), answer("c", 0.0)])
    assert "NaN torch.a, torch.b 0 torch.c" in text


def test_kinds_and_outputs_that_are_alike_share_a_row() -> None:
    rows = [
        answer(name, NAN, output=output, variant=variant, case=variant)
        for name in "ab"
        for output in ("value", "grad_logits")
        for variant in ("all_masked", "none_left")
    ]
    text = text_of(rows)
    assert "4.4 all masked, none left: value, grad logits NaN all that were asked" in text
    assert text.count("NaN") == 1


def test_cases_that_cross_features_stand_together() -> None:
    rows = [answer("a", NAN, family="crossing", variant=f"masked+{i}", case=str(i)) for i in range(9)]
    text = text_of([*rows, answer("a", 0.0, family="historical", variant="torch-1")])
    assert "crossed with others: value NaN torch.a" in text and "from bug reports: value 0" in text
    assert "masked+3" not in text


def test_controls_and_what_has_a_section_of_its_own_are_left_out() -> None:
    clauses = CLAUSES | {"6.13": {"level": "open", "title": "Arguments", "text": "An error."}}
    naive = answer("naive", 0.0, formulation="naive")
    wrong = answer("wrong", 0.0, family="refusals") | {"clause": "6.13"}
    text, _ = section("open", [naive, wrong], header(clauses=clauses))
    assert "Open answers 1 answer, under Accepts and refuses No open clause but of wrong arguments" in text
    wrong |= {"outcome": "raised", "grade": "none", "message": "ValueError: no"}
    text, _ = section("open", [answer("a", 0.0), naive, wrong], header(clauses=clauses))
    elsewhere = "1 answer, 1 of them an error, under Accepts and refuses"
    assert f"Open answers 1 answer, 1 clause; not judged; {elsewhere} What" in text
    told = section("refusals", [answer("a", 0.0), naive, wrong], header(clauses=clauses))[0]
    assert "1 kind of wrong or unusual input; 1 open answer, 1 of them an error" in told


def test_open_answers_that_are_errors_are_counted_and_told_in_their_words() -> None:
    raised = {"outcome": "raised", "grade": "none", "symptom": "raised"}
    rows = [
        answer("a", NAN, **raised, message="ValueError: axis 1 is empty", case="r1"),
        answer("b", NAN, **raised, message="ValueError: axis 2 is empty", case="r1"),
        answer("c", 0.0, case="r1"),
    ]
    text = text_of(rows)
    assert "Open answers 3 answers, 2 of them errors, 1 clause; not judged" in text
    assert "raised torch.a, torch.b ValueError: axis 1 is empty" in text and "axis 2" not in text


def test_what_was_not_returned_is_told_in_words() -> None:
    raised = answer("a", NAN, outcome="raised", grade="none", symptom="raised")
    shape = answer("b", NAN, grade="none", symptom="wrong shape")
    text = text_of([raised, shape])
    assert "raised torch.a" in text and "wrong shape torch.b" in text


def test_foreign_text_is_escaped() -> None:
    text, source = section("open", [answer("x", NAN, implementation=HOSTILE, variant=HOSTILE)])
    assert text.count(HOSTILE) == 2 and "<script" not in source

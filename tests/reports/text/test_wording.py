"""The words that every report shares: an answer in a sentence, names, and so much of a text as has room."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.support.small_run import verdict
from xent_conformance.reports.text.wording import (
    TOGETHER,
    Answer,
    cut,
    dtypes_text,
    flat,
    harmless,
    kind,
    listed,
    plural,
    told_whole,
    what_moved,
    worst,
)

NAN, INF = math.nan, math.inf
RAISED = {"outcome": "raised", "grade": "none", "symptom": "raised", "ulps": NAN, "message": "no kernel"}
SHAPE = {"outcome": "returned", "grade": "none", "symptom": "wrong shape", "ulps": NAN, "message": "()"}
SPECIAL = {"grade": "wrong_special", "ulps": INF}
DESCRIBED = {"outcome": "returned", "grade": "none", "symptom": "none", "ulps": NAN, "message": "finite"}


@pytest.mark.parametrize(
    ("changes", "sentence", "graded", "ulps"),
    [
        ({"ulps": 3.0}, "returned 0.25, right 0.1, 3.00 ulp", "{} (exact)", 3.0),
        ({"ulps": INF, "ratio": INF}, "returned 0.25, right 0.1, > 10³⁰⁸ ulp", "{} (exact)", None),
        # larger than the number itself: ulps would only frighten
        (
            {"ulps": 1e38, "ratio": 0.3},
            "returned 0.25, right 0.1, 0.30 of the stable bound",
            "{} (exact)",
            1e38,
        ),
        (
            {"got": NAN, "grade": "wrong_special", "ulps": INF},
            "returned NaN, right 0.1",
            "{} (wrong special)",
            None,
        ),
        (
            {"got": 7.0, "grade": "wrong_special", "ulps": 2.0},
            "returned 7, right 0.1",
            "{} (wrong special)",
            2.0,
        ),
        (RAISED, "raised", "raised: no kernel", None),
        (RAISED | {"outcome": "timed_out"}, "timed out", "timed out: no kernel", None),
        (SHAPE, "wrong shape", "wrong shape: ()", None),
        (DESCRIBED, "returned", "returned: finite", None),
    ],
)
def test_an_answer(changes: dict[str, Any], sentence: str, graded: str, ulps: float | None) -> None:
    answer = Answer.of(verdict(**changes))
    assert (answer.sentence, answer.graded, answer.ulps) == (sentence, graded.format(sentence), ulps)


@pytest.mark.parametrize(
    ("value", "dtype", "text"),
    [
        (0.10000000149011612, "float32", "0.1"),
        (0.10000000149011612, "float64", "0.10000000149011612"),
        (0.10009765625, "bfloat16", "0.1"),
        (11.78125, "float16", "11.78"),
        (-0.0, "float32", "-0"),
        (-INF, "float32", "-inf"),
    ],
)
def test_a_number_is_as_short_as_its_format_allows(value: float, dtype: str, text: str) -> None:
    answer = Answer.of(verdict(got=value, rounded=value, dtype=dtype))
    assert (answer.returned, answer.right, answer.for_programs) == (text, text, text)


def test_either_side_of_a_pair() -> None:
    then = {f"{name}_old": value for name, value in verdict(got=0.5, ulps=1.0).items()}
    now = verdict(**RAISED)
    assert Answer.of(then | now, "_old").sentence == "returned 0.5, right 0.1, 1.00 ulp"
    assert Answer.of(then | now).sentence == "raised"


def test_the_worst_row_in_decimal_and_in_bits() -> None:
    assert worst(verdict(ulps=3.0)) == [
        ("got", "0.25  0x3e800000"),
        ("expected", "0.1  0x3dcccccd"),
        ("exactly", "0.10000000000000000555"),
        ("error", "3.00 ulp, exact"),
        ("element", "1"),
    ]
    assert worst(verdict(**RAISED)) == [("got", "raised: no kernel")]


def test_a_nan_has_no_bits_that_the_run_file_keeps() -> None:
    lines = dict(worst(verdict(got=NAN, grade="wrong_special")))
    assert lines["got"] == "NaN" and "error" not in lines


def test_a_wider_result_has_no_bits_of_the_format() -> None:
    assert dict(worst(verdict(got=0.1, dtype="bfloat16")))["got"] == "0.1  (no bfloat16)"


def test_a_finding_told_whole() -> None:
    clause = {"title": "Stable accuracy", "text": "Within the bound."}
    lines = told_whole(verdict(ulps=3.0) | {"count": 4}, clause, 1_200, {})
    assert lines[:3] == [
        "  clause 1.1 (must) Stable accuracy: Within the bound.",
        "  value: none in 4 of 1,200 rows",
        "  case softmax/ordinary/spread1/float32/n3/r0",
    ]
    assert lines[3] == "    got      0.25  0x3e800000"


def test_a_finding_is_told_with_the_note_of_its_clause() -> None:
    """Beside the rule, and only where there is one."""
    clause = {"title": "Relative accuracy", "text": "Within the bound.", "note": "The honest can be here."}
    lines = told_whole(verdict(ulps=3.0) | {"count": 4}, clause, 1_200, {})
    assert lines[1] == "  note: The honest can be here."
    assert not any(
        "note" in line for line in told_whole(verdict() | {"count": 4}, clause | {"note": ""}, 9, {})
    )


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("ab cd", 4, "ab…"), ("", 3, ""), ("abcd", 1, "…")],
)
def test_no_more_than_there_is_room_for(text: str, limit: int, shown: str) -> None:
    assert cut(text, limit) == shown and len(shown) <= max(limit, len(text[:limit]))


def test_text_on_a_line() -> None:
    assert flat("  a\n\tb\x1b[0m\x00  c ") == "a b [0m c"
    assert flat("a b c d", 5) == "a b…"
    assert harmless("  a\nb##[error]") == "  a b# #[error]"


def test_names_and_how_many() -> None:
    assert (plural(1, "batch", "es"), plural(1_200, "batch", "es")) == ("1 batch", "1,200 batches")
    assert [listed(list(names)) for names in ("", "a", "ab", "abc")] == ["", "a", "a and b", "a, b and c"]
    assert dtypes_text(["float32", "odd", "bfloat16"]) == "bf16 f32 odd"


def test_a_finding_says_which_formula_gives_its_numbers() -> None:
    clause = {"title": "Accuracy", "text": "near enough", "note": ""}
    causes = {
        "log-of-softmax-nan": {"hypothesis": "log of softmax", "sentence": "it underflowed", "source": "8.13"}
    }
    lines = told_whole(verdict() | {"count": 4, "cause": "log-of-softmax-nan"}, clause, 9, causes)
    assert lines[-1] == "  what gives this: log of softmax: it underflowed"


def test_what_moved_is_what_is_not_in_both() -> None:
    assert what_moved(["numpy 2", "jax 1"], ["jax 2", "numpy 2"]) == "jax 1 → jax 2"
    assert what_moved(["jax 1"], []) == "jax 1 → nothing"
    assert what_moved(["jax 1"], ["jax 1"]) == ""


def test_single_cases_of_a_family_are_of_one_kind() -> None:
    assert kind(verdict(family="ordinary", variant="unit")) == "unit"
    crossed = [verdict(family="crossing", variant=f"masked+{i}") for i in "ab"]
    assert {kind(row) for row in crossed} == {"crossing"} <= set(TOGETHER)

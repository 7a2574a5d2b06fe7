"""What was not returned, other bits, and what is wrong in one form of a call alone, are said by rule."""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tests.support.corpus import of_corpus
from tests.support.small_run import verdict
from xent_conformance.cases.case import Batch
from xent_conformance.cases.form import Form
from xent_conformance.diagnosis.rules import (
    FORM_RULES,
    FORMS,
    RULES,
    STEADY,
    by_form,
    by_index,
    by_repetition,
    by_rule,
)
from xent_conformance.reports.run.file import SCHEMA
from xent_conformance.reports.run.words import ONCE_MORE


def table(*rows: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame([verdict(**row) for row in rows], schema=SCHEMA).with_row_index("_id")  # type: ignore[arg-type]


def named(**row: object) -> list[str]:
    return by_rule(table(row))["hypothesis"].to_list()


@pytest.mark.parametrize(
    ("symptom", "clause", "name"),
    [
        ("refused", "1.7", "refuses what it declares"),
        ("raised", "2.1", "raises for some numbers"),
        ("crashed", "7.6", "the process dies"),
        ("timed out", "1.1", "does not come back"),
        ("wrong dtype", "1.4", "returns another format"),
        ("wrong shape", "1.4", "returns another shape"),
        ("changed inputs", "7.11", "changes its arguments"),
        ("unwritten memory", "7.13", "memory that nobody wrote"),
        ("other bits", "7.3", "differs from call to call"),
        ("other bits", "7.4", "depends on its place"),
        ("other bits", "7.5", "depends on its place"),
        ("other bits", "7.8", "inference takes another path"),
        ("beyond the stable bound", "7.9", "a second backward finds nothing"),
        ("beyond the stable bound", "7.10", "a gradient is not added"),
        ("NaN", "7.12", "one array for two arguments"),
        ("NaN", "2.7", "no example is not nothing"),
        ("a number where NaN", "3.2", "a NaN is passed over"),
    ],
)
def test_a_rule_names_what_its_symptom_or_clause_says(symptom: str, clause: str, name: str) -> None:
    assert named(symptom=symptom, clause=clause, status="breaks_must") == [name]
    assert name in {rule.name for rule in RULES}


def test_no_rule_speaks_of_a_wrong_number() -> None:
    assert named(symptom="beyond the stable bound", clause="1.1", status="breaks_must") == []
    assert named(symptom="other bits", clause="1.1", status="breaks_must") == []
    assert named(symptom="a number where NaN", clause="6.4", status="breaks_must") == []


# --- one form of a call alone ----------------------------------------------------------------------------

DOOR = ("implementation", "output")


@functools.cache
def batch() -> Batch:
    return of_corpus("quick", operators=["softmax"], families=["ordinary"], dtypes=["float32"])[0]


def told(broken: list[Form], right: list[Form]) -> list[str]:
    """What is said of an implementation that is wrong in calls of these forms and right in those."""
    forms = {f"case{i}": form for i, form in enumerate([*broken, *right])}
    places = {c: (replace(batch(), asks=(replace(batch().asks[0], form=f),)), 0) for c, f in forms.items()}
    status = ["breaks_must"] * len(broken) + ["conforms"] * len(right)
    all_ = table(*({"case": case, "status": s} for case, s in zip(forms, status, strict=True)))
    left = all_.filter(pl.col("status") == "breaks_must")
    return by_form(left, all_.lazy(), places, DOOR)["hypothesis"].to_list()


PLAIN = Form()
STRIDED = Form(layout="strided")


def test_what_is_wrong_in_one_memory_layout_alone_is_wrong_by_it() -> None:
    assert told([STRIDED, Form(layout="reversed")], [PLAIN]) == ["only in another memory layout"] * 2


@pytest.mark.parametrize(
    ("form", "name"),
    [
        (Form(out=True), "only into a given buffer"),
        (Form(shape=(2,), class_shape=(2, 3)), "only along several axes"),
        (Form(shape=(2, 3), axis=1), "only with the classes on another axis"),
        (Form(shape=(2, 3)), "only with other than two axes"),
        (Form(each=True), "only with other than two axes"),
        (Form(logits_dtype="float16"), "only in a format that is asked for"),
        (Form(label_dtype="int32"), "only with labels of another type"),
        (Form(filled=64), "only in a call of more rows"),
        (Form(again="twice"), "only when it is asked again"),
    ],
)
def test_every_form_has_its_name(form: Form, name: str) -> None:
    assert told([form], [PLAIN]) == [name]
    assert name in FORMS and name in {rule.name for rule in FORM_RULES}


def test_nothing_is_said_where_plain_calls_are_wrong_too_or_none_is_right() -> None:
    assert told([STRIDED, PLAIN], [PLAIN]) == []
    assert told([STRIDED], [STRIDED]) == []
    assert told([STRIDED], []) == []


# --- an index that no class has, once it is cast ----------------------------------------------------------


@functools.cache
def indexed(dtype: str) -> Batch:
    found = of_corpus(
        "quick", operators=["sparse_softmax_cross_entropy"], families=["index_labels"], dtypes=[dtype]
    )
    return next(b for b in found if b.inputs.n == 1000)


def refused(dtype: str, raised: list[float], returned: list[float]) -> list[str]:
    """What is said of one that raises for these labels of a thousand classes, and answers those."""
    batch = indexed(dtype)
    kept = np.array([[y] for y in [*raised, *returned]])
    inputs = replace(
        batch.inputs,
        logits=np.repeat(batch.inputs.logits[:1], len(kept), axis=0),
        labels=kept,
        cotangent=np.ones((len(kept), 1)),
    )
    places = {f"case{i}": (replace(batch, inputs=inputs), i) for i in range(len(kept))}
    outcome = [("raised", "raised")] * len(raised) + [("returned", "")] * len(returned)
    all_ = table(
        *(
            {"case": case, "outcome": o, "symptom": s, "status": "breaks_must" if s else "conforms"}
            for case, (o, s) in zip(places, outcome, strict=True)
        )
    )
    broken = all_.filter(pl.col("status") == "breaks_must")
    return by_index(broken, all_.lazy(), places, DOOR)["hypothesis"].to_list()


def test_an_index_that_sixteen_bits_round_to_no_class_is_why_a_call_raises() -> None:
    assert refused("bfloat16", [999.0, 998.0], [1.0, 257.0]) == ["an index is cast to the logits' format"] * 2


def test_it_is_not_where_another_index_raises_too_or_such_a_one_is_answered() -> None:
    assert refused("bfloat16", [999.0, 1.0], [2.0]) == []
    assert refused("bfloat16", [999.0], [998.0]) == []
    assert refused("float32", [999.0], [1.0]) == []


# --- now and then ----------------------------------------------------------------------------------------


def changing(*rows: dict[str, object], again: Form = PLAIN) -> list[int]:
    """Which of these wrong rows are said to come from one that differs from call to call."""
    broken = table(*({"case": "case", "status": "breaks_must"} | row for row in rows))
    places = {"case": (replace(batch(), asks=(replace(batch().asks[0], form=again),)), 0)}
    found = by_repetition(broken, broken.filter(pl.col("symptom") != "raised"), places, DOOR)
    assert found["hypothesis"].unique().to_list() in ([], ["differs from call to call"])
    return found["_id"].to_list()


SECOND = {"message": ONCE_MORE}
"""A row that was right, and wrong when it was asked once more."""


def test_who_was_right_and_wrong_in_the_same_call_is_wrong_now_and_then_elsewhere() -> None:
    assert changing(SECOND, {}, {"symptom": "NaN"}) == [0, 1, 2]
    assert changing({}, {"symptom": "NaN"}) == []


def test_of_others_and_of_what_was_not_returned_that_says_nothing() -> None:
    other, raised = {"implementation": "other"}, {"outcome": "raised", "symptom": "wrong dtype"}
    assert changing(SECOND, other, raised, {}) == [0, 3]


def test_a_second_call_of_another_manner_is_not_the_same_call() -> None:
    assert changing(SECOND, {}, again=Form(again="twice")) == []


def test_who_is_wrong_at_first_much_more_often_is_wrong_in_another_way() -> None:
    assert len(changing(SECOND, *[{}] * (STEADY - 1))) == STEADY
    assert changing(SECOND, *[{}] * STEADY) == []

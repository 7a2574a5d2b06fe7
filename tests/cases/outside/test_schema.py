"""Every field of a file is known and fits, or is refused in one line that says what to do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.support.outside import case, held, loss, read
from xent_conformance.cases.outside.numbers import CasesError
from xent_conformance.cases.outside.schema import MAX_CASES, document, read_document
from xent_conformance.reference.attributes import Attributes

NAN, INF = "nan", "inf"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is empty"),
        (" \n", "it is empty"),
        ("not json", "it is no JSON: Expecting value"),
        ('{"schema": 1,', "it is no JSON"),
        ("[1]", "it holds no object: a file of cases begins"),
        ("[" * 100_000, "lists within lists without end"),
        ('{"a":' * 100_000, "lists within lists without end"),
        ('{"schema": 1, "schema": 1}', "it says 'schema' twice in one object"),
        ('{"x": NaN}', 'NaN is no JSON: write "nan"'),
        ('{"x": -Infinity}', 'write "-inf", with its quotes'),
        (f'{{"x": {"9" * 5000}}}', "it holds a number that cannot be read"),
        ("{}", 'it has no schema, this version reads "schema": 1'),
    ],
)
def test_a_file_that_is_none(text: str, said: str) -> None:
    with pytest.raises(CasesError) as refused:
        read_document(text)
    assert said in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (held(case(), schema=2), "it has schema 2"),
        (held(case(), schema=True), "it has schema True"),
        (held(case(), name=None), "name is 'None'; it is part of every id"),
        (held(case(), name="a/b"), "name is 'a/b'"),
        (held(case(), name=".."), "name is '..'"),
        (held(case(), name="x" * 81), "at most 80"),
        (held(case(), name="ordinary"), "'ordinary' is a family of the corpus"),
        (held(case(), source=3), "source is no string"),
        (held(case(), rounding="up"), "rounding is 'up'"),
        (held(case(), casse=[]), "the file: unknown field 'casse': did you mean cases?"),
        (held(), "it has no cases"),
        (held(cases={}), "it has no cases"),
        (held(*[case()] * (MAX_CASES + 1)), "a file holds at most 10000: give several"),
        (held(case(), case()), "case 'one' is there twice for softmax float32"),
        (held(cases=[3]), "cases[0] is no object"),
        (held(case(id=None)), "cases[0]: id is 'None'"),
        (held(case(id="a b")), "cases[0]: id is 'a b'"),
        (held(case(operator=None)), "case 'one': it has no operator; there are softmax"),
        (held(case(operator="sofmax")), "unknown operator 'sofmax': did you mean softmax"),
        (held(case(dtype="f32")), "unknown dtype 'f32'"),
        (held(case(logits=None)), "it has no logits"),
        (held(case(logits=1.0)), "logits is one number; it has an axis of classes"),
        (held(case(logit=[1])), "unknown field 'logit': did you mean logits"),
        (held(case(labels=[1])), "softmax has no labels"),
        (held(loss(labels=None)), "needs labels (one whole number a row)"),
        (held(loss(labels=[1])), "labels has shape (1,), with these logits it is (2,)"),
        (held(loss(labels=[NAN, 0])), "labels[0]: 'nan' is no index"),
        (held(case(operator="sigmoid_cross_entropy", labels=[[1, 0]])), "with these logits it is (1, 3)"),
        (held(case(operator="softmax_cross_entropy", labels=[[INF, 0, 0]])), "labels holds an infinity"),
        (held(case(axis=2)), "axis is 2; with 2 axes it is from -2 to 1"),
        (held(case(axis="0")), "axis is '0'"),
        (held(case(operator="sigmoid", axis=0)), "sigmoid has no axis of classes"),
        (held(case(attributes=[])), "attributes is no object"),
        (held(case(attributes={"weight": [1]})), "attributes of softmax: unknown field 'weight'"),
        (held(loss(attributes={"pos_weight": [1]})), "unknown field 'pos_weight'"),
        (held(loss(attributes={"weight": [1, 2]})), "weight is 3 numbers"),
        (held(loss(attributes={"weight": [1, 2, -1]})), "finite and not negative"),
        (held(loss(attributes={"weight": [1, 2, NAN]})), "finite and not negative"),
        (held(loss(attributes={"label_smoothing": 1.5})), "label_smoothing is 1.5; it is from 0 to 1"),
        (held(loss(attributes={"ignore_index": 1.0})), "ignore_index is 1.0"),
        (held(loss(attributes={"reduction": "avg"})), "reduction is 'avg'; there are none, mean, sum"),
        (held(case(cotangent=[1, 2, 3])), "cotangent has shape (3,), with these logits it is (1, 3)"),
        (held(loss(cotangent=[1, INF])), "cotangent holds an infinity"),
        (held(loss(attributes={"reduction": "sum"}, cotangent=[1, 2])), "with these logits it is ()"),
        (held(case(tangent=[1, 2, 3])), "tangent has shape (3,)"),
        (held(loss(tangent=[[1, 2, 3]] * 2, attributes={"ignore_index": 1})), "goes without attributes"),
        (held(loss(tangent=[[1, 2, 3]] * 2, labels=[0, 3])), "where the operator has derivatives"),
        (held(case(tangent=[[1, 2, 3]], logits=[["-inf", 1, 2]])), "where the operator has derivatives"),
        (held(case(operator="logit", logits=[[0.5, 1]], tangent=[[1, 1]])), "has derivatives"),
        (held(loss(expected=[[1], [2]])), "expected has shape (2, 1)"),
        (held(case(clause="9.9")), "SPEC.md has no clause '9.9'"),
        (held(case(clause=["1.1"])), "SPEC.md has no clause ['1.1']"),
        (held(case(operator={})), "unknown operator '{}'"),
        (held(case(note=1)), "note is no string"),
    ],
)
def test_a_field_that_does_not_fit(found: dict[str, Any], said: str) -> None:
    with pytest.raises(CasesError) as refused:
        document(found, taken=["ordinary"])
    assert said in str(refused.value) and "\n" not in str(refused.value)


def test_what_is_read() -> None:
    given = {"weight": [1, 2, 0.5], "ignore_index": -1, "label_smoothing": 0.25, "reduction": "mean"}
    found = read(loss(attributes=given, clause="6.10", note="words", expected=1.0, cotangent=-2))
    (call,) = found.calls
    assert (found.name, found.source, call.clause, call.note) == ("mine", "by hand", "6.10", "words")
    assert call.attributes == Attributes((1.0, 2.0, 0.5), (), 0.25, -1, "mean", 2)
    assert (call.n, call.lead, call.classes) == (3, (2,), 1)
    assert call.cotangent == -2 and call.expected == 1


def test_rounding_is_of_floats_alone() -> None:
    rough = loss(logits=[[0.1, 0, 0], [1, 2, 3]], attributes={"weight": [0.1, 1, 1]})
    with pytest.raises(CasesError, match='"rounding": "nearest" beside "schema"'):
        read(rough)
    (call,) = read(rough, rounding="nearest").calls
    assert call.logits[0, 0] == call.attributes.weight[0] == np.float32(0.1)
    with pytest.raises(CasesError, match="is no index"):
        read(loss(labels=[0.4, 1]), rounding="nearest")

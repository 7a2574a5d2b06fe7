"""Arguments that do not fit are given on purpose; whatever comes back is told, and never judged (6.13)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from tests.support import fakes_in_any_manner as fakes
from tests.support.delivering import Array, rows
from tests.support.here import questions, seat, verdicts
from xent_conformance.asking.asker import ask
from xent_conformance.asking.inside import InProcess
from xent_conformance.asking.questions import outputs
from xent_conformance.cases.case import Batch
from xent_conformance.cases.corpus import batches
from xent_conformance.cases.families.refusals import WRONG
from xent_conformance.cases.form import Form
from xent_conformance.frameworks.interface import Manner, Question
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.worker.delivery import Delivery, Described, WrongShape, misfit

SPARSE, DENSE, BINARY = "sparse_softmax_cross_entropy", "softmax_cross_entropy", "sigmoid_cross_entropy"
LOSSES = pytest.mark.parametrize("operator", ["softmax", SPARSE, DENSE, BINARY])


def refusals(operator: str) -> list[Batch]:
    """Of both lengths: what ``quick`` asks has one of its own."""
    return list(batches("full", operators=[operator], families_=["refusals"]))


def _shapes(wrong: str, labels: str) -> dict[str, tuple[str, tuple[int, ...]]]:
    arrays = rows(4, 3, scalar=True, labels=labels)
    return {name: (a.dtype.name, a.shape) for name, a in misfit(arrays, wrong).items()}


@pytest.mark.parametrize(
    ("wrong", "labels", "expected"),
    [
        ("labels_fewer_rows", "index", ("int64", (3,))),
        ("labels_fewer_rows", "dense", ("float32", (3, 3))),
        ("labels_one_row", "index", ("int64", (1,))),
        ("labels_one_row", "dense", ("float32", (1, 3))),
        ("labels_more_classes", "dense", ("float32", (4, 4))),
        ("labels_extra_axis", "index", ("int64", (4, 1))),
        ("labels_extra_axis", "dense", ("float32", (4, 3, 1))),
        ("labels_floats", "index", ("float32", (4,))),
    ],
)
def test_one_argument_does_not_fit_and_the_others_do(
    wrong: str, labels: str, expected: tuple[str, tuple[int, ...]]
) -> None:
    right = {"logits": ("float32", (4, 3)), "cotangent": ("float32", (4,))}
    assert _shapes(wrong, labels) == right | {"labels": expected}


def test_logits_may_be_integers_or_complex_or_of_eight_bits() -> None:
    for eight in ("float8_e4m3fn", "float8_e5m2"):
        assert _shapes(f"logits_{eight}", "")["logits"] == (eight, (4, 3))
    assert _shapes("logits_sparse", "")["logits"] == ("float32", (4, 3))
    assert _shapes("logits_complex", "")["logits"] == ("complex64", (4, 3))
    assert _shapes("logits_integers", "")["logits"] == ("int64", (4, 3))
    arrays = {"logits": np.array([[0.4, -1.6]]), "cotangent": np.ones(1)}
    assert misfit(arrays, "logits_integers")["logits"].tolist() == [[0, -2]]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (np.ones((4, 3)), "returned shape (4, 3), finite"),
        (np.ones(()), "returned shape (), finite"),
        (np.array([1.0, np.inf]), "returned shape (2,), infinite"),
        (np.array([1.0, 2.0j]), "returned shape (2,), complex, finite"),
        (np.array([np.nan, np.inf]), "returned shape (2,), NaN"),
    ],
)
def test_what_comes_back_is_told(value: Array, told: str) -> None:
    def compute(
        _arrays: Mapping[str, Array], _keywords: Mapping[str, Any], _state: str
    ) -> Mapping[str, Array]:
        return {"value": value}

    delivery = Delivery(Manner(wrong="labels_extra_axis"), frozenset(), scalar=True)
    with pytest.raises(Described) as said:
        delivery.answer(compute, rows(4, 3, scalar=True, labels="index"))
    assert str(said.value) == told
    assert not isinstance(said.value, WrongShape), "no shape is right here"


@LOSSES
def test_every_way_not_to_fit_is_asked(operator: str) -> None:
    found = {b.form.wrong: b for b in refusals(operator)}
    assert set(found) == set(WRONG[OPERATORS[operator].labels])
    for wrong, b in found.items():
        assert b.form == Form(wrong=wrong)
        assert {c.clause for c in b.cases} == {"6.13"}
        assert b.manner == f"wrong on purpose: {wrong.replace('_', ' ')}"


@LOSSES
def test_nothing_is_judged_whether_it_raises_or_answers(operator: str) -> None:
    """Also where harmless arguments of the same kind are answered: this is no missing feature."""
    found = verdicts("Whole", refusals(operator))
    assert {r["status"] for r in found} == {"open"}
    assert {r["clause"] for r in found} == {"6.13"}
    assert {r["output"] for r in found} == {"value"}
    assert {r["outcome"] for r in found} <= {"raised", "returned"}
    for row in found:
        assert row["message"].startswith("returned shape") is (row["outcome"] == "returned")
    if operator != "softmax":
        assert {r["outcome"] for r in found} == {"raised", "returned"}


def test_rows_are_not_asked_apart() -> None:
    """No row is guilty of the shape of another argument: one call, and one plain one to compare."""

    class Counted(InProcess):
        calls = 0

        def ask(self, questions: Sequence[Question], arrays: Mapping[str, Array]) -> Any:
            self.calls += 1
            return super().ask(questions, arrays)

    (b,) = [b for b in refusals(SPARSE) if b.form.wrong == "labels_fewer_rows"]
    here = Counted(fakes.Whole)
    (answer,) = ask(here, b, questions("Whole", b))
    assert here.calls == 1
    assert set(answer.failures["value"]) == set(range(len(b.inputs)))


def test_only_values_are_asked() -> None:
    found = refusals("softmax")
    assert len(found) == len(WRONG["none"])
    assert {outputs(seat("Whole").declaration, b) for b in found} == {("value",)}

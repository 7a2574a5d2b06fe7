"""A layer goes to an implementation as one array, and the gradient by it comes back in its parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pytest

from tests.support.faults.layer import correct
from xent_conformance.asking.asker import ask
from xent_conformance.asking.inside import InProcess
from xent_conformance.asking.questions import questions
from xent_conformance.cases.corpus import batches
from xent_conformance.discovery.framework import Framework, Seat
from xent_conformance.frameworks.interface import Call, Implementation
from xent_conformance.frameworks.layer import KEYWORDS, PARTS, apart, asked_of, places
from xent_conformance.reports.run.words import Outcome

LAYER = "linear_cross_entropy"


class Layers:
    """Two doors: a right one, and one whose gradient is that by the hidden states alone."""

    name = distribution = "layers"
    modes: ClassVar = {"eager": "quick"}
    autodiff = True
    calls: ClassVar[list[Call]] = []

    implementations = (
        Implementation("right", LAYER, "fused", lambda call: correct(LAYER)(call), takes=KEYWORDS),
        Implementation("short", LAYER, "fused", lambda call: shortened(call), takes=KEYWORDS),
        Implementation(
            "no bias", LAYER, "fused", lambda call: correct(LAYER)(call), takes=KEYWORDS - {"affine"}
        ),
    )

    def version(self) -> str:
        return "1"

    def environment(self) -> Mapping[str, str]:
        return {}

    def devices(self) -> list[str]:
        return ["cpu"]

    def run(self, call: Call) -> Mapping[str, Any]:
        self.calls.append(call)
        return call.implementation.call(call)


def shortened(call: Call) -> Mapping[str, Any]:
    found = correct(LAYER)(call)
    return {name: a[: a.size // 2] if name == "grad_logits" else a for name, a in found.items()}


SEAT = Seat(Framework("layers", "tests.conformance.worker.test_delivery_layers:Layers", ""))


@pytest.fixture
def answers() -> dict[str, list[Any]]:
    Layers.calls.clear()
    connection = InProcess(Layers)
    found: dict[str, list[Any]] = {}
    for batch in batches("quick", operators=[LAYER], dtypes=["float32"]):
        asked = questions(SEAT, batch, ["cpu"], ["right", "short", "no bias"], "quick")
        for answer in ask(connection, batch, asked):
            found.setdefault(answer.question.implementation, []).append((batch, answer))
    return found


def test_the_parts_are_cut_where_they_stand(answers: dict[str, list[Any]]) -> None:
    """Rows of as many elements as there are hidden states, weights and a bias."""
    for batch, answer in answers["right"]:
        a, rows, n = batch.inputs.attributes, len(batch.inputs), batch.inputs.n
        assert answer.failures == {}
        shapes = {name: array.shape for name, array in answer.results.items()}
        assert shapes.pop("value") in ((rows,), (rows, 1))
        expected = {"grad_hidden": (rows, a.examples * a.features), "grad_weight": (rows, n * a.features)}
        assert shapes == expected | ({"grad_bias": (rows, n)} if a.affine else {})


def test_an_adapter_is_asked_for_one_gradient_of_one_flat_array(answers: dict[str, list[Any]]) -> None:
    assert answers
    for call in Layers.calls:
        assert call.logits.ndim == 1 and call.labels is not None and call.labels.ndim == 1
        assert set(call.outputs) <= {"value", "grad_logits"} and len(set(call.outputs)) == len(call.outputs)
        assert call.keywords["features"] == 3 and call.cotangent.shape == ()


def test_a_gradient_of_another_shape_is_told(answers: dict[str, list[Any]]) -> None:
    for batch, answer in answers["short"]:
        assert set(answer.failures) == set(batch.inputs.outputs) - {"value"}
        told = {f for failures in answer.failures.values() for f in failures.values()}
        assert {f.outcome for f in told} == {Outcome.RETURNED}
        assert all("returned shape" in f.message for f in told)


def test_who_takes_no_bias_is_asked_without_one(answers: dict[str, list[Any]]) -> None:
    given = {batch.inputs.attributes.affine for batch, _ in answers["no bias"]}
    assert given == {False}


def test_of_the_parts_the_whole_is_asked_once() -> None:
    assert asked_of(("value", *PARTS)) == ("value", "grad_logits")
    assert asked_of(PARTS[1:]) == ("grad_logits",)
    assert asked_of(("value", "grad_labels", "jvp")) == ("value", "grad_labels", "jvp")


@pytest.mark.parametrize("affine", [True, False])
def test_a_door_takes_the_array_apart_as_the_corpus_has_put_it_together(affine: bool) -> None:
    hidden, weight = np.arange(8.0).reshape(4, 2), 10 + np.arange(6.0).reshape(3, 2)
    bias = np.array([20.0, 21.0, 22.0][: 3 * affine])
    whole = np.concatenate([hidden.ravel(), weight.ravel(), bias])
    found = apart(whole, np.zeros(4), 2, affine)
    np.testing.assert_array_equal(found[0], hidden)
    np.testing.assert_array_equal(found[1], weight)
    assert (found[2] is None) == (not affine)
    cut = places(whole.size, 4, {"features": 2, "affine": affine})
    assert [whole[part].size for part in cut] == [8, 6, bias.size]

"""What a call does to its arguments is seen, in whichever memory and shape they were handed to it (7.11)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from tests.support import fakes_in_any_manner as fakes
from tests.support.delivering import Array, rows
from xent_conformance.frameworks.interface import Call, Implementation, Manner, Question
from xent_conformance.worker.delivery import CHANGED
from xent_conformance.worker.inputs import Inputs
from xent_conformance.worker.serve import Worker

ROWS, N = 12, 5


def _first_logit_of_row_three(call: Call) -> None:
    """Of ``rows()``, in which the logits count from one."""
    call.logits[call.logits == 3 * N + 1] = 0


def _behind_a_pipe(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Copies that cannot be written into."""
    sent = {name: array.copy() for name, array in arrays.items()}
    for array in sent.values():
        array.flags.writeable = False
    return sent


def _answers(manner: Manner, meddle: Callable[[Call], None], arrays: Mapping[str, Array]) -> dict[str, Array]:
    """What a worker sends of a softmax that meddles with its arguments."""

    class Meddles(fakes.Whole):
        def run(self, call: Call) -> Mapping[str, Any]:
            found = {o: np.array(a) for o, a in super().run(call).items()}
            meddle(call)
            return found

    softmax = Implementation("meddles", "softmax", "fused", lambda _, x: x)
    sent = _behind_a_pipe(arrays)
    question = Question("meddles", "softmax", "eager", "cpu", ("value", "grad_logits"), manner)
    header, results = Worker(Meddles(), [softmax]).answer(question, sent)
    assert header["failures"] == {}
    assert all(np.array_equal(sent[name], arrays[name], equal_nan=True) for name in sent), (
        "what was sent is ours"
    )
    return results


MANNERS = [
    Manner(),
    *(Manner(layout=layout) for layout in sorted(fakes.LAYOUTS - {"broadcast", "logits_broadcast"})),
    Manner(shape=(3, 4), axis=1),
    Manner(shape=(ROWS,), axis=0, layout="reversed"),
    Manner(shape=(), each=True),
    Manner(each=True),
    Manner(again="twice", rows=ROWS),
    Manner(again="other_between", rows=ROWS),
]


@pytest.mark.parametrize("manner", MANNERS, ids=str)
def test_the_row_that_was_changed(manner: Manner) -> None:
    arrays = rows(ROWS, N)
    found = _answers(manner, _first_logit_of_row_three, arrays)
    told = {name: array.tolist() for name, array in found.items() if CHANGED in name}
    assert set(told) <= {"logits#changed", "logits#changed#again"}
    assert told["logits#changed"] == [i == 3 for i in range(ROWS)]
    assert found["value"].shape == (ROWS, N)


@pytest.mark.parametrize("manner", MANNERS, ids=str)
def test_nothing_is_said_of_who_changes_nothing(manner: Manner) -> None:
    found = _answers(manner, lambda call: None, rows(ROWS, N))
    assert not any(CHANGED in name for name in found)


def test_every_argument_is_looked_at() -> None:
    def cotangent(call: Call) -> None:
        call.cotangent[-1] = np.nan

    found = _answers(Manner(), cotangent, rows(ROWS, N))
    assert found["cotangent#changed"].tolist() == [False] * (ROWS - 1) + [True]


def test_a_nan_that_stays_nan_is_no_change_and_a_sign_of_zero_is() -> None:
    arrays = rows(2, 2)
    arrays["logits"] = np.array([[np.nan, 0.0], [np.nan, 0.0]], dtype=np.float32)

    def meddle(call: Call) -> None:
        call.logits[0, 0] = -np.nan
        call.logits[1, 1] = -0.0

    assert _answers(Manner(), meddle, arrays)["logits#changed"].tolist() == [False, True]


def test_a_group_of_examples_is_one_row() -> None:
    arrays = {"logits": rows(1, ROWS * N)["logits"], "cotangent": np.ones((1, 1), dtype=np.float32)}
    manner = Manner(examples=ROWS, n=N, attributes=(("reduction", "none"),))

    def meddle(call: Call) -> None:
        call.logits[3, 0] = 0

    softmax = Implementation("s", "softmax", "fused", lambda _, x: x, takes=frozenset({"reduction"}))

    class Meddles(fakes.Whole):
        def run(self, call: Call) -> Mapping[str, Any]:
            meddle(call)
            return {o: np.zeros_like(call.logits) for o in call.outputs}

    question = Question("s", "softmax", "eager", "cpu", ("value",), manner)
    header, results = Worker(Meddles(), [softmax]).answer(question, _behind_a_pipe(arrays))
    assert header["failures"] == {}
    assert results["logits#changed"].tolist() == [True]


def test_one_array_under_two_names_stays_one() -> None:
    a = np.ones((2, 2))
    a.flags.writeable = False
    own = Inputs({"logits": a, "labels": a, "cotangent": a.copy()}).own
    assert own["logits"] is own["labels"] is not a
    assert own["cotangent"] is not own["logits"] and own["logits"].flags.writeable


def test_an_argument_that_is_given_another_shape_is_changed_everywhere() -> None:
    """Its bytes are what they were."""
    inputs = Inputs(_behind_a_pipe({"logits": np.zeros((2, 3), dtype=np.float32)}))
    inputs.own["logits"].resize((3, 2), refcheck=False)
    assert inputs.changed()["logits" + CHANGED].tolist() == [[True] * 3] * 2

"""What comes back and is no row a row, is passed on as it came."""

from __future__ import annotations

import numpy as np

from tests.support.by_hand import batch, process, question
from tests.support.guilty_rows import CLEAN, right_of
from xent_conformance.asking.asker import ask


def test_a_scalar_is_passed_on_as_it_came() -> None:
    b = batch("logsumexp", CLEAN)
    with process("ScalarValue") as worker:
        (answer,) = ask(worker, b, [question("logsumexp")])
    assert answer.results["value"].shape == ()
    assert np.array_equal(answer.results["grad_logits"], right_of(b)["grad_logits"])


def test_another_shape_is_passed_on_for_the_rows_asked() -> None:
    b = batch("softmax", CLEAN)
    with process("WrongShape") as worker:
        (answer,) = ask(worker, b, [question()])
    assert answer.results["value"].shape == (5, 3, 1)

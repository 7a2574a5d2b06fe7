"""What a batch is asked and what is not: a call that is lost costs its question, and no other one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.support.by_hand import batch, process, question
from tests.support.guilty_rows import CLEAN, Counted, check, right_of, rows_of
from xent_conformance.asking.asker import ask
from xent_conformance.reports.run.words import Outcome

pytestmark = pytest.mark.usefixtures("forked")


def test_later_questions_are_answered_after_a_crash() -> None:
    """The worker's death costs the question that killed it, whichever of the questions it is."""
    b = batch("softmax", rows_of(0))
    harmless = question("softmax", "value")
    with process("GradientCrashes") as worker:
        before, crashed, after = ask(worker, b, [harmless, question(), harmless])
        right = right_of(b)["value"]
        for answer in (before, after):
            assert not answer.failures
            assert np.array_equal(answer.results["value"], right, equal_nan=True)
        assert {output: set(rows) for output, rows in crashed.failures.items()} == {"grad_logits": {0}}
        assert crashed.failures["grad_logits"][0].outcome is Outcome.CRASHED
        assert "worker killed by signal 9" in crashed.failures["grad_logits"][0].message
        clean = batch("log_softmax", CLEAN)
        (answer,) = ask(worker, clean, [question("log_softmax")])
        check(answer, clean, set(), Outcome.RETURNED)


def test_what_is_refused_is_not_asked_apart() -> None:
    """No row of a batch is guilty of a dtype that is not there."""
    b = batch("softmax", CLEAN, dtype="bfloat16")
    with process("ClaimsWhatItLacks") as worker:
        counted = Counted(worker)
        (answer,) = ask(counted, b, [question()])  # type: ignore[arg-type]
        check(answer, b, set(range(5)), Outcome.REFUSED, "half a float is not enough")
        assert counted.calls == 1


def test_what_is_not_offered_is_not_asked() -> None:
    """Neither a call nor a row of it: the source stands for the answer."""
    b = batch("softmax", CLEAN)
    lacks = replace(question("softmax", "value"), withheld=(("grad_logits", "the manual"),))
    nothing = replace(question(), outputs=(), withheld=(("value", "no"), ("grad_logits", "no")))
    with process("Exact") as worker:
        counted = Counted(worker)
        first, second = ask(counted, b, [nothing, lacks])  # type: ignore[arg-type]
        assert counted.calls == 1
    assert set(second.results) == {"value"} and not first.results
    told = {(f.outcome, f.message) for f in second.failures["grad_logits"].values()}
    assert told == {(Outcome.UNSUPPORTED, "the manual")}
    assert {o: len(rows) for o, rows in first.failures.items()} == {"value": 5, "grad_logits": 5}
    assert lacks.due == ("value", "grad_logits")

"""What was answered waits until there is much of it, or for some seconds, and is not lost while it waits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from tests.support.by_hand import batch
from xent_conformance.asking.answer import Answer
from xent_conformance.frameworks.interface import Question
from xent_conformance.judging.judge import Judge
from xent_conformance.judging.rows import Answered
from xent_conformance.reference.oracle import Oracle
from xent_conformance.running import desk as desks
from xent_conformance.running.desk import Desk
from xent_conformance.running.memory import Kept


def _answered(door: str = "door") -> Answered:
    b = batch("softmax", [[0.0, 1.0], [1.0, 0.0]])
    question = Question(door, "softmax", "eager", "cpu", ("value",))
    answer = Answer(question, {"value": np.full((2, 2), 0.5, dtype=np.float32)})
    return Answered(b, Judge(Oracle().truth(b.inputs)), answer, {})


@pytest.mark.parametrize(("limit", "most"), [("VERDICTS", 4), ("ELEMENTS", 8)])
def test_a_desk_is_full_of_verdicts_or_of_elements(
    limit: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desks, limit, most)
    desk = Desk(Kept())
    desk.add("seat", "a", [_answered()])
    assert not desk.full
    desk.add("seat", "b", [_answered()])
    assert desk.full
    desk.clear()
    assert not desk.full


def test_what_waits_is_judged_after_some_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(desks.time, "monotonic", lambda: now[0])
    judged: list[int] = []
    desk = Desk(Kept(), judged=lambda verdicts: judged.append(verdicts.height))
    desk.add("seat", "a", [_answered()])
    now[0] = desks.FIRST_SECONDS
    assert not desk.full
    now[0] += 0.1
    assert desk.full, "the first is not waited for"
    desk.clear()
    assert judged == [2]
    desk.add("seat", "b", [_answered()])
    now[0] += desks.SECONDS
    assert not desk.full
    now[0] += 0.1
    assert desk.full
    desk.clear()
    assert not desk.full


def test_an_interrupted_clearing_leaves_what_was_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Ctrl-C does while the judge is at work: the journal is written to when the run ends."""
    journal = Kept()
    desk = Desk(journal)
    desk.add("seat", "a", [_answered("first"), _answered("second")])
    judge, calls = desks.verdicts, iter([True, False])

    def interrupted(answers: Iterator[Answered]) -> object:
        if next(calls):
            raise KeyboardInterrupt
        return judge(answers)

    monkeypatch.setattr(desks, "verdicts", interrupted)
    with pytest.raises(KeyboardInterrupt):
        desk.clear()
    desk.clear()
    desk.clear()  # nothing waits: nothing is written
    assert journal.verdicts()["implementation"].to_list() == ["first"] * 2 + ["second"] * 2
    assert set(journal.verdicts()["status"]) == {"breaks_must"}

"""What is asked next is sent before it is asked, and computed meanwhile: the answers are the same."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.support import fakes
from tests.support.by_hand import NAN, batch, process, question
from tests.support.corpus import of_corpus
from xent_conformance.asking.arrays import arrays_of
from xent_conformance.asking.asker import Asking
from xent_conformance.asking.connection import Begins, Reply, WorkerLost
from xent_conformance.asking.inside import InProcess
from xent_conformance.asking.process import Process
from xent_conformance.cases.case import Batch
from xent_conformance.cases.form import PLAIN_FORM
from xent_conformance.discovery.framework import Framework, Seat
from xent_conformance.frameworks.interface import Array, Question
from xent_conformance.reference.attributes import PLAIN as PLAIN_ATTRIBUTES
from xent_conformance.running.conversation import Answered, Foreseen, conversation

pytestmark = pytest.mark.usefixtures("forked")

PLAIN = arrays_of(batch("softmax", [[0.0, 1.0], [2.0, 2.0]]))
OTHER = arrays_of(batch("softmax", [[0.0, 3.0], [2.0, 2.0]]))
POISON = arrays_of(batch("softmax", [[0.0, 1.0], [NAN, 2.0]]))
LARGE = arrays_of(batch("softmax", [[0.0] * 2**18]))
ASKED = [question()]


# --- a worker's process ---


def _same(some: Sequence[Reply], others: Sequence[Reply]) -> bool:
    return len(some) == len(others) and all(
        a.failures == b.failures
        and a.results.keys() == b.results.keys()
        and all(np.array_equal(a.results[o], b.results[o], equal_nan=True) for o in a.results)
        for a, b in zip(some, others, strict=True)
    )


def test_what_is_begun_is_answered_as_if_it_were_asked() -> None:
    with process("Exact") as worker:
        plain = list(worker.ask(ASKED, PLAIN))
        assert isinstance(worker, Begins)
        worker.begin(ASKED, PLAIN)
        assert _same(list(worker.ask(ASKED, PLAIN)), plain)
        worker.begin([*ASKED, question("log_softmax")], OTHER)
        assert len(list(worker.ask([*ASKED, question("log_softmax")], OTHER))) == 2
        assert _same(list(worker.ask(ASKED, PLAIN)), plain), "what is not begun is asked"


def test_nothing_else_is_asked_before() -> None:
    with process("Exact") as worker:
        worker.begin(ASKED, PLAIN)
        with pytest.raises(RuntimeError, match="something else is under way"):
            list(worker.ask(ASKED, OTHER))


def _whole(worker: Process) -> bool:
    """Whether it answers, and what it is asked: not what was begun of another."""
    right = fakes.exact_outputs("softmax", OTHER["logits"], None, OTHER["cotangent"])
    (reply,) = worker.ask(ASKED, OTHER)
    return not reply.failures and all(np.array_equal(reply.results[o], right[o]) for o in right)


def test_who_dies_of_it_is_lost_when_it_is_asked() -> None:
    with process("Crashes") as worker:
        worker.begin(ASKED, POISON)
        with pytest.raises(WorkerLost, match="my last words"):
            list(worker.ask(ASKED, POISON))
        worker.restart()
        assert _whole(worker)


def test_who_is_dead_before_is_lost_when_it_is_asked() -> None:
    with process("Exact") as worker:
        os.kill(worker.pid, signal.SIGKILL)
        worker._process.wait()
        worker.begin(ASKED, PLAIN)
        with pytest.raises(WorkerLost, match="killed by signal 9"):
            list(worker.ask(ASKED, PLAIN))
        worker.restart()
        assert _whole(worker)


def test_who_does_not_take_it_is_lost_when_it_is_asked() -> None:
    with process("Exact", answer_seconds=0.2) as worker:
        os.kill(worker.pid, signal.SIGSTOP)
        worker.begin(ASKED, LARGE)
        with pytest.raises(WorkerLost, match="did not take a question within") as lost:
            list(worker.ask(ASKED, LARGE))
        assert lost.value.timed_out


def test_a_fresh_process_knows_of_nothing_that_was_begun() -> None:
    with process("Exact") as worker:
        worker.begin(ASKED, PLAIN)
        worker.restart()
        assert _whole(worker)


# --- a conversation ---


class Noting(InProcess):
    """An adapter here that notes what is begun and what is asked, by the first logit."""

    def __init__(self, fake: str, seen: list[str]) -> None:
        super().__init__(getattr(fakes, fake))
        self.seen, self.under_way = seen, False

    def begin(self, questions: Sequence[Question], arrays: Mapping[str, Array]) -> None:
        assert not self.under_way, "two are under way"
        self.seen.append("begun")
        self.under_way = True

    def ask(self, questions: Sequence[Question], arrays: Mapping[str, Array]) -> Iterator[Reply]:
        self.seen.append("found" if self.under_way else "asked")
        self.under_way = False
        return super().ask(questions, arrays)


class Known(list[Batch]):
    """Batches that are given one by one, of which the next is known."""

    def __iter__(self) -> Iterator[Batch]:
        while self:
            yield self.pop(0)

    def following(self) -> Batch | None:
        return self[0] if self else None


BATCHES = [batch("softmax", [[float(i), 1.0], [2.0, 0.5]]) for i in range(4)]
ODD = batch("softmax", [[0.0, 1.0], [NAN, 2.0]])


def _told(fake: str, batches: list[Batch], seen: list[str]) -> list[Answered]:
    every: list[Answered] = []
    stream = conversation(
        Seat(Framework("fake", f"tests.support.fakes:{fake}", "")),
        batches,
        lambda _, b, __: [question(b.operator)],
        lambda _: Noting(fake, seen),  # type: ignore[arg-type,return-value]
    )
    for event in stream:
        if isinstance(event, Answered):
            seen.append("told")
            every.append(event)
    return every


def _alike(some: Sequence[Answered], others: Sequence[Answered]) -> bool:
    def of(events: Sequence[Answered]) -> list[Any]:
        return [
            (e.batch.id, a.question, a.failures, a.apart, {o: r.tobytes() for o, r in a.results.items()})
            for e in events
            for a in e.answers
        ]

    return of(some) == of(others)


def test_the_next_is_begun_before_the_last_is_told_of() -> None:
    seen: list[str] = []
    found = _told("Exact", Known(BATCHES), seen)
    assert isinstance(Known(), Foreseen)
    assert seen == ["asked", *["begun", "told", "found"] * 3, "told"]
    plain: list[str] = []
    assert _alike(found, _told("Exact", BATCHES, plain))
    assert plain == ["asked", "told"] * 4, "of these nobody knows the next"


def test_nothing_is_begun_where_rows_may_be_asked_apart() -> None:
    """What raises is asked in parts, to the worker that would have the next to do."""
    seen: list[str] = []
    every = [BATCHES[0], ODD, *BATCHES[1:]]
    found = _told("Raises", Known(every), seen)
    first, second, third, *_ = (i for i, word in enumerate(seen) if word == "told")
    assert seen[:first] == ["asked", "begun"]
    assert seen[first + 1] == "found" and "begun" not in seen[first:second] and second - first > 2
    assert seen[second + 1 : third] == ["asked", "begun"]
    assert _alike(found, _told("Raises", every, []))
    (failure,) = found[1].answers[0].failures["value"].items()
    assert failure[0] == 1, "the row with the NaN alone is charged"


@pytest.mark.parametrize("reason", ["another device", "a broken process"])
def test_nothing_is_begun_where_something_may_be_asked_first(reason: str) -> None:
    """A canary, or rows that break the process: what was read before is told of, whatever becomes of them."""
    seen: list[str] = []
    connection = Noting("Exact", seen)
    asked = question()
    if reason == "another device":
        asked = replace(asked, device="cuda:0")
    else:
        connection.asserting.add(("another", "cpu"))
    asking = Asking(connection, BATCHES[0], [asked])  # type: ignore[arg-type]
    assert seen == []
    asking.begin()
    assert "begun" not in seen
    assert asking.read() and asking.answers()[0].results.keys() == {"value", "grad_logits"}


def test_all_of_quick_is_answered_alike() -> None:
    """By one that refuses NaN, whose rows are asked apart again and again."""
    operators = ["softmax", "sparse_softmax_cross_entropy"]
    asked = of_corpus("quick", operators=operators, dtypes=["float32"])
    plain = [
        b for b in asked if b.stacked and (b.form, b.inputs.attributes) == (PLAIN_FORM, PLAIN_ATTRIBUTES)
    ]
    every = [b for b in plain if not b.inputs.tangent.size]
    seen: list[str] = []
    assert _alike(_told("Raises", Known(every), seen), _told("Raises", list(every), []))
    assert len(every) / 2 < seen.count("begun") < len(every) - 1

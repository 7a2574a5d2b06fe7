"""However much a framework says or returns: no more is taken than was asked for."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.by_hand import NAN, batch, process, question
from xent_conformance.asking import last_words
from xent_conformance.asking.arrays import arrays_of
from xent_conformance.asking.asker import ask
from xent_conformance.asking.connection import WorkerLost
from xent_conformance.reports.run.words import Outcome
from xent_conformance.worker.wire import WHATEVER, most_of

pytestmark = pytest.mark.usefixtures("forked")

PLAIN = batch("softmax", [[0.0, 1.0], [2.0, 1.0]])


@pytest.mark.parametrize(
    "fake", ["tests.support.fakes_of_sizes:Endless", "tests.support.fakes_of_sizes:Large"]
)
def test_an_answer_that_is_larger_than_what_was_asked_is_told_in_words(fake: str) -> None:
    """A view of 2⁴⁰ numbers takes no memory, until it is copied; one of 2²⁵ would be sent."""
    with process(fake) as worker:
        (answer,) = ask(worker, PLAIN, [question("softmax", "value")])
        assert worker.starts == 1
    failure = answer.failures["value"][0]
    assert failure.outcome is Outcome.RETURNED and not answer.results
    assert "returned shape (" in failure.message and failure.message.endswith("bytes")


def test_another_shape_that_is_not_large_is_seen_as_it_is() -> None:
    """The verdict says what it is."""
    with process("tests.support.fakes_of_sizes:Squared") as worker:
        (answer,) = ask(worker, PLAIN, [question("softmax", "value")])
    assert answer.results["value"].shape == (len(PLAIN.inputs), 64, 2)


def test_a_frame_that_is_larger_than_any_answer_is_none() -> None:
    """Whoever has found our pipe may write to it."""
    with process("tests.support.fakes_of_sizes:WritesFrames") as worker:
        arrays = arrays_of(PLAIN)
        with pytest.raises(WorkerLost, match=r"its arrays have [\d,]+ bytes, and no answer has more than"):
            list(worker.ask([question("softmax", "value")], arrays))
    assert most_of(arrays, ["value"]) < 4 * WHATEVER + 1000


def test_an_error_stream_by_the_megabyte_is_read_and_its_end_kept() -> None:
    with process("tests.support.fakes_of_sizes:TalksByTheMegabyte") as worker:
        arrays = {**arrays_of(PLAIN), "logits": np.full((2, 2), NAN, dtype=np.float32)}
        with pytest.raises(WorkerLost) as lost:
            list(worker.ask([question("softmax", "value")], arrays))
        assert str(lost.value).endswith("my last words")
        assert len(worker._errors.text()) <= last_words.KEPT

"""How rows are asked once more: which calls that takes, in which order, and what of it is compared (§7)."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pytest

from tests.support.delivering import Array, Compute, delivered, rows
from tests.support.faults.adapter import Faults
from xent_conformance.frameworks.interface import (
    GRADIENT_STATES,
    STATES,
    Call,
    Implementation,
    Manner,
    Question,
)
from xent_conformance.worker import serve
from xent_conformance.worker.delivery import AGAIN
from xent_conformance.worker.serve import Worker


def _doubled(arrays: Mapping[str, Array], _: Mapping[str, Any]) -> Mapping[str, Array]:
    return {"value": 2 * arrays["logits"], "grad_logits": 3 * arrays["logits"]}


def _asked(again: str, compute: Compute = _doubled, count: int = 8) -> tuple[dict[str, Array], Any]:
    return delivered(Manner(again=again, rows=2), compute, rows(count, 3, labels="dense"))


@pytest.mark.parametrize(("count", "between"), [(8, 4), (3, 1), (1, 2)])
def test_a_call_of_another_shape_between_two_equal_ones(count: int, between: int) -> None:
    found, kept = _asked("other_between", count=count)
    assert [len(a["logits"]) for a in kept.arrays] == [count, between, count]
    assert [len(a["labels"]) for a in kept.arrays] == [count, between, count]
    assert found["value#again"].shape == (count, 3)


def test_two_threads_at_once_and_none_of_them_is_the_first() -> None:
    seen: list[int] = []
    both = threading.Barrier(2)

    def compute(arrays: Mapping[str, Array], keywords: Mapping[str, Any]) -> Mapping[str, Array]:
        seen.append(threading.get_ident())
        if len(seen) > 1:
            both.wait(timeout=30)  # each inside while the other is
        return _doubled(arrays, keywords)

    found, _ = _asked("threads", compute)
    assert len(seen) == len(set(seen)) == 3
    assert np.array_equal(found["value"], found["value" + AGAIN])


@pytest.mark.parametrize("wrong", [1, 2])
def test_whichever_thread_has_other_bits_is_seen(wrong: int) -> None:
    lock, count = threading.Lock(), iter(range(3))

    def compute(arrays: Mapping[str, Array], keywords: Mapping[str, Any]) -> Mapping[str, Array]:
        with lock:
            mine = next(count)
        found = dict(_doubled(arrays, keywords))
        if mine == wrong:
            found["value"] = found["value"] + np.float32(1)
        return found

    found, _ = _asked("threads", compute)
    assert np.array_equal(found["value"] + np.float32(1), found["value" + AGAIN])
    assert np.array_equal(found["grad_logits"], found["grad_logits" + AGAIN])


@pytest.mark.parametrize("labels", ["dense", ""])
def test_one_array_for_two_arguments(labels: str) -> None:
    found, kept = delivered(Manner(again="shared", rows=2), _doubled, rows(4, 3, labels=labels))
    first, second = kept.arrays
    name = "labels" if labels else "cotangent"
    assert first[name] is not first["logits"]
    assert second[name] is second["logits"]
    assert set(found) == {"value", "grad_logits", "value" + AGAIN, "grad_logits" + AGAIN}


def test_half_of_what_was_added_up_is_compared() -> None:
    def compute(arrays: Mapping[str, Array], _: Mapping[str, Any]) -> Mapping[str, Array]:
        return {"grad_logits": arrays["logits"]}

    found, kept = _asked("accumulated", compute)
    assert kept.states == ["", "accumulated"]
    assert np.array_equal(2 * found["grad_logits" + AGAIN], found["grad_logits"])
    assert found["grad_logits" + AGAIN].dtype == np.float32


# --- in a worker ------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", STATES)
def test_what_is_compared_in_each_state(state: str) -> None:
    """And that all of it is: a state in which nothing came back again would compare nothing."""
    every = ("value", "grad_logits", "grad_labels")
    manner = Manner(again=state, rows=4)
    question = Question("correct", "softmax_cross_entropy", "eager", "cpu", every, manner)
    header, results = Worker(Faults()).answer(question, rows(4, 3, scalar=True, labels="dense"))
    again = {name.removesuffix(AGAIN) for name in results if name.endswith(AGAIN)}
    expected = {"inference": {"value"}, "second_backward": set(every[1:]), "accumulated": set(every[1:])}
    assert header["failures"] == {} and set(every) <= set(results)
    assert again == expected.get(state, set(every))


@pytest.mark.parametrize("state", GRADIENT_STATES)
def test_a_state_that_concerns_nothing_that_is_asked(state: str) -> None:
    """As where gradients raise, and the value is asked apart."""
    outputs = ("grad_logits",) if state == "inference" else ("value",)
    question = Question("correct", "softmax", "eager", "cpu", outputs, Manner(again=state, rows=4))
    _, results = Worker(Faults()).answer(question, rows(4, 3))
    assert set(results) == set(outputs)


class _Slow:
    """By its clock its first call takes five seconds, its third two and each other one.

    The first answer is off by one.
    """

    name = distribution = "slow"
    modes: ClassVar = {"eager": "quick"}
    autodiff = False
    implementations = (Implementation("f", "softmax", "fused", lambda x: x),)

    def __init__(self) -> None:
        self.calls: list[float] = []
        self.clock = 0.0

    def run(self, call: Call) -> Mapping[str, Any]:
        self.calls.append(self.clock)  # from two threads none is lost
        number = len(self.calls)
        self.clock += {1: 5.0, 3: 2.0}.get(number, 1.0)
        return {"value": call.logits + np.float32(number == 1)}

    def perf_counter(self) -> float:
        return self.clock


def _of_values(again: Any) -> Question:
    return Question("f", "softmax", "eager", "cpu", ("value",), Manner(again=again, rows=4))


@pytest.mark.parametrize(
    ("again", "calls"), [("twice", 2), ("other_between", 3), ("threads", 3), ("inference", 2)]
)
def test_the_first_answer_is_one_of_those_compared(again: str, calls: int) -> None:
    """Nobody is asked beforehand."""
    adapter: Any = _Slow()
    worker = Worker(adapter)
    for first in (True, False):
        before = len(adapter.calls)
        _, found = worker.answer(_of_values(again), rows(4, 3))
        assert len(adapter.calls) - before == calls
        assert np.array_equal(found["value"], found["value" + AGAIN]) is not first


def test_what_the_first_call_takes_longer_than_the_last_is_compiling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a signature that has been seen nothing is compiled, whatever the call takes."""
    adapter: Any = _Slow()
    worker = Worker(adapter)
    monkeypatch.setattr(serve, "time", adapter)
    headers = [worker.answer(_of_values("twice"), rows(4, 3))[0] for _ in range(2)]
    assert [(h["compile_s"], h["kernel_s"]) for h in headers] == [(4.0, 2.0), (0.0, 3.0)]

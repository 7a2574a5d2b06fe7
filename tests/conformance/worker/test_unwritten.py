"""A row that is what memory held before the call is told from one that is otherwise every time (7.13)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest

from tests.support.delivering import Array, rows
from tests.support.memory import filling
from xent_conformance.frameworks.interface import Call, Implementation, Manner, Question
from xent_conformance.worker import unwritten
from xent_conformance.worker.delivery import AGAIN
from xent_conformance.worker.serve import Worker
from xent_conformance.worker.unwritten import OTHER, UNWRITTEN, USUAL, filled, may_be_unwritten

FRESH = 2**16
"""Bytes that NumPy asks the C library for, each time."""


def workspace(like: Array) -> Array:
    """An array of that shape and format, of which nothing is written."""
    return np.empty(FRESH, np.uint8)[: like.nbytes].view(like.dtype).reshape(like.shape)


def unwritten_rows(x: Array, calls: int) -> Array:
    """Negative rows are not written."""
    found = workspace(x)
    np.copyto(found, x, where=x[:, :1] >= 0)
    return found


def first_otherwise(x: Array, calls: int) -> Array:
    return x + np.float32(calls == 1)


def every_second_otherwise(x: Array, calls: int) -> Array:
    return x + np.float32(calls % 2) if np.isfinite(x).all() else np.where(calls % 2, x, np.float32(1))


def always_otherwise(x: Array, calls: int) -> Array:
    return x + np.float32(calls)


def as_it_is(x: Array, calls: int) -> Array:
    return x


class Remembers:
    """Calls are numbered from one."""

    name = distribution = "remembers"
    modes: ClassVar = {"eager": "quick"}
    autodiff = False

    def __init__(self, compute: Callable[[Array, int], Array]) -> None:
        self.implementations = (Implementation("f", "softmax", "fused", compute),)
        self.calls = 0

    def run(self, call: Call) -> Mapping[str, Any]:
        self.calls += 1
        return {"value": call.implementation.call(call.logits, self.calls)}


QUESTION = Question("f", "softmax", "eager", "cpu", ("value",), Manner())


def asked(adapter: Any, *batches: Array) -> list[dict[str, Array]]:
    """What a worker answers to each batch, of one shape, in turn."""
    worker, found = Worker(adapter), []
    for logits in batches:
        header, results = worker.answer(QUESTION, rows(*logits.shape) | {"logits": logits})
        assert header["failures"] == {}
        found.append(results)
    return found


PLAIN = np.arange(1, 13, dtype=np.float32).reshape(3, 4)
ODD = PLAIN * np.array([[1], [-1], [1]], np.float32)
"""Of which one row is not written."""


@filling
@pytest.mark.parametrize("byte", [USUAL, OTHER])
def test_what_is_allocated_has_the_byte_and_then_no_more(byte: int) -> None:
    with filled(byte):
        assert set(np.empty(FRESH, np.uint8).tolist()) == {byte}
    for other in (0x11, 0x22):  # what was freed last is allocated again, with what was written into it
        np.full(FRESH, other, np.uint8)
        assert set(np.empty(FRESH, np.uint8)[64:-64].tolist()) != {byte}


@filling
def test_memory_is_filled_as_before_after_an_error() -> None:
    with pytest.raises(ZeroDivisionError), filled(USUAL):
        1 / 0  # noqa: B018
    np.full(FRESH, 1, np.uint8)
    assert set(np.empty(FRESH, np.uint8)[64:-64].tolist()) != {USUAL}


@filling
@pytest.mark.parametrize(
    "dtype", ["float16", "float32", "float64", "bfloat16", "float8_e4m3fn", "float8_e5m2"]
)
def test_of_every_format_the_fillings_are_seen_and_told_apart(dtype: str) -> None:
    import ml_dtypes

    kind = np.dtype(getattr(ml_dtypes, dtype, dtype))
    usual, other = (np.frombuffer(bytes([b]) * kind.itemsize, kind) for b in (USUAL, OTHER))
    assert may_be_unwritten({"value": usual}) and not may_be_unwritten({"value": other})
    assert may_be_unwritten({"value": np.array([np.nan], kind)})
    assert 0 < float(other[0]) < 1 and not float(usual[0]) < 2**100


@filling
def test_rows_that_are_what_memory_held_are_told() -> None:
    """In the first call of a shape, and in a later one, which is compared for what it looks like."""
    (first,) = asked(Remembers(unwritten_rows), ODD)
    _, later = asked(Remembers(unwritten_rows), PLAIN, ODD)
    for found in (first, later):
        assert found["value" + UNWRITTEN].tolist() == [False, True, False]
        assert "value" + AGAIN not in found
        assert found["value"][0].tolist() == PLAIN[0].tolist()


@pytest.mark.parametrize("batches", [(PLAIN,), (PLAIN, np.full_like(PLAIN, np.nan))])
@pytest.mark.parametrize("compute", [first_otherwise, every_second_otherwise, always_otherwise])
def test_what_is_otherwise_whatever_memory_holds_is_not_that(
    compute: Callable[[Array, int], Array], batches: tuple[Array, ...]
) -> None:
    found = asked(Remembers(compute), *batches)
    assert all("value" + UNWRITTEN not in f for f in found)
    assert "value" + AGAIN in found[0]
    assert ("value" + AGAIN in found[-1]) or (compute is not every_second_otherwise)


def test_where_nothing_is_filled_the_call_is_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unwritten, "_mallopt", lambda: None)
    adapter = Remembers(always_otherwise)
    (found,) = asked(adapter, PLAIN)
    assert set(found) == {"value", "value" + AGAIN}
    assert adapter.calls == 2, "a third call would tell nothing"


@pytest.mark.parametrize(("batches", "calls"), [((PLAIN,), 2), ((PLAIN, PLAIN), 3)])
def test_who_gives_ordinary_numbers_is_not_asked_more(batches: tuple[Array, ...], calls: int) -> None:
    adapter = Remembers(as_it_is)
    asked(adapter, *batches)
    assert adapter.calls == calls


def test_an_answer_that_has_another_shape_each_time_is_not_compared() -> None:
    (found,) = asked(Remembers(lambda x, calls: x[: 1 + calls % 2]), PLAIN)
    assert set(found) == {"value", "value" + AGAIN}


@filling
def test_arguments_that_do_not_fit_are_answered_alike_each_time() -> None:
    """What comes back is told in words, which would be others under another filling."""
    worker = Worker(Remembers(lambda x, calls: workspace(x)))
    misfit = replace(QUESTION, manner=Manner(wrong="logits_float8_e4m3fn"))
    headers = [worker.answer(misfit, rows(3, 4))[0] for _ in range(2)]
    assert {h["failures"]["value"]["message"] for h in headers} == {"returned shape (3, 4), NaN"}

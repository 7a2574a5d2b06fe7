"""While a framework is loaded nothing is collected, and what it made is not looked at again; then seldom."""

from __future__ import annotations

import gc
import io
import weakref
from collections.abc import Iterator

import numpy as np
import pytest

from tests.support.fakes import Exact
from xent_conformance.worker.garbage import LARGE, OBJECTS, collect_after
from xent_conformance.worker.serve import serve
from xent_conformance.worker.wire import receive

HERE = "tests.conformance.worker.test_loading"


class Loads(Exact):
    """Notes whether the collector ran while it was made."""

    collected: bool | None = None

    def __init__(self) -> None:
        Loads.collected = gc.isenabled()


class IsNotThere(Exact):
    """Its framework is not installed."""

    def __init__(self) -> None:
        raise ModuleNotFoundError("No module named 'nothing'")


@pytest.fixture(autouse=True)
def _thawed() -> Iterator[None]:
    """A worker has its process to itself; here it is the tests'."""
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


@pytest.mark.parametrize(("adapter", "kind"), [("Loads", "hello"), ("IsNotThere", "absent")])
def test_the_collector_rests_while_a_framework_is_loaded(adapter: str, kind: str) -> None:
    assert gc.isenabled() and gc.get_freeze_count() == 0
    sink = io.BytesIO()
    serve(f"{HERE}:{adapter}", io.BytesIO(), sink)
    sink.seek(0)
    assert receive(sink)[0]["kind"] == kind
    assert gc.isenabled() and gc.get_freeze_count() > 10_000
    assert Loads.collected is (False if adapter == "Loads" else None)
    Loads.collected = None
    assert gc.get_threshold()[0] == OBJECTS


class _Ring:
    """An object that holds itself: nobody but the collector frees it."""

    def __init__(self) -> None:
        self.me = self


@pytest.mark.parametrize(("elements", "freed"), [(LARGE // 8, True), (LARGE // 8 - 1, False)])
def test_what_a_large_batch_has_left_goes_at_once(elements: int, freed: bool) -> None:
    gc.disable()
    try:
        left = weakref.ref(_Ring())
        collect_after({"logits": np.zeros(elements // 2), "cotangent": np.zeros(elements - elements // 2)})
        assert (left() is None) is freed
    finally:
        gc.enable()
        gc.collect()

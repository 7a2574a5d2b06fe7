"""While a framework is loaded nothing is collected, then seldom; a process that ends takes nothing apart."""

from __future__ import annotations

import gc
import io
import os
import subprocess
import sys
import weakref
from collections.abc import Callable, Iterator
from types import ModuleType

import numpy as np
import pytest

from tests.support.by_hand import process
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


class _Held(ModuleType):
    def __del__(self, write: Callable[[int, bytes], int] = os.write) -> None:
        write(2, b"taken apart")


class Holds(Exact):
    """It has imported a module that says so when it is freed."""

    def __init__(self) -> None:
        sys.modules["held"] = _Held("held")


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


_ENDS = """
import atexit, sys
from xent_conformance.worker.garbage import ending_at_once
leave = ending_at_once()
atexit.register(print, "registered")
class Held:
    def __del__(self):
        print("taken apart", flush=True)
held = Held()
print("printed")
if sys.argv[1] == "well":
    leave(5)
else:
    sys.exit(7)
"""


@pytest.mark.parametrize(
    ("how", "status", "told"),
    [("well", 5, ["printed", "registered"]), ("ill", 7, ["printed", "registered", "taken apart"])],
)
def test_who_ends_well_does_what_is_registered_and_no_more(how: str, status: int, told: list[str]) -> None:
    ended = subprocess.run([sys.executable, "-c", _ENDS, how], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout.splitlines()) == (status, told), ended.stderr


def test_a_worker_ends_so() -> None:
    """What its modules hold is not taken apart; it has ended by itself, and not been killed."""
    with process(f"{HERE}:Holds") as worker:
        pass
    assert worker._process.returncode == 0
    assert "taken apart" not in worker._errors.text()

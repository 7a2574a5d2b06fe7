"""TorchInductor's beginnings: its choice with fewer trials, a header where it pays, no error of theirs."""

from __future__ import annotations

import functools
import sys
import threading
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from xent_conformance.discovery.framework import FRAMEWORKS, Seat
from xent_conformance.frameworks.interface import Implementation
from xent_conformance.frameworks.torch import Torch
from xent_conformance.frameworks.torch_inductor import Begun, choose
from xent_conformance.worker.apart import APART, begin

BEST = ("avx512 avx512_vnni", "avx512", "avx2")
"""As TorchInductor names them, in its order."""


class Inductor:
    """What is used of it. ``can``: of the sets that the ``processor`` has, those that a trial succeeds of."""

    def __init__(self, can: tuple[str, ...], processor: tuple[str, ...] = BEST) -> None:
        self.tried: list[str] = []
        self.told: list[str] = []
        self.config = SimpleNamespace(cpp=SimpleNamespace(simdlen=None))
        owner = self

        class Isa(str):
            """True where a trial says so."""

            def __bool__(self) -> bool:
                if str(self) not in owner.tried:
                    owner.tried.append(str(self))
                return str(self) in can

        there = {flag for name in processor for flag in name.split()}
        every = [Isa(name) for name in ("amx_tile", *BEST, "asimd")]

        @functools.cache
        def valid_vec_isa_list() -> list[str]:
            supported = self.cpu_vec_isa.supported_vec_isa_list
            return [isa for isa in supported if there.issuperset(isa.split()) and isa]

        self.cpu_vec_isa = SimpleNamespace(
            supported_vec_isa_list=every,
            x86_isa_checker=lambda: sorted(there),
            valid_vec_isa_list=valid_vec_isa_list,
        )

    @property
    def choice(self) -> str:
        """What it compiles for."""
        return str(next(iter(self.cpu_vec_isa.valid_vec_isa_list()), ""))

    def put(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """In place of PyTorch's own."""
        parts = {"config": self.config, "cpu_vec_isa": self.cpu_vec_isa}
        inductor = ModuleType("torch._inductor")
        for name, part in {**parts, "codecache": SimpleNamespace(), "compile_fx": SimpleNamespace()}.items():
            setattr(inductor, name, part)
        monkeypatch.setitem(sys.modules, "torch", ModuleType("torch"))
        monkeypatch.setitem(sys.modules, "torch._inductor", inductor)


@pytest.mark.parametrize(
    ("can", "tries"),
    [
        (BEST, BEST[:1]),
        (BEST[1:], BEST),  # a compiler that knows less than the processor
        (BEST[2:], BEST),
        ((), BEST),  # no compiler
    ],
)
def test_the_choice_is_its_own_and_takes_one_trial_where_the_best_is_able(
    can: tuple[str, ...], tries: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ATEN_CPU_CAPABILITY", raising=False)
    alone = Inductor(can)
    inductor = Inductor(can)
    inductor.put(monkeypatch)
    choose()
    assert inductor.choice == alone.choice == (can[0] if can else "")
    assert inductor.tried == list(tries)
    assert alone.tried == list(BEST), "by itself it tries all of them"
    assert inductor.cpu_vec_isa.supported_vec_isa_list == alone.cpu_vec_isa.supported_vec_isa_list


def test_where_another_choice_is_wanted_it_is_left_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A set that is named need not be the first: it has to be tried. So with a processor of another kind."""
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "avx2")
    named = Inductor(BEST)
    named.put(monkeypatch)
    choose()
    monkeypatch.delenv("ATEN_CPU_CAPABILITY")
    wide = Inductor(BEST)
    wide.config.cpp.simdlen = 256
    wide.put(monkeypatch)
    choose()
    other = Inductor(BEST, processor=())
    other.put(monkeypatch)
    choose()
    assert named.tried == wide.tried == other.tried == []


def test_the_trial_goes_on_while_modules_are_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one imports when the other has begun, and both are waited for."""
    inductor = Inductor(BEST)
    inductor.put(monkeypatch)
    begun, imported = threading.Event(), threading.Event()

    class Importing(ModuleType):
        @property
        def compile_fx(self) -> None:
            assert begun.wait(10)
            imported.set()

    slow = Importing("torch._inductor")
    slow.__dict__.update({k: v for k, v in vars(sys.modules["torch._inductor"]).items() if k != "compile_fx"})
    monkeypatch.setitem(sys.modules, "torch._inductor", slow)
    once = inductor.cpu_vec_isa.x86_isa_checker

    def trying() -> list[str]:
        begun.set()
        assert imported.wait(10)
        return list(once())

    monkeypatch.setattr(inductor.cpu_vec_isa, "x86_isa_checker", trying)
    Begun().wait()
    assert imported.is_set() and inductor.tried == list(BEST[:1])


@pytest.mark.parametrize("there", [True, False, None])
def test_a_header_is_made_from_the_second_function_on(
    there: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is switched off, or a version knows of none, nothing is changed."""
    inductor = Inductor(BEST)
    inductor.put(monkeypatch)
    if there is not None:
        inductor.config.cpp_cache_precompile_headers = there
    begun = Begun()
    begun.wait()
    found = []
    for made in (False, True, False):
        begun.header(made)
        found.append(getattr(inductor.config, "cpp_cache_precompile_headers", None))
    assert found == ([False, True, False] if there else [there] * 3)


def test_the_function_that_comes_first_does_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every time it is asked, whatever is asked in between."""
    adapter = Torch()
    monkeypatch.setattr(adapter._torch, "compile", lambda function, **_: function)
    told: list[bool] = []
    monkeypatch.setattr(adapter, "_inductor", SimpleNamespace(header=lambda made: told.append(made)))
    first, second = (Implementation(n, "softmax", "dedicated", lambda *_: None) for n in ("first", "second"))
    for asked in (first, second, first, second):
        call: Any = SimpleNamespace(mode="compile", keywords={"dim": -1}, implementation=asked)
        adapter._compute(call, {})
    assert told == [False, True, False, True]


def test_what_cannot_be_begun_is_said_by_what_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version has other modules: nobody waits for ever, and no thread ends in a traceback."""
    raised: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", raised.append)
    monkeypatch.setitem(sys.modules, "torch._inductor", None)
    Begun().wait()
    for thread in threading.enumerate():
        if thread.name in ("begin-inductor", "try-instructions"):
            thread.join(10)
    assert not raised


class Told:
    """An adapter that notes what it is told to begin."""

    def __init__(self) -> None:
        self.modes: list[str] = []

    def begin(self, mode: str) -> None:
        self.modes.append(mode)


@pytest.mark.parametrize(
    ("apart", "missing", "begun"),
    [("compile", {}, ["compile"]), ("", {}, []), ("compile", {"compile": "there is no g++"}, [])],
)
def test_a_worker_for_one_mode_says_so_to_its_adapter(
    apart: str, missing: dict[str, str], begun: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(APART, apart)
    told: Any = Told()
    begin(told, missing)
    assert told.modes == begun
    silent: Any = object()
    begin(silent, missing)  # who has no such method is told nothing


def test_a_seat_that_is_apart_is_launched_so() -> None:
    torch = FRAMEWORKS["torch"]
    assert Seat(torch, apart="compile").launch().environment[APART] == "compile"
    assert APART not in Seat(torch).launch().environment

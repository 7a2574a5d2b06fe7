"""A call that leaves another floating-point state behind is found, and nobody after it computes in it."""

from __future__ import annotations

import ctypes
import platform
import struct
import sys
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from tests.support import fakes
from tests.support.by_hand import Install, batch, process, question
from xent_conformance.asking.asker import ask
from xent_conformance.asking.inside import InProcess
from xent_conformance.asking.selection import Selection
from xent_conformance.explain.script.again import CHANGES, Again
from xent_conformance.frameworks.interface import Array, Call
from xent_conformance.reference.oracle import Oracle
from xent_conformance.running.engine import run
from xent_conformance.worker import arithmetic
from xent_conformance.worker.arithmetic import FLUSHING, ROUNDING, USUAL, Kept, changed, state

MODULE = "tests.conformance.worker.test_arithmetic"

X86 = platform.machine() in ("x86_64", "AMD64") and platform.libc_ver()[0] == "glibc"
DOWN, UP, TO_ZERO = 0x400, 0x800, 0xC00
FLUSH_RESULTS, OPERANDS_ARE_ZERO = 0x8000, 0x0040
MXCSR = 28  # where it stands in a fenv_t of glibc

pytestmark = pytest.mark.skipif(not X86, reason="the registers are known by heart of this one alone")


def _round(how: int) -> None:
    assert ctypes.CDLL(None).fesetround(how) == 0


def _flush(which: int) -> None:
    """Set those bits of the register, as a library does that was compiled with -ffast-math."""
    library, kept = ctypes.CDLL(None), ctypes.create_string_buffer(arithmetic.LARGEST_STATE)
    library.fegetenv(kept)
    (register,) = struct.unpack_from("<I", kept, MXCSR)
    struct.pack_into("<I", kept, MXCSR, register | which)
    library.fesetenv(kept)


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    kept = Kept()
    yield
    kept.restore()
    assert state() == USUAL


@pytest.mark.parametrize("how", [DOWN, UP, TO_ZERO])
def test_a_rounding_mode_is_seen_and_restored(how: int) -> None:
    kept = Kept()
    assert state() == USUAL and kept.restore() == []
    _round(how)
    assert changed(USUAL, state()) == [ROUNDING]
    assert kept.restore() == [ROUNDING] and state() == USUAL


@pytest.mark.parametrize("which", [FLUSH_RESULTS, OPERANDS_ARE_ZERO, FLUSH_RESULTS | OPERANDS_ARE_ZERO])
def test_a_flush_to_zero_is_seen_and_restored(which: int) -> None:
    kept = Kept()
    _flush(which)
    assert changed(USUAL, state()) == [FLUSHING]
    _round(UP)
    assert kept.restore() == [ROUNDING, FLUSHING] and state() == USUAL


class RoundsUp(fakes.Exact):
    """Its softmax computes with directed rounding, forgets to go back, and may raise; log_softmax divides."""

    def run(self, call: Call) -> dict[str, Array]:
        if call.implementation.operator == "softmax":
            found = dict(super().run(call))
            _round(UP)
            return found
        return {o: a / a.dtype.type(3) * a.dtype.type(3) for o, a in super().run(call).items()}


class RaisesRoundingUp(RoundsUp):
    """Where it raises it has not gone back either."""

    def before(self, logits: Array, outputs: Sequence[str]) -> None:
        if fakes.guilty(logits):
            _round(UP)
            raise ValueError


class FlushesSinceItsImport(fakes.Exact):
    """A library that it loads was compiled with -ffast-math."""

    def __init__(self) -> None:
        _flush(FLUSH_RESULTS)


def test_who_changes_it_breaks_a_clause_and_nobody_else(install: Install) -> None:
    install(fake=f"{MODULE}:RoundsUp")
    asked = Selection(
        "quick", operators=("softmax",), dtypes=("float32",), families=("two_classes", "shapes")
    )
    found = run(asked, None, oracle=Oracle()).verdicts
    broken = found.filter(found["status"] == "breaks_must")
    assert set(broken["clause"]) == {"7.11"}
    assert set(broken["message"]) == {f"the call changed its {ROUNDING}"}
    assert broken["case"].n_unique() == found.filter(found["n"] > 0)["case"].n_unique()


@pytest.mark.parametrize("fake", ["RoundsUp", "RaisesRoundingUp"])
def test_what_is_computed_after_it_has_the_bits_that_it_has_alone(fake: str) -> None:
    """As one asks in a worker: a door that leaks, then an honest one in the same process."""
    rows = [[0.125, 0.25, 0.75], [1.0, 3.0, -2.0]]
    guilty = [[float("nan"), 0.0, 0.0]] if fake == "RaisesRoundingUp" else rows
    with process(f"{MODULE}:{fake}") as worker:
        (alone,) = ask(worker, batch("log_softmax", rows), [question("log_softmax")])
        ask(worker, batch("softmax", guilty), [question("softmax")])
        (after,) = ask(worker, batch("log_softmax", rows), [question("log_softmax")])
    assert not alone.changed and not after.changed
    for output, array in alone.results.items():
        assert np.array_equal(array, after.results[output])


def test_an_adapter_in_this_process_leaves_it_as_it_was() -> None:
    connection = InProcess(RoundsUp)
    (answer,) = ask(connection, batch("softmax", [[0.0, 1.0]]), [question("softmax")])
    assert answer.changed == {0: {ROUNDING}} and state() == USUAL


def test_what_its_import_has_changed_is_told_and_stays() -> None:
    """Its users compute so too."""
    with process(f"{MODULE}:FlushesSinceItsImport") as worker:
        told = worker.hello["environment"]["floating-point state"]
        (answer,) = ask(worker, batch("softmax", [[0.0, 1.0]]), [question("softmax")])
    assert told == f"{FLUSHING} changed by the import"
    assert not answer.changed


@pytest.mark.parametrize("leaks", [True, False])
def test_the_script_that_shows_it_looks_at_it(leaks: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """Without the suite: what it prints where the call leaves another state, and where it does not."""
    given = np.zeros((1, 2))
    known = {"np": np, "sys": sys, "logits": given, "ask": lambda x: _round(UP) if leaks else None}
    program = "\n".join(Again(CHANGES, 1).lines(["logits"]))
    if leaks:
        with pytest.raises(SystemExit, match="changed how its thread rounds"):
            exec(program, known)
    else:
        exec(program, known)
        assert capsys.readouterr().out == "what the call was given is as it was\n"

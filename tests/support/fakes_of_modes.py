"""A framework with a mode that takes long, of which a short profile takes a glance."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from tests.support.fakes import Exact
from xent_conformance.frameworks.interface import Array, Call, Glance
from xent_conformance.worker.apart import APART

NOTES, DIES, HELPED = "TESTS_NOTES", "TESTS_DIES", "TESTS_HELPED"
"""Variables: where it is noted who was asked, the mode in which a process ends, if help is waited for."""

WAITS = 60.0
"""Seconds, where nobody comes: then it answers all the same."""


class Compiles(Exact):
    """Its compiler begins in full; what it compiles is right."""

    modes: ClassVar = {"eager": "quick", "compile": "full"}
    glances: ClassVar[Mapping[str, Glance]] = {
        "compile": Glance(("fake.softmax",), "two_classes", apart=True)
    }


class Beside(Compiles):
    """The same in one worker: it does not take that long."""

    glances: ClassVar[Mapping[str, Glance]] = {"compile": Glance(("fake.softmax",), "two_classes")}


class NoCompiler(Compiles):
    """On a machine without what it compiles with."""

    def missing(self) -> Mapping[str, str]:
        return {"compile": "there is no c++ on the path", "no_mode": "nobody has that"}


class Older(Exact):
    """Its log-softmax came with 1.2, which this is not; what was there from the first is gone as well."""

    implementations = tuple(
        replace(i, came="1.2") if i.operator == "log_softmax" else i for i in Exact.implementations
    )
    lacks: ClassVar = ("log_softmax", "logsumexp")

    def run(self, call: Call) -> Mapping[str, Array]:
        operator = call.implementation.operator
        if operator in self.lacks:
            raise AttributeError(f"module 'fake' has no attribute '{operator}'")
        return super().run(call)


class Newer(Older):
    """The version that it came with, where it is not."""

    def version(self) -> str:
        return "1.2.0+cpu"


class Gone(Compiles):
    def __init__(self) -> None:
        import no_such_framework  # noqa: F401


class Noted(Compiles):
    """Notes in the folder of a variable which processes were asked which mode."""

    def run(self, call: Call) -> Mapping[str, Array]:
        (Path(os.environ[NOTES]) / f"{os.getpid()} {call.mode}").touch()
        return super().run(call)


class TwoGlances(Noted):
    """It has two modes that take that long."""

    modes: ClassVar = {"eager": "quick", "compile": "full", "export": "full"}
    glances: ClassVar[Mapping[str, Glance]] = {
        mode: Glance(("fake.softmax",), "two_classes", apart=True) for mode in ("compile", "export")
    }


class Dies(Noted):
    """Its process ends with a call in the mode of a variable, of rows that have a number beyond 50."""

    def run(self, call: Call) -> Mapping[str, Array]:
        found = super().run(call)
        if call.mode == os.environ[DIES] and (np.abs(call.logits.astype(float)) > 50).any():
            os._exit(3)
        return found


class NeverAgain(Noted):
    """Its process ends with its first call and does not start again, but where it is for one mode alone."""

    def __init__(self) -> None:
        begun = Path(os.environ[NOTES]) / "begun"
        if not os.environ.get(APART) and begun.exists():
            os._exit(3)
        begun.touch()

    def run(self, call: Call) -> Mapping[str, Array]:
        if not os.environ.get(APART):
            os._exit(3)
        return super().run(call)


class WaitsToBeHelped(Noted):
    """The process of all modes answers when that of the one mode was asked another, if a variable says so."""

    def __init__(self) -> None:
        self._until = time.monotonic() + WAITS

    def run(self, call: Call) -> Mapping[str, Array]:
        found = super().run(call)
        while not os.environ.get(APART) and os.environ[HELPED] and time.monotonic() < self._until:
            others = Path(os.environ[NOTES]).glob("* eager")
            if any(not note.name.startswith(f"{os.getpid()} ") for note in others):
                break
            time.sleep(0.01)
        return found

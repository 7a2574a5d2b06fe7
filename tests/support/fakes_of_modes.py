"""A framework with a mode that takes long, of which a short profile takes a glance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from tests.support.fakes import Exact
from xent_conformance.frameworks.interface import Array, Call, Glance


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

"""A framework with a mode that takes long, of which a short profile takes a glance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from tests.support.fakes import Exact
from xent_conformance.frameworks.interface import Glance


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


class Gone(Compiles):
    def __init__(self) -> None:
        import no_such_framework  # noqa: F401

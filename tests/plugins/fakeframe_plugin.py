"""An adapter of ``fakeframe``, a framework of three lines of which tests write themselves the versions."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from xent_conformance.frameworks.interface import Array, Call, Implementation


class FakeFrame:
    name = "fakeframe"
    distribution = "fakeframe"
    modes: ClassVar = {"eager": "quick"}
    autodiff = False
    implementations = (
        Implementation("fakeframe.softmax", "softmax", "fused", lambda f, x: f.softmax(x)),
        Implementation("fakeframe.other_softmax", "softmax", "fused", lambda f, x: f.other_softmax(x)),
        Implementation("fakeframe.naive", "softmax", "naive", lambda f, x: f.softmax(x)),
    )

    def __init__(self) -> None:
        import fakeframe

        self.library: Any = fakeframe

    def version(self) -> str:
        return str(self.library.__version__)

    def environment(self) -> Mapping[str, str]:
        return {"machine": platform.machine()}

    def devices(self) -> Sequence[str]:
        return ["cpu"]

    def run(self, call: Call) -> Mapping[str, Array]:
        with np.errstate(all="ignore"):
            return {"value": call.implementation.call(self.library, *call.arguments)}

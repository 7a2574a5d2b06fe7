"""Frameworks for ``conformance doctor``: devices that do not answer, or are asked under settings alone."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from tests.support.fakes import Exact
from xent_conformance.frameworks.interface import Array, Call, Variant


class RefusesCuda(Exact):
    """Has an accelerator that answers nothing."""

    def devices(self) -> Sequence[str]:
        return ["cpu", "cuda:0"]

    def run(self, call: Call) -> Mapping[str, Array]:
        if call.device != "cpu":
            raise NotImplementedError("not implemented for CUDA")
        return super().run(call)


class DiesOnCuda(RefusesCuda):
    """Its driver takes the process with it."""

    def run(self, call: Call) -> Mapping[str, Array]:
        if call.device != "cpu" and call.logits.dtype == np.float32:
            os.kill(os.getpid(), signal.SIGKILL)
        return Exact.run(self, call)


class UnderSettingsOnly(Exact):
    """Runs on the CPU in an interpreter alone, and on CUDA as it is; here there is no CUDA."""

    variants: ClassVar[Mapping[str, Variant]] = {
        "interpret=1": Variant({"FAKE_INTERPRET": "1"}, "in an interpreter", since="quick"),
        "interpret=2": Variant({"FAKE_INTERPRET": "2"}, "in another", since="full"),
        "wide": Variant({"FAKE_INTERPRET": "1"}, "in it, with more than this CPU has", needs="no-such-flag"),
    }
    settings_only: ClassVar = frozenset({"cpu"})

    def __init__(self) -> None:
        if "FAKE_INTERPRET" not in os.environ:
            raise ImportError("needs a GPU, or its interpreter")


class OnAccelerators(UnderSettingsOnly):
    """Beside that it has a GPU, wherever it is."""

    accelerators: ClassVar = frozenset({"cuda"})

    def __init__(self) -> None:
        self._interpreted = "FAKE_INTERPRET" in os.environ

    def devices(self) -> Sequence[str]:
        return ["cpu"] if self._interpreted else ["cpu", "cuda:0"]

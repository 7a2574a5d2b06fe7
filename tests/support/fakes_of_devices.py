"""A framework with an accelerator that is no more than a name, and settings of both its devices."""

from __future__ import annotations

import atexit
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from tests.support.fakes import Exact, guilty
from xent_conformance.frameworks.interface import Array, Call, Variant

TF32 = Variant({"FAKE_TF32": "1"}, "products in TF32", device="cuda")


class NoCuda(Exact):
    """What it has to say of CUDA can only be listed: there is none."""

    variants: ClassVar[Mapping[str, Variant]] = {
        "threads=4": Variant({"FAKE_THREADS": "4"}, "four threads"),
        "tf32": TF32,
    }


class WithCuda(NoCuda):
    """Its CUDA devices are off by an ulp where TF32 is allowed."""

    def devices(self) -> Sequence[str]:
        return ["cpu", "cuda:0", "cuda:1"]

    def run(self, call: Call) -> Mapping[str, Array]:
        found = super().run(call)
        if call.device == "cpu" or "FAKE_TF32" not in os.environ:
            return found
        return {o: np.nextafter(a, np.array(np.inf, dtype=a.dtype)) for o, a in found.items()}


class PoisonedAccelerator(Exact):
    """A NaN fails an assertion on the accelerator, and from then on every call there; the CPU goes on."""

    poisoned = False

    def devices(self) -> Sequence[str]:
        return ["cpu", "cuda:0"]

    def run(self, call: Call) -> Mapping[str, Array]:
        self.poisoned = self.poisoned or (call.device != "cpu" and guilty(call.logits))
        if self.poisoned and call.device != "cpu":
            raise RuntimeError("CUDA error: device-side assert triggered")
        return super().run(call)


class PoisonedByIndex(Exact):
    """An index out of range fails an assertion on the accelerator, and from then on every call there."""

    poisoned = False

    def devices(self) -> Sequence[str]:
        return ["cpu", "cuda:0"]

    def run(self, call: Call) -> Mapping[str, Array]:
        self.poisoned = self.poisoned or (call.device != "cpu" and self.asserts(call))
        if self.poisoned:
            raise RuntimeError("CUDA error: device-side assert triggered")
        return super().run(call)

    def asserts(self, call: Call) -> bool:
        """Whether an assertion of its kernel fails."""
        if call.labels is None:
            return False
        return bool(((call.labels < 0) | (call.labels >= call.logits.shape[-1])).any())


class GradientPoisonedByIndex(PoisonedByIndex):
    """Its value is another kernel's, which asserts nothing."""

    def asserts(self, call: Call) -> bool:
        return super().asserts(call) and call.outputs != ("value",)


class EndsWithAFile(PoisonedByIndex):
    """What it does when it may end by itself."""

    def __init__(self) -> None:
        atexit.register(Path(os.environ["FAKE_END"]).touch)


class PoisonedByProbability(PoisonedByIndex):
    """What is given as a probability and is none fails it, NaN too."""

    def asserts(self, call: Call) -> bool:
        return not bool(((call.logits >= 0) & (call.logits <= 1)).all())


class PoisonedByTarget(PoisonedByIndex):
    """What is given as a target and is no probability fails it."""

    def asserts(self, call: Call) -> bool:
        return call.labels is not None and not bool(((call.labels >= 0) & (call.labels <= 1)).all())


class PoisonedByThrees(PoisonedByIndex):
    """What nobody would suspect fails it."""

    def asserts(self, call: Call) -> bool:
        return bool((call.logits == 3).any())


class PoisonedAndRefusing(PoisonedAccelerator):
    """Its CPU has no gradients."""

    def run(self, call: Call) -> Mapping[str, Array]:
        if call.device == "cpu" and "grad_logits" in call.outputs:
            raise NotImplementedError("not implemented for the CPU")
        return super().run(call)


class NoAccelerator(PoisonedAccelerator):
    """Its accelerator refuses everything, and dies of gradients."""

    def run(self, call: Call) -> Mapping[str, Array]:
        if call.device != "cpu":
            if "grad_logits" in call.outputs:
                os.kill(os.getpid(), signal.SIGKILL)
            raise NotImplementedError("not implemented for CUDA")
        return super().run(call)


class InternalErrors(Exact):
    """Under one setting every call is an error inside of it, in words that are never the same."""

    variants: ClassVar[Mapping[str, Variant]] = {
        "isa=sse4_2": Variant({"FAKE_ISA": "SSE4_2"}, "code for SSE4.2 at most"),
        "threads=4": Variant({"FAKE_THREADS": "4"}, "four threads"),
    }
    calls = 0

    def before(self, logits: Array, outputs: Sequence[str]) -> None:
        if "FAKE_ISA" in os.environ:
            self.calls += 1
            raise RuntimeError(f"INTERNAL: Failed to materialize symbols: {{ fusion.{self.calls} }}")

"""Fakes that say or return far more than was asked for."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import struct
import sys
from collections.abc import Mapping, Sequence

import numpy as np

from tests.support.fakes import Exact, guilty
from xent_conformance.frameworks.interface import Array, Call


class Endless(Exact):
    """Returns a view of 2⁴⁰ numbers, which are all one."""

    def change(self, output: str, array: Array) -> Array:
        return np.broadcast_to(array.reshape(-1)[0], (1 << 40,))


class Large(Exact):
    """Returns 2²⁵ numbers where a few were asked for."""

    def change(self, output: str, array: Array) -> Array:
        return np.zeros(1 << 25, dtype=array.dtype)


class Squared(Exact):
    """Compares each row with each, as a forgotten axis does."""

    def change(self, output: str, array: Array) -> Array:
        return np.broadcast_to(array, (len(array), *array.shape))


class WritesFrames(Exact):
    """Has found the pipe of the answers, and writes one that says that a terabyte follows."""

    def run(self, call: Call) -> Mapping[str, Array]:
        entry = {"name": "value", "dtype": "float64", "shape": [1 << 32]}
        told = json.dumps(
            {"kind": "answer", "failures": {}, "compile_s": 0, "kernel_s": 0, "arrays": [entry]}
        )
        for pipe in range(3, 16):
            with contextlib.suppress(OSError):
                os.write(pipe, b"xent" + struct.pack("<I", len(told)) + told.encode())
        return super().run(call)


class TalksByTheMegabyte(Exact):
    """Of a NaN it prints fifty megabytes, and dies."""

    def before(self, logits: Array, outputs: Sequence[str]) -> None:
        if guilty(logits):
            for _ in range(50):
                os.write(2, b"warning: something is wrong\n" * 37_000)
            print("my last words", file=sys.stderr, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)

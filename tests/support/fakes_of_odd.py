"""Frameworks that return, raise and say of themselves what nobody expects, as the environment names it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tests.support import fakes
from xent_conformance.frameworks.interface import Array, Call

HALF = "half a character \ud800"


class Unspeakable(Exception):
    """Cannot even be told."""

    def __str__(self) -> str:
        raise ValueError


class NoArray:
    """Says that it is an array, and is none."""

    def __array__(self, *_: object, **__: object) -> Array:
        raise RuntimeError("it is on the moon")


def _raise(error: Exception) -> Any:
    raise error


ODD: dict[str, Callable[[Array], Any]] = {
    "none": lambda a: None,
    "object": lambda a: object(),
    "objects": lambda a: a.astype(object),
    "text": lambda a: "0.5",
    "texts": lambda a: a.astype(str),
    "bytes": lambda a: a.tobytes(),
    "dates": lambda a: np.zeros(a.shape, "M8[s]"),
    "records": lambda a: np.zeros(a.shape, [("p", "f4"), ("q", "f4")]),
    "void": lambda a: np.zeros(a.shape, "V4"),
    "ragged": lambda a: [[0.5], [0.5, 0.5]],
    "no array": lambda a: NoArray(),
}

WHOLE: dict[str, Callable[[Mapping[str, Array]], Any]] = {
    "nothing": lambda found: None,
    "an array": lambda found: found["value"],
    "pairs": lambda found: list(found.items()),
    "another": lambda found: {"result": found["value"]},
}

HELLO: dict[str, tuple[str, Callable[[], Any]]] = {
    "no devices": ("devices", lambda: None),
    "none": ("devices", list),
    "numbers": ("devices", lambda: [0]),
    "text": ("devices", lambda: "cpu"),
    "twice": ("devices", lambda: ["cpu", "cpu"]),
    "raises": ("devices", lambda: _raise(RuntimeError(HALF))),
    "no version": ("version", lambda: None),
    "setting": ("environment", lambda: {"threads": 4}),
    "lacks": ("missing", lambda: ["jit"]),
}


class Odd(fakes.Exact):
    """Odd in the way that the environment names; its gradients, and other operators, are right."""

    def run(self, call: Call) -> Any:
        how = os.environ["ODD"]
        found = super().run(call)
        if call.implementation.operator != "softmax" or "value" not in call.outputs:
            return found
        if how in ODD:
            return {**found, "value": ODD[how](found["value"])}
        return WHOLE[how](found)


class Mute(fakes.Exact):
    """Raises what cannot be told, or what has half a character in it."""

    def before(self, logits: Array, outputs: Sequence[str]) -> None:
        if fakes.guilty(logits):
            raise Unspeakable
        if logits[0, 0] == 1:
            raise ValueError(HALF)


class Writes(fakes.Exact):
    """Of a NaN it writes on every pipe that it finds, and reads what is not for it."""

    def before(self, logits: Array, outputs: Sequence[str]) -> None:
        if fakes.guilty(logits):
            os.read(0, 100)
            for descriptor in range(3, 30):
                with contextlib.suppress(OSError):
                    os.write(descriptor, b"loading kernels: 100%\n" * 10)


class Hello(fakes.Exact):
    """Says of itself what cannot be."""

    def __init__(self) -> None:
        method, given = HELLO[os.environ["ODD"]]
        setattr(self, method, given)

"""The floating-point state of a thread: how it rounds, and whether it flushes what is subnormal to zero.

It belongs to the thread and not to a call: whoever changes it and leaves it so changes the results of
everybody who computes in that thread after. It is looked at by computing, which every system does alike.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
from collections.abc import Callable
from typing import Any

_ONE, _MINUS_ONE = 1.0, -1.0
_HALF_ULP, _QUARTER_ULP = 2.0**-53, 2.0**-54
_SMALLEST_NORMAL, _SUBNORMAL = 2.0**-1022, 2.0**-1060
_HALF, _LARGE = 0.5, 2.0**60

LARGEST_STATE = 256
"""Bytes that a ``fenv_t`` has at most; it has 8 to 32."""

ROUNDING, FLUSHING = "thread's rounding mode", "thread's flush to zero"
"""What may be changed, as a message names it."""

State = tuple[tuple[bool, bool, bool], tuple[bool, bool]]
"""How it rounds: up, down, or towards zero; what is flushed: results, operands."""


def state() -> State:
    """The state of this thread, by what comes of five operations. Rounding to nearest is False thrice."""
    rounding = (
        _ONE + _HALF_ULP != _ONE,
        _MINUS_ONE - _HALF_ULP != _MINUS_ONE,
        _ONE - _QUARTER_ULP != _ONE,
    )
    return rounding, (_SMALLEST_NORMAL * _HALF == 0.0, _SUBNORMAL * _LARGE == 0.0)


USUAL: State = ((False, False, False), (False, False))
"""As IEEE 754 has it, and every program that changes nothing."""


def changed(before: State, after: State) -> list[str]:
    """The names of what is otherwise."""
    return [name for name, a, b in zip((ROUNDING, FLUSHING), before, after, strict=True) if a != b]


class Kept:
    """The state of the thread that makes it; it can be brought back."""

    def __init__(self) -> None:
        self.state = state()
        self._saved = ctypes.create_string_buffer(LARGEST_STATE)
        self._whole = _call("fegetenv", self._saved)

    def restore(self) -> list[str]:
        """The names of what this thread has otherwise, which is then as it was."""
        found = changed(self.state, state())
        if found and self._whole:
            _call("fesetenv", self._saved)
        return found


@functools.cache
def _functions() -> Any:
    """The library of C's <fenv.h>; None where there is none."""
    for name in ("ucrtbase",) if os.name == "nt" else (None, "libm.so.6"):
        with contextlib.suppress(OSError, AttributeError):
            library = ctypes.CDLL(name)
            if library.fegetenv and library.fesetenv:
                return library
    return None


def _call(name: str, argument: ctypes.Array[ctypes.c_char]) -> bool:
    """Whether the function is there and has done it."""
    library = _functions()
    function: Callable[..., int] | None = None if library is None else getattr(library, name)
    return function is not None and function(argument) == 0

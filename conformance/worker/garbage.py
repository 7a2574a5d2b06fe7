"""When garbage is collected in a process of ours: seldom, as there are many objects and few rings of them.

Where a process ends, nothing is: the system takes all of it back.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

OBJECTS = 20_000
"""When there are so many more, they are looked at; Python's own number is 700 or 2,000."""

LARGE = 2**22
"""Bytes of a batch's arrays; what its calls have left goes at once, for memory is what is short then."""


def seldom() -> None:
    """From now on."""
    gc.set_threshold(OBJECTS, 10, 10)


@contextlib.contextmanager
def nothing_to_collect() -> Iterator[None]:
    """What an import makes stays: the collector would walk all of it again and again."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        seldom()
        gc.enable()


def collect_after(arrays: Mapping[str, Any]) -> None:
    """Once a batch of these arrays is answered."""
    if sum(array.nbytes for array in arrays.values()) >= LARGE:
        gc.collect()


def ending_at_once() -> Callable[[int], None]:
    """``leave(status)``: the process will end so, with what is registered for its end and what is printed,
    and take no module apart.

    To be called before anybody registers anything: what was registered first is done last. What nobody can
    write any more is told as Python tells it, which takes all apart then.
    """
    said: list[int] = []

    def end() -> None:
        if not said:
            return
        with contextlib.suppress(OSError, ValueError):
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
            os._exit(said[-1])

    atexit.register(end)
    return said.append

"""When a worker's garbage is collected: seldom, as frameworks make many objects and few rings of them."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator, Mapping
from typing import Any

OBJECTS = 20_000
"""When there are so many more, they are looked at; Python's own number is 700 or 2,000. The workers of a
second ``quick`` of PyTorch, JAX and TensorFlow spend a fifteenth less with it."""

LARGE = 2**22
"""Bytes of a batch's arrays; what its calls have left goes at once, for memory is what is short then."""


@contextlib.contextmanager
def nothing_to_collect() -> Iterator[None]:
    """What an import makes stays: the collector would walk all of it again and again, and when we end.

    That is two fifths of what it costs to start and end a worker of TensorFlow.
    """
    gc.disable()
    try:
        yield
    finally:
        keep_all()
        gc.set_threshold(OBJECTS, 10, 10)
        gc.enable()


def keep_all() -> None:
    """What is there now is not walked any more."""
    gc.freeze()


def collect_after(arrays: Mapping[str, Any]) -> None:
    """Once a batch of these arrays is answered."""
    if sum(array.nbytes for array in arrays.values()) >= LARGE:
        gc.collect()

"""Packages that are installed, and not imported: a worker imports what its framework needs, and no other's.

TensorFlow imports JAX where it is, for a converter to phones, and Keras, for completion in an editor; Keras
imports TensorFlow, whatever its backend is: seconds of every start, for what nobody asks.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator
from typing import Any


def made(kind: Any) -> Any:
    """An adapter of the class, made where what it does ``without`` is hidden."""
    with hidden(without_of(kind)):
        return kind()


def without_of(kind: Any) -> tuple[str, ...]:
    """What the class itself does without: those above it speak for themselves alone."""
    return tuple(vars(kind).get("without", ()))


@contextlib.contextmanager
def hidden(packages: Iterable[str]) -> Iterator[None]:
    """To import one of these fails, as where it is not installed; what is imported already stays."""
    absent = [name for name in packages if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]  # the import system knows None
    try:
        yield
    finally:
        for name in absent:
            if sys.modules.get(name, absent) is None:
                del sys.modules[name]

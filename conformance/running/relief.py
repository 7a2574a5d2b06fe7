"""Memory that nobody uses any more goes back to the machine, while a run goes on and when it ends."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import sys
import time

import polars as pl

from xent_conformance.running.paged import Paged

SECONDS = 0.25
"""So long nothing is given back again: it takes milliseconds, and is asked for between all that is done."""


class Relief:
    """Called between two things that are done: what the first has left is not held while the next is done.

    In a run of a corpus that takes little room nothing is done.
    """

    def __init__(self, paged: Paged) -> None:
        self._paged, self._last = paged, 0.0

    def put(self, column: pl.Series) -> pl.Series:
        """A column of the verdicts, where it is out of the way. Raises RunFileError."""
        return self._paged.column(column)

    def __call__(self) -> None:
        now = time.monotonic()
        if self._paged.large and now - self._last > SECONDS:
            self._last = now
            self._paged.let_go()
            give_back()


def give_back() -> None:
    """What this process has freed and its C library keeps for later goes back to the machine.

    Arrays of all sizes come and go while answers are judged; glibc gives back by itself what is at an end of
    its heaps, and keeps what lies between.
    """
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError):  # another C library has no such function
            ctypes.CDLL(None).malloc_trim(0)


def give_back_all(paged: Paged) -> None:
    """The same of what nobody can reach any more, which may hold itself, and of what lies in the file.

    It takes tenths of a second, and more in a process that has much else: not for a corpus that takes little.
    """
    if paged.large:
        gc.collect()
        paged.let_go()
        give_back()

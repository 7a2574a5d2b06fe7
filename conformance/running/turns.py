"""Who answers next where more workers are there than processors: who is furthest behind.

Every seat has a worker from the beginning, and what they answer is compared, so all go through the corpus
side by side and come to the end together. Were processors shared among them as the system does it, whoever
has most to compile would be left to the end, alone.
"""

from __future__ import annotations

import threading
import time

PATIENCE = 1.0
"""Seconds that anybody waits; then it answers beside the others, one of which may hang."""


class Turns:
    """``many`` answer at a time."""

    def __init__(self, many: int) -> None:
        self._free = many
        self._waiting: dict[object, float] = {}
        self._changed = threading.Condition()

    def begin(self, progress: float) -> None:
        """Wait for a turn of one that has answered this part of its questions."""
        me, until = object(), time.monotonic() + PATIENCE
        with self._changed:
            self._waiting[me] = progress
            while self._free < 1 or min(self._waiting, key=self._waiting.__getitem__) is not me:
                if (left := until - time.monotonic()) <= 0:
                    break
                self._changed.wait(left)
            del self._waiting[me]
            self._free -= 1
            self._changed.notify_all()

    def end(self) -> None:
        """It has answered."""
        with self._changed:
            self._free += 1
            self._changed.notify_all()

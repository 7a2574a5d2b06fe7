"""Keeps what was made last, as much of it as a number of bytes allows."""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

Made = TypeVar("Made")


class Recent(Generic[Made]):
    """A function of few things whose results are of very different sizes: those of the last calls are kept.

    ``functools.lru_cache`` counts results. Here they have ``limit`` bytes together, and what is larger by
    itself is not kept.
    """

    def __init__(self, make: Callable[..., Made], limit: int, size: Callable[[Made], int]) -> None:
        functools.update_wrapper(self, make)
        self._make, self._limit, self._size = make, limit, size
        self._lock = threading.Lock()
        self.forget()

    def __call__(self, *given: object) -> Made:
        with self._lock:
            if given in self._kept:
                self._kept.move_to_end(given)
                return self._kept[given][0]
        made = self._make(*given)
        self.know(made, *given)
        return made

    def know(self, made: Made, *given: object) -> None:
        """It is what the function gives of these: made by the call, or by an earlier process."""
        with self._lock:
            if given not in self._kept and (bytes_ := self._size(made)) <= self._limit:
                self._kept[given] = made, bytes_
                self._held += bytes_
                while self._held > self._limit:
                    self._held -= self._kept.popitem(last=False)[1][1]

    def forget(self) -> None:
        """Nothing is kept: whoever asks has it made anew."""
        with self._lock:
            self._kept: OrderedDict[tuple[object, ...], tuple[Made, int]] = OrderedDict()
            self._held = 0


def recent(limit: int, size: Callable[[Made], int]) -> Callable[[Callable[..., Made]], Recent[Made]]:
    """Of a function, :class:`Recent` with that limit."""
    return lambda make: Recent(make, limit, size)

"""Keeps what was made last, as much of it as a number of bytes allows."""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

Made = TypeVar("Made")


def recent(limit: int, size: Callable[[Made], int]) -> Callable[[Callable[..., Made]], Callable[..., Made]]:
    """Of a function of few things whose results are of very different sizes, those of the last calls.

    ``functools.lru_cache`` counts results. Here they have ``limit`` bytes together, and what is larger by
    itself is not kept.
    """

    def keeping(make: Callable[..., Made]) -> Callable[..., Made]:
        kept: OrderedDict[tuple[object, ...], tuple[Made, int]] = OrderedDict()
        held, lock = 0, threading.Lock()

        @functools.wraps(make)
        def called(*given: object) -> Made:
            nonlocal held
            with lock:
                if given in kept:
                    kept.move_to_end(given)
                    return kept[given][0]
            made = make(*given)
            with lock:
                if given not in kept and (bytes_ := size(made)) <= limit:
                    kept[given] = made, bytes_
                    held += bytes_
                    while held > limit:
                        held -= kept.popitem(last=False)[1][1]
            return made

        return called

    return keeping

"""How long an answer is waited for, and when a framework that stays silent is not asked any more.

A silence costs ``--timeout`` seconds. An implementation that answers nothing in three questions in a row, or
stays silent in ten calls, is given up, and so is a framework that stays silent in thirty: what is left of it
is not asked, and has one message. By default a framework cannot keep a run waiting for more than 2.5 hours.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field

ANSWER_SECONDS = 300.0
"""An answer is waited for so long, where nothing else is asked for."""

IN_A_ROW = 3
OF_AN_IMPLEMENTATION = 10
OF_A_FRAMEWORK = 30

Door = tuple[str, str, str, str]
"""Implementation, operator, mode and device."""


@dataclass
class Patience:
    """What silences a worker's framework has cost; it outlives the worker, and several may share it."""

    _in_a_row: Counter[Door] = field(default_factory=Counter)
    _calls: Counter[Door] = field(default_factory=Counter)
    _given_up: dict[Door | None, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def silent(self, door: Door, words: str) -> None:
        """A call of it was not answered in time, in those words."""
        with self._lock:
            self._calls[door] += 1
            if (calls := self._calls[door]) >= OF_AN_IMPLEMENTATION:
                self._given_up.setdefault(door, f"not asked any more, after {calls} calls of {words}")
            if (total := self._calls.total()) >= OF_A_FRAMEWORK:
                told = f"not asked any more, after {total} calls of its framework of {words}"
                self._given_up.setdefault(None, told)

    def nothing_answered(self, door: Door, words: str) -> None:
        """A whole question was not answered, row by row or at all."""
        with self._lock:
            self._in_a_row[door] += 1
            if self._in_a_row[door] >= IN_A_ROW:
                told = f"not asked any more, after {IN_A_ROW} questions in a row of {words}"
                self._given_up.setdefault(door, told)

    def answered(self, door: Door) -> None:
        """It does answer."""
        with self._lock:
            self._in_a_row[door] = 0

    def given_up(self, door: Door) -> str:
        """Why it is not asked any more; empty where it still is."""
        return self._given_up.get(door) or self._given_up.get(None, "")

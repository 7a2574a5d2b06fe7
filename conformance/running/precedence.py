"""Who answers at full priority: those with the most to do, whom the others are not to keep waiting.

A run ends when its slowest worker does. :mod:`.turns` says who is asked next; what the system gives a worker
while it answers, imports or compiles beside others is its priority. So many seats as there
are jobs but one, and at least one, have it; what is left of the cores the others share with this process.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Mapping

from xent_conformance.worker.priority import WORKER, give_way


class Precedence:
    """Knows the processes of seats, and lowers those that give way: the ones there are, and those to come."""

    def __init__(self, jobs: int) -> None:
        self._full = max(jobs - 1, 1)
        self._lock = threading.Lock()
        self._pids: defaultdict[str, list[int]] = defaultdict(list)
        self._behind: frozenset[str] = frozenset()

    def opened(self, seat: str, pid: int) -> None:
        """A process of the seat has just been started; whoever was before it has ended, or is as this one."""
        with self._lock:
            self._pids[seat].append(pid)
            if seat in self._behind:
                give_way(pid, WORKER)

    def gives_way(self, seat: str) -> bool:
        """Whether it answers what others leave it, and in its turn."""
        return seat in self._behind

    def settle(self, seconds: Mapping[str, float]) -> None:
        """All but those whose seats take longest give way. Said once, of the seats of a run."""
        ordered = sorted(seconds, key=lambda seat: (-seconds[seat], seat))
        with self._lock:
            self._behind = frozenset(ordered[self._full :])
            for seat in self._behind:
                for pid in self._pids[seat]:
                    give_way(pid, WORKER)

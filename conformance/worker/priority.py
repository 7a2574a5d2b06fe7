"""Processes that give way to others: they fill what cores have left."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

WORKER, CERTIFIER = 10, 15
"""By so much lower is the priority of who gives way, where a system has that."""


def give_way(leader: int, by: int) -> None:
    """Of a process that leads a session, and of all in its group; of one that has ended, nothing.

    Where Linux shares a processor among sessions first, it is the session's (sched(7)).
    """
    with contextlib.suppress(OSError, AttributeError):  # Windows has no such thing
        now = os.getpriority(os.PRIO_PROCESS, leader)
        os.setpriority(os.PRIO_PGRP, leader, now + by)
    with contextlib.suppress(OSError):
        Path(f"/proc/{leader}/autogroup").write_text(str(by), encoding="ascii")

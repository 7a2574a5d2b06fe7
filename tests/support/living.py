"""Whether processes live, and waiting for what they do."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

PATIENCE = 60.0
"""Seconds after which nothing happens any more: other tests run beside this one."""


def alive(pid: int) -> bool:
    """Not ended, and not a body that nobody has buried."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:  # it has ended meanwhile, or this system has no such files
        return not Path("/proc/self/stat").exists()


def wait_for(there: Callable[[], object], seconds: float = 4 * PATIENCE) -> None:
    """Return when it is there; an assertion fails where it does not come."""
    deadline = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.05)

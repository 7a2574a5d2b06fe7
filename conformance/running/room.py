"""How much memory a worker holds, and how much there is to be had; where the system does not say, None.

Linux says both. A container's limit counts where it is smaller than what the machine has.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

RESERVE = 2**29
"""Bytes that are left to the rest of the machine: the suite's own process, and whoever else works there."""

_PROC = Path("/proc")
_GROUPS = Path("/sys/fs/cgroup")


def available(proc: Path = _PROC, groups: Path = _GROUPS) -> int | None:
    """Bytes that a new process may take without anything being driven out; None where nobody says."""
    told = (_of_machine(proc), *_of_groups(proc, groups))
    return min((each for each in told if each is not None), default=None)


def held(leader: int, proc: Path = _PROC) -> int | None:
    """Bytes in memory of the process and of its group, which a worker leads; None where nobody says."""
    page, whole, found = _page(), 0, False
    for entry in proc.glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):  # it has ended meanwhile
            # the name, in brackets, may hold anything
            fields = entry.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            if int(fields[2]) == leader:
                whole, found = whole + page * int(fields[21]), True
    return whole if found else None


def _page() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not POSIX
        return 4096


def _of_machine(proc: Path) -> int | None:
    for line in _lines(proc / "meminfo"):
        name, _, rest = line.partition(":")
        if name == "MemAvailable":
            return int(rest.split()[0]) * 1024
    return None


def _of_groups(proc: Path, groups: Path) -> list[int | None]:
    """What each control group that we are in has left; files that can be read again count as free."""
    found: list[int | None] = []
    for line in _lines(proc / "self" / "cgroup"):
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            top, names = groups, ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            top = groups / "memory"
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        else:
            continue
        here = top / path.strip("/")
        # in a container our own group may be what is mounted at the top
        for folder in dict.fromkeys((here, *here.parents, top)):
            if folder.is_relative_to(top):
                found.append(_left(folder, *names))
    return found


def _left(folder: Path, limit: str, current: str, idle: str) -> int | None:
    try:
        most = int((folder / limit).read_text())  # "max": there is none
        used = int((folder / current).read_text())
    except (OSError, ValueError):
        return None
    again = dict(line.split()[:2] for line in _lines(folder / "memory.stat") if len(line.split()) > 1)
    return max(most - used + int(again.get(idle, 0)), 0)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []

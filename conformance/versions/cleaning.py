"""Taking away what the suite keeps between runs.

What is not ours is left, and so is what another process makes or uses.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from xent_conformance.versions.kept import GOING, Entry, Kind
from xent_conformance.worker import compiled

DAY = 86_400.0
"""Seconds."""


@dataclass(frozen=True)
class Cleaned:
    """What was taken away, and what was left with the reason."""

    gone: tuple[Entry, ...]
    left: tuple[tuple[Entry, str], ...]

    @property
    def freed(self) -> int:
        """Bytes."""
        return sum(e.size for e in self.gone)


def clean(kind: Kind, *, older_than: float | None = None, now: float | None = None) -> Cleaned:
    """Take away what is ours, or of that what was not used for so many days."""
    today = time.time() if now is None else now
    gone: list[Entry] = []
    left: list[tuple[Entry, str]] = []
    for entry in kind.found():
        if older_than is not None and today - entry.used < older_than * DAY:
            continue
        why = _taken_away(kind, entry)
        if why:
            left.append((entry, why))
        else:
            gone.append(entry)
    return Cleaned(tuple(gone), tuple(left))


def _taken_away(kind: Kind, entry: Entry) -> str:
    """Why it could not be taken away; empty where it was."""
    if user := _user(entry.path):
        return f"process {user} uses it"
    if not kind.locked:
        return _removed(kind, entry)
    lock = FileLock(entry.path.with_name(f"{entry.path.name.removesuffix(GOING)}.lock"))
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return "another process is making it"
    except OSError as error:
        return f"its lock cannot be taken: {error.strerror}"
    try:
        return _removed(kind, entry)
    finally:
        lock.release()


def _removed(kind: Kind, entry: Entry) -> str:
    """Renamed first: what is half gone is never taken for whole. Of files each is whole or gone."""
    going = entry.path.with_name(f"{entry.path.name.removesuffix(GOING)}{GOING}")
    try:
        if kind.ours is not None:
            for file in entry.files:
                file.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # another's lies there, or a run has written what it made anew
                entry.path.rmdir()
        else:
            _away(going)  # what an interrupted one has left
            with contextlib.suppress(FileNotFoundError):  # another has taken it away
                entry.path.rename(going)
            _away(going)
    except OSError as error:
        return f"it cannot be taken away: {error.strerror}"
    return ""


def _away(folder: Path) -> None:
    """All of it, also where another takes it away at the same time."""
    while folder.exists():
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(folder)


def _user(folder: Path) -> int:
    """A process that was started with something of the folder, or says there that it uses it; else 0.

    Where the system lists processes.
    """
    for mark in folder.glob(f"*{compiled.USER}"):
        if Path("/proc", mark.stem).is_dir():
            return int(mark.stem)
    itself, inside = os.fsencode(folder), os.fsencode(f"{folder}{os.sep}")
    for words in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # ended, or another's
            told = words.read_bytes()
            # a word may be several folders, as those that are lent to a worker are
            named = {*told.split(b"\0"), *told.replace(os.fsencode(os.pathsep), b"\0").split(b"\0")}
            if any(word == itself or word.startswith(inside) for word in named):
                return int(words.parent.name)
    return 0

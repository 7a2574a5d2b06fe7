"""What waits for others, by name: in memory while all of it is little, and beyond that on disk."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from xent_conformance.running.unnamed import unnamed

Row = tuple[Any, ...]

MOST = 2**25
"""Bytes that are held in memory."""


class Shelf:
    """Rows under names; where they are more than ``most`` bytes, the largest are in an unnamed file."""

    def __init__(self, folder: Path | None = None, most: int = MOST) -> None:
        """``folder``: where the file lies; unsaid, where temporary files do, which may be memory."""
        self._folder, self._most = folder, most
        self._rows: dict[str, list[Row]] = {}
        self._sizes: dict[str, int] = {}
        self._held = 0
        self._away: dict[str, list[int]] = {}
        """Where in the file rows of a name begin, each lot of them."""
        self._file: IO[bytes] | None = None

    def __iter__(self) -> Iterator[str]:
        """The names, whoever waits longest first."""
        return iter({**self._away, **self._rows})

    def add(self, name: str, row: Row, size: int) -> None:
        """One more row under a name; ``size``: its bytes."""
        self._rows.setdefault(name, []).append(row)
        self._sizes[name] = self._sizes.get(name, 0) + size
        self._held += size
        while self._held > self._most:
            self._put_away(max(self._sizes, key=lambda longest: self._sizes[longest]))

    def taken(self, name: str) -> list[Row]:
        """All rows under the name, in their order; there are none afterwards."""
        rows = []
        for begin in self._away.pop(name, ()):
            assert self._file is not None  # in which they are
            self._file.seek(begin)
            rows += pickle.load(self._file)  # which has no name: nobody else writes it
        rows += self._rows.pop(name, [])
        self._held -= self._sizes.pop(name, 0)
        if self._file is not None and not self._away:
            self._file.seek(0)
            self._file.truncate()
        return rows

    def _put_away(self, name: str) -> None:
        try:
            if self._file is None:
                self._file = unnamed(self, self._folder)
            begin = self._file.seek(0, os.SEEK_END)
            # at once, and not through a buffer: what a full disk did not take would be written by what reads
            left = memoryview(pickle.dumps(self._rows[name], protocol=pickle.HIGHEST_PROTOCOL))
            while left:
                left = left[os.write(self._file.fileno(), left) :]
        except OSError:  # a disk that is full, or may not be written: memory is what is left
            self._most = sys.maxsize
            return
        self._away.setdefault(name, []).append(begin)
        del self._rows[name]
        self._held -= self._sizes.pop(name)

"""A file that nobody else finds, whose bytes are in memory while they are looked at."""

from __future__ import annotations

import mmap
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from xent_conformance.reports.run.unusable import RunFileError
from xent_conformance.running.unnamed import unnamed

_ALIGNED = mmap.ALLOCATIONGRANULARITY


class Pages:
    """Maps of an unnamed file: what is written together is mapped together."""

    def __init__(self, folder: Path | None = None) -> None:
        """``folder``: where the file lies; unsaid, where temporary files do, which may be memory."""
        self._folder = folder
        self._file: IO[bytes] | None = None
        self._maps: list[mmap.mmap] = []

    def __bool__(self) -> bool:
        """Whether anything is in the file."""
        return bool(self._maps)

    def add(self, lots: Iterable[bytes | memoryview]) -> mmap.mmap:
        """The new end of the file, where these lie one behind the other. Raises OSError if it takes none."""
        if self._file is None:
            self._file = unnamed(self, self._folder)
        begin = -(-self._file.seek(0, 2) // _ALIGNED) * _ALIGNED
        self._file.seek(begin)
        self._file.writelines(lots)
        self._file.flush()
        size = self._file.tell() - begin
        page = mmap.mmap(self._file.fileno(), size, offset=begin, access=mmap.ACCESS_READ)
        self._maps.append(page)
        return page

    def let_go(self) -> None:
        """What was looked at need not stay in memory."""
        for page in self._maps:
            let_go(page)


def let_go(page: mmap.mmap) -> None:
    """What was looked at of one map need not stay in memory."""
    if hasattr(mmap, "MADV_DONTNEED"):  # elsewhere the system takes it when it needs room
        page.madvise(mmap.MADV_DONTNEED)


def damaged(what: str) -> RunFileError:
    """What to say where the file has other bytes than were written."""
    return RunFileError(
        f"{what} was put on the disk while the run went on, and comes back as something else: --resume goes "
        "on with what is answered; see to the disk first, or name another with -o"
    )

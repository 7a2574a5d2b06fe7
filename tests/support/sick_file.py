"""Unnamed files on a disk that changes what it is given, or takes no more."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable
from typing import IO, Any

import pytest

from xent_conformance.running import pages
from xent_conformance.running.unnamed import unnamed


class Sick:
    """A file that takes what it is given, changed, for the bytes from ``well`` on."""

    def __init__(self, file: IO[bytes], change: Callable[[bytes], bytes], well: int = 0) -> None:
        self._file, self._change, self._well = file, change, well

    def write(self, some: bytes) -> int:
        self._well -= len(some)
        return self._file.write(some if self._well >= 0 or not some else self._change(some))

    def writelines(self, lots: Iterable[bytes]) -> None:
        for some in lots:
            self.write(some)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def flipped(some: bytes) -> bytes:
    """Its first bit is another."""
    return bytes([some[0] ^ 1]) + some[1:]


def cut_short(some: bytes) -> bytes:
    """Its end is missing."""
    return some[:-8]


def full(some: bytes) -> bytes:
    """The disk takes no more."""
    raise OSError(errno.ENOSPC, "No space left on device")


def on(monkeypatch: pytest.MonkeyPatch, change: Callable[[bytes], bytes], well: int = 0) -> None:
    """Files of runs are such files."""
    monkeypatch.setattr(pages, "unnamed", lambda *given: Sick(unnamed(*given), change, well))

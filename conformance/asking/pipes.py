"""The two pipes of a worker, read and written with a deadline, on every system.

A deadline is not all: a worker may be dead while what it has forked holds its ends of the pipes, so that
nothing ever ends. Whoever waits looks up, and asks whether the worker lives.
"""

from __future__ import annotations

import contextlib
import importlib
import math
import os
import queue
import threading
import time
from collections.abc import Callable
from typing import IO, Literal, Protocol

LOOKS_UP = 0.2
"""Seconds after which one that waits asks whether the worker lives."""


AT_ONCE = 1 << 16
"""Bytes that are read at once, at most. A frame is asked for in pieces, most of which are small, and there
already."""


HELD = 1 << 20
"""Bytes that a pipe is asked to hold, which Linux lets anybody have who has not many (pipe(7)): the answers
to a batch lie there while those before are looked at, and whoever gave them goes on."""


class Pipes(Protocol):
    """Streams that can be waited for so long and no longer."""

    def read(self, size: int, seconds: float) -> bytes:
        """What is there, at most ``size`` bytes; nothing at the end. Raises TimeoutError."""

    def write(self, data: memoryview, seconds: float) -> int:
        """How many bytes were taken. Raises TimeoutError for none, BrokenPipeError where nobody reads."""


class Selecting:
    """Pipes of POSIX, which the system watches for us."""

    def __init__(self, source: IO[bytes], sink: IO[bytes]) -> None:
        self._source, self._sink = source, sink
        self._rest = b""
        os.set_blocking(sink.fileno(), False)
        _widen(source.fileno())
        _widen(sink.fileno())

    def read(self, size: int, seconds: float) -> bytes:
        """See :class:`Pipes`."""
        if not self._rest:
            if not _ready(self._source, "POLLIN", seconds):
                raise TimeoutError
            self._rest = os.read(self._source.fileno(), AT_ONCE)
        found, self._rest = self._rest[:size], self._rest[size:]
        return found

    def write(self, data: memoryview, seconds: float) -> int:
        """See :class:`Pipes`."""
        if not _ready(self._sink, "POLLOUT", seconds):
            raise TimeoutError
        try:
            return os.write(self._sink.fileno(), data)
        except BlockingIOError:
            raise TimeoutError from None


def _ready(pipe: IO[bytes], event: Literal["POLLIN", "POLLOUT"], seconds: float) -> bool:
    """Whether it comes within so long, whatever number the system has given the pipe."""
    import select  # not at the top: Windows has no poll

    watched = select.poll()
    watched.register(pipe, getattr(select, event))
    return bool(watched.poll(math.ceil(1000 * seconds)))


def _widen(pipe: int) -> None:
    """Let a pipe hold more, where the system has that and has the room: one of the usual size will do."""
    # a module of POSIX, a number of Linux alone, and much may be promised to others
    with contextlib.suppress(ImportError, AttributeError, OSError):
        fcntl = importlib.import_module("fcntl")
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, HELD)


class Pumped:
    """Pipes that threads read and write, for systems on which one cannot wait for them."""

    def __init__(self, source: IO[bytes], sink: IO[bytes]) -> None:
        self._chunks: queue.Queue[bytes] = queue.Queue(maxsize=16)
        self._rest = b""
        self._sink = sink
        self._writing: threading.Thread | None = None
        self._broken = False
        threading.Thread(target=self._pump, args=(source,), name="read-worker", daemon=True).start()

    def _pump(self, stream: IO[bytes]) -> None:
        chunk = b"."
        while chunk:
            try:
                chunk = os.read(stream.fileno(), AT_ONCE)
            except (OSError, ValueError):  # closed
                chunk = b""
            self._chunks.put(chunk)

    def read(self, size: int, seconds: float) -> bytes:
        """See :class:`Pipes`."""
        if not self._rest:
            try:
                self._rest = self._chunks.get(timeout=seconds)
            except queue.Empty:
                raise TimeoutError from None
            if not self._rest:
                self._chunks.put(b"")  # the end stays the end
        found, self._rest = self._rest[:size], self._rest[size:]
        return found

    def write(self, data: memoryview, seconds: float) -> int:
        """See :class:`Pipes`. What a thread has begun to write is taken, and waited for the next time."""
        begun = self._writing
        if begun is not None:
            begun.join(seconds)
            if begun.is_alive():
                raise TimeoutError
        if self._broken:
            raise BrokenPipeError
        self._writing = threading.Thread(
            target=self._push, args=(bytes(data),), name="write-worker", daemon=True
        )
        self._writing.start()
        return len(data)

    def _push(self, data: bytes) -> None:
        try:
            while data:
                data = data[os.write(self._sink.fileno(), data) :]
        except (OSError, ValueError):  # nobody reads any more, or it is closed
            self._broken = True


pipes: type[Selecting] | type[Pumped] = Pumped if os.name == "nt" else Selecting
"""How this system waits for a worker."""


class Bounded:
    """A stream for one frame: TimeoutError past the deadline, and an end where the worker has ended."""

    def __init__(self, pipes: Pipes, seconds: float, ended: Callable[[], bool]) -> None:
        self._pipes, self._ended = pipes, ended
        self._end = time.monotonic() + seconds

    @property
    def _wait(self) -> float:
        return min(max(self._end - time.monotonic(), 0.0), LOOKS_UP)

    def read(self, size: int) -> bytes:
        """What is there; nothing where it has ended, whoever else holds the pipe."""
        ended = False
        while True:
            with contextlib.suppress(TimeoutError):
                return self._pipes.read(size, self._wait)
            if ended:  # and what it had said before is read
                return b""
            ended = self._ended()
            if not ended:
                self._check()

    def write(self, data: bytes) -> None:
        """All of it. Raises BrokenPipeError where the worker has ended, whoever else holds the pipe."""
        left = memoryview(data)
        while left:
            try:
                left = left[self._pipes.write(left, self._wait) :]
            except TimeoutError:
                if self._ended():
                    raise BrokenPipeError from None
                self._check()

    def flush(self) -> None:
        """Nothing is kept back."""

    def _check(self) -> None:
        if time.monotonic() >= self._end:
            raise TimeoutError

"""The error stream of a worker: read as it comes, and its end kept, however much a framework prints."""

from __future__ import annotations

import contextlib
import os
import threading

KEPT = 1 << 16
"""Bytes of it that are kept, the last."""

SECONDS = 1.0
"""What a worker has said is read to its end within so long, or what it has started goes on saying more."""


class LastWords:
    """``sink`` is for the worker, and is let go of by :meth:`begun` when it has it."""

    def __init__(self) -> None:
        source, self.sink = os.pipe()
        self._kept = b""
        self._reader = threading.Thread(target=self._read, args=(source,), name="read-errors", daemon=True)
        self._reader.start()

    def begun(self) -> None:
        """The worker has its end: ours would keep the stream open for ever."""
        os.close(self.sink)

    def _read(self, source: int) -> None:
        with contextlib.suppress(OSError), open(source, "rb", buffering=0) as stream:
            while chunk := stream.read(KEPT):
                self._kept = (self._kept + chunk)[-KEPT:]

    def text(self) -> str:
        """What was said last. For when the worker has ended."""
        self._reader.join(SECONDS)
        return self._kept.decode(errors="replace")

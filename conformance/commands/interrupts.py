"""Ctrl-C at any moment ends in a line and its status, whatever it has broken on its way.

An extension module that is interrupted while it is loaded raises ImportError, or something else: nobody can
tell that from a broken installation but who has seen the signal.
"""

from __future__ import annotations

import signal
import sys
from types import FrameType, TracebackType
from typing import Self

STATUS = 130


class Interrupts:
    """Ends the process in words where a signal, or what came of it, is not handled inside.

    Where Ctrl-C is ignored, in the background of a script, it stays so.
    """

    def __init__(self) -> None:
        self._seen = self._listens = False

    def __enter__(self) -> Self:
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._notice)
            self._listens = True
        return self

    def _notice(self, number: int, frame: FrameType | None) -> None:
        self._seen = True
        signal.default_int_handler(number, frame)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._listens:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        interrupted = isinstance(error, KeyboardInterrupt) or (self._seen and isinstance(error, Exception))
        if interrupted:
            sys.stderr.write("error: interrupted\n")
            sys.exit(STATUS)

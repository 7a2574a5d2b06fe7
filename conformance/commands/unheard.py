"""Who reads what is printed may stop: ``conformance gate … | head -1`` ends as the gate has decided."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class _Pipe(io.RawIOBase):
    """A descriptor that takes everything, also when nobody is at its other end any more."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream  # which closes the descriptor when it goes
        self._heard = True

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._stream.fileno()

    def isatty(self) -> bool:
        return self._stream.isatty()

    def write(self, data: ReadableBuffer, /) -> int:
        view = memoryview(data)
        if self._heard:
            try:
                return os.write(self.fileno(), view)
            except BrokenPipeError:
                self._heard = False
        return view.nbytes


def unheard(stream: TextIO) -> TextIO:
    """The same stream, for which a closed pipe is no error; one without a descriptor is as it was."""
    try:
        stream.fileno()
    except (OSError, AttributeError, ValueError):
        return stream
    return io.TextIOWrapper(
        io.BufferedWriter(_Pipe(stream)),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.isatty(),
    )

"""What is printed may reach nobody: ``conformance gate … | head -1`` ends as the gate has decided.

So does a line whose standard output is closed; a disk that is full is told once.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class _Pipe(io.RawIOBase):
    """A descriptor that takes everything, also when nobody is at its other end any more.

    What else it refuses, such as a full disk, is an error once: nothing is tried again at the end.
    """

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
            except OSError as error:
                self._heard = False
                raise OSError(error.errno, error.strerror, "standard output") from None
        return view.nbytes


def unheard(stream: TextIO | None) -> TextIO:
    """The same stream, for which a closed pipe is no error; one without a descriptor is as it was.

    None, which it is where the descriptor was closed from the start, becomes one that keeps nothing.
    """
    if stream is None:
        return Path(os.devnull).open("w", encoding="utf-8")
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

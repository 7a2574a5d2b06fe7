"""A file that nobody else finds: it has no name, and ends with whom it belongs to."""

from __future__ import annotations

import contextlib
import tempfile
import weakref
from pathlib import Path
from typing import IO


def unnamed(owner: object, folder: Path | None) -> IO[bytes]:
    """Such a file of ``owner`` in ``folder``; unsaid, where temporary files lie, which may be memory.

    Raises OSError where none can be made.
    """
    file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  # it ends with its owner
    weakref.finalize(owner, _close, file)
    return file


def _close(file: IO[bytes]) -> None:
    """What a full disk has not taken is not written now either, and nobody misses it."""
    with contextlib.suppress(OSError):
        file.close()

"""What is kept between runs, and where it lies; nothing of it is needed, and all of it can be made again.

An entry is never trusted and never an error: it carries a checksum over its place and its content, and is
made anew by whoever needs it when anything about it does not fit.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import hashlib
import os
import shutil
import tempfile
from pathlib import Path

import platformdirs


def kept_folder() -> Path:
    """Where anything is kept between runs: the platform's cache directory.

    Who has no home directory has none: a folder of this process stands for it, and goes with it.
    """
    found = Path(platformdirs.user_cache_dir("xent-conformance"))
    return found if found.is_absolute() else own_folder()


@functools.cache
def own_folder() -> Path:
    """A folder that lasts as long as this process, and that nobody else may write to."""
    made = Path(tempfile.mkdtemp(prefix="xent-conformance-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


def keep(entry: Path, body: bytes) -> None:
    """Write an entry whole or not at all. Raises OSError, and leaves nothing of it then."""
    entry.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=entry.parent)
    try:
        with os.fdopen(handle, "wb") as f:
            f.write(_checksum(entry, body) + body)
        Path(temporary).replace(entry)
    except OSError:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise


def kept(entry: Path) -> bytes | None:
    """What was kept there, or None if it is absent, torn or not what its checksum says."""
    try:
        if not entry.is_file():  # a pipe would be waited for, and a device has no end
            return None
        blob = entry.read_bytes()
    except OSError:
        return None
    checksum, body = blob[:SUM], blob[SUM:]
    if checksum != _checksum(entry, body):
        return None
    use(entry.parent)
    return body


@functools.cache
def use(folder: Path) -> None:
    """Say that what lies there is used, once: what nobody has used for long may be taken away."""
    with contextlib.suppress(OSError):  # it may be read and no more
        os.utime(folder)


SUM = hashlib.sha256().digest_size
"""Bytes of a checksum, which an entry begins with."""


def _checksum(entry: Path, body: bytes) -> bytes:
    return hashlib.sha256(f"{entry.parent.name}/{entry.name}\n".encode() + body).digest()

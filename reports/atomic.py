"""Writing a file whole or not at all, so that it lasts: it is on the disk before what it replaces goes.

What is no file, a device or a pipe, is written to: nothing may stand in its place.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UNFINISHED = r"[0-9a-f]{8}"
"""How the name of a temporary ends, behind that of the file that it is to be."""

ABANDONED = 3600.0
"""Seconds: what nobody has written to for so long is being written by nobody."""


def journal_of(out: Path) -> Path:
    """Where lies what has been answered for a file that is to be ``out``, and is not yet."""
    return out.with_name(f"{out.name}.partial")


def parts_of(out: Path) -> Path:
    """Where the parts of a run lie that is to become ``out``, and was divided among machines."""
    return out.with_name(f"{out.name}.parts")


def begun(out: Path) -> bool:
    """Whether something is there of a file that is to be ``out``."""
    with contextlib.suppress(OSError):  # its name would be too long
        return journal_of(out).is_dir() or parts_of(out).is_dir()
    return False


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary neighbour of ``path`` to write, renamed over it in the end; nothing is left of a failure.

    What a process leaves that is killed, :func:`take_away_left` takes away.
    Others may read it as the umask says. Of a link it is the file that it leads to, and of a device or a pipe
    a file elsewhere, whose bytes are then put into that. Raises OSError, which names ``path``, where the
    folder cannot be made or written, or the disk is full.
    """
    if _is_no_file(path):
        with _put_into(path) as elsewhere:
            yield elsewhere
        return
    wanted, path = path, path.resolve() if path.is_symlink() else path
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        yield temporary
        _sync(temporary)
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        _rename(error, wanted)
        raise
    finally:
        with contextlib.suppress(OSError):  # what there was to say is said
            temporary.unlink(missing_ok=True)


def take_away_left(path: Path) -> None:
    """What processes have left that were killed while they wrote ``path``; what does not go stays.

    So does what is younger than :data:`ABANDONED`: somebody may still be writing it, by another name of it.
    """
    path = path.resolve() if path.is_symlink() else path
    left = re.compile(rf"\.{re.escape(path.name)}\.{UNFINISHED}")
    with contextlib.suppress(OSError):
        for there in [p for p in path.parent.iterdir() if left.fullmatch(p.name)]:
            with contextlib.suppress(OSError):  # of this one: the others go
                young = time.time() - there.lstat().st_mtime < ABANDONED
                if there.is_file() and not there.is_symlink() and not young:
                    there.unlink()


def _is_no_file(path: Path) -> bool:
    """Whether it is there and takes bytes, but cannot be replaced: a device, a pipe."""
    return path.exists() and not path.is_file() and not path.is_dir()


@contextmanager
def _put_into(path: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="conformance-", ignore_cleanup_errors=True) as folder:
        yield (temporary := Path(folder) / "whole")
        try:
            with temporary.open("rb") as whole, path.open("wb") as sink:
                shutil.copyfileobj(whole, sink)
        except OSError as error:
            _rename(error, path)
            raise


def _rename(error: OSError, wanted: Path) -> None:
    """It names what was wanted, not what that was called meanwhile."""
    error.filename = str(wanted)
    del error.filename2  # one that is None would be printed as ``-> None``


def check_place(path: Path) -> None:
    """Raise OSError, which names the folder, where no file can be made that is called so; nothing is left.

    A folder is tried and not asked for its rights: who is root, and who mounts, may do other things than
    those say. What is not there yet would be made in the nearest that is. A device or a pipe needs no folder.
    """
    if _is_no_file(path):
        return
    folder = next(parent for parent in path.parents if parent.exists())
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        error.filename = str(folder)
        raise


def _sync(file: Path) -> None:
    """Wait until its bytes are on the disk."""
    with file.open("r+b") as written:
        os.fsync(written.fileno())


def _sync_folder(folder: Path) -> None:
    """Wait until its new name is, where a system lets a folder be opened."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")

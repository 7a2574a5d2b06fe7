"""What is made once in a test session, however many processes share it: the first to want it makes it.

The session says where (``tests/conftest.py``). Outside of one, as in a command of ``docs``, each process
makes its own.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

_folder: Path | None = None


def keep_in(folder: Path | None) -> None:
    """Where the processes of this session find each other's work."""
    global _folder
    _folder = folder


def once(name: str, make: Callable[[Path], object]) -> Path:
    """The folder of that name, which ``make(folder)`` has filled, here or in another process."""
    root = _folder or Path(tempfile.mkdtemp(prefix="tests-"))
    folder, whole = root / name, root / f"{name}.whole"
    root.mkdir(parents=True, exist_ok=True)
    with FileLock(root / f"{name}.lock"):
        if not whole.exists():
            shutil.rmtree(folder, ignore_errors=True)  # what a failure left half-made
            folder.mkdir()
            make(folder)
            whole.touch()
    return folder

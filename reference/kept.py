"""Where what is kept between runs lies; nothing of it is needed, and all of it can be made again."""

from __future__ import annotations

import atexit
import functools
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

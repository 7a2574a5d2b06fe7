"""One run for all processes of a test run: the first to come makes it, the others wait and read it.

The operating system releases a lock with the process that holds it, so nobody waits for the dead; a mark
beside it tells a run that died from one that was never begun, so that what kills one process is not
repeated in every other.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock


class RunFailed(Exception):
    """There is no run to judge; the message says why."""


def once(folder: Path, make: Callable[[Path], object]) -> Path:
    """The run file in ``folder``, which ``make(path)`` has written, here or in another process.

    Raises :class:`RunFailed`, in every process and with the same words, where ``make`` has failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    out, begun, failed = folder / "run.parquet", folder / "begun", folder / "failed"
    with FileLock(folder / "lock"):
        if failed.exists():
            raise RunFailed(failed.read_text(encoding="utf-8"))
        if out.exists():
            return out
        if begun.exists():
            raise RunFailed(
                f"the process that ran the frameworks has died ({begun.read_text(encoding='utf-8')}), so "
                "there is no run to judge; run again without -n to see how"
            )
        begun.write_text(f"process {os.getpid()}", encoding="utf-8")
        try:
            make(out)
        except BaseException as error:
            words = "the run failed, so there is nothing to judge:\n"
            words += "".join(traceback.format_exception(error))
            failed.write_text(words, encoding="utf-8")
            if isinstance(error, Exception):
                raise RunFailed(words) from error
            raise
    return out

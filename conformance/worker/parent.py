"""A worker dies with the process that started it, whatever it is doing: the system sees to it."""

from __future__ import annotations

import contextlib
import signal
import sys

_SET_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of <linux/prctl.h>


def die_with_parent() -> None:
    """On Linux, be killed when the thread that started us ends.

    Elsewhere the guardian watches over workers; who computes for a driver ends when it looks for more to do.
    """
    if sys.platform == "linux":
        with contextlib.suppress(ImportError, OSError, AttributeError):  # a Python without ctypes, or prctl
            import ctypes

            ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, int(signal.SIGKILL), 0, 0, 0)

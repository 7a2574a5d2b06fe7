"""The command line: everything that it has is in :mod:`xent_conformance.commands.line`.

Nothing is imported before Ctrl-C is listened to, and a reader who has seen enough is no failure.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys

from xent_conformance.commands.interrupts import Interrupts

_POLARS = "_RJEM_MALLOC_CONF", "dirty_decay_ms:0,muzzy_decay_ms:0"
"""How Polars' allocator is told, before it is loaded, to keep nothing that is freed."""

_ARENA_MAX = -8
"""``M_ARENA_MAX`` of glibc's malloc.h."""


def frugal() -> None:
    """This process, which is nobody else's, keeps little memory for later."""
    os.environ.setdefault(*_POLARS)
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError):  # another C library has no such function
            ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)  # one heap: each thread would keep one of its own


def main() -> None:
    """Entry point of the ``conformance`` script."""
    frugal()
    leave = None
    try:
        with Interrupts():
            from xent_conformance.commands.unheard import unheard
            from xent_conformance.worker.garbage import ending_at_once, seldom

            leave = ending_at_once()
            seldom()
            # first: where one is closed, the next file would take its number
            sys.stdout = unheard(sys.stdout)
            sys.stderr = sys.stderr or unheard(None)

            from xent_conformance.commands.line import app
            from xent_conformance.commands.plain import make_plain

            make_plain(sys.stdout, sys.stderr)
            app()
    except SystemExit as ended:
        if leave is not None and isinstance(ended.code, int):
            leave(ended.code)
        raise


if __name__ == "__main__":
    main()

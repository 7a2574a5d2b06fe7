"""Ctrl-C is Python's again after Polars was imported, which puts a handler of its own before it.

That one has the system go on with a call that it interrupts, so a wait for a lock or a process does not end
(https://github.com/pola-rs/polars/issues/21739); and what it ends itself is interrupted a second time, while
the first is told (https://github.com/pola-rs/polars/issues/23988).
"""

from __future__ import annotations

import contextlib
import signal


def heeded() -> None:
    """Put back the handler that Python knows. Elsewhere than in the main thread nothing can be put back."""
    handler = signal.getsignal(signal.SIGINT)
    if handler is not None:  # whose program we are in has one that is not Python's
        with contextlib.suppress(ValueError):
            signal.signal(signal.SIGINT, handler)

"""What a process does that computes for the driver: pickled questions come in, pickled answers go out.

What goes wrong here goes wrong for the driver as well, which then says so.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

from xent_conformance.worker.parent import die_with_parent
from xent_conformance.worker.priority import give_way


def serve(answer: Callable[[Any], object], source: BinaryIO, sink: BinaryIO) -> None:
    """Answer what comes, until the driver closes the stream; None where that cannot be done."""
    while True:
        try:
            question = pickle.load(source)
        except EOFError:
            return
        try:
            found = answer(question)
        except Exception:  # noqa: BLE001  # the driver meets it too
            found = None
        pickle.dump(found, sink, protocol=pickle.HIGHEST_PROTOCOL)
        sink.flush()


def assist(answer: Callable[[Any], object], below: int) -> None:
    """The process that :mod:`.assistant` starts; its priority is so much ``below``.

    Ctrl-C is for the driver, which ends us.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent()
    give_way(os.getpid(), below)
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever else is printed
    serve(answer, sys.stdin.buffer, sink)

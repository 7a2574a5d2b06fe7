"""A process that certifies: pickled inputs come in, their truths go into the cache, and a byte says when.

It knows the reference alone. What goes wrong here goes wrong for the driver as well, which then says so.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
from pathlib import Path
from typing import BinaryIO

from xent_conformance.reference.oracle import Oracle
from xent_conformance.worker.parent import die_with_parent
from xent_conformance.worker.priority import CERTIFIER, give_way

DONE = b"."
"""What is said of each batch, whether its truth is remembered or not."""


def serve(cache: Path, source: BinaryIO, sink: BinaryIO) -> None:
    """Certify what comes, until the driver closes the stream."""
    oracle = Oracle(cache)
    while True:
        try:
            inputs = pickle.load(source)
        except EOFError:
            return
        with contextlib.suppress(Exception):
            oracle.truth(inputs)
        sink.write(DONE)
        sink.flush()


def main() -> None:
    """Ctrl-C is for the driver, which ends us. Whoever answers comes first: certifying fills idle cores."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent()
    give_way(os.getpid(), CERTIFIER)
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever else is printed
    serve(Path(sys.argv[1]), sys.stdin.buffer, sink)

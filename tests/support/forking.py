"""A process that has imported what workers of fakes import, and forks them (:mod:`tests.support.forked`)."""

from __future__ import annotations

import gc
import importlib
import json
import os
import socket
import struct
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from tests.support.paths import ROOT

IMPORTED = ("xent_conformance.worker.serve", "tests.support.exact")
"""By every fake that answers. Not the fakes: some of them look around when they are imported."""


def send(line: socket.socket, told: Mapping[str, Any], streams: Sequence[int] = ()) -> None:
    """Say it, and give the streams along."""
    words = json.dumps(told).encode()
    socket.send_fds(line, [struct.pack("<I", len(words))], streams)
    line.sendall(words)


def receive(line: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """What is said next, with the streams that come along. Raises EOFError where nobody speaks any more."""
    size, streams, _, _ = socket.recv_fds(line, 4, 3)
    if not size:
        raise EOFError
    (length,), words = struct.unpack("<I", size), b""
    while len(words) < length:
        words += line.recv(length - len(words))
    return json.loads(words), streams


def forked(line: socket.socket) -> dict[str, Any]:
    """Fork whenever we are told to; comes back in each process that was, with what it is told."""
    while True:
        told, streams = receive(line)
        if "ended" in told:  # until somebody wants to know how, it keeps its number
            send(line, {"told": os.waitstatus_to_exitcode(os.waitpid(told["ended"], 0)[1])})
            continue
        waits, leads = os.pipe()
        pid = os.fork()
        if not pid:
            os.setsid()
            for end in (waits, leads):
                os.close(end)
            line.close()
            for place, stream in enumerate(streams):
                os.dup2(stream, place)
                os.close(stream)
            return told
        for end in (leads, *streams):
            os.close(end)
        os.read(waits, 1)  # its end: it leads a session, as one that is started does
        os.close(waits)
        send(line, {"told": pid})


def main() -> None:
    """In the process that forks: to its end. In each that is forked: what the command of a worker says."""
    paths = [folder for folder in sys.path if folder != str(ROOT)]
    gc.disable()
    for module in IMPORTED:
        importlib.import_module(module)
    gc.freeze()
    gc.enable()
    try:
        told = forked(socket.socket(fileno=int(sys.argv[1])))
    except EOFError:
        return
    os.environ.clear()
    os.environ.update(told["environment"])
    os.chdir(told["folder"])
    sys.argv[:], sys.path[:] = told["argv"], ["", *paths]
    exec(told["program"], {"__name__": "__main__"})


if __name__ == "__main__":
    main()

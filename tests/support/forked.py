"""Workers of fakes, forked by a process that has imported what each of them would: hundreds of them die.

To import NumPy is most of what a fake costs. A test of what becomes of a call that takes its process along
loses a worker for every guilty row, and how a worker starts is not what it asks. Where the system tells of
the end of a process that is no child of ours (Linux), :mod:`tests.support.forking` forks the workers of such
tests. From there on a worker goes the way of all: the same first lines, pipes, words and signals, a session
of its own, and an interpreter that ends as it likes.

One thing is different: the system shows the environment of the process that has forked it, so that what
strays from its group is not found by its mark. Tests of how workers start and end start them as users do.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.support.forking import receive, send
from tests.support.paths import ROOT
from xent_conformance.asking.process import _BOOT

BEGINS = [sys.executable, "-c", _BOOT]
"""The command of a worker under our own interpreter; what follows is for the program."""

POSSIBLE = hasattr(os, "pidfd_open")

_start = subprocess.Popen


class Forked:
    """As much of :class:`subprocess.Popen` as a worker's driver needs."""

    def __init__(self, forks: Forks, command: Sequence[str], how: Mapping[str, Any]) -> None:
        self.returncode: int | None = None
        self._forks, self._lock = forks, threading.Lock()
        source, ours = os.pipe()
        theirs, sink = os.pipe()
        told = {
            "program": command[2],
            "argv": ["-c", *command[3:]],
            "environment": dict(how["env"]),
            "folder": str(Path.cwd()),
        }
        self.pid = forks.fork(told, (source, sink, how["stderr"]))
        self._end = os.pidfd_open(self.pid)  # it keeps its number until somebody asks how it has ended
        weakref.finalize(self, os.close, self._end)
        for end in (source, sink):
            os.close(end)
        self.stdin, self.stdout = os.fdopen(ours, "wb"), os.fdopen(theirs, "rb")

    def poll(self) -> int | None:
        """How it has ended, if it has."""
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        """How it ends. Raises TimeoutExpired."""
        found = self._look(None if timeout is None else timeout * 1000)
        if found is None:
            raise subprocess.TimeoutExpired(f"worker {self.pid}", timeout or 0.0)
        return found

    def send_signal(self, number: int) -> None:
        """Send it, if it has not ended."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._end, number)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def _look(self, milliseconds: float | None) -> int | None:
        looking = select.poll()
        looking.register(self._end, select.POLLIN)
        if looking.poll(milliseconds):
            with self._lock:
                if self.returncode is None:
                    self.returncode = self._forks.ended(self.pid)
        return self.returncode


class Forks:
    """In place of ``subprocess.Popen``; the process that forks starts with the first worker."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: tuple[subprocess.Popen[bytes], socket.socket] | None = None
        self.forked = 0

    def __call__(self, command: Any, *args: Any, **how: Any) -> Any:
        """A worker is forked; everything else is started."""
        if POSSIBLE and isinstance(command, list) and command[: len(BEGINS)] == BEGINS:
            self.forked += 1
            return Forked(self, command, how)
        return _start(command, *args, **how)

    def fork(self, told: Mapping[str, Any], streams: Sequence[int]) -> int:
        """The number of a process that begins so, with these as its first streams."""
        with self._lock:
            if self._running is None:
                self._running = _begun()
            return self._asks(told, streams)

    def ended(self, pid: int) -> int:
        """How it has ended, as :mod:`subprocess` tells it."""
        with self._lock:
            return -signal.SIGKILL if self._running is None else self._asks({"ended": pid})

    def _asks(self, told: Mapping[str, Any], streams: Sequence[int] = ()) -> int:
        assert self._running is not None
        _, line = self._running
        send(line, told, streams)
        return int(receive(line)[0]["told"])

    def close(self) -> None:
        """No more of them come; those that live are killed, as the process dies that has forked them."""
        if self._running is not None:
            process, line = self._running
            line.close()
            process.wait()
            self._running = None


def _begun() -> tuple[subprocess.Popen[bytes], socket.socket]:
    line, theirs = socket.socketpair()
    words = [sys.executable, "-m", "tests.support.forking", str(theirs.fileno())]
    unbuffered = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with theirs:
        process = _start(words, cwd=ROOT, pass_fds=[theirs.fileno()], env=unbuffered)
    return process, line

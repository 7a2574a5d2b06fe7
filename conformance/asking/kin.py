"""A worker and all that its framework starts: ended together, also when we are killed.

A worker leads a session and a process group of its own, and what it starts inherits a mark in its
environment, by which Linux finds also what has left the group. A guardian, one for all workers, reads a pipe
of ours: where the pipe ends we are dead, and it ends them. Windows has no groups: there it ends the tree.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import subprocess
import sys
import threading
import uuid
from pathlib import Path
from typing import IO

MARK = "XENT_CONFORMANCE_WORKER"
"""The variable whose value says which worker a process comes from."""

ROUNDS = 10
"""So often what has left a group is looked for: it may be starting more."""

_OURS = uuid.uuid4().hex
"""What the marks of all workers of this process begin with."""

_GUARDIAN = """
import runpy, signal, sys
for each in ("SIGINT", "SIGTERM", "SIGHUP"):
    if hasattr(signal, each):
        signal.signal(getattr(signal, each), signal.SIG_IGN)
runpy.run_path(sys.argv[1])["keep_watch"](sys.stdin.buffer, sys.argv[2])
"""


def mark() -> str:
    """A mark that no other worker has."""
    return f"{_OURS}-{uuid.uuid4().hex}"


def end(pid: int, marked: str) -> None:
    """Kill the group that ``pid`` leads, and everything whose mark begins with ``marked``."""
    if os.name == "nt":
        words = ["taskkill", "/T", "/F", "/PID", str(pid)]
        subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    end_marked(marked)


def end_marked(begins: str) -> None:
    """Kill everything that has such a mark; again, where it was starting more meanwhile."""
    for _ in range(ROUNDS):
        strayed = _marked(begins)
        for pid in strayed:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if not strayed:
            return


def _marked(begins: str) -> list[int]:
    """The processes whose environment says so, where the system tells (Linux)."""
    found, sought = [], f"{MARK}={begins}".encode()
    for entry in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):  # another's, or it has ended meanwhile
            if any(variable.startswith(sought) for variable in entry.read_bytes().split(b"\0")):
                found.append(int(entry.parent.name))
    return found


def keep_watch(pipe: IO[bytes], marked: str) -> None:
    """The guardian's life: note who begins (``+ PID``) and who ended (``- PID``), and end the rest."""
    leaders: set[int] = set()
    for line in pipe:
        what, _, pid = line.decode().partition(" ")
        (leaders.add if what == "+" else leaders.discard)(int(pid))
    for leader in leaders:
        end(leader, marked)
    end_marked(marked)  # who had begun, and was not told of any more


class _Guardian:
    """Our side of the guardian, which starts with the first worker."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._leaders: set[int] = set()

    def begins(self, pid: int) -> None:
        """A worker that leads a group."""
        with self._lock:
            self._leaders.add(pid)
            if self._process is None or self._process.poll() is not None:
                self._let_go()
                self._process = _started()
                self._tell(*(f"+ {leader}" for leader in self._leaders))
            else:
                self._tell(f"+ {pid}")

    def ended(self, pid: int) -> None:
        """It and all of its group have ended."""
        with self._lock:
            self._leaders.discard(pid)
            self._tell(f"- {pid}")

    def close(self) -> None:
        """Let it go: it ends what is left."""
        with self._lock:
            self._let_go()

    def _let_go(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.wait()
            self._process = None

    def _tell(self, *lines: str) -> None:
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # somebody killed it; the next worker starts another
                self._process.stdin.write("".join(f"{line}\n" for line in lines).encode())


def _started() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _GUARDIAN, __file__, _OURS],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        start_new_session=True,
    )


guardian = _Guardian()
atexit.register(guardian.close)

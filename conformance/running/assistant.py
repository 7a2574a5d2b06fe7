"""A process that computes for the driver: pickled questions go in, pickled answers come back.

Nobody depends on it: where none can be started, or one has died, the driver computes itself.
"""

from __future__ import annotations

import contextlib
import json
import pickle
import subprocess
import sys
from typing import Any, Self

_BOOT = """
import importlib, json, sys
sys.path[:] = json.loads(sys.argv.pop(1))
importlib.import_module(sys.argv.pop(1)).main()
"""


class Gone(Exception):
    """The process has ended."""


class Assistant:
    """Runs ``main`` of a module of ours, as :func:`~xent_conformance.running.assisting.assist` does."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    @classmethod
    def started(cls, module: str, *words: str) -> Self | None:
        """``words``: its arguments. None where the system starts none."""
        path = [folder for folder in sys.path if isinstance(folder, str)]  # Python reads no other
        try:
            process = subprocess.Popen(
                [sys.executable, "-c", _BOOT, json.dumps(path), module, *words],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError:
            return None
        return cls(process)

    def ask(self, question: object) -> Any:
        """Its answer; None where it could not answer that. Raises :class:`Gone`."""
        assert self.process.stdin is not None and self.process.stdout is not None
        try:
            pickle.dump(question, self.process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
            self.process.stdin.flush()
            return pickle.load(self.process.stdout)
        except (OSError, EOFError, pickle.UnpicklingError) as error:  # it may die in the middle of a word
            raise Gone from error

    def kill(self) -> None:
        """End it at once; who waits for its answer is told that it is gone."""
        self.process.kill()

    def end(self) -> None:
        """It has nothing more to do."""
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self.process.wait()

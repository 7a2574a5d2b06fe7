"""Frameworks that never answer, that die and leave others behind, and that somebody kills."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tests.support import fakes


class NeverAnswers(fakes.Exact):
    """Hangs on anything; the log-softmax of the same framework does not."""

    def run(self, call):  # type: ignore[no-untyped-def]
        if call.implementation.operator == "softmax":
            time.sleep(3600)
        return super().run(call)


class NeverAnswersAtAll(fakes.Exact):
    """Hangs on anything, and has one implementation."""

    implementations = tuple(i for i in fakes.Exact.implementations if i.operator == "softmax")

    def before(self, logits: np.ndarray, outputs: Sequence[str]) -> None:
        time.sleep(3600)


class Forks(fakes.Exact):
    """Of a NaN it dies, while what it has forked holds its pipes."""

    def before(self, logits: np.ndarray, outputs: Sequence[str]) -> None:
        if fakes.guilty(logits):
            if not os.fork():
                time.sleep(3600)
            os.kill(os.getpid(), signal.SIGSEGV)


def _killed(what: str) -> None:
    """Be killed, as by whoever is short of memory, if as many kills of that name are left."""
    left = Path(os.environ["KILLS"], what)
    if left.exists() and (n := int(left.read_text())):
        left.write_text(str(n - 1))
        os.kill(os.getpid(), signal.SIGKILL)


class Killed(fakes.Exact):
    """Right, but for who kills it: at its start, at any call, or at a call of one row (and its copies)."""

    def version(self) -> str:
        _killed("starting")
        return super().version()

    def before(self, logits: np.ndarray, outputs: Sequence[str]) -> None:
        _killed("calls")
        if fakes.guilty(logits):
            _killed("guilty")
        if len(np.unique(logits, axis=0)) == 1:
            _killed("alone")

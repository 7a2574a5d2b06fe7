"""Processes that are the ranks of one PyTorch group over gloo: each has a call, and all answers come back.

They are forked from a process that has computed nothing, so that PyTorch is imported once. They end where
their pipe does, with whoever asks: a rank that waits in a collective ends because one beside it has ended.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import tempfile
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

LOOPBACK = "lo"
"""Linux's: nothing leaves the machine."""

GRACE_SECONDS = 1.0
"""A rank that has failed leaves the others in a collective: they are waited for so long, and ended."""

Pair = tuple[Connection, Connection]
"""Our end of a pipe, and a rank's."""


class RankLost(RuntimeError):
    """A rank ended, or never began."""


class Crew:
    """So many ranks. ``begin`` is called on each that has joined the group, ``answer`` with what it is asked.

    After a call that a rank alone has failed, or has not survived, the next is asked of new processes.
    """

    def __init__(self, ranks: int, begin: Callable[[], None], answer: Callable[[Any], Any]) -> None:
        self._ranks, self._begin, self._answer = ranks, begin, answer
        self._processes: list[Any] = []
        self._pipes: list[Connection] = []
        self._start()

    def ask(self, calls: Sequence[Any]) -> list[Any]:
        """What each rank answers to its call. Raises what the first rank raised that did."""
        if not self._pipes:
            self._start()
        for pipe, call in zip(self._pipes, calls, strict=True):
            with contextlib.suppress(ConnectionError):  # told by its answer, which does not come
                pipe.send(call)
        return self._answers()

    def end(self) -> None:
        """Kill them."""
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.join()
        for pipe in self._pipes:
            pipe.close()
        self._processes, self._pipes = [], []

    def _start(self) -> None:
        context = multiprocessing.get_context("fork")
        pairs = [context.Pipe() for _ in range(self._ranks)]
        with tempfile.TemporaryDirectory() as folder:
            meeting = str(Path(folder) / "ranks")
            for rank in range(self._ranks):
                process = context.Process(target=self._live, args=(rank, pairs, meeting), daemon=True)
                process.start()
                self._processes.append(process)
            for _, theirs in pairs:
                theirs.close()
            self._pipes = [ours for ours, _ in pairs]
            try:
                self._answers()  # that each has joined
            except Exception:
                self.end()
                raise

    def _answers(self) -> list[Any]:
        """One of each rank, in the order of their numbers."""
        numbers = {pipe: rank for rank, pipe in enumerate(self._pipes)}
        answers: dict[int, Any] = {}
        errors: dict[int, Exception] = {}
        while numbers:
            ready = wait(list(numbers), GRACE_SECONDS if errors else None)
            for pipe in ready:
                assert isinstance(pipe, Connection)
                rank = numbers.pop(pipe)
                try:
                    answers[rank], error = pipe.recv()
                except (EOFError, ConnectionError):
                    error = RankLost(f"rank {rank} of {self._ranks} ended")
                if error is not None:
                    errors[rank] = error
            if not ready:
                break
        lost = [error for error in errors.values() if isinstance(error, RankLost)]
        if numbers or lost:
            self.end()
        if errors:
            raise lost[0] if lost else errors[min(errors)]
        return [answers[rank] for rank in sorted(answers)]

    def _live(self, rank: int, pairs: Sequence[Pair], meeting: str) -> None:
        """A rank's life: it has its own end of its own pipe, and no other, or it would keep one open."""
        _, mine = pairs[rank]
        for ours, theirs in pairs:
            ours.close()
            if theirs is not mine:
                theirs.close()
        with contextlib.suppress(EOFError, ConnectionError):  # nobody asks any more
            mine.send(_outcome(self._join, rank, meeting))
            while True:
                mine.send(_outcome(self._answer, mine.recv()))
        os._exit(0)  # nor is a group taken down whose other ranks have ended

    def _join(self, rank: int, meeting: str) -> None:
        from torch import distributed

        os.environ.setdefault("GLOO_SOCKET_IFNAME", LOOPBACK)
        store = distributed.FileStore(meeting, self._ranks)
        distributed.init_process_group("gloo", store=store, rank=rank, world_size=self._ranks)
        self._begin()


def _outcome(act: Callable[..., Any], *given: Any) -> tuple[Any, Exception | None]:
    """What it returned, or raised: as another error of the same words, where that cannot be sent."""
    try:
        return act(*given), None
    except Exception as error:  # noqa: BLE001  # it is foreign code
        try:
            pickle.loads(pickle.dumps(error))
        except Exception:  # noqa: BLE001  # as it is an error of anybody's
            return None, RuntimeError(f"{type(error).__name__}: {error}")
        return None, error

"""A run that dies: ``python killed.py OUT WHO STEP``, at that step of what it writes, or never (0).

A step is what reaches the disk or could: bytes written, synced, renamed, taken away. Where bytes are written
half of them are, as when a machine stops. ``WHO``: ``fakes``, asked in this process; ``workers``, the same by
workers of which every seventh question, counted from ``STEP``, is killed from outside, and nothing else;
``jax`` and ``jax-workers``, a real framework.
The last line of what is printed is ``STEPS KILLS``: how many there were.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.support import fakes
from tests.support.by_hand import selection
from xent_conformance.asking.inside import InProcess
from xent_conformance.asking.process import Process
from xent_conformance.asking.selection import Selection
from xent_conformance.discovery.framework import FRAMEWORKS, Framework
from xent_conformance.reference.oracle import Oracle
from xent_conformance.running import desk, header
from xent_conformance.running.engine import run

FAKES = {"fake": "OneUlpOff", "other": "FourUlpsOff", "third": "Raises"}

EVERY = 7
"""A worker is killed at each question of so many: of two in a row the second would be the question's own."""


def die_at(step: int) -> Callable[[], int]:
    """Count steps, and end at that one as a power cut would; gives how many there were."""
    numbers, last = itertools.count(1), [0]

    def next_step() -> bool:
        last[0] = next(numbers)
        return last[0] == step

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if next_step():
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **kwargs)

        return call

    def torn(self: Path, data: bytes) -> int:
        if next_step():
            written(self, data[: len(data) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        return written(self, data)

    written = Path.write_bytes
    for holder, name in ((os, "fsync"), (Path, "replace"), (Path, "unlink"), (Path, "rmdir")):
        setattr(holder, name, counted(getattr(holder, name)))
    Path.write_bytes = torn  # type: ignore[assignment,method-assign]
    return lambda: last[0]


def kill_workers(first: int) -> Callable[[], int]:
    """Kill workers at every seventh question from the first: before they have it, or while they have it."""
    ask, asked, killed = Process.ask, itertools.count(1), [0]

    def dying(self: Process, questions: Any, arrays: Any) -> Iterator[Any]:
        number = next(asked)
        if number % EVERY == first % EVERY:
            killed[0] += 1
            if number % 2:
                self._process.kill()
                return ask(self, questions, arrays)
            return late(self, number, questions, arrays)
        return ask(self, questions, arrays)

    def late(self: Process, number: int, questions: Any, arrays: Any) -> Iterator[Any]:
        """Killed while it has the question, or not at all: a kill that comes six questions later meets one
        that is asked for the second time at the seventh, and both losses are charged to it."""
        kill = threading.Timer(0.002 * (number % 7), self._process.kill)
        kill.start()
        try:
            yield from ask(self, questions, arrays)
        finally:
            kill.cancel()
            kill.join()

    Process.ask = dying  # type: ignore[method-assign]
    return lambda: killed[0]


def asked(who: str) -> Selection:
    """What is asked of whom."""
    if who.startswith("jax"):
        return selection(frameworks=("jax",), families=("two_classes", "special_values"))
    FRAMEWORKS.clear()
    for name, fake in FAKES.items():
        FRAMEWORKS[name] = Framework(
            name, f"tests.support.fakes:{fake}", f"pip install {name}", (fakes.HERE,)
        )
    return selection()


def serve() -> None:
    """Die again and again: each run a process of its own, which has imported everything already.

    A line asks, ``OUT STEP ERRORS``, and one answers, ``STATUS``. For runs that start no processes.
    """
    for line in sys.stdin:
        out, step, errors = line.split()
        child = os.fork()
        if not child:
            with open(errors, "w") as stream:  # noqa: PTH123  # as the system would
                os.dup2(stream.fileno(), 2)
            sys.stdin.close()
            try:
                once(Path(out), "fakes", int(step))
            except BaseException:  # noqa: BLE001  # it is told, and counted
                traceback.print_exc()
                sys.stderr.flush()
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def main() -> None:
    """The run, or run upon run."""
    if sys.argv[1:] == ["serve"]:
        serve()
    else:
        steps, kills = once(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
        print(f"\n{steps} {kills}")


def once(out: Path, who: str, step: int) -> tuple[int, int]:
    """A run; how many steps it took, and how many kills."""
    desk.VERDICTS = 1  # a part of the journal for each batch
    header.digest = lambda profile: profile  # of the whole corpus: it takes longer than all the rest
    questions = asked(who)
    workers = "workers" in who
    killed = kill_workers(step) if workers else lambda: 0
    steps = die_at(0 if workers else step)
    inside = (lambda seat: InProcess(seat.framework.adapter_class())) if who == "fakes" else None
    run(questions, out, resume=None, oracle=Oracle(out.parent / "truths"), inside=inside)
    return steps(), killed()


if __name__ == "__main__":
    main()

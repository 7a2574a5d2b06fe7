"""The driver's side of one worker process: start it, ask it, survive its death.

A worker runs under any interpreter. This package is made importable there by itself, without its
neighbours in ``site-packages``: the other interpreter has its own NumPy and its own framework, and is lent
what it lacks (:mod:`.lending`).
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from xent_conformance.asking import kin, pipes
from xent_conformance.asking.connection import FrameworkAbsent, Reply, WorkerLost
from xent_conformance.asking.last_words import LastWords
from xent_conformance.asking.lending import NotLent, loan_for
from xent_conformance.asking.patience import ANSWER_SECONDS, Patience
from xent_conformance.discovery.framework import Launch, Seat
from xent_conformance.frameworks.interface import Array, Question
from xent_conformance.reference.kept import kept_folder
from xent_conformance.worker.compiled import ROOT
from xent_conformance.worker.wire import Closed, NoFrame, most_of, receive, send
from xent_conformance.worker.words import plain

_BOOT = """
import importlib.util, os, sys
sys.path[:] = [folder for folder in sys.path if folder]  # not the folder we happen to run in
name, where = "xent_conformance", [sys.argv[2]]
spec = importlib.util.spec_from_file_location(name, sys.argv[1], submodule_search_locations=where)
package = sys.modules[name] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(package)
from xent_conformance.worker.parent import die_with_parent
die_with_parent()
sys.path[:0] = [folder for folder in sys.argv[6:] if folder not in sys.path]
sys.path += filter(None, sys.argv[4].split(os.pathsep))  # what it lacks, after all that it has
lacks = next((name for name in sys.argv[5].split() if importlib.util.find_spec(name) is None), "")
sys.argv[1:] = sys.argv[3:4]
try:
    if lacks:  # told as Python tells it, before anything is imported that takes long
        importlib.import_module(lacks)
    from xent_conformance.worker.serve import main
except ImportError as error:  # of what the protocol itself is written with, if not that: told without it
    import json, struct
    told = {"kind": "absent", "message": f"{type(error).__name__}: {error}"}
    told |= {"broken": False} if lacks else {"lacks": error.name or ""}
    frame = json.dumps({**told, "arrays": []}).encode()
    sys.stdout.buffer.write(b"xent" + struct.pack("<I", len(frame)) + frame)
    sys.stdout.buffer.flush()
else:
    main()
"""

START_SECONDS = 300.0

STARTS = 3
"""So often a worker is started that a signal ends before it has said hello: memory may be short just then."""

LAST_WORDS_SECONDS = 5.0
"""A worker that has closed its pipe is given so long to end."""

_LIVE: weakref.WeakSet[Process] = weakref.WeakSet()


@atexit.register
def end_all() -> None:
    """Kill every worker there is: whoever asked them asks no more. One that hangs would outlive us."""
    for process in list(_LIVE):
        process.abandon()


Started = Callable[[int], None]
"""``opened(pid)``: told of each process that is started, before it says hello."""


def _nobody(pid: int) -> None:
    """Where nobody is told."""


@dataclass(frozen=True)
class _Begun:
    """What was sent before it is asked, or why it could not be."""

    arrays: Mapping[str, Array]
    lost: WorkerLost | None = None


class Process:
    """One running worker. Use :meth:`ask`; after :class:`WorkerLost`, :meth:`restart`.

    Both it and a restart raise :class:`FrameworkAbsent` where the framework, or its Python, is not there.
    """

    def __init__(
        self, launch: Launch, *, answer_seconds: float = ANSWER_SECONDS, opened: Started = _nobody
    ) -> None:
        self.launch = launch
        self._opened = opened
        self.answer_seconds = answer_seconds
        self.starts = 0
        self.canaries: dict[str, tuple[Question, Mapping[str, Array]]] = {}
        self.asserting: set[tuple[str, str]] = set()
        self.patience = Patience()
        self._abandoned = threading.Event()
        self._begun: _Begun | None = None
        _LIVE.add(self)
        self._start()

    def _start(self) -> None:
        """A worker that says hello; one that is killed before is started again, a few times."""
        for left in reversed(range(STARTS)):
            self._open()
            try:
                hello, _ = self._receive(START_SECONDS)
                break
            except WorkerLost as lost:
                self.close()
                if lost.timed_out or self._process.returncode >= 0 or not left:
                    raise
        if hello["kind"] == "absent":
            self.close()
            lacks = hello.get("lacks", "")
            raise FrameworkAbsent(plain(hello["message"]), lacks=lacks, broken=hello.get("broken", True))
        self.hello: Mapping[str, Any] = {k: v for k, v in hello.items() if k != "kind"}

    def _open(self) -> None:
        if self._abandoned.is_set():
            raise WorkerLost("nobody waits for its answers any more")
        here = Path(__file__).parents[1]
        self._errors = LastWords()
        self._mark = kin.mark()
        self._closed = False
        try:
            self._process = subprocess.Popen(
                [
                    self.launch.interpreter,
                    "-c",
                    _BOOT,
                    str(here / "__init__.py"),
                    str(here),
                    self.launch.adapter,
                    os.pathsep.join(self.launch.lent),
                    " ".join(self.launch.imports),
                    *self.launch.search,
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors.sink,
                env={
                    **os.environ,
                    **self.launch.environment,
                    "PYTHONUNBUFFERED": "1",
                    kin.MARK: self._mark,
                },
                start_new_session=True,
            )
        except OSError as error:
            self._closed = True  # the one before, if there was any
            words = f"{self.launch.interpreter} cannot be started: {error.strerror or error}"
            raise FrameworkAbsent(words, broken=True) from None
        finally:
            self._errors.begun()
        kin.guardian.begins(self._process.pid)
        self._opened(self._process.pid)
        self.starts += 1
        assert self._process.stdout is not None and self._process.stdin is not None
        self._pipes = pipes.pipes(self._process.stdout, self._process.stdin)
        if self._abandoned.is_set():  # meanwhile
            self._kill()

    def abandon(self) -> None:
        """Kill it, whatever it does; it does not start again. For another thread than the one that asks."""
        self._abandoned.set()
        with contextlib.suppress(AttributeError):  # it has not begun
            self._kill()

    @property
    def pid(self) -> int:
        """The process, which leads a group of all that it starts."""
        return self._process.pid

    def _kill(self) -> None:
        """End it with all that it has started."""
        if not self._closed:  # its number may be another's then
            self._process.kill()
            kin.end(self._process.pid, self._mark)

    def restart(self) -> None:
        """A fresh process after a loss; what is left of the other is not waited for."""
        self._begun = None
        self._kill()
        self.close()
        self._start()

    def begin(self, questions: Sequence[Question], arrays: Mapping[str, Array]) -> None:
        """Send what is asked next: see :class:`~xent_conformance.asking.connection.Begins`."""
        try:
            self._send(questions, arrays)
        except WorkerLost as lost:
            self._begun = _Begun(arrays, lost)
        else:
            self._begun = _Begun(arrays)

    def ask(self, questions: Sequence[Question], arrays: Mapping[str, Array]) -> Iterator[Reply]:
        """One reply a question, in order. Raises :class:`WorkerLost` at the one that killed it."""
        begun, self._begun = self._begun, None
        if begun is None:
            self._send(questions, arrays)
        elif begun.arrays is not arrays:
            raise RuntimeError("something else is under way")
        elif begun.lost is not None:
            raise begun.lost
        for question in questions:
            most = most_of(arrays, question.outputs)
            header, results = self._receive(self.answer_seconds, most=most)
            yield Reply(results, header["failures"], header["compile_s"], header["kernel_s"])

    def _send(self, questions: Sequence[Question], arrays: Mapping[str, Array]) -> None:
        try:
            send(self._bounded(self.answer_seconds), {"questions": [_sent(q) for q in questions]}, arrays)  # type: ignore[arg-type]
        except TimeoutError:
            self._kill()
            words = f"did not take a question within {self.answer_seconds:g} s; killed"
            raise WorkerLost(words, timed_out=True) from None
        except BrokenPipeError:
            raise WorkerLost(self._obituary()) from None

    def _receive(self, seconds: float, *, most: int = 0) -> tuple[dict[str, Any], dict[str, Array]]:
        try:
            return receive(self._bounded(seconds), most=most)  # type: ignore[arg-type]
        except TimeoutError:
            self._kill()
            raise WorkerLost(f"no answer within {seconds:g} s; killed", timed_out=True) from None
        except Closed:
            raise WorkerLost(self._obituary()) from None
        except NoFrame as wrong:
            self._kill()
            words = f"what came through the pipe of its answers is no answer ({wrong}); killed"
            raise WorkerLost(words) from None

    def _bounded(self, seconds: float) -> pipes.Bounded:
        return pipes.Bounded(self._pipes, seconds, lambda: self._process.poll() is not None)

    def _obituary(self) -> str:
        """How it ended, with the last words of its error stream."""
        try:
            code = self._process.wait(timeout=LAST_WORDS_SECONDS)
        except subprocess.TimeoutExpired:
            self._kill()
            return "worker closed the pipe of its answers and went on; killed"
        lines = [line for line in self._errors.text().splitlines() if line.strip()][-3:]
        how = f"killed by signal {-code}" if code < 0 else f"exited with status {code}"
        return f"worker {how}" + (f": {' | '.join(lines)}"[:400] if lines else "")

    def close(self) -> None:
        """End the process; it is killed if it does not end by itself."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except BrokenPipeError:
                    continue  # it is gone, which is what closing is for
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=5)
        self._kill()  # what it has started and left behind, if it has ended itself
        self._process.wait()
        self._closed = True
        kin.guardian.ended(self._process.pid)


def compiled_folder() -> Path:
    """Where what frameworks compile is kept between runs."""
    return kept_folder() / "compiled"


def connect(
    seat: Seat,
    *,
    answer_seconds: float = ANSWER_SECONDS,
    compiled: Path | None = None,
    opened: Callable[[str, int], None] = lambda seat, pid: None,
) -> Process:
    """A running worker for a seat. Raises :class:`FrameworkAbsent` or :class:`WorkerLost`.

    Each of its answers is waited for ``answer_seconds``. Another Python than ours is lent what
    it lacks; what is lent to it is not installed there. What it compiles is kept below ``compiled``, if that
    is given (:mod:`xent_conformance.worker.compiled`). ``opened`` is told of each process of the seat.
    """
    launch = seat.launch()
    kept = "" if compiled is None else str(compiled)
    launch = replace(launch, environment={**launch.environment, ROOT: kept})
    how: dict[str, Any] = {"answer_seconds": answer_seconds, "opened": functools.partial(opened, seat.key)}
    if launch.interpreter == sys.executable:
        return Process(launch, **how)
    try:
        loan = loan_for(launch.interpreter, launch.environment)
    except NotLent as error:
        raise FrameworkAbsent(str(error), broken=True) from None
    distribution = seat.declaration.distribution
    if distribution in loan.lent:
        raise FrameworkAbsent(f"No module named {distribution!r} there: what a worker needs of it is lent")
    own = {**loan.environment(distribution), **launch.environment}
    lends = replace(launch, lent=loan.folders, environment=own)
    process = Process(lends, **how)
    if loan.lent:
        lent = ", ".join(f"{name} {version}" for name, version in loan.lent.items())
        process.hello = {**process.hello, "environment": {**process.hello["environment"], "lent": lent}}
    return process


def _sent(question: Question) -> dict[str, Any]:
    """A question as a worker needs it: what is withheld is no business of its."""
    sent = {**vars(question), "manner": vars(question.manner)}
    del sent["withheld"]
    return sent

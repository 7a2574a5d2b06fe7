"""Plan, workers, verdicts, run file: one engine behind the command line, pytest and Python.

One thread a worker process asks; the main thread certifies and judges. Finished batches go to a
journal beside the run file, so an interrupted run can go on with ``resume``.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from xent_conformance.asking.asker import Answer, Asker
from xent_conformance.asking.process import FrameworkAbsent, Process, WorkerLost
from xent_conformance.asking.selection import Selection
from xent_conformance.cases.case import Batch
from xent_conformance.judging.judge import Judge
from xent_conformance.judging.rows import rows_of, target_of
from xent_conformance.reference.cache import default_cache
from xent_conformance.reference.oracle import Oracle
from xent_conformance.registry.devices import wanted_devices
from xent_conformance.registry.framework import Framework
from xent_conformance.reports.run.file import Run, write_run
from xent_conformance.running.distances import Distances
from xent_conformance.running.header import header, identity, listed, rounded
from xent_conformance.running.journal import Journal

Progress = Callable[[str, int, int], None]
"""``progress(framework, batches done, batches planned)``."""


@dataclass(frozen=True)
class _Started:
    framework: str
    hello: Mapping[str, Any]


@dataclass(frozen=True)
class _Absent:
    framework: str
    message: str


@dataclass(frozen=True)
class _Answered:
    framework: str
    batch: Batch
    answers: Sequence[Answer]


@dataclass(frozen=True)
class _Ended:
    framework: str
    error: BaseException | None
    starts: int


_Event = _Started | _Absent | _Answered | _Ended

Seconds = defaultdict[str, float]


def _no_seconds() -> Seconds:
    return defaultdict(float)


@dataclass
class _Ledger:
    """What the main thread knows while a run goes on."""

    planned: dict[str, int] = field(default_factory=dict)
    finished: Counter[str] = field(default_factory=Counter)
    hellos: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    absent: list[dict[str, str]] = field(default_factory=list)
    distances: Distances = field(default_factory=Distances)
    not_installed: list[dict[str, str]] = field(default_factory=list)
    """Optional frameworks that nobody asked for by name: their absence leaves a run complete."""
    seconds: Seconds = field(default_factory=_no_seconds)
    spent: dict[str, Seconds] = field(default_factory=dict)
    """Seconds of import, compile and kernels by ``framework mode``."""
    starts: dict[str, int] = field(default_factory=dict)


def run(
    selection: Selection,
    out: Path,
    *,
    resume: bool = False,
    progress: Progress | None = None,
    oracle: Oracle | None = None,
    interpreters: Mapping[str, str] | None = None,
) -> Run:
    """Ask everything in ``selection``, judge it, write ``out``, and return the run.

    A framework that is not installed is recorded as absent and the rest runs. ``interpreters``: the Python
    of a framework's workers, where it is not this one.
    """
    began, interpreters = time.perf_counter(), interpreters or {}
    oracle = oracle or Oracle(default_cache())
    batches = list(selection.batches())
    seats = {seat.key: seat for seat in selection.seats(interpreters)}
    asked = {key: _asked_batches(selection, seat, batches) for key, seat in seats.items()}
    asked = {name: found for name, found in asked.items() if found}
    ledger = _Ledger(planned={name: len(found) for name, found in asked.items()})
    journal = Journal(
        out, identity(selection.as_dict()) | {"interpreters": dict(interpreters)}, resume=resume
    )
    events: queue.Queue[_Event] = queue.Queue(maxsize=8)
    stop = threading.Event()
    rest = {name: [b for b in found if b.id not in journal.done(name)] for name, found in asked.items()}
    for name, found in asked.items():
        ledger.finished[name] = len(found) - len(rest[name])
        arguments = (seats[name], rest[name], selection, events, stop)
        threading.Thread(target=_ask_all, args=arguments, name=f"ask-{name}", daemon=True).start()
    bench = _Bench(oracle, rest, ledger.seconds)
    running = set(asked)
    try:
        while running:
            match events.get():
                case _Started(name, hello):
                    ledger.hellos[name] = hello
                    ledger.seconds["import"] += hello["import_s"]
                case _Absent(name, message):
                    seat = seats[name]
                    gap = {"framework": name, "message": message, "install": seat.install}
                    if seat.optional and seat.name not in selection.frameworks:
                        ledger.not_installed.append(gap)
                        del ledger.planned[name], ledger.finished[name]
                    else:
                        ledger.absent.append(gap)
                case _Answered(name, batch, answers):
                    journal.add(name, batch.id, _judge(seats[name], batch, answers, bench, ledger))
                    ledger.finished[name] += 1
                case _Ended(name, error, starts):
                    running.discard(name)
                    ledger.starts[name] = starts
                    if error is not None:
                        raise error
            if progress:
                for name, planned in ledger.planned.items():
                    progress(name, ledger.finished[name], planned)
    finally:
        stop.set()
        journal.flush()
    ledger.absent += _absent_devices(selection, seats, ledger.hellos)
    verdicts = journal.verdicts()
    ledger.seconds["total"] = time.perf_counter() - began
    result = Run(verdicts, (_header(selection, seats, ledger, verdicts),))
    write_run(out, result)
    journal.remove()
    return result


def _asked_batches(selection: Selection, framework: Framework, batches: Sequence[Batch]) -> list[Batch]:
    return [b for b in batches if selection.questions(framework, b, selection.possible)]


def _ask_all(
    framework: Framework,
    batches: Sequence[Batch],
    selection: Selection,
    events: queue.Queue[_Event],
    stop: threading.Event,
) -> None:
    """The thread of one worker: start it, ask every batch, say how it ended."""

    def tell(event: _Event) -> None:
        """Wait for room in the queue, but not for a main thread that has stopped reading."""
        while not stop.is_set():
            with contextlib.suppress(queue.Full):
                events.put(event, timeout=0.2)
                break

    starts, error, process = 0, None, None
    try:
        process = Process(framework.launch())
        tell(_Started(framework.key, process.hello))
        asker = Asker(process)
        for batch in batches:
            if stop.is_set():
                break
            answers = asker.ask(batch, selection.questions(framework, batch, process.hello["devices"]))
            for answer in answers:
                asker.isolate(answer, batch)
            tell(_Answered(framework.key, batch, answers))
    except FrameworkAbsent as absent:
        tell(_Absent(framework.key, str(absent)))
    except WorkerLost as lost:
        tell(_Absent(framework.key, f"the worker does not start: {lost}"))
    except BaseException as unexpected:  # noqa: BLE001  # handed to the main thread, which raises it
        error = unexpected
    finally:
        if process is not None:
            starts = process.starts
            process.close()
        tell(_Ended(framework.key, error, starts))


def _absent_devices(
    selection: Selection, seats: Mapping[str, Framework], hellos: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, str]]:
    """Devices that were asked for by name, and that no worker has: nothing of them was answered."""
    return [
        {
            "framework": device,
            "message": f"no framework that was asked has the device {device}",
            "install": "conformance list devices",
        }
        for device in selection.devices
        if not any(wanted_devices(seats[key], hello["devices"], [device]) for key, hello in hellos.items())
    ]


HELD_ELEMENTS = 500_000
"""Logits of the batches whose judges are held; what is let go of is read from the oracle's cache again."""


class _Bench:
    """Judges of the batches that some framework has still to answer, the latest of them held in memory."""

    def __init__(self, oracle: Oracle, asked: Mapping[str, Sequence[Batch]], seconds: Seconds) -> None:
        self._oracle = oracle
        self._seconds = seconds
        self._waiting = Counter(b.id for found in asked.values() for b in found)
        self._held: dict[str, Judge] = {}
        self._elements = 0

    def finished(self, batch: Batch) -> bool:
        """Whether everybody who was to answer the batch has."""
        return self._waiting[batch.id] <= 0

    def of(self, batch: Batch) -> Judge:
        start = time.perf_counter()
        judge = self._taken(batch.id) or Judge(self._oracle.truth(batch.inputs))
        self._waiting[batch.id] -= 1
        if self._waiting[batch.id] > 0:
            self._hold(batch.id, judge)
        self._seconds["reference"] += time.perf_counter() - start
        return judge

    def _taken(self, batch: str) -> Judge | None:
        judge = self._held.pop(batch, None)
        self._elements -= 0 if judge is None else judge.truth.inputs.logits.size
        return judge

    def _hold(self, batch: str, judge: Judge) -> None:
        self._held[batch] = judge
        self._elements += judge.truth.inputs.logits.size
        while self._elements > HELD_ELEMENTS:
            self._taken(next(iter(self._held)))


def _judge(
    seat: Framework, batch: Batch, answers: Sequence[Answer], bench: _Bench, ledger: _Ledger
) -> list[dict[str, Any]]:
    judge = bench.of(batch)
    start = time.perf_counter()
    rows: list[dict[str, Any]] = []
    for answer in answers:
        spent = ledger.spent.setdefault(f"{seat.key} {answer.question.mode}", _no_seconds())
        for what, seconds in (("compile", answer.compile_s), ("kernels", answer.kernel_s)):
            ledger.seconds[what] += seconds
            spent[what] += seconds
        target = target_of(seat, ledger.hellos[seat.key], answer.question)
        widening = answer.question.mode in seat.widening
        rows += rows_of(batch, judge, answer, target, widening=widening)
        ledger.distances.add(batch, judge, answer, target)
    if bench.finished(batch):
        ledger.distances.forget(batch)
    ledger.seconds["judging"] += time.perf_counter() - start
    return rows


def _header(
    selection: Selection, seats: Mapping[str, Framework], ledger: _Ledger, verdicts: pl.DataFrame
) -> dict[str, Any]:
    chosen = {seats[name].name: seats[name] for name in ledger.planned}.values()
    return {
        **header(selection.as_dict(), verdicts),
        "planned": ledger.planned,
        "finished": {name: ledger.finished[name] for name in ledger.planned},
        "absent": ledger.absent,
        "not_installed": ledger.not_installed,
        "distances": ledger.distances.listed(),
        "frameworks": [
            {
                **{k: v for k, v in hello.items() if k != "kind"},
                "variant": seats[name].variant,
                "starts": ledger.starts.get(name, 1),
            }
            for name, hello in ledger.hellos.items()
        ],
        "seconds": rounded(ledger.seconds),
        "seconds_by_mode": {mode: rounded(spent) for mode, spent in sorted(ledger.spent.items())},
        "implementations": [listed(f.name, i) for f in chosen for i in f.implementations],
    }

"""Plan, seats, verdicts, run file: one engine behind the command line, pytest, Python and ``check``.

Seats answer (:mod:`.conversation`), this thread certifies and judges. Finished batches go to a journal beside
the run file, so an interrupted run can go on with ``resume``.
"""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from xent_conformance.asking.patience import ANSWER_SECONDS
from xent_conformance.asking.process import connect, end_all
from xent_conformance.cases.case import Batch, Case
from xent_conformance.cases.outside.files import CaseFile
from xent_conformance.diagnosis.causes import diagnose
from xent_conformance.frameworks.interface import Question
from xent_conformance.judging.charge import by_what_is_plain
from xent_conformance.judging.rows import answered
from xent_conformance.reference.cache import default_cache
from xent_conformance.reference.oracle import Oracle
from xent_conformance.registry.devices import wanted_devices
from xent_conformance.registry.framework import Seat
from xent_conformance.reports.run.file import Run, write_run
from xent_conformance.running.bench import Bench
from xent_conformance.running.claims import told_of
from xent_conformance.running.conversation import (
    Absent,
    Answered,
    Connect,
    Ended,
    Event,
    Started,
    conversation,
    one_by_one,
    together,
)
from xent_conformance.running.desk import Desk
from xent_conformance.running.header import header, identity
from xent_conformance.running.journal import Journal
from xent_conformance.running.keeping import alone, check_run, place_of
from xent_conformance.running.ledger import Ledger
from xent_conformance.running.memory import Kept

Progress = Callable[[str, int, int], None]
"""``progress(seat, batches done, batches planned)``."""


class Asked(Protocol):
    """What a run asks: :class:`xent_conformance.asking.selection.Selection`, or one function's questions."""

    @property
    def frameworks(self) -> tuple[str, ...]:
        """The frameworks that are asked for by name, which must be there."""

    @property
    def devices(self) -> tuple[str, ...]:
        """The devices that are asked for by name, which must be there."""

    @property
    def possible(self) -> Sequence[str]:
        """Devices that may be there; which are is known when a seat has started."""

    @property
    def files(self) -> Sequence[CaseFile]:
        """The files whose cases are asked instead of the corpus; none for the corpus."""

    def batches(self) -> Iterable[Batch]:
        """Every batch that may be asked."""

    def find(self, case_id: str) -> tuple[Batch, Case]:
        """The case of that id that may be asked, with its batch."""

    def seats(self, interpreters: Mapping[str, str]) -> Sequence[Seat]:
        """Whoever is asked, each by its interpreter."""

    def questions(self, seat: Seat, batch: Batch, devices: Sequence[str]) -> Sequence[Question]:
        """What a seat is asked about a batch on those of the devices that are chosen."""

    def as_dict(self) -> Mapping[str, Any]:
        """What a run file's header says was asked."""


def run(
    asked: Asked,
    out: Path | None,
    *,
    resume: bool | None = False,
    force: bool = False,
    progress: Progress | None = None,
    oracle: Oracle | None = None,
    interpreters: Mapping[str, str] | None = None,
    inside: Connect | None = None,
    timeout: float = ANSWER_SECONDS,
) -> Run:
    """Ask everything in ``asked``, judge it, write ``out`` if it is named, and return the run.

    What is there is not lost (:mod:`.keeping`): raises :class:`~.keeping.Occupied` before anything is asked,
    unless ``force``, or while another run is to become ``out``, and writes to :func:`~.keeping.place_of`.
    ``resume=None`` goes on with the same run if it was interrupted.

    A framework that is not installed is recorded as absent and the rest runs. ``interpreters``: the Python
    of a framework's workers, where it is not this one. ``inside``: connects to seats in this process, which
    are asked one by one in this thread; otherwise each has a worker, and all are asked at a time; each answer
    is waited for ``timeout`` seconds (:mod:`xent_conformance.asking.patience`).
    """
    with contextlib.nullcontext() if out is None else alone(out):
        if out is not None and not force:
            check_run(out, asked.as_dict())
        reach = inside or functools.partial(connect, answer_seconds=timeout)
        how = {"interpreters": dict(interpreters or {}), "timeout": timeout}
        return _made(asked, out, resume, force, progress, oracle, how, reach, inside is None)


def _made(
    asked: Asked,
    out: Path | None,
    resume: bool | None,
    force: bool,
    progress: Progress | None,
    oracle: Oracle | None,
    how: Mapping[str, Any],
    reach: Connect,
    side_by_side: bool,
) -> Run:
    """The run, by who alone may write ``out``. ``reach`` connects to seats: one by one, or side by side.

    ``how``: what decides a verdict beside what is ``asked``: ``interpreters`` and ``timeout``.
    """
    began = time.perf_counter()
    batches = list(asked.batches())
    seats = {seat.key: seat for seat in asked.seats(how["interpreters"])}
    plan = {
        key: found
        for key, seat in seats.items()
        if (found := [b for b in batches if asked.questions(seat, b, asked.possible)])
    }
    ledger = Ledger({key: len(found) for key, found in plan.items()})
    journal = Kept() if out is None else Journal(out, identity(asked) | dict(how), resume=resume, force=force)
    with journal:
        for key, found in plan.items():
            ledger.finished[key] = sum(b.id in journal.done(key) for b in found)
        rest = _rest(plan, journal)
        ledger.distances.restore(journal.measured())
        oracle = oracle or Oracle(default_cache())
        bench, desk = Bench(oracle, rest), Desk(journal, ledger.distances)
        for batch in filter(bench.finished, ledger.distances.waiting):
            _forget(batch, bench, ledger, journal)
        conversations = {
            key: conversation(seats[key], found, asked.questions, reach) for key, found in rest.items()
        }
        events = together(conversations) if side_by_side else one_by_one(conversations.values())
        try:
            with desk, contextlib.closing(events):
                for event in events:
                    _enter(event, asked, seats, ledger, bench, desk, journal)
                    if progress:
                        for key, planned in ledger.planned.items():
                            progress(key, ledger.finished[key], planned)
                with ledger.timed("judging"):
                    desk.clear()
        except BaseException:
            end_all()  # what hangs answers nobody any more
            raise
        ledger.absent += _absent_devices(asked, seats, ledger.hellos)
        with ledger.timed("diagnosis"):
            named = diagnose(Run(by_what_is_plain(journal.verdicts()), ({},)), batches, oracle)
        ledger.seconds["total"] = time.perf_counter() - began
        told = header(asked, seats, ledger, named.verdicts) | {"causes": named.causes}
        if journal.asked_again:
            told["asked_again"] = list(journal.asked_again)
        if oracle.unkept:
            told["unkept"] = oracle.unkept
        if asked.files:
            told["cases"] = told_of(asked.files, batches, oracle)
        result = Run(named.verdicts, (told,))
        if out is not None:
            write_run(place_of(out, result, force=force), result)
        if result.complete:
            journal.remove()
        else:
            journal.end()
    return result


def _rest(plan: Mapping[str, Sequence[Batch]], journal: Journal | Kept) -> dict[str, list[Batch]]:
    """What is left of the plan.

    A seat is asked once more what others have still to answer, if its own answer is not kept to be compared
    with theirs: it was damaged with a part of the journal, or was too large. Its verdicts stay as they are.
    """
    due = {b.id for key, found in plan.items() for b in found if b.id not in journal.done(key)}
    return {
        key: [
            b
            for b in found
            if b.id not in journal.done(key) or (b.id in due and not journal.holds(key, b.id))
        ]
        for key, found in plan.items()
    }


def _enter(
    event: Event,
    asked: Asked,
    seats: Mapping[str, Seat],
    ledger: Ledger,
    bench: Bench,
    desk: Desk,
    journal: Journal | Kept,
) -> None:
    """Put what was answered on the desk, which is cleared when it is full, and note what happened."""
    match event:
        case Started(key, hello):
            journal.met(key, hello)
            ledger.started(key, hello)
        case Absent(key, message, lacks, broken):
            # what has answered and is gone is missed, whoever asked for it
            named = seats[key].name in asked.frameworks or bool(journal.done(key))
            ledger.gone(seats[key], message, lacks, named=named, broken=broken)
            for batch in bench.gone(key, missed=key in ledger.planned):
                _forget(batch, bench, ledger, journal)
        case Answered(key, batch, answers):
            seat, hello = seats[key], ledger.hellos[key]
            ledger.spend(seat, answers)
            with ledger.timed("reference"):
                judge = bench.of(batch, key)
            with ledger.timed("judging"):
                every = [answered(seat, hello, batch, judge, answer) for answer in answers]
                for one in every:
                    ledger.distances.add(batch, judge, one.answer, one.target)
                if bench.finished(batch.id):
                    _forget(batch.id, bench, ledger, journal)
                if batch.id in journal.done(key):  # asked for its distances alone
                    return
                desk.add(key, batch.id, every)
                if desk.full:
                    desk.clear()
            ledger.finished[key] += 1
        case Ended(key, starts):
            ledger.starts[key] = starts


def _forget(batch: str, bench: Bench, ledger: Ledger, journal: Journal | Kept) -> None:
    """All answers to it that are to come in this run have come: they are compared."""
    missed = bench.missed(batch)
    ledger.distances.forget(batch, missed=missed)
    if not missed:
        journal.compared(batch)


def _absent_devices(
    asked: Asked, seats: Mapping[str, Seat], hellos: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, str]]:
    """Devices that were asked for by name, and that no worker has: nothing of them was answered."""
    return [
        {
            "framework": device,
            "message": f"no framework that was asked has the device {device}",
            "install": "conformance list devices",
        }
        for device in asked.devices
        if not any(wanted_devices(seats[key], hello["devices"], [device]) for key, hello in hellos.items())
    ]

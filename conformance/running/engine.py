"""Plan, seats, verdicts, run file: one engine behind the command line, pytest, Python and ``check``.

Seats answer (:mod:`.conversation`, :mod:`.crews`), this thread certifies and judges. Finished batches go to a
journal beside the run file, so an interrupted run can go on with ``resume``.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from xent_conformance.asking.patience import ANSWER_SECONDS
from xent_conformance.asking.process import end_all
from xent_conformance.diagnosis.remembered import remembering
from xent_conformance.discovery.framework import Seat
from xent_conformance.discovery.seats import wanted_devices
from xent_conformance.judging.judge import Judge
from xent_conformance.judging.rows import answered
from xent_conformance.reference.cache import default_cache
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.file import Run, write_run
from xent_conformance.running.ahead import Ahead, when_ready
from xent_conformance.running.beforehand import Beforehand
from xent_conformance.running.bench import Bench
from xent_conformance.running.conversation import (
    Absent,
    Answered,
    Connect,
    Ended,
    Event,
    Idle,
    Started,
    Stream,
    conversation,
    one_by_one,
)
from xent_conformance.running.costs import Costs, Weights
from xent_conformance.running.crew import Crew, crew_of
from xent_conformance.running.crews import bequeath, in_crews
from xent_conformance.running.desk import Desk, Judged
from xent_conformance.running.distances import Distances
from xent_conformance.running.ending import ended, part_ended
from xent_conformance.running.header import identity
from xent_conformance.running.journal import Journal, resumable
from xent_conformance.running.keeping import alone, check_run, place_of
from xent_conformance.running.ledger import Ledger
from xent_conformance.running.memory import Kept
from xent_conformance.running.opening import Opened, opened
from xent_conformance.running.paged import Paged
from xent_conformance.running.plan import Asked, Plan, left_of, plan_of
from xent_conformance.running.recalled import measuring, recalled
from xent_conformance.running.relief import Relief, give_back_all
from xent_conformance.running.shards import Shard
from xent_conformance.running.shares import Share, largest_first
from xent_conformance.running.shelf import Shelf
from xent_conformance.running.turns import Turns

Tell = Callable[[str], None]
"""``tell(line)``: what a person is to know of a run while it goes on."""

Progress = Callable[[str, int, int], None]
"""``progress(seat, batches done, batches planned)``."""


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
    jobs: int | None = None,
    cache: bool = True,
    tell: Tell = lambda line: None,
    judged: Judged | None = None,
    unanswered: bool = True,
    there: Opened | None = None,
) -> Run:
    """Ask everything in ``asked``, judge it, write ``out`` if it is named, and return the run.

    What is there is not lost (:mod:`.keeping`): raises :class:`~.keeping.Occupied` before anything is asked,
    unless ``force``, or while another run is to become ``out``, and writes to :func:`~.keeping.place_of`.
    ``resume=None`` goes on with the same run if it was interrupted.

    A framework that is not installed is recorded as absent and the rest runs. ``interpreters``: the Python
    of a framework's workers, where it is not this one. ``inside``: connects to seats in this process, which
    are asked one by one in this thread; otherwise each has a worker, and all are asked at a time; each answer
    is waited for ``timeout`` seconds (:mod:`xent_conformance.asking.patience`). ``jobs``: so many workers at
    a time, where there are more than seats (:mod:`.crews`); as many as there are cores, if unsaid. Without
    ``cache`` nothing answers that a framework has compiled in an earlier run. ``judged`` is told of verdicts
    while the run goes on: before causes are named, and what is plain elsewhere is charged. ``unanswered``:
    ``out`` is written although nobody was there to answer, for a decision to say so. ``there``: who was
    opened for it (:mod:`.opening`) by what is said here of interpreters, timeout, jobs and cache.
    """
    with contextlib.ExitStack() as until_then:
        if out is not None:
            until_then.enter_context(alone(out))
            if not force:
                check_run(out, asked.as_dict())
        if there is None:
            # who goes on with a run may have nothing to ask any more
            begin = resume is False or out is None or not resumable(out)
            there = until_then.enter_context(
                opened(
                    asked,
                    interpreters=interpreters,
                    inside=inside,
                    timeout=timeout,
                    jobs=jobs,
                    cache=cache,
                    begin=begin,
                )
            )
        paged = Paged(_beside(out))
        result = _made(asked, out, resume, force, progress, oracle, there, tell, judged, unanswered, paged)
    give_back_all(paged)
    return result


def _beside(out: Path | None) -> Path | None:
    """Where a run has room for what it does not hold in memory: where its file is to lie."""
    return None if out is None else out.absolute().parent


def _made(
    asked: Asked,
    out: Path | None,
    resume: bool | None,
    force: bool,
    progress: Progress | None,
    oracle: Oracle | None,
    there: Opened,
    tell: Tell,
    judged: Judged | None,
    unanswered: bool,
    paged: Paged,
) -> Run:
    """The run, by who alone may write ``out``."""
    began = time.perf_counter()
    seats, reach, precedence, jobs = there.seats, there.reach, there.precedence, there.jobs
    costs = Costs.read()
    distances = Distances(Shelf(_beside(out)))
    oracle = oracle or Oracle(default_cache())
    with recalled(asked, oracle.cache):
        batches, plan = plan_of(asked, seats, Weights(asked.as_dict()["profile"], costs), paged)
    precedence.settle({k: costs.start(seats[k]) + sum(p.seconds for p in found) for k, found in plan.items()})
    ledger = Ledger({key: len(found) for key, found in plan.items()}, distances=distances, began=began)
    told = identity(asked) | dict(there.how)
    journal = Kept() if out is None else Journal(out, told, resume=resume, force=force)
    with journal, remembering(oracle, identity(asked)) as said:
        for key, found in plan.items():
            ledger.finished[key] = sum(p.batch.id in journal.done(key) for p in found)
        rest = left_of(plan, journal)
        ledger.distances.restore(journal.measured())
        judging = contextlib.ExitStack()  # until all is judged
        measure = judging.enter_context(measuring(asked, oracle.cache))
        left = {key: [p.batch for p in found] for key, found in rest.items()}
        bench = Bench(oracle, left, batches, measure)
        relief = Relief(paged)
        desk = Desk(journal, ledger.distances, judged, relief)
        looks = Beforehand(journal, batches, said)
        for batch in filter(bench.finished, ledger.distances.waiting):
            _forget(batch, bench, ledger, journal)
        order = largest_first(rest)
        crews: dict[str, Crew] = {}
        if jobs is None:
            events = _in_turn(rest, seats, asked, reach)
        else:
            turns = Turns(jobs)
            for key, kinds in order.items():
                own = turns if precedence.gives_way(key) else None
                crews[key] = crew_of(seats[key], Share(kinds), asked.questions, reach, own)
            bequeath(crews, few=there.few)
            events = in_crews(crews, jobs, tell)
        due = (piece.batch for kinds in order.values() for same in kinds for piece in same)
        ahead = Ahead(oracle, due, jobs or 0, costs.certifying)
        try:
            with judging, desk, ahead, contextlib.closing(events):
                for event in when_ready(events, ahead):
                    _enter(event, asked, seats, ledger, bench, desk, journal)
                    if isinstance(event, Idle):
                        with ledger.timed("diagnosis"):
                            looks.look()
                    if progress:
                        for key, planned in ledger.planned.items():
                            progress(key, ledger.finished[key], planned)
                with ledger.timed("judging"):
                    desk.clear()
        except BaseException:
            end_all()  # what hangs answers nobody any more
            raise
        ledger.absent += _absent_devices(asked, seats, ledger.hellos)
        more: dict[str, Any] = {}
        if crews:
            more["workers"] = {
                "jobs": jobs,
                "most": {key: crew.most for key, crew in crews.items()},
                "told": [words for crew in crews.values() for words in crew.told],
            }
        if journal.asked_again:
            more["asked_again"] = list(journal.asked_again)
        if oracle.unkept:
            more["unkept"] = oracle.unkept
        # what was planned is answered, and would be held while the causes are looked for
        del plan, rest, left, order, crews, events, due, ahead, judging, measure, bench, desk, looks
        give_back_all(paged)
        end = part_ended if isinstance(asked, Shard) else ended
        result = end(asked, batches, seats, ledger, journal.verdicts, said, more, relief, jobs or 0)
        if out is not None and (unanswered or not result.unanswered):
            write_run(place_of(out, result, force=force), result, paged.pages.let_go)
        if result.complete or result.unanswered:  # nothing to go on with
            journal.remove()
        else:
            journal.end()
    return result


def _in_turn(rest: Plan, seats: Mapping[str, Seat], asked: Asked, reach: Connect) -> Stream:
    """Each seat in this thread, after the other."""
    return one_by_one(
        conversation(seats[key], [piece.batch for piece in found], asked.questions, reach)
        for key, found in rest.items()
    )


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
                    _forget(batch.id, bench, ledger, journal, judge)
                if batch.id in journal.done(key):  # asked for its distances alone
                    return
                desk.add(key, batch.id, every)
                if desk.full:
                    desk.clear()
            ledger.finished[key] += 1
        case Idle() if desk.full or isinstance(journal, Kept):  # which writes no part for each lot
            with ledger.timed("judging"):
                desk.clear()
        case Ended(key, starts):
            ledger.starts[key] = starts


def _forget(
    batch: str, bench: Bench, ledger: Ledger, journal: Journal | Kept, judge: Judge | None = None
) -> None:
    """All answers to it that are to come in this run have come: they are compared."""
    missed = bench.missed(batch)
    ledger.distances.forget(
        bench.batch(batch), lambda: bench.again(batch) if judge is None else judge, missed=missed
    )
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

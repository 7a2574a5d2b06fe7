"""Asks chunk after chunk, judges one while the next is answered, and keeps what is done on disk."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from xent_conformance.asking.connection import Reply, WorkerLost
from xent_conformance.asking.patience import ANSWER_SECONDS
from xent_conformance.asking.pipes import LOOKS_UP
from xent_conformance.asking.process import Process, connect
from xent_conformance.frameworks.interface import Array
from xent_conformance.judging.repeated import TWICE, UNCHANGED, WRITTEN
from xent_conformance.reports.run.words import Symptom
from xent_conformance.running import keeping
from xent_conformance.sweep.certified import certify
from xent_conformance.sweep.document import Swept, check, document
from xent_conformance.sweep.journal import Journal
from xent_conformance.sweep.judge import judged
from xent_conformance.sweep.plan import Chunk, Plan, Shard
from xent_conformance.sweep.tally import Charged, Place, Tally
from xent_conformance.worker.bits import other_bits
from xent_conformance.worker.delivery import AGAIN, CHANGED
from xent_conformance.worker.machine import cores
from xent_conformance.worker.unwritten import UNWRITTEN

Progress = Callable[[str, int, int], None]
Connect = Callable[..., Process]


PIECE = 2**17
"""Points that one thread judges before it takes others: the same whatever number of threads there are."""


class NotSwept(Exception):
    """A chunk has no answer that can be judged; the message says which, and why."""


class EmptyShard(ValueError):
    """There are more shards than chunks."""


@dataclass
class Seconds:
    """Where the time goes: ``compile`` and ``kernel`` are the framework's, ``transport`` is that of bytes.

    These are by the clock; ``judging`` is of the processor, all threads together.
    """

    compile: float = 0.0
    kernel: float = 0.0
    transport: float = 0.0
    judging: float = 0.0

    def as_dict(self) -> dict[str, float]:
        return {name: round(spent, 6) for name, spent in vars(self).items()}


@dataclass(frozen=True)
class _Answered:
    chunk: Chunk
    reply: Reply
    seconds: Seconds = field(default_factory=Seconds)


def sweep(
    plan: Plan,
    out: Path | None,
    *,
    shard: Shard = Shard(),  # noqa: B008  # it is frozen
    resume: bool = False,
    force: bool = False,
    jobs: int = 0,
    timeout: float = ANSWER_SECONDS,
    progress: Progress | None = None,
    connecting: Connect = connect,
) -> Swept:
    """Ask every point of the shard, and return what was counted. It is for the caller to write.

    ``jobs``: threads that judge; the cores where it is 0. Raises :class:`NotSwept`, what :func:`connect`
    raises, :class:`~.certified.NotCertified`, :class:`~.journal.JournalError`, and
    :class:`~xent_conformance.running.keeping.Occupied` where something else is at ``out``. Whatever ends it,
    chunks that are done stay for ``resume``.
    """
    mine = [chunk for chunk in plan.chunks if shard.has(chunk.number)]
    if not mine:
        raise EmptyShard(f"shard {shard} is empty: the sweep has {len(plan.chunks)} chunks")
    for ground in plan.grounds:
        certify(ground)
    with keeping.alone(out) if out else contextlib.nullcontext():
        if out and not force:
            check(out, plan.asked, {chunk.number for chunk in mine})
        connection = connecting(plan.seat, answer_seconds=timeout)
        try:
            if plan.device not in connection.hello["devices"]:
                there = ", ".join(connection.hello["devices"])
                raise NotSwept(f"{plan.seat.name} has no {plan.device} here: there is {there or 'nothing'}")
            answered = {k: v for k, v in connection.hello.items() if k != "import_s"}
            identity = {**plan.asked, "answered": answered, "shard": str(shard)}
            with Journal(out, identity, resume=resume, force=force) as journal:
                _all(plan, mine, connection, journal, jobs or cores(), progress)
                return document(plan, answered, journal.done)
        finally:
            connection.close()


def _all(
    plan: Plan,
    mine: Sequence[Chunk],
    connection: Process,
    journal: Journal,
    jobs: int,
    progress: Progress | None,
) -> None:
    """Judge each chunk that is not done, while the worker answers the next."""
    todo = [chunk for chunk in mine if chunk.number not in journal.done]
    finished = len(mine) - len(todo)

    def told() -> None:
        if progress:
            progress(plan.seat.name, finished, len(mine))

    told()
    with ThreadPoolExecutor(1) as asking, ThreadPoolExecutor(jobs) as judges:
        try:
            for answer in _answers(plan, todo, connection, asking):
                tallies = _judged(plan, answer, judges)
                parts = {
                    output: tally.as_dict(plan.dtype)
                    for output, tally in zip(plan.outputs, tallies, strict=True)
                }
                journal.add(answer.chunk.number, {"parts": parts, "seconds": answer.seconds.as_dict()})
                finished += 1
                told()
        except BaseException:
            connection.abandon()  # or its answer would be waited for
            raise


def _answers(
    plan: Plan, todo: Sequence[Chunk], connection: Process, asking: ThreadPoolExecutor
) -> Iterator[_Answered]:
    """The answers in order, each asked while the one before it is judged."""
    waiting: Future[_Answered] | None = None
    for chunk in todo:
        before, waiting = waiting, asking.submit(_ask, plan, chunk, connection)
        if before is not None:
            yield _awaited(before)
    if waiting is not None:
        yield _awaited(waiting)


def _awaited(answer: Future[_Answered]) -> _Answered:
    """Looking up meanwhile: not every system wakes one that waits when it is interrupted."""
    while not wait([answer], timeout=LOOKS_UP).done:
        continue
    return answer.result()


def _ask(plan: Plan, chunk: Chunk, connection: Process) -> _Answered:
    """Ask one chunk; once more where the worker is lost, for an outside kill is nobody's fault."""
    arrays = chunk.ground.asked(chunk.ground.logits(chunk.start, chunk.stop))
    begin = time.perf_counter()
    try:
        (reply,) = connection.ask([plan.question], arrays)
    except WorkerLost as lost:
        try:
            connection.restart()
            (reply,) = connection.ask([plan.question], arrays)
        except WorkerLost:
            raise NotSwept(f"{_where(chunk)}: {lost}") from None
    spent = time.perf_counter() - begin
    for output in plan.outputs:
        if output in reply.failures:
            failure = reply.failures[output]
            raise NotSwept(f"{_where(chunk)}: {output} {failure['outcome']}: {failure['message']}")
        _check(plan, chunk, output, reply.results[output])
    known = reply.compile_s + reply.kernel_s
    return _Answered(chunk, reply, Seconds(reply.compile_s, reply.kernel_s, max(spent - known, 0.0)))


def _where(chunk: Chunk) -> str:
    ground = chunk.ground
    return f"the logits {ground.pattern(chunk.start)} to {ground.pattern(chunk.stop - 1)} were not answered"


def _check(plan: Plan, chunk: Chunk, output: str, got: Array) -> None:
    """The shape and the format of the operator (SPEC.md 1.4), or there is nothing to be judged."""
    right = chunk.ground.format.dtype
    points = (chunk.stop - chunk.start) * (2 if chunk.ground.pairs else 1)
    if got.dtype != right or got.size != points:
        what = f"{got.dtype.name} of shape {got.shape}"
        raise NotSwept(f"{_where(chunk)}: {output} came back as {what}, and {points} {right.name} were due")


def _judged(plan: Plan, answer: _Answered, judges: ThreadPoolExecutor) -> list[Tally]:
    """A tally for each output; the points of the chunk are shared among the judges."""
    chunk, results = answer.chunk, answer.reply.results
    shape = (-1, 2) if chunk.ground.pairs else (-1,)
    tallies = []
    for output in plan.outputs:
        got = results[output].reshape(shape)
        pieces = [judges.submit(_piece, chunk, output, got, begin) for begin in range(0, len(got), PIECE)]
        total = Tally()
        for tally, spent in (piece.result() for piece in pieces):
            total.add(tally)
            answer.seconds.judging += spent
        tallies.append(total)
    _charge_bits(plan, answer, tallies)
    return tallies


def _piece(chunk: Chunk, output: str, got: Array, begin: int) -> tuple[Tally, float]:
    """The tally of a part of a chunk, and the seconds of this thread's own that it took."""
    spent = time.thread_time()
    tally = judged(chunk.ground, output, chunk.start + begin, got[begin : begin + PIECE])
    return tally, time.thread_time() - spent


def _charge_bits(plan: Plan, answer: _Answered, tallies: Sequence[Tally]) -> None:
    """What the first call of a signature and a warm one do not agree on, and what a call has changed."""
    chunk, results = answer.chunk, answer.reply.results
    for name, array in results.items():
        if CHANGED in name:
            changed, clause, symptom, tally = array, UNCHANGED, Symptom.CHANGED_INPUTS, tallies[0]
        elif name.endswith(UNWRITTEN):
            changed, clause, symptom = array, WRITTEN, Symptom.UNWRITTEN
            tally = tallies[plan.outputs.index(name.removesuffix(UNWRITTEN))]
        elif name.endswith(AGAIN):
            again = name.removesuffix(AGAIN)
            changed, clause, symptom = other_bits(results[again], array), TWICE, Symptom.OTHER_BITS
            tally = tallies[plan.outputs.index(again)]
        else:
            continue
        at = np.flatnonzero(changed)
        output = plan.outputs[0] if CHANGED in name else name.partition("#")[0]
        came, width = results[output].reshape(-1), 2 if chunk.ground.pairs else 1
        place = int(at[0]) * (came.size // changed.size)  # of an argument it is known which rows changed
        first = Place(0.0, chunk.start + place // width, place % width, float(came[place]))
        tally.charge(clause, symptom, Charged(len(at), first))

"""What the machine at hand can ask: every framework is started once, on its devices as they are.

``conformance list devices`` shows what is there. ``conformance doctor`` has each device answer a call in each
format too, so that a device that answers nothing is known before a run has come to its row 7,000.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from xent_conformance.asking.answer import Answer
from xent_conformance.asking.process import connect
from xent_conformance.asking.questions import questions
from xent_conformance.cases.case import Batch
from xent_conformance.cases.corpus import batches_of, families
from xent_conformance.cases.profile import Profile
from xent_conformance.discovery.framework import Seat
from xent_conformance.discovery.seats import wanted_devices
from xent_conformance.frameworks.interface import Question
from xent_conformance.judging.judge import Judge
from xent_conformance.judging.rows import answered, verdicts
from xent_conformance.reference.formats import FORMATS
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.words import ORDINARY, Outcome, Status
from xent_conformance.reports.text.wording import joined, plural
from xent_conformance.running.conversation import Absent, Answered, Ended, Started, conversation, together
from xent_conformance.worker.machine import cores, drivers, processor

FEWEST = 2
"""Side by side, at least: one that hangs holds up nobody."""

OPERATOR = "sparse_softmax_cross_entropy"
"""What everybody trains with is asked first; of whoever has it not, the first operator that it has."""


@dataclass(frozen=True)
class There:
    """A seat that has started, and says ``hello`` of itself."""

    seat: Seat
    hello: Mapping[str, Any]


@dataclass(frozen=True)
class Gone:
    """A seat that does not start, why, and what adds it. ``broken``: it is there, or may be."""

    seat: Seat
    message: str
    install: str
    broken: bool


@dataclass(frozen=True)
class Told:
    """What one device answered in one format.

    ``status`` is the worst of its verdicts, None where it is not offered there or the device is asked nothing
    of the kind; ``failed`` says in the framework's words why an output that is offered did not come.
    """

    seat: Seat
    device: str
    dtype: str
    implementation: str
    mode: str
    status: Status | None
    clause: str
    failed: str


@dataclass(frozen=True)
class Done:
    """Nothing more comes of the seat."""

    seat: Seat


Heard = There | Gone | Told | Done


def described() -> str:
    """``AMD EPYC, 2 cores; nvidia 580.159.04``: what is known before anything is started."""
    return joined("; ", [f"{processor()}, {plural(cores(), 'core')}", drivers()])


def heard(
    seats: Iterable[Seat],
    devices: Sequence[str] = (),
    *,
    oracle: Oracle | None = None,
    answer_seconds: float | None = None,
) -> Generator[Heard, None, None]:
    """Start these seats in their order, as many side by side as there are cores; tell of each as it starts.

    With an ``oracle`` each device of ``devices``, or every one, answers a call in each format, which is
    judged. Each answer is waited for ``answer_seconds``.
    """
    every = {seat.key: seat for seat in seats}
    reach = connect if answer_seconds is None else functools.partial(connect, answer_seconds=answer_seconds)
    rows = {key: ordinary(seat) if oracle else () for key, seat in every.items()}

    def put(seat: Seat, batch: Batch, there: Sequence[str]) -> list[Question]:
        return once(seat, batch, wanted_devices(seat, there, devices))

    streams = {key: conversation(seat, rows[key], put, reach) for key, seat in every.items()}
    hellos: dict[str, Mapping[str, Any]] = {}
    judges: dict[str, Judge] = {}
    # an import takes a core: all at once, the first would come when the last does
    with contextlib.closing(together(streams, max(cores(), FEWEST))) as events:
        for event in events:
            match event:
                case Started(key, hello):
                    hellos[key] = hello
                    yield There(every[key], hello)
                case Absent(key, message, lacks, broken):
                    yield Gone(every[key], message, every[key].install(lacks), broken)
                case Answered(key, batch, answers):
                    assert oracle is not None, "nothing is asked without one"
                    judge = judges.get(batch.id) or Judge(oracle.truth(batch.inputs))
                    judges[batch.id] = judge
                    yield from (_told(every[key], hellos[key], batch, judge, a) for a in answers)
                case Ended(key):
                    yield Done(every[key])


def ordinary(seat: Seat) -> tuple[Batch, ...]:
    """One plain row of an operator that the seat has, in each format."""
    has = {i.operator for i in seat.declaration.implementations if i.formulation != "naive"}
    name = next((o for o in (OPERATOR, *OPERATORS) if o in has), None)
    if name is None:
        return ()
    operator, family = OPERATORS[name], families()[ORDINARY]
    n = next(n for n in family.lengths(operator, Profile.QUICK) if n > 2 or operator.elementwise)
    return tuple(_first_row(batches_of(operator, family, fmt, n)[0]) for fmt in FORMATS.values())


def _first_row(batch: Batch) -> Batch:
    inputs = batch.inputs
    arrays = {name: getattr(inputs, name)[:1] for name in ("logits", "labels", "cotangent", "tangent")}
    return replace(batch, inputs=replace(inputs, **arrays), asks=batch.asks[:1])


def once(seat: Seat, batch: Batch, devices: Sequence[str]) -> list[Question]:
    """For each device the first question that the seat has about the batch, in whatever profile."""
    names = [i.name for i in seat.declaration.implementations if i.formulation != "naive"]
    first: dict[str, Question] = {}
    for question in questions(seat, batch, devices, names, Profile.FULL):
        first.setdefault(question.device, question)
    return list(first.values())


def _told(seat: Seat, hello: Mapping[str, Any], batch: Batch, judge: Judge, answer: Answer) -> Told:
    rows = verdicts([answered(seat, hello, batch, judge, answer)]).rows()
    due = [row for row in rows if row["status"] != Status.UNSUPPORTED]
    worst = max(due, key=lambda row: Status(row["status"]).rank, default=None)
    failed = next((r for r in due if r["outcome"] != Outcome.RETURNED), None)
    return Told(
        seat,
        seat.device(answer.question.device),
        batch.inputs.format.name,
        answer.question.implementation,
        answer.question.mode,
        Status(worst["status"]) if worst else None,
        worst["clause"] if worst else "",
        f"{failed['output']} {failed['outcome'].replace('_', ' ')}: {failed['message']}" if failed else "",
    )

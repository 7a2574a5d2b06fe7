"""``conformance explain``: one case, its inputs to the last bit, the certified value, and every answer."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl
from flint import arb, ctx

from xent_conformance.asking.answer import Answer
from xent_conformance.asking.process import connect
from xent_conformance.asking.questions import questions
from xent_conformance.cases.case import Batch, Case
from xent_conformance.cases.corpus import batches, families, find_case
from xent_conformance.cases.outside.files import find_in, read_files
from xent_conformance.cases.profile import Profile
from xent_conformance.devices.names import split
from xent_conformance.diagnosis.causes import diagnose
from xent_conformance.diagnosis.said import Said
from xent_conformance.discovery.framework import FRAMEWORKS, Seat
from xent_conformance.discovery.names import named, near
from xent_conformance.discovery.seats import as_they_are, seats, wanted_devices
from xent_conformance.explain.wanted import Wanted
from xent_conformance.frameworks.interface import Question
from xent_conformance.judging.judge import Judge
from xent_conformance.judging.rows import answered as of_seat
from xent_conformance.judging.rows import verdicts
from xent_conformance.reference.cache import default_cache
from xent_conformance.reference.operators import OPERATORS, evaluate
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.file import Run
from xent_conformance.reports.run.words import Row, Status
from xent_conformance.reports.views.causes import Cause, causes
from xent_conformance.running.conversation import Absent, Started, conversation, together
from xent_conformance.running.conversation import Answered as Told

DIGITS = 30

Progress = Callable[[str, int, int], None]
"""``progress(seat, done, planned)``, as a run has it."""


@dataclass(frozen=True)
class Exact:
    """The certified elements of one output, as decimal text of ``DIGITS`` digits."""

    output: str
    elements: tuple[str, ...]


def certified_digits(batch: Batch, case: Case) -> list[Exact]:
    """Every output of the case to 30 certified digits (fewer are printed where fewer are proved)."""
    inputs = batch.inputs
    before, ctx.prec = ctx.prec, 2048
    try:
        values = evaluate(inputs.definition, inputs.row(case.row))
        return [Exact(o, tuple(_text(v) for v in values[o])) for o in inputs.outputs]
    finally:
        ctx.prec = before


def _text(value: arb | float) -> str:
    return str(value) if isinstance(value, float) else str(value.str(DIGITS, radius=False))


_ORDER = (
    Status.BREAKS_MUST,
    Status.BREAKS_SHOULD,
    Status.UNDECIDED,
    Status.OPEN,
    Status.CONFORMS,
    Status.UNSUPPORTED,
)
"""The broken first; last what nobody offers."""

_CALL = ("framework", "implementation", "mode", "device")


@dataclass(frozen=True)
class Answered:
    """What one seat's implementations said about the case: rows as in a run file, the broken first.

    ``absent``: why the framework does not start, and ``install``, what adds what is not there; ``broken``: it
    is there, and cannot be imported. ``lacks``: what this machine has not for it. ``causes``: by its name,
    what is wrong with rows of the batch, where something is. ``hello``: what the worker says of itself.
    """

    seat: Seat
    absent: str
    rows: tuple[Mapping[str, Any], ...]
    lacks: str = ""
    causes: Mapping[str, Cause] = field(default_factory=dict)
    hello: Mapping[str, Any] = field(default_factory=dict)
    install: str = ""
    broken: bool = False
    nowhere: bool = False
    """Whether it has none of the devices that were named."""

    @property
    def framework(self) -> str:
        """The seat's key: ``torch``, ``torch[isa=avx2]``."""
        return self.seat.key

    @property
    def not_installed(self) -> bool:
        """Whether its package is not there; one that is there may break where it starts."""
        return bool(self.absent) and not self.broken

    @property
    def worst(self) -> tuple[int, bool]:
        """The place of its worst answer, the broken first; beyond all others where there is none."""
        return min(map(_rank, self.rows), default=(len(_ORDER), False))


def found_case(case_id: str, files: Sequence[str] = ()) -> tuple[Batch, Case]:
    """The case of that id, of the files of cases or, where none is named, of the corpus.

    Raises LookupError for any other id, and :class:`~xent_conformance.cases.outside.numbers.CasesError`.
    """
    return find_in(read_files(files), case_id) if files else find_case(case_id)


def answers(batch: Batch, case: Case, wanted: Wanted, progress: Progress | None = None) -> list[Answered]:
    """Ask whoever is wanted about the case's batch, and judge it: those with the worst answers first.

    Who does not match is not started; the others are asked side by side, since starting them takes longer
    than most answers. The whole batch is asked, as in a run, so that the answer is the run's: on the devices
    and their variants, named as for a run, or on every device as it is.
    """
    oracle = Oracle(default_cache())
    asked = {s.key: s for s in asked_of(batch, wanted)}
    if not asked:
        return []
    judge = Judge(oracle.truth(batch.inputs))
    found: dict[str, Answered] = {}
    hellos: dict[str, Mapping[str, Any]] = {}
    streams = {
        key: conversation(seat, [batch], lambda s, b, there: chosen(s, b, there, wanted), connect)
        for key, seat in asked.items()
    }
    with contextlib.closing(together(streams)) as events:
        for event in events:
            match event:
                case Started(key, hello):
                    hellos[key] = hello
                case Absent(key, message, lacks, broken):
                    install = asked[key].install(lacks)
                    told = f"{message} ({install})"
                    found[key] = Answered(asked[key], told, (), install=install, broken=broken)
                case Told(key, _, answered):
                    found[key] = judged_of(
                        asked[key], hellos[key], batch, case, judge, oracle, answered, wanted
                    )
            if progress is not None:
                for key in asked:
                    progress(key, int(key in found), 1)
    order = list(asked)
    return sorted((found[key] for key in order), key=lambda a: (a.absent != "", a.worst))


def asked_of(batch: Batch, wanted: Wanted) -> list[Seat]:
    """Who is asked about the batch; nobody where nothing that is offered of it is wanted."""
    possible = ["cpu", *(split(d)[0] for d in wanted.devices)]
    return [seat for seat in _seats(wanted) if chosen(seat, batch, possible, wanted)]


def near_implementations(batch: Batch, wanted: Wanted) -> str:
    """``did you mean torch.softmax? ``: of the operator, near to what nothing is called; else empty."""
    of = (i for s in _seats(wanted) for i in s.declaration.implementations if i.operator == batch.operator)
    known = list(dict.fromkeys(i.name for i in of))
    if any(named(name, wanted.implementations) for name in known):
        return ""
    found = dict.fromkeys(name for pattern in wanted.implementations for name in near(pattern, known))
    return f"did you mean {', '.join(found)}? " if found else ""


def _seats(wanted: Wanted) -> Iterator[Seat]:
    for framework in FRAMEWORKS.values():
        if not wanted.frameworks or framework.name in wanted.frameworks:
            every = (
                seats(framework, wanted.devices, Profile.FULL) if wanted.devices else as_they_are(framework)
            )
            yield from (seat.run_by(wanted.interpreters.get(framework.name)) for seat in every)


def chosen(seat: Seat, batch: Batch, there: Sequence[str], wanted: Wanted) -> list[Question]:
    """What a seat is asked on those of the devices that are there and wanted, in the wanted modes or all."""
    names = [i.name for i in seat.declaration.implementations if named(i.name, wanted.implementations)]
    every = questions(seat, batch, wanted_devices(seat, there, wanted.devices), names, Profile.FULL)
    return [q for q in every if not wanted.modes or q.mode in wanted.modes]


def judged_of(
    seat: Seat,
    hello: Mapping[str, Any],
    batch: Batch,
    case: Case,
    judge: Judge,
    oracle: Oracle,
    answered: Sequence[Answer],
    wanted: Wanted,
) -> Answered:
    """What a seat answered about the batch, judged and diagnosed: the rows of the case, the broken first."""
    if not answered:
        if chosen(seat, batch, hello["devices"], wanted):  # due, and this machine cannot be asked it
            lacks = [
                f"{name}: {why}" for key in ("missing", "older") for name, why in hello.get(key, {}).items()
            ]
            return Answered(seat, "", (), "; ".join(lacks))
        there = ", ".join(hello["devices"])
        why = f"no device {', '.join(wanted.devices)} here; there is {there}"
        return Answered(seat, "", (), why, nowhere=True)
    found = verdicts(of_seat(seat, hello, batch, judge, answer) for answer in answered).frame()
    run = diagnose(Run(found, ({},)), [batch], Said(oracle))
    named_causes = {cause.id: cause for cause in causes(run)}
    mine = [
        row
        for row in run.verdicts.filter(pl.col("case") == case.id).iter_rows(named=True)
        if wanted.output in ("", row["output"])
    ]
    ordered = tuple(row for call in calls_of(mine) for row in call)
    return Answered(seat, "", ordered, causes=named_causes, hello=hello)


def calls_of(rows: Iterable[Row]) -> list[list[Row]]:
    """The rows of each call together, those of a call with a worse answer first.

    A naive formulation is a control: it comes after others that are as bad.
    """
    calls: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        calls.setdefault(tuple(row[c] for c in _CALL), []).append(row)
    return sorted(calls.values(), key=lambda mine: min(map(_rank, mine)))


def _rank(row: Row) -> tuple[int, bool]:
    return _ORDER.index(row["status"]), row["formulation"] == "naive"


def near_cases(case_id: str, files: Sequence[str] = ()) -> str:
    """What to type instead of an unknown case id: the nearest ids of the files, or of the family meant."""
    parts = [*case_id.split("/"), "", ""]
    operators, meant = _nearest(parts[0], OPERATORS), _nearest(parts[1], families())
    asked = (
        (b for file in read_files(files) for b in file.batches)
        if files
        else batches(Profile.FULL, operators=operators, families_=meant)
    )
    known = [c.id for b in asked for c in b.cases]
    near = difflib.get_close_matches(case_id, known, n=3, cutoff=0.6)
    if near:
        return f"did you mean {' or '.join(near)}?"
    if not files and parts[1] and not meant:
        return f"{parts[1]!r} is no family; a case of a file of yours is found with --cases FILE"
    return "a case id reads OPERATOR/FAMILY/VARIANT/DTYPE/nN/rROW, e.g. softmax/ordinary/unit/float32/n10/r0"


def _nearest(name: str, known: Iterable[str]) -> list[str]:
    """The known name that is nearest to what was typed, if any is near."""
    return difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)

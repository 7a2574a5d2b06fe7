"""``conformance explain``: one case, its inputs to the last bit, the certified value, and every answer."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl
from flint import arb, ctx

from xent_conformance.asking.connection import FrameworkAbsent, WorkerLost
from xent_conformance.asking.process import connect
from xent_conformance.asking.questions import questions
from xent_conformance.cases.case import Batch, Case
from xent_conformance.cases.corpus import batches, families, find_case
from xent_conformance.cases.outside.files import find_in, read_files
from xent_conformance.cases.profile import Profile
from xent_conformance.diagnosis.causes import diagnose
from xent_conformance.frameworks.interface import Question
from xent_conformance.judging.judge import Judge
from xent_conformance.judging.rows import asked_and_judged
from xent_conformance.reference.cache import default_cache
from xent_conformance.reference.operators import OPERATORS, evaluate
from xent_conformance.reference.oracle import Oracle
from xent_conformance.registry.devices import seats, split, wanted_devices
from xent_conformance.registry.framework import FRAMEWORKS, Seat
from xent_conformance.registry.names import named
from xent_conformance.reports.run.file import SCHEMA, Run
from xent_conformance.reports.views.causes import Cause, causes

DIGITS = 30


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


@dataclass(frozen=True)
class Answered:
    """What one framework's implementations said about the case: rows as in a run file.

    ``absent``: why the framework does not start; ``lacks``: which device it has not. ``causes``: by its name,
    what is wrong with rows of the batch, where something is. ``hello``: what the worker says of itself.
    """

    framework: str
    absent: str
    rows: tuple[Mapping[str, Any], ...]
    lacks: str = ""
    causes: Mapping[str, Cause] = field(default_factory=dict)
    hello: Mapping[str, Any] = field(default_factory=dict)


def found_case(case_id: str, files: Sequence[str] = ()) -> tuple[Batch, Case]:
    """The case of that id, of the files of cases or, where none is named, of the corpus.

    Raises LookupError for any other id, and :class:`~xent_conformance.cases.outside.numbers.CasesError`.
    """
    return find_in(read_files(files), case_id) if files else find_case(case_id)


def answers(
    batch: Batch,
    case: Case,
    patterns: Sequence[str] = (),
    devices: Sequence[str] = (),
    framework: str = "",
) -> Iterator[Answered]:
    """Ask every implementation that one of ``patterns`` names about the case's batch, framework by framework.

    Only that ``framework``, if one is named.

    The whole batch is asked, as in a run, so that the answer is the run's: on ``devices`` and their
    variants, named as for a run, or on every device as it is.
    """
    oracle = Oracle(default_cache())
    judge = Judge(oracle.truth(batch.inputs))
    possible = ["cpu", *(split(d)[0] for d in devices)]
    for asked in (f for f in FRAMEWORKS.values() if framework in ("", f.name)):
        every = asked.declaration.implementations
        names = [i.name for i in every if named(i.name, patterns)]
        for seat in seats(asked, devices, Profile.FULL) if devices else (Seat(asked),):
            if _chosen(seat, batch, possible, names, devices):
                yield _answered(seat, batch, case, judge, oracle, names, devices)


def _chosen(
    seat: Seat, batch: Batch, there: Sequence[str], names: Sequence[str], devices: Sequence[str]
) -> list[Question]:
    """What is asked on those of the devices that are there and wanted, in all modes."""
    return questions(seat, batch, wanted_devices(seat, there, devices), names, Profile.FULL)


def _answered(
    seat: Seat,
    batch: Batch,
    case: Case,
    judge: Judge,
    oracle: Oracle,
    names: Sequence[str],
    devices: Sequence[str],
) -> Answered:
    try:
        connection = connect(seat)
    except (FrameworkAbsent, WorkerLost) as absent:
        install = seat.install(absent.lacks if isinstance(absent, FrameworkAbsent) else "")
        return Answered(seat.key, f"{absent} ({install})", ())
    try:
        there = connection.hello["devices"]
        chosen = _chosen(seat, batch, there, names, devices)
        if not chosen:
            lacks = f"no device {', '.join(devices)} here; there is {', '.join(there)}"
            return Answered(seat.key, "", (), lacks)
        rows = list(asked_and_judged(seat, connection, batch, chosen, judge))
        run = diagnose(Run(pl.DataFrame(rows, schema=SCHEMA, orient="row"), ({},)), [batch], oracle)
        named = {cause.id: cause for cause in causes(run)}
        mine = run.verdicts.filter(pl.col("case") == case.id).iter_rows(named=True)
        return Answered(seat.key, "", tuple(mine), causes=named, hello=connection.hello)
    finally:
        connection.close()


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

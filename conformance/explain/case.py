"""``conformance explain``: one case, its inputs to the last bit, the certified value, and every answer."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flint import arb, ctx

from xent_conformance.asking.asker import Asker
from xent_conformance.asking.process import FrameworkAbsent, Process, WorkerLost
from xent_conformance.asking.selection import check_name, questions
from xent_conformance.cases.case import Batch, Case
from xent_conformance.cases.family import PROFILES
from xent_conformance.frameworks.interface import Question
from xent_conformance.judging.judge import Judge
from xent_conformance.judging.rows import rows_of, target_of
from xent_conformance.reference.cache import default_cache
from xent_conformance.reference.operators import evaluate
from xent_conformance.reference.oracle import Oracle
from xent_conformance.registry.devices import is_variant, seats, split, variants_of, wanted_devices
from xent_conformance.registry.framework import FRAMEWORKS, Framework

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

    ``absent``: why the framework does not start; ``lacks``: which device it has not.
    """

    framework: str
    absent: str
    rows: tuple[Mapping[str, Any], ...]
    lacks: str = ""


def check_devices(devices: Sequence[str]) -> None:
    """Raise :class:`xent_conformance.asking.selection.UnknownName` for a variant that no framework has."""
    known = variants_of(FRAMEWORKS.values())
    for device in devices:
        if split(device)[1] and not is_variant(device, known):
            check_name("variant", device, known)


def answers(batch: Batch, case: Case, pattern: str = "*", devices: Sequence[str] = ()) -> Iterator[Answered]:
    """Ask every implementation that matches ``pattern`` about the case's batch, framework by framework.

    The whole batch is asked, as in a run, so that the answer is the run's: on ``devices`` and their
    variants, named as for a run, or on every device as it is.
    """
    judge = Judge(Oracle(default_cache()).truth(batch.inputs))
    for framework in FRAMEWORKS.values():
        names = [i.name for i in framework.implementations if fnmatch.fnmatchcase(i.name, pattern)]
        for seat in seats(framework, devices, PROFILES[-1]) if devices else (framework,):
            if _chosen(seat, batch, ["cpu", *(split(d)[0] for d in devices)], names, devices):
                yield _answered(seat, batch, case, judge, names, devices)


def _chosen(
    seat: Framework, batch: Batch, there: Sequence[str], names: Sequence[str], devices: Sequence[str]
) -> list[Question]:
    """What is asked on those of the devices that are there and wanted, in all modes."""
    return questions(seat, batch, wanted_devices(seat, there, devices), names, PROFILES[-1])


def _answered(
    seat: Framework, batch: Batch, case: Case, judge: Judge, names: Sequence[str], devices: Sequence[str]
) -> Answered:
    try:
        process = Process(seat.launch())
    except (FrameworkAbsent, WorkerLost) as absent:
        return Answered(seat.key, f"{absent} ({seat.install})", ())
    try:
        there = process.hello["devices"]
        chosen = _chosen(seat, batch, there, names, devices)
        if not chosen:
            lacks = f"no device {', '.join(devices)} here; there is {', '.join(there)}"
            return Answered(seat.key, "", (), lacks)
        asker = Asker(process)
        rows: list[Mapping[str, Any]] = []
        for answer in asker.ask(batch, chosen):
            asker.isolate(answer, batch)
            target = target_of(seat, process.hello, answer.question)
            widening = answer.question.mode in seat.widening
            found = rows_of(batch, judge, answer, target, widening=widening)
            rows += [r for r in found if r["case"] == case.id]
        return Answered(seat.key, "", tuple(rows))
    finally:
        process.close()

"""``conformance explain``: one case, its inputs to the last bit, the certified value, and every answer."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flint import arb, ctx

from cases.case import Batch, Case
from cases.family import PROFILES
from conformance.asking import Asker
from conformance.process import FrameworkAbsent, Process, WorkerLost
from conformance.registry import FRAMEWORKS
from conformance.rows import rows_of, target_of
from conformance.selection import questions
from conformance.verdict import Judge
from reference.operators import evaluate
from reference.oracle import Oracle, default_cache

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
    """What one framework's implementations said about the case: rows as in a run file."""

    framework: str
    absent: str
    rows: tuple[Mapping[str, Any], ...]


def answers(batch: Batch, case: Case, pattern: str = "*") -> Iterator[Answered]:
    """Ask every implementation that matches ``pattern`` about the case's batch, framework by framework.

    The whole batch is asked, as in a run, so that the answer is the run's.
    """
    judge = Judge(Oracle(default_cache()).truth(batch.inputs))
    for framework in FRAMEWORKS.values():
        names = [i.name for i in framework.implementations if fnmatch.fnmatchcase(i.name, pattern)]
        chosen = questions(framework, batch, ["cpu"], names, PROFILES[-1])
        if not chosen:
            continue
        try:
            process = Process(framework.launch())
        except (FrameworkAbsent, WorkerLost) as absent:
            yield Answered(framework.name, f"{absent} ({framework.install})", ())
            continue
        try:
            devices = process.hello["devices"]
            asker = Asker(process)
            rows: list[Mapping[str, Any]] = []
            for answer in asker.ask(batch, questions(framework, batch, devices, names, PROFILES[-1])):
                asker.isolate(answer, batch)
                target = target_of(framework, process.hello, answer.question)
                rows += [r for r in rows_of(batch, judge, answer, target) if r["case"] == case.id]
            yield Answered(framework.name, "", tuple(rows))
        finally:
            process.close()

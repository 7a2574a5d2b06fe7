"""Puts the quick profile to the faults, keeps what a diagnosis needs of it, and says what it names each.

Of a call with a broken row as many conforming ones are kept as are held against a hypothesis; of an ordinary
call without one, one row: that it is right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import polars as pl

from tests.support.corpus import corpus, of_corpus
from tests.support.faults.asked import NOT_JUDGED, Bench, Told
from xent_conformance.cases.case import Batch
from xent_conformance.diagnosis.causes import diagnosed_alone
from xent_conformance.diagnosis.weigh import SAMPLE
from xent_conformance.frameworks.interface import Question
from xent_conformance.reference.cache import default_cache
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.file import SCHEMA
from xent_conformance.reports.run.words import FAULTS, ORDINARY, Row
from xent_conformance.reports.views.causes import Cause, causes

TARGET = {"framework": "faults", "version": "0", "machine": "", "formulation": "composed"}


class Keeping(Bench):
    """Keeps rows as a run file has them."""

    target = MappingProxyType(TARGET)

    def __init__(self, cache: Path | None = None) -> None:
        super().__init__(cache)
        self.kept: list[Row] = []

    def _kept(self, batch: Batch, table: pl.DataFrame) -> Sequence[Row]:
        return table.drop("cause").rows(named=True)

    def _of_one(self, batch: Batch, rows: Sequence[Row]) -> Sequence[Row]:
        return of_interest(rows, ordinary=batch.family == ORDINARY)

    def _keep(self, question: Question, told: Told) -> None:
        mine = {"implementation": question.implementation, "mode": question.mode, "device": question.device}
        self.kept += [row | mine for row in told.kept]

    @property
    def verdicts(self) -> pl.DataFrame:
        return pl.DataFrame(self.kept, schema=SCHEMA)


def of_interest(rows: Sequence[Row], *, ordinary: bool) -> list[Row]:
    """The broken rows of a call and some that are right; of an ordinary call that is right, one."""
    broken = [row for row in rows if row["status"] in FAULTS]
    right = [row for row in rows if row["status"] not in (*FAULTS, *NOT_JUDGED)]
    if not broken:
        return right[:1] if ordinary else []
    return broken + right[:: max(1, len(right) // SAMPLE)]


def verdicts_in_quick(names: Iterable[str] | None = None, families: Iterable[str] = ()) -> pl.DataFrame:
    """Those of these implementations, or of all, in quick or in some of its families."""
    bench, wanted = Keeping(default_cache()), list(families) or None
    asked = None if names is None else sorted(names)
    for batch in of_corpus("quick", families=wanted, operators=_operators(asked)):
        bench.ask(batch, "quick", asked)
    return bench.verdicts


def _operators(names: Sequence[str] | None) -> list[str] | None:
    """A fault is called by its operator."""
    return None if names is None else sorted({name.split(":")[0] for name in names})


def causes_of(verdicts: pl.DataFrame) -> Mapping[str, Sequence[Cause]]:
    """Of each implementation its causes, each explained by itself."""
    alone = diagnosed_alone(verdicts, corpus("quick"), Oracle(default_cache()))
    return {name: causes(run) for name, run in alone.items()}


def named_first(of: Sequence[Cause]) -> str:
    """What explains most of what is broken; nothing, if most of it is explained by nothing."""
    found: Counter[str] = Counter()
    for cause in of:
        found[cause.hypothesis] += cause.verdicts
    return max(found, key=lambda name: (found[name], name), default="")

"""Puts the quick profile to the faults and keeps what a diagnosis needs of it: broken rows, and right ones.

Of a call with a broken row as many conforming ones as :mod:`weigh` holds against a hypothesis are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from tests.support.corpus import corpus
from tests.support.faults.asked import NOT_JUDGED, Bench, _bits
from xent_conformance.asking.asker import Answer
from xent_conformance.cases.case import Batch
from xent_conformance.diagnosis.causes import cause_of_each
from xent_conformance.diagnosis.weigh import SAMPLE
from xent_conformance.judging.judge import Judge
from xent_conformance.judging.rows import rows_of
from xent_conformance.reference.cache import default_cache
from xent_conformance.reports.run.file import SCHEMA
from xent_conformance.reports.run.words import FAULTS, ORDINARY
from xent_conformance.reports.views.causes import Cause

TARGET = {"framework": "faults", "version": "0", "machine": "", "formulation": "composed"}


class Keeping(Bench):
    """Keeps rows as a run file has them."""

    def __init__(self, cache: Path | None = None) -> None:
        super().__init__(cache)
        self.kept: list[dict[str, Any]] = []

    def _keep(self, batch: Batch, judge: Judge, known: dict[Any, Any], answer: Answer) -> None:
        key = _bits(answer)
        if key not in known:
            rows = rows_of(batch, judge, answer, TARGET)
            known[key] = _of_interest(rows, ordinary=batch.family == ORDINARY)
        name = answer.question.implementation
        mine = {"implementation": name, "mode": answer.question.mode, "device": answer.question.device}
        self.kept += [row | mine for row in known[key]]

    @property
    def verdicts(self) -> pl.DataFrame:
        return pl.DataFrame(self.kept, schema=SCHEMA)


def _of_interest(rows: list[dict[str, Any]], *, ordinary: bool) -> list[dict[str, Any]]:
    """The broken ones, and a sample of the others; of an ordinary call that is right, one row."""
    broken = [row for row in rows if row["status"] in FAULTS]
    right = [row for row in rows if row["status"] not in (*FAULTS, *NOT_JUDGED)]
    if not broken:
        return right[:1] if ordinary else []
    return broken + right[:: max(1, len(right) // SAMPLE)]


def asked_quick(names: Iterable[str] | None = None, families: Iterable[str] = ()) -> pl.DataFrame:
    """The verdicts of these implementations, or of all, in quick or in some of its families."""
    bench, wanted = Keeping(default_cache()), set(families)
    for batch in corpus("quick"):
        if not wanted or batch.family in wanted:
            bench.ask(batch, "quick", names)
    return bench.verdicts


def causes_of(verdicts: pl.DataFrame, bench: Bench | None = None) -> Mapping[str, list[Cause]]:
    """Of each implementation its causes, the one that explains most first."""
    oracle = (bench or Bench(default_cache())).oracle
    found = {}
    for (name,), mine in verdicts.partition_by("implementation", as_dict=True, maintain_order=True).items():
        _, causes = cause_of_each(mine, "quick", oracle)
        found[str(name)] = sorted(causes, key=lambda c: (-c.verdicts, c.id))
    return found

"""Puts the quick profile to every fault and every variant, as a run would, and keeps what they break.

What is asked comes from ``asking/selection``, how from ``asking/asker``; only the
worker lives in this process. Verdicts are a function of the bits: an output whose bits were judged
already is not judged again.
"""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from tests.support import shared
from tests.support.corpus import corpus
from tests.support.faults.adapter import Compiled, Faults
from tests.support.faults.fault import Died, Fault
from tests.support.faults.seeded import FAULTS
from tests.support.judging import rows_of
from xent_conformance.asking.asker import Answer, ask
from xent_conformance.asking.connection import Reply, WorkerLost
from xent_conformance.asking.inside import InProcess
from xent_conformance.asking.questions import questions
from xent_conformance.cases.case import Batch
from xent_conformance.cases.corpus import batches
from xent_conformance.frameworks.interface import Array, Question
from xent_conformance.judging.judge import Judge
from xent_conformance.reference.cache import default_cache
from xent_conformance.reference.oracle import Oracle
from xent_conformance.registry.framework import Framework, Seat
from xent_conformance.reports.run.words import Status
from xent_conformance.worker.delivery import AGAIN

Seats = Mapping[Seat, type[Faults]]

SEATS: Seats = {
    Seat(Framework("faults", "tests.support.faults.adapter:Faults", "")): Faults,
    Seat(Framework("compiled", "tests.support.faults.adapter:Compiled", "")): Compiled,
}

BROKEN = (Status.BREAKS_MUST, Status.BREAKS_SHOULD)

NOT_JUDGED = (Status.UNSUPPORTED, Status.UNDECIDED)

CORRECT = "pairwise"
"""The correct implementation that is asked beyond quick: in the dtype, for rows of 2^25 classes."""

COLUMNS: Mapping[str, Any] = {
    **dict.fromkeys(("implementation", "mode", "operator", "family", "variant", "dtype"), pl.String),
    **dict.fromkeys(("case", "output", "clause", "level", "status", "symptom", "outcome"), pl.String),
    "grade": pl.String,
    "ulps": pl.Float64,
    "ratio": pl.Float64,
}
"""What is kept of a broken verdict."""


@dataclass(frozen=True)
class Found:
    """How many verdicts each implementation has, how many judge nothing, and those that break a clause."""

    judged: Mapping[str, int]
    not_judged: Mapping[str, int]
    table: pl.DataFrame

    def write(self, folder: Path) -> None:
        """For other processes."""
        counts = {"judged": self.judged, "not_judged": self.not_judged}
        (folder / "counts.json").write_text(json.dumps(counts), encoding="utf-8")
        self.table.write_parquet(folder / "broken.parquet")

    @classmethod
    def read(cls, folder: Path) -> Found:
        """What another process has written."""
        counts = json.loads((folder / "counts.json").read_text(encoding="utf-8"))
        return cls(counts["judged"], counts["not_judged"], pl.read_parquet(folder / "broken.parquet"))


class Dying(InProcess):
    """An adapter in this process, of which a fault may die as if the process were its own."""

    def ask(self, questions: Sequence[Question], arrays: Mapping[str, Array]) -> Iterator[Reply]:
        try:
            yield from super().ask(questions, arrays)
        except Died as died:
            raise WorkerLost(str(died)) from died


class Bench:
    """Everything that was judged: how many verdicts of each implementation, and those that break a clause."""

    def __init__(self, cache: Path | None = None, seats: Seats = SEATS) -> None:
        self.oracle = Oracle(cache)
        self.connections = {seat: Dying(adapter) for seat, adapter in seats.items()}
        self.judged: Counter[str] = Counter()
        self.not_judged: Counter[str] = Counter()
        self.broken: list[dict[str, Any]] = []

    def ask(self, batch: Batch, profile: str, names: Iterable[str] | None = None) -> None:
        """Put a batch to these implementations, or to all."""
        judge, known = Judge(self.oracle.truth(batch.inputs)), {}
        for seat, connection in self.connections.items():
            every = [i.name for i in seat.declaration.implementations]
            asked = questions(seat, batch, ["cpu"], every if names is None else names, profile)
            for answer in ask(connection, batch, asked):
                for output in answer.question.outputs:
                    self._keep(batch, judge, known, _only(answer, output))

    def _keep(self, batch: Batch, judge: Judge, known: dict[Any, Any], answer: Answer) -> None:
        key = bits(answer)
        if key not in known:
            known[key] = rows_of(batch, judge, answer, {})
        rows = known[key]
        name = answer.question.implementation
        self.judged[name] += len(rows)
        self.not_judged[name] += sum(row["status"] in NOT_JUDGED for row in rows)
        mine = {"implementation": name, "mode": answer.question.mode}
        broken = (row | mine for row in rows if row["status"] in BROKEN)
        self.broken += [{column: row[column] for column in COLUMNS} for row in broken]

    @property
    def found(self) -> Found:
        table = pl.DataFrame(self.broken, schema=COLUMNS)
        return Found(self.judged, self.not_judged, table)


def _only(answer: Answer, output: str) -> Answer:
    """The answer as far as one output goes."""
    mine = (output, output + AGAIN)
    return Answer(
        replace(answer.question, outputs=(output,)),
        {name: array for name, array in answer.results.items() if name in mine},
        {name: failures for name, failures in answer.failures.items() if name == output},
        copies={name: copies for name, copies in answer.copies.items() if name == output},
        changed=answer.changed if output == answer.question.outputs[0] else {},
    )


def bits(answer: Answer) -> tuple[Any, ...]:
    results = tuple((n, a.dtype.name, a.shape, a.tobytes()) for n, a in sorted(answer.results.items()))
    failures = tuple((n, tuple(sorted(f.items(), key=lambda e: e[0]))) for n, f in answer.failures.items())
    copies = tuple((n, r, a.tobytes()) for n, rows in answer.copies.items() for r, a in sorted(rows.items()))
    changed = tuple((row, tuple(sorted(names))) for row, names in sorted(answer.changed.items()))
    return answer.question.outputs, results, failures, copies, changed


@functools.cache
def quick() -> Found:
    """The quick profile, put to all; once for all processes of a test session."""

    def put(folder: Path) -> None:
        bench = Bench(default_cache())
        for batch in corpus("quick"):
            bench.ask(batch, "quick")
        bench.found.write(folder)

    return Found.read(shared.once("faults-in-quick", put))


@functools.cache
def beyond(name: str) -> Found:
    """What only another profile can see, put to the fault and to a correct implementation."""
    fault = fault_named(name)
    where = fault.beyond
    assert where is not None

    def put(folder: Path) -> None:
        bench = Bench(default_cache())
        for batch in batches(
            where.profile, operators=[fault.operator], families_=[where.family], dtypes=[where.dtype]
        ):
            bench.ask(batch, where.profile, [name, CORRECT])
        bench.found.write(folder)

    return Found.read(shared.once(f"fault-{name.replace(':', '-')}", put))


def fault_named(name: str) -> Fault:
    return next(f for f in FAULTS if f.name == name)

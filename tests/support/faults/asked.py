"""Puts the quick profile to every fault and every variant, as a run would, and keeps what they break.

What is asked comes from ``asking/selection``, how from ``asking/asker``; only the
worker lives in this process. Verdicts are a function of the bits: an output whose bits were judged
already is not judged again, and all other outputs of a batch are judged in one pass.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import polars as pl

from tests.support import shared
from tests.support.corpus import corpus
from tests.support.faults.adapter import Compiled, Faults
from tests.support.faults.fault import Died, Fault
from tests.support.faults.seeded import FAULTS
from tests.support.faults.sharing import sharing
from xent_conformance.asking.answer import Answer
from xent_conformance.asking.asker import ask
from xent_conformance.asking.connection import Reply, WorkerLost
from xent_conformance.asking.inside import InProcess
from xent_conformance.asking.questions import questions
from xent_conformance.cases.case import Batch
from xent_conformance.cases.corpus import batches
from xent_conformance.discovery.framework import Framework, Seat
from xent_conformance.frameworks.interface import Array, Question
from xent_conformance.judging.judge import Judge
from xent_conformance.judging.rows import Answered, verdicts
from xent_conformance.reference.cache import default_cache
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.words import Row, Status
from xent_conformance.worker.delivery import AGAIN
from xent_conformance.worker.serve import Worker

Seats = Mapping[Seat, type[Faults]]

Bits = tuple[Any, ...]
"""What an answer says, to the last bit."""

MOST = 2**26
"""Bytes of answers that wait to be judged together."""

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


class Once(Worker):
    """Asks a kernel that does not vary once, where a worker asks twice for the bits and for the time."""

    def _timed(
        self, question: Question, outputs: tuple[str, ...], arrays: Mapping[str, Array]
    ) -> tuple[dict[str, Array], float, float]:
        if getattr(self._implementation(question).call, "varies", False):
            return super()._timed(question, outputs, arrays)
        return self._run(question, outputs, arrays), 0.0, 0.0


class Dying(InProcess):
    """An adapter in this process, of which a fault may die as if the process were its own."""

    worker = Once

    def ask(self, questions: Sequence[Question], arrays: Mapping[str, Array]) -> Iterator[Reply]:
        try:
            yield from super().ask(questions, arrays)
        except Died as died:
            raise WorkerLost(str(died)) from died


@dataclass(frozen=True)
class Told:
    """Of the verdicts on an output: how many, how many judge nothing, and those that are kept."""

    judged: int
    not_judged: int
    kept: Sequence[Row]


class Bench:
    """Everything that was judged: how many verdicts of each implementation, and those that break a clause."""

    target: Mapping[str, str] = MappingProxyType({})
    """What the verdicts share."""

    def __init__(self, cache: Path | None = None, seats: Seats = SEATS) -> None:
        self.oracle = Oracle(cache)
        self.connections = {seat: Dying(adapter) for seat, adapter in seats.items()}
        self.judged: Counter[str] = Counter()
        self.not_judged: Counter[str] = Counter()
        self.broken: list[dict[str, Any]] = []

    def ask(self, batch: Batch, profile: str, names: Iterable[str] | None = None) -> None:
        """Put a batch to these implementations, or to all."""
        with sharing():
            self._ask(batch, profile, names)

    def _ask(self, batch: Batch, profile: str, names: Iterable[str] | None) -> None:
        judge, told = Judge(self.oracle.truth(batch.inputs)), dict[Bits, Told]()
        waiting, given, held = dict[Bits, Answer](), list[tuple[Question, Bits]](), 0
        for seat, connection in self.connections.items():
            every = [i.name for i in seat.declaration.implementations]
            asked = questions(seat, batch, ["cpu"], every if names is None else names, profile)
            for whole in ask(connection, batch, asked):
                for answer in (_only(whole, output) for output in whole.question.outputs):
                    key = bits(answer)
                    given.append((answer.question, key))
                    if key not in told and key not in waiting:
                        waiting[key] = answer
                        held += sum(a.nbytes for a in answer.results.values())
                if held > MOST:
                    self._judge(batch, judge, waiting, told)
                    held = 0
        self._judge(batch, judge, waiting, told)
        for question, key in given:
            self._keep(question, told[key])

    def _judge(self, batch: Batch, judge: Judge, waiting: dict[Bits, Answer], told: dict[Bits, Told]) -> None:
        """Judge what waits, in one pass."""
        table = verdicts(Answered(batch, judge, answer, self.target) for answer in waiting.values()).frame()
        rows = self._kept(batch, table)
        not_judged = table["status"].is_in(NOT_JUDGED).to_numpy()
        start = 0
        for key, answer in waiting.items():
            end = start + len(batch.cases) * len(answer.question.due)
            kept = self._of_one(batch, [row for row in rows[start:end] if row is not None])
            told[key] = Told(end - start, int(not_judged[start:end].sum()), kept)
            start = end
        waiting.clear()

    def _kept(self, batch: Batch, table: pl.DataFrame) -> Sequence[Row | None]:
        """Of each verdict the row that may be kept, or nothing."""
        broken = table["status"].is_in(BROKEN)
        rows: list[Row | None] = [None] * len(table)
        found = table.select(column for column in COLUMNS if column in table.columns).filter(broken)
        for place, row in zip(broken.arg_true().to_list(), found.rows(named=True), strict=True):
            rows[place] = row
        return rows

    def _of_one(self, batch: Batch, rows: Sequence[Row]) -> Sequence[Row]:
        """Of the rows of one output, those that are kept."""
        return rows

    def _keep(self, question: Question, told: Told) -> None:
        name = question.implementation
        self.judged[name] += told.judged
        self.not_judged[name] += told.not_judged
        mine = {"implementation": name, "mode": question.mode}
        self.broken += [{column: (row | mine)[column] for column in COLUMNS} for row in told.kept]

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
        unwritten={name: rows for name, rows in answer.unwritten.items() if name == output},
    )


def bits(answer: Answer) -> Bits:
    results = tuple((n, a.dtype.name, a.shape, _digest(a)) for n, a in sorted(answer.results.items()))
    failures = tuple((n, tuple(sorted(f.items(), key=lambda e: e[0]))) for n, f in answer.failures.items())
    copies = tuple((n, r, a.tobytes()) for n, rows in answer.copies.items() for r, a in sorted(rows.items()))
    changed = tuple((row, tuple(sorted(names))) for row, names in sorted(answer.changed.items()))
    unwritten = tuple((name, tuple(sorted(rows))) for name, rows in answer.unwritten.items())
    return answer.question.outputs, results, failures, copies, changed, unwritten


def _digest(array: Array) -> bytes:
    return hashlib.blake2b(array.tobytes(), digest_size=16).digest()


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

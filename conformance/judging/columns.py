"""Verdicts as columns, from the judge to the run file: numbers for words, and what rows share said once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from xent_conformance.cases.case import Batch
from xent_conformance.judging.bits import DIGITS, Bits
from xent_conformance.judging.judge import Graded
from xent_conformance.judging.numbered import LEVELS, OUTCOMES, STATUSES, Codes, numbers, rules
from xent_conformance.reference.formats import Floats, Ints
from xent_conformance.reports.run.file import SCHEMA
from xent_conformance.reports.run.words import GRADES, SYMPTOMS, Grade, Outcome, Status, Symptom

_SAID_ONCE = (
    "operator",
    "family",
    "dtype",
    "n",
    "framework",
    "version",
    "implementation",
    "formulation",
    "mode",
    "device",
    "machine",
    "output",
)

Rows = slice | Ints
"""Places in the columns."""


@dataclass(frozen=True)
class Shared:
    """What the verdicts on one output of one answer share: the batch, and the columns that are the same."""

    batch: Batch
    output: str
    said: Mapping[str, Any]


@dataclass
class Columns:
    """The verdicts on some answers, a row each; of a row, ``part`` says to which of ``shared`` it belongs.

    ``row`` is its place in the batch and ``message`` the number of what is said of it, 0 for nothing.
    """

    shared: Sequence[Shared]
    part: Ints
    row: Ints
    outcome: Codes
    grade: Codes
    status: Codes
    symptom: Codes
    clause: Codes
    ulps: Floats
    ratio: Floats
    index: Ints
    got: Floats
    hi: Floats
    lo: Floats
    exponent: Ints
    rounded: Floats
    bits: Bits
    message: Ints
    _messages: dict[str, int] = field(default_factory=lambda: {"": 0})

    @classmethod
    def of(cls, shared: Sequence[Shared]) -> Columns:
        """A row for each case of each part, of which nothing is known but the clause that is tested."""
        sizes = [len(s.batch.cases) for s in shared]
        part = np.repeat(np.arange(len(shared)), sizes)
        total = len(part)
        tested = [numbers(s.batch.clauses_of(s.output)) for s in shared]
        return cls(
            shared,
            part,
            row=np.arange(total) - np.repeat(np.cumsum([0, *sizes[:-1]])[: len(sizes)], sizes),
            outcome=np.full(total, OUTCOMES.index(Outcome.RETURNED), dtype=np.uint8),
            grade=np.full(total, GRADES.index(Grade.NONE), dtype=np.uint8),
            status=np.full(total, STATUSES.index(Status.CONFORMS), dtype=np.uint8),
            symptom=np.full(total, SYMPTOMS.index(Symptom.NONE), dtype=np.uint8),
            clause=np.concatenate([np.zeros(0, dtype=np.uint8), *tested]),
            ulps=np.full(total, np.nan),
            ratio=np.full(total, np.nan),
            index=np.zeros(total, dtype=np.int64),
            got=np.full(total, np.nan),
            hi=np.full(total, np.nan),
            lo=np.full(total, np.nan),
            exponent=np.zeros(total, dtype=np.int64),
            rounded=np.full(total, np.nan),
            bits=np.zeros(total, dtype=DIGITS),
            message=np.zeros(total, dtype=np.int64),
        )

    def __len__(self) -> int:
        return len(self.part)

    def fill(self, rows: Rows, found: Graded) -> None:
        """What was graded, in these places."""
        for name, column in vars(found).items():
            getattr(self, name)[rows] = column

    def say(self, rows: Rows, message: str) -> None:
        """A message beside these rows."""
        self.message[rows] = self._messages.setdefault(message, len(self._messages))

    def charge(self, rows: Rows, clauses: Codes, symptom: Symptom, message: str) -> None:
        """These rows break these clauses, in a way and in these words."""
        self.clause[rows] = clauses
        self.status[rows] = rules().status[clauses]
        self.symptom[rows] = SYMPTOMS.index(symptom)
        self.say(rows, message)

    def forget(self, rows: Rows) -> None:
        """Nothing was graded in these rows after all."""
        self.grade[rows] = GRADES.index(Grade.NONE)
        for column in (self.ulps, self.ratio, self.got, self.hi, self.lo, self.rounded):
            column[rows] = np.nan
        for numbered in (self.index, self.exponent):
            numbered[rows] = 0

    def frame(self) -> pl.DataFrame:
        """The table of a run file: :data:`SCHEMA`, with no cause yet."""
        place, names = self._names()
        places: dict[str, NDArray[Any]] = {"_place": place, "_part": self.part}
        found = {words.name: _chosen(words, "_place") for words in names}
        for name in (*_SAID_ONCE, "cause"):
            said = pl.Series(name, [s.said.get(name) for s in self.shared], dtype=SCHEMA[name])
            found[name] = _chosen(said, "_part")
        for name, (words, numbered) in self._words().items():
            places[name] = numbered
            found[name] = _chosen(pl.Series(name, list(map(str, words)), dtype=pl.String), name)
        for name in ("ulps", "ratio", "index", "got", "hi", "lo", "exponent", "rounded"):
            places[name] = getattr(self, name)
            found[name] = pl.col(name)
        found["bits"] = pl.lit(pl.Series("bits", self.bits.tolist(), dtype=pl.Binary))
        return pl.DataFrame(places).select(
            found[name].cast(kind).alias(name) for name, kind in SCHEMA.items()
        )

    def rows(self) -> list[dict[str, Any]]:
        """A few verdicts as people look at them, by the names of their columns."""
        return self.frame().drop("cause").rows(named=True)

    def _names(self) -> tuple[Ints, list[pl.Series]]:
        """Id, hash and variant of every case, and of each row the place of its case among them."""
        batches = {id(s.batch): s.batch for s in self.shared}
        cases = [case for batch in batches.values() for case in batch.cases]
        sizes = [len(batch.cases) for batch in batches.values()]
        first = dict(zip(batches, np.cumsum([0, *sizes]).tolist(), strict=False))
        place = np.array([first[id(s.batch)] for s in self.shared], dtype=np.int64)[self.part] + self.row
        return place, [
            pl.Series("case", [case.id for case in cases], dtype=pl.String),
            pl.Series("hash", [case.hash for case in cases], dtype=pl.String),
            pl.Series("variant", [case.variant for case in cases], dtype=pl.String),
        ]

    def _words(self) -> dict[str, tuple[Sequence[str], NDArray[Any]]]:
        """The columns that are numbers here and words in a run file, with their words."""
        return {
            "outcome": (OUTCOMES, self.outcome),
            "message": (tuple(self._messages), self.message),
            "grade": (GRADES, self.grade),
            "status": (STATUSES, self.status),
            "symptom": (SYMPTOMS, self.symptom),
            "clause": (rules().ids, self.clause),
            "level": (LEVELS, rules().level[self.clause]),
        }


def _chosen(words: pl.Series, by: str) -> pl.Expr:
    """The words whose places a column holds."""
    return pl.lit(words).gather(pl.col(by)).alias(words.name)

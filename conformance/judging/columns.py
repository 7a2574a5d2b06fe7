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

_NUMBERS = ("ulps", "ratio", "index", "got", "hi", "lo", "exponent", "rounded")

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
        places: dict[str, NDArray[Any]] = {}
        found: dict[str, pl.Expr] = {"bits": pl.lit(pl.Series("bits", self.bits.tolist(), dtype=pl.Binary))}
        for by, worded in self._words().items():
            places[by], words = worded
            found |= {name: _chosen(pl.Series(name, said, dtype=SCHEMA[name]), by) for name, said in words}
        for name in _NUMBERS:
            places[name] = getattr(self, name)
            found[name] = pl.col(name)
        return pl.DataFrame(places).select(
            found[name].cast(kind).alias(name) for name, kind in SCHEMA.items()
        )

    def rows(self) -> list[dict[str, Any]]:
        """A few verdicts as people look at them, by the names of their columns: a table takes a while."""
        found: dict[str, list[Any]] = {"bits": [bits.decode() for bits in self.bits.tolist()]}
        for places, words in self._words().values():
            found |= {name: [said[place] for place in places.tolist()] for name, said in words}
        found |= {name: getattr(self, name).tolist() for name in _NUMBERS}
        names = [name for name in SCHEMA if name != "cause"]
        return [dict(zip(names, row, strict=True)) for row in zip(*map(found.get, names), strict=True)]

    def _words(self) -> dict[str, tuple[NDArray[Any], list[tuple[str, Sequence[Any]]]]]:
        """The columns that are words in a run file, by what of a row says which; its places, the words."""
        batches = {id(s.batch): s.batch for s in self.shared}
        cases = [case for batch in batches.values() for case in batch.cases]
        sizes = [len(batch.cases) for batch in batches.values()]
        first = dict(zip(batches, np.cumsum([0, *sizes]).tolist(), strict=False))
        start = np.array([first[id(s.batch)] for s in self.shared], dtype=np.int64)
        of_cases: list[tuple[str, Sequence[Any]]] = [
            ("case", [c.id for c in cases]),
            ("hash", [c.hash for c in cases]),
            ("variant", [c.variant for c in cases]),
        ]
        of_parts: list[tuple[str, Sequence[Any]]] = [
            (name, [s.said.get(name) for s in self.shared]) for name in (*_SAID_ONCE, "cause")
        ]
        numbered: dict[str, tuple[NDArray[Any], Sequence[str]]] = {
            "outcome": (self.outcome, OUTCOMES),
            "message": (self.message, tuple(self._messages)),
            "grade": (self.grade, GRADES),
            "status": (self.status, STATUSES),
            "symptom": (self.symptom, SYMPTOMS),
            "clause": (self.clause, rules().ids),
            "level": (rules().level[self.clause], LEVELS),
        }
        return {
            "_case": (start[self.part] + self.row, of_cases),
            "_part": (self.part, of_parts),
            **{name: (places, [(name, list(map(str, said)))]) for name, (places, said) in numbered.items()},
        }


def _chosen(words: pl.Series, by: str) -> pl.Expr:
    """The words whose places a column holds."""
    return pl.lit(words).gather(pl.col(by)).alias(words.name)

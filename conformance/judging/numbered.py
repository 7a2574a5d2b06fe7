"""The words of a verdict by number, so that verdicts are columns, and the rules of the clauses as tables."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xent_conformance.reference.clauses import STABLE, Level, clause, clauses
from xent_conformance.reference.formats import Floats
from xent_conformance.reports.run.words import SYMPTOMS, Outcome, Status, Symptom

RELATIVE_ACCURACY, FLUSH, RESULT, OFFERED, ONE_CLASS = "1.2", "1.3", "1.4", "1.7", "2.4"
DECLARED = "5.11"
"""Charged by what is seen: a difference that an implementation documents."""

Codes = NDArray[np.uint8]
"""Words by their place in the tuple of all."""

OUTCOMES, STATUSES, LEVELS = tuple(Outcome), tuple(Status), tuple(Level)

STATUS = {Level.MUST: Status.BREAKS_MUST, Level.SHOULD: Status.BREAKS_SHOULD, Level.OPEN: Status.OPEN}
"""What a row is that breaks a clause of a level."""

_WEIGHT = {Level.MUST: 2.0, Level.SHOULD: 1.0, Level.OPEN: 0.0}

_PLAIN = (RELATIVE_ACCURACY, FLUSH, RESULT, OFFERED, "7.3", "7.4", "7.5", "7.8", "7.9", "7.10", "7.12")
"""Clauses whose cases are finite rows like any other: what they say is not about the numbers."""

_BESIDE = ("3.1", "3.2")
"""Clauses about NaN, whose rows have elements, or stand beside rows, that are plain."""


def broken(symptom: Symptom, tested: str) -> str:
    """The clause that a symptom breaks in a case that tests ``tested``.

    A wrong number is charged to what is wrong with it, and not to what its row was made for: in a row that
    is asked twice for its bits, or beside a NaN, a number beyond the bound breaks 1.1 as it does anywhere.
    """
    charged = {Symptom.LOST_ACCURACY: RELATIVE_ACCURACY, Symptom.FLUSHED: FLUSH}
    plain = tested in _PLAIN or (tested in _BESIDE and symptom is Symptom.BEYOND_BOUND)
    return charged.get(symptom, STABLE if plain else tested)


@dataclass(frozen=True)
class Rules:
    """The clauses of SPEC.md by number, and what they say of each other."""

    ids: tuple[str, ...]
    level: Codes
    """``(clauses,)``: the level of each."""
    status: Codes
    """``(clauses,)``: what a row is that breaks it."""
    or_an_error: NDArray[np.bool_]
    """``(clauses,)``: whether raising obeys it too."""
    broken: Codes
    """``(tested clauses, symptoms)``: the clause that a symptom breaks; without one, that which is tested."""
    weight: Floats
    """``(tested clauses, symptoms)``: how heavy a symptom weighs, by the level of what it breaks."""

    def number(self, tested: str) -> int:
        """The number of a clause. Raises KeyError naming SPEC.md for one that it has not."""
        return self.ids.index(clause(tested).id)


@functools.cache
def rules() -> Rules:
    """The rules of SPEC.md."""
    ids = tuple(clauses())
    breaks = [[t if s is Symptom.NONE else broken(s, t) for s in SYMPTOMS] for t in ids]
    weigh = [
        [0.0 if s is Symptom.NONE else _WEIGHT[clause(b).level] for s, b in zip(SYMPTOMS, row, strict=True)]
        for row in breaks
    ]
    levels = [clause(t).level for t in ids]
    return Rules(
        ids,
        np.array([LEVELS.index(level) for level in levels], dtype=np.uint8),
        np.array([STATUSES.index(STATUS[level]) for level in levels], dtype=np.uint8),
        np.array([clause(t).or_an_error for t in ids]),
        np.array([[ids.index(b) for b in row] for row in breaks], dtype=np.uint8),
        np.array(weigh),
    )


@functools.lru_cache(maxsize=4096)
def numbers(tested: tuple[str, ...]) -> Codes:
    """Clauses by number."""
    found = np.array([rules().number(t) for t in tested], dtype=np.uint8)
    found.flags.writeable = False
    return found

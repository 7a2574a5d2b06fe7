"""The words for what happened and whether it is right. Enumerations, so that no flag is a free string."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """What an implementation did when it was asked. Says nothing about right or wrong."""

    RETURNED = "returned"
    RAISED = "raised"
    REFUSED = "refused"
    """It raised, and raises for harmless inputs of the same kind as well."""
    CRASHED = "crashed"
    TIMED_OUT = "timed_out"
    UNSUPPORTED = "unsupported"
    """It was not asked: this is not offered, as its declaration says."""


class Grade(StrEnum):
    """How accurate a row is: the grade of its worst element (SPEC.md §0), best first."""

    EXACT = "exact"
    FAITHFUL = "faithful"
    ACCURATE = "accurate"
    STABLE = "stable"
    DIVERGENT = "divergent"
    WRONG_SPECIAL = "wrong_special"
    NONE = "none"
    """Nothing was returned, so nothing was graded."""


GRADES = tuple(Grade)


class Status(StrEnum):
    """Whether it is right. Every verdict has exactly one, so that counters sum to the total."""

    CONFORMS = "conforms"
    BREAKS_MUST = "breaks_must"
    BREAKS_SHOULD = "breaks_should"
    OPEN = "open"
    UNSUPPORTED = "unsupported"
    UNDECIDED = "undecided"


class Symptom(StrEnum):
    """What the fault looks like; verdicts of one finding share it."""

    NONE = "none"
    LOST_ACCURACY = "lost relative accuracy"
    BEYOND_BOUND = "beyond the stable bound"
    FLUSHED = "flushed to zero"
    NAN = "NaN"
    INFINITE = "infinite where finite"
    FINITE_FOR_INFINITE = "finite where infinite"
    WRONG_INFINITY = "wrong sign of infinity"
    FINITE_FOR_NAN = "a number where NaN"
    OTHER_BITS = "other bits"
    WRONG_SHAPE = "wrong shape"
    WRONG_DTYPE = "wrong dtype"
    RAISED = "raised"
    REFUSED = "refused"
    CRASHED = "crashed"
    TIMED_OUT = "timed out"


SYMPTOMS = tuple(Symptom)

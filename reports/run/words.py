"""The words for what happened and whether it is right. Enumerations, so that no flag is a free string."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Self

OWN = "own"
"""Of a header: the name of a function of one's own, which was asked alone. No command knows such a name."""


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
    """Whether it is right. Every verdict has exactly one, so that counters sum to the total.

    Of ``rank`` more is worse: what was answered and is no longer offered is worse than before.
    """

    rank: int

    CONFORMS = "conforms", 0
    BREAKS_MUST = "breaks_must", 3
    BREAKS_SHOULD = "breaks_should", 2
    OPEN = "open", 0
    UNSUPPORTED = "unsupported", 1
    UNDECIDED = "undecided", 1

    def __new__(cls, value: str, rank: int = 0) -> Self:
        member = str.__new__(cls, value)
        member._value_, member.rank = value, rank
        return member

    @property
    def word(self) -> str:
        """As people read it."""
        return self.replace("_", " ")


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
    CHANGED_INPUTS = "changed inputs"
    UNWRITTEN = "unwritten memory"
    WRONG_SHAPE = "wrong shape"
    WRONG_DTYPE = "wrong dtype"
    RAISED = "raised"
    REFUSED = "refused"
    CRASHED = "crashed"
    TIMED_OUT = "timed out"


SYMPTOMS = tuple(Symptom)

RIGHT_NUMBERS = (Symptom.OTHER_BITS.value, Symptom.CHANGED_INPUTS.value)
"""Of a number that is within its bounds: something else is wrong."""

OUTPUTS = (
    "value",
    "grad_logits",
    "grad_labels",
    "grad_hidden",
    "grad_weight",
    "grad_bias",
    "hvp",
    "jvp",
)
"""What is asked of an implementation, in the order in which it is told."""

Row = Mapping[str, Any]
"""A verdict, a finding or an entry of a header, by the names of its columns."""

GRADED = tuple(g.value for g in GRADES if g is not Grade.NONE)
"""The grades of what was returned, best first."""

JUDGED = (Status.CONFORMS.value, Status.BREAKS_MUST.value, Status.BREAKS_SHOULD.value)
"""Whether a clause holds was decided."""

FAULTS = (Status.BREAKS_MUST.value, Status.BREAKS_SHOULD.value)

NAIVE = "naive"
"""The formulation of controls: known to be wrong, and counted apart."""

ORDINARY = "ordinary"
"""The family whose errors are shown: the other families are made to be hard."""

ONCE_MORE = "so it came back when it was asked once more"
"""The message of a wrong number that is not the first answer's."""

"""What a wrong answer does to whoever believes it, worst first: the order of causes on every page.

A cause that gives NaN for plain logits stops a training, and one whose numbers are right in another format
stops nothing, whatever the level of the clause, the number of rows or the ulps. So causes are put in order by
level, then by harm, and only then by how far they reach. A NaN has no distance from what is right: it is not
an error of infinitely many ulps, and is never compared with one.
"""

from __future__ import annotations

from enum import IntEnum

import polars as pl

from xent_conformance.reports.run.words import Symptom


class Harm(IntEnum):
    """From what nobody notices and everybody has to what is right but for its form.

    In a sentence, and in words that are counted: two may share them.
    """

    SPECIAL_OF_PLAIN = 0, "a special value where a plain input has another answer", "wrong for plain inputs"
    WRONG_OF_PLAIN = 1, "a wrong number for a plain input", "wrong for plain inputs"
    SPECIAL = (
        2,
        "a special value or a silent number where an unusual input has another answer",
        "wrong for unusual inputs",
    )
    WRONG = 3, "a wrong number for an unusual input", "wrong for unusual inputs"
    CHANGED = 4, "what is given is changed", "changing what is given"
    DIED = 5, "the process dies or does not come back", "dead or without an end"
    IMPRECISE = 6, "a number with fewer right digits than there could be", "less accurate"
    OTHER_BITS = 7, "other bits, and both within the bounds", "in bits alone"
    NO_ANSWER = 8, "an error in place of an answer", "raising an error"
    FORM = 9, "the right number in another shape or format", "in shape or format alone"

    about: str
    brief: str

    def __new__(cls, rank: int, about: str = "", brief: str = "") -> Harm:
        member = int.__new__(cls, rank)
        member._value_, member.about, member.brief = rank, about, brief
        return member


_UNUSUAL = r"^[345]\.|^6\.[124]$"
"""Clauses on inputs that are not plain: a NaN, an infinity or a mask among them, labels off the simplex, an
index out of range. Of all others the inputs are finite, and so is what is right or it is +∞ by overflow."""

_SPECIAL = (
    Symptom.NAN,
    Symptom.INFINITE,
    Symptom.FINITE_FOR_INFINITE,
    Symptom.WRONG_INFINITY,
)

_OTHERS = {
    Symptom.FINITE_FOR_NAN: Harm.SPECIAL,  # of plain inputs nothing is NaN
    Symptom.UNWRITTEN: Harm.WRONG_OF_PLAIN,  # whatever the input
    Symptom.CHANGED_INPUTS: Harm.CHANGED,
    Symptom.CRASHED: Harm.DIED,
    Symptom.TIMED_OUT: Harm.DIED,
    Symptom.FLUSHED: Harm.IMPRECISE,
    Symptom.LOST_ACCURACY: Harm.IMPRECISE,
    Symptom.OTHER_BITS: Harm.OTHER_BITS,
    Symptom.RAISED: Harm.NO_ANSWER,
    Symptom.REFUSED: Harm.NO_ANSWER,
    Symptom.WRONG_SHAPE: Harm.FORM,
    Symptom.WRONG_DTYPE: Harm.FORM,
}


def harm() -> pl.Expr:
    """The harm of each broken verdict, by its ``symptom`` and ``clause``, as the number of a `Harm`."""
    unusual = pl.col("clause").cast(pl.String).str.contains(_UNUSUAL)

    def of(plain: Harm, else_: Harm) -> pl.Expr:
        return pl.when(unusual).then(pl.lit(int(else_))).otherwise(pl.lit(int(plain)))

    known = {symptom.value: int(rank) for symptom, rank in _OTHERS.items()}
    return (
        pl.when(pl.col("symptom").is_in([s.value for s in _SPECIAL]))
        .then(of(Harm.SPECIAL_OF_PLAIN, Harm.SPECIAL))
        .when(pl.col("symptom") == Symptom.BEYOND_BOUND.value)
        .then(of(Harm.WRONG_OF_PLAIN, Harm.WRONG))
        .otherwise(pl.col("symptom").replace_strict(known, default=int(Harm.FORM), return_dtype=pl.Int32))
        .cast(pl.Int32)
    )

"""What is right for one element, as the literals that a script compares with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from xent_conformance.cases.case import Case
from xent_conformance.judging.judge import Judge
from xent_conformance.judging.numbered import ONE_CLASS
from xent_conformance.reports.run.words import Symptom


@dataclass(frozen=True)
class Right:
    """What is right for one element, and how far from it is right as well.

    ``exact`` has 30 certified digits; it is None where a NaN or an infinity is right by definition.
    ``rounded`` is the number of the format that is nearest.
    """

    rounded: float
    exact: Decimal | None
    bound: Decimal
    why: str
    infinity: bool
    """Whether an infinity of the right sign is right too: the value is next to the largest number."""

    def agrees(self, got: float) -> bool:
        """The judgement that the script makes."""
        if self.exact is None:
            return bool(got == self.rounded or (np.isnan(got) and np.isnan(self.rounded)))
        if self.bound.is_infinite():
            return not np.isnan(got)
        if np.isinf(got) and self.infinity:
            return bool((got > 0) == (self.exact > 0))
        return bool(np.isfinite(got)) and abs(Decimal(got) - self.exact) <= self.bound


NOTHING = Right(np.nan, None, Decimal(0), "", infinity=False)
"""Of an output without any element (2.7), of which its shape alone is right or wrong."""


def right_of(judge: Judge, case: Case, row: Mapping[str, Any]) -> Right:
    """What is right for the element of a verdict, and the bound that it was held to."""
    output, index = str(row["output"]), int(row["index"])
    truth, fmt = judge.truth, judge.truth.inputs.format
    exact = truth.enclosure(output)
    at = (case.row, index)
    if not exact.hi.size:
        return NOTHING
    rounded = float(exact.round_to(fmt)[at])
    if not np.isfinite(exact.hi[at]):
        return Right(rounded, None, Decimal(0), "", infinity=False)
    value = (Fraction(float(exact.hi[at])) + Fraction(float(exact.lo[at]))) * Fraction(2) ** int(
        exact.exponent[at]
    )
    digits = _decimal(value)
    tier = "accurate" if row["symptom"] in (Symptom.NONE, Symptom.LOST_ACCURACY) else "stable"
    ulp = Fraction(2) ** int(judge.ulp_exponents(output)[at])
    if not np.isfinite(getattr(truth.bound(output), tier)[at]):
        return Right(rounded, digits, Decimal("Infinity"), f"the {tier} bound is infinite", infinity=True)
    bound, why = _bound(judge, case, output, at, tier, ulp)
    beyond = Fraction(2) ** (fmt.emax + 1)
    if np.isfinite(rounded) and abs(Fraction(rounded) - value) > bound:
        bound, why = abs(Fraction(rounded) - value), "the nearest number of the format, no other"
    infinity = bool(np.isinf(rounded)) or beyond - abs(value) <= bound
    error = abs(Fraction(row["got"]) - value) if np.isfinite(row["got"]) else None
    return Right(rounded, digits, _short(bound, error), why, infinity)


def _bound(
    judge: Judge, case: Case, output: str, at: tuple[int, int], tier: str, ulp: Fraction
) -> tuple[Fraction, str]:
    """The bound of an element, and where it comes from."""
    if case.clause_of(output) == ONE_CLASS:
        return Fraction(0), "nothing but the exact value will do"
    found = float(getattr(judge.truth.bound(output), tier)[at])
    if found and found < ulp:
        return ulp * (1 - Fraction(1, 2**40)), f"one ulp; the {tier} bound (SPEC.md §8) is less"
    return Fraction(found), f"the {tier} bound (SPEC.md §8): {found / float(ulp):.3g} ulp"


def _decimal(value: Fraction, digits: int = 30) -> Decimal:
    return Context(prec=digits).divide(Decimal(value.numerator), Decimal(value.denominator))


def _short(bound: Fraction, error: Fraction | None) -> Decimal:
    """The bound with as few digits as leave what was returned on its side of it."""
    for digits in range(3, 18):
        short = _decimal(bound, digits)
        if error is None or (error <= Fraction(short)) == (error <= bound):
            return short
    return _decimal(bound)

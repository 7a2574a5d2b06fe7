"""Whether accuracy got materially worse: decided for a place over all its rows, never for one rounding.

The rule and its reasons are SPEC.md §9. Where every row of a place kept its bound, one row that plainly does
not is enough: no order of summation and no better or worse library can do that (§8). Where rows were beyond
it before, the formula is none of the textbook and its errors are partly luck: there the typical or the worst
error must have doubled, in more rows than luck explains.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from xent_conformance.reports.run.words import Grade, Symptom

PLACE = ("framework", "implementation", "operator", "output", "dtype", "mode", "device")
"""One output of one implementation in one format, mode and device."""

DOUBLED = 2.0
"""An error that grows by less is another rounding on the same grid."""

BEYOND = 1.25
"""A row is plainly beyond its bound by so much: what stood at the bound and crossed it is not."""

CHANCE = 2.0**-10
"""How likely it is, at most, that so many more rows are worse than better by luck."""


@dataclass(frozen=True)
class _Tier:
    """A bound: how an error is measured beside it, which rows are beyond it, and where that is compared."""

    symptom: Symptom
    size: str
    least: float
    place: Sequence[str]

    def error(self, side: str) -> pl.Expr:
        return pl.max_horizontal(f"{self.size}{side}", pl.lit(self.least))

    def beyond(self, side: str) -> pl.Expr:
        if self.symptom is Symptom.BEYOND_BOUND:
            return self.error(side) > BEYOND
        return pl.col(f"symptom{side}") == self.symptom.value


_TIERS = (
    _Tier(Symptom.BEYOND_BOUND, "ratio", 0.0, PLACE),
    # half an ulp is what a right rounding may be off: to be exact is luck. Of all formats together: in one
    # there are few such rows
    _Tier(Symptom.LOST_ACCURACY, "ulps", 0.5, [column for column in PLACE if column != "dtype"]),
)


def materially_worse(pairs: pl.DataFrame) -> pl.DataFrame:
    """Of pairs of verdicts, the places that are materially worse, with ``symptom``, ``worse`` and ``better``.

    ``symptom`` says beyond which bound. ``worse`` rows are beyond it by an error that more than doubled,
    ``better`` rows went the other way. What was not returned, is no number, or was flushed is left out.
    """
    numbers = pairs.filter(_is_number(""), _is_number("_old"))
    return pl.concat([_worse_places(numbers, tier) for tier in _TIERS]).sort(PLACE)


def luck(worse: int, better: int) -> float:
    """How likely it is that of so many rows so many or more are worse, if each is so as often as not."""
    n = worse + better
    return float(sum(math.comb(n, k) for k in range(worse, n + 1)) / 2**n)


def _is_number(side: str) -> pl.Expr:
    special = pl.col(f"grade{side}").is_in([Grade.NONE.value, Grade.WRONG_SPECIAL.value])
    return ~special & (pl.col(f"symptom{side}") != Symptom.FLUSHED.value)


def _worse_places(numbers: pl.DataFrame, tier: _Tier) -> pl.DataFrame:
    now, then = tier.error(""), tier.error("_old")
    beyond, beyond_then = tier.beyond(""), tier.beyond("_old")
    counted = numbers.group_by(tier.place).agg(
        worse=(beyond & _doubled(now, then)).sum(),
        better=(beyond_then & _doubled(then, now)).sum(),
        _kept=then.max() <= 1.0,
        _worst=_doubled(now.max(), then.max()),
        _typical=_doubled(*(e.filter(beyond | beyond_then).median() for e in (now, then))),
    )
    unlikely = [luck(*row) <= CHANCE for row in counted.select("worse", "better").iter_rows()]
    more = (pl.col("_worst") | pl.col("_typical")) & pl.Series(unlikely, dtype=pl.Boolean)
    if tier.symptom is Symptom.BEYOND_BOUND:  # the accurate bound is kept by luck, and by no theorem
        more |= pl.col("_kept")
    found = counted.filter(pl.col("worse") > 0, more).select(*tier.place, "worse", "better")
    places = numbers.select(PLACE).unique().join(found, on=tier.place, nulls_equal=True)
    symptom = pl.lit(tier.symptom.value, numbers.schema["symptom"]).alias("symptom")
    return places.select(*PLACE, symptom, "worse", "better")


def _doubled(one: pl.Expr, other: pl.Expr) -> pl.Expr:
    return one > DOUBLED * other

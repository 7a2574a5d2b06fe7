"""Where the errors of a value lie: rows by the error of their worst element, framework by framework.

What has no distance that means anything has a gutter of its own and is in no bin: digits lost (1.2), results
flushed to zero (1.3), NaN, infinities. NaN is not infinitely many ulps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from xent_conformance.reports.run.file import Run, called
from xent_conformance.reports.run.words import FAULTS, JUDGED, Grade, Symptom
from xent_conformance.reports.text.featured import DRAWN
from xent_conformance.reports.text.wording import DTYPES, in_order
from xent_conformance.reports.views.causes import named
from xent_conformance.reports.views.fair import PLACE, Place, at_home, causes_of, shared

EDGES = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)
"""Upper ends of the bins, in ulp; what is beyond the last has one more bin."""


@dataclass(frozen=True)
class Lane:
    """The rows of one framework in one format. Every row is in one bin or in one gutter.

    ``bins``: rows by their error in ulp, one more than ``EDGES``. ``silent``: rows that a fault left without
    a number to measure (raised, refused, of another shape or format). ``median``: of what is in bins; None
    where nothing is.
    """

    place: Place
    dtype: str
    bins: tuple[int, ...]
    lost: int
    flushed: int
    nan: int
    infinite: int
    silent: int
    median: float | None

    @property
    def rows(self) -> int:
        """All of them."""
        return sum(self.bins) + self.lost + self.flushed + self.nan + self.infinite + self.silent


@dataclass(frozen=True)
class Strips:
    """The lanes of one operator, by format and framework.

    ``cases``: by format, how many all were asked. ``causes``: what is behind the gutters and the far bins,
    the causes of most rows first.
    """

    operator: str
    cases: tuple[tuple[str, int], ...]
    lanes: tuple[Lane, ...]
    causes: tuple[str, ...]


def strips(run: Run) -> tuple[Strips, ...]:
    """One for each of ``DRAWN`` that was asked; of a run without them, one for every operator.

    Of the implementations that users call, at home: values of two classes or more whose right answer is
    finite, on the cases that all of them were asked in that format.
    """
    asked = at_home(called(named(run)).verdicts).filter(
        pl.col("output") == "value", pl.col("status").is_in(JUDGED), pl.col("n") > 1
    )
    number = (pl.col("grade") != Grade.NONE) & pl.col("rounded").is_finite()
    rows = asked.filter(number | ((pl.col("grade") == Grade.NONE) & pl.col("status").is_in(FAULTS)))
    names = rows["operator"].unique().to_list()
    chosen = [o for o in DRAWN if o in names] or in_order(names, list(run.header["operators"]))
    return tuple(_strips(operator, rows.filter(pl.col("operator") == operator)) for operator in chosen)


def _strips(operator: str, rows: pl.DataFrame) -> Strips:
    fair = shared(rows, ["dtype"], ["case"])
    dtypes = in_order(rows["dtype"].unique().to_list(), list(DTYPES))
    counted = {
        (row["dtype"], Place.of(row)): row
        for row in fair.group_by(["dtype", *PLACE]).agg(*_counts()).iter_rows(named=True)
    }
    # one that shares no case with the others has an empty lane, and does not vanish
    there = rows.select("dtype", *PLACE).unique().iter_rows(named=True)
    places = sorted((row["dtype"], Place.of(row)) for row in there)
    return Strips(
        operator=operator,
        cases=tuple((d, fair.filter(pl.col("dtype") == d)["case"].n_unique()) for d in dtypes),
        lanes=tuple(
            Lane(
                place=place,
                dtype=dtype,
                bins=tuple(row[f"bin{i}"] for i in range(len(EDGES) + 1)) if row else (0,) * (len(EDGES) + 1),
                **{name: row[name] if row else 0 for name in GUTTERS},
                median=row["median"] if row else None,
            )
            for d in dtypes
            for dtype, place in places
            if dtype == d
            for row in [counted.get((dtype, place))]
        ),
        causes=causes_of(fair),
    )


GUTTERS = ("lost", "flushed", "nan", "infinite", "silent")
"""What is in no bin, by the names of a lane."""


def _counts() -> Sequence[pl.Expr]:
    kind = {
        "lost": pl.col("symptom") == Symptom.LOST_ACCURACY,
        "flushed": pl.col("symptom") == Symptom.FLUSHED,
        "nan": (pl.col("grade") == Grade.WRONG_SPECIAL) & pl.col("got").is_nan(),
        "infinite": (pl.col("grade") == Grade.WRONG_SPECIAL) & pl.col("got").is_infinite(),
        "silent": pl.col("grade") == Grade.NONE,
    }
    measured = ~pl.any_horizontal(*kind.values())
    below = (0.0, *EDGES)
    bins = [
        (pl.col("ulps") <= edge) & ((pl.col("ulps") > low) | (low == 0.0))
        for low, edge in zip(below, (*EDGES, float("inf")), strict=True)
    ]
    return [
        *((measured & held).sum().alias(f"bin{i}") for i, held in enumerate(bins)),
        *(held.sum().alias(name) for name, held in kind.items()),
        pl.col("ulps").filter(measured).median().alias("median"),
    ]

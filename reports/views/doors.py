"""Which implementation to use: operator by operator, the doors of each framework and what each gets wrong.

A framework's implementations are compared at home, on the questions (case and output) that all of them
were asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from xent_conformance.reports.run.file import Run, called
from xent_conformance.reports.run.words import FAULTS, JUDGED, ORDINARY, Grade, Row, Status, Symptom
from xent_conformance.reports.text.wording import DTYPES, in_order
from xent_conformance.reports.views.causes import named
from xent_conformance.reports.views.fair import PLACE, Place, at_home, shared

_BEST = 0.5
"""In ulp: an error up to here is that of one rounding, and of two such none is the better."""


@dataclass(frozen=True)
class Fit:
    """How one implementation fared in one format.

    ``worst``: error of the value on ordinary logits in ulp, of what was neither lost (1.2) nor flushed (1.3)
    nor a wrong special; None where there is none. ``lost``, ``flushed``, ``special`` and ``ordinary`` count
    those rows: digits lost, flushed to zero, NaN or infinite, all. ``conforming`` of ``judged`` answers,
    values and derivatives of every family; ``must`` and ``should`` are those that break such a clause.
    ``best``: of its framework, where they differ.
    """

    worst: float | None
    lost: int
    flushed: int
    special: int
    ordinary: int
    conforming: int
    judged: int
    must: int
    should: int
    best: bool = False

    @property
    def share(self) -> float:
        """The part of all answers that conforms, 0 to 1."""
        return self.conforming / self.judged

    @property
    def status(self) -> Status:
        """The worst that was found."""
        if self.must:
            return Status.BREAKS_MUST
        return Status.BREAKS_SHOULD if self.should else Status.CONFORMS

    @property
    def order(self) -> tuple[bool, float, float, float, float]:
        """Smaller is better: no must clause broken; then few digits lost and few wrong specials on ordinary
        logits; then the error, as it is read; then few results flushed there; then the share."""
        rows = max(self.ordinary, 1)
        error = float("inf") if self.worst is None else float(f"{max(self.worst, _BEST):.3g}")
        return bool(self.must), (self.lost + self.special) / rows, error, self.flushed / rows, -self.share


@dataclass(frozen=True)
class Wrong:
    """A cause that breaks a line of implementations, in all that they were asked at home.

    ``cause``: its lasting name. ``must``: it breaks such a clause there. ``dtypes``: the formats in which it
    shows. ``only``: the implementations that it breaks, where not all.
    """

    cause: str
    must: bool
    verdicts: int
    dtypes: tuple[str, ...]
    only: tuple[str, ...]


@dataclass(frozen=True)
class Line:
    """Implementations that fared alike in every format; ``fits`` are in the order of the table's formats."""

    implementations: tuple[str, ...]
    fits: tuple[Fit | None, ...]
    wrong: tuple[Wrong, ...]


@dataclass(frozen=True)
class Doors:
    """The implementations of one framework, in one place."""

    place: Place
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Standing:
    """The best that a framework has to offer on the ordinary logits that were asked of all frameworks."""

    place: Place
    implementations: tuple[str, ...]
    fit: Fit


@dataclass(frozen=True)
class Table:
    """All implementations of one operator.

    ``standings``: by format, the frameworks side by side, the most accurate first, each by its best
    implementation and on the same rows; its counts are of these rows alone.
    """

    operator: str
    dtypes: tuple[str, ...]
    frameworks: tuple[Doors, ...]
    standings: Mapping[str, tuple[Standing, ...]]


@dataclass(frozen=True)
class Choice:
    """What there is to choose for one operator and format in one framework: its best and its worst.

    The two are the same line where its implementations do not differ.
    """

    place: Place
    best: tuple[str, ...]
    best_fit: Fit
    worst: tuple[str, ...]
    worst_fit: Fit


def doors(run: Run) -> tuple[Table, ...]:
    """A table for each operator that was asked, in the operators' own order; naive controls are left out.

    A cause that the run file does not name is called as :func:`named` calls it.
    """
    judged = at_home(called(named(run)).verdicts).filter(pl.col("status").is_in(JUDGED))
    fair = shared(judged, ["operator", *PLACE, "dtype"], ["case", "output"])
    plain = judged.filter(pl.col("family") == ORDINARY, pl.col("output") == "value")
    fits, across = _fits(fair), _fits(shared(plain, ["operator", "dtype"], ["case"]))
    wrong = _wrong(judged)
    operators = in_order(judged["operator"].unique().to_list(), list(run.header["operators"]))
    return tuple(_table(operator, fits[operator], across.get(operator, {}), wrong) for operator in operators)


def choices(table: Table, dtype: str) -> tuple[Choice, ...]:
    """What each framework offers for an operator in a format; none for a format that was not asked."""
    if dtype not in table.dtypes:
        return ()
    column = table.dtypes.index(dtype)
    found = []
    for there in table.frameworks:
        lines = [(fit, line.implementations) for line in there.lines for fit in [line.fits[column]] if fit]
        if lines:
            (best_fit, best), (worst_fit, worst) = (f(lines, key=lambda x: x[0].order) for f in (min, max))
            found.append(Choice(there.place, best, best_fit, worst, worst_fit))
    return tuple(found)


_Fits = Mapping[Place, Mapping[str, Mapping[str, Fit]]]
"""By place, implementation and format."""

_Faults = Mapping[tuple[str, Place, str], Sequence[Row]]
"""By operator, place and implementation: its causes, with how many verdicts of which formats."""


def _fits(fair: pl.DataFrame) -> Mapping[str, _Fits]:
    status, symptom = pl.col("status"), pl.col("symptom")
    special = pl.col("grade") == Grade.WRONG_SPECIAL
    lost, flushed = symptom == Symptom.LOST_ACCURACY, symptom == Symptom.FLUSHED
    ordinary = (pl.col("family") == ORDINARY) & (pl.col("output") == "value")
    number = pl.col("grade") != Grade.NONE
    who = ["operator", *PLACE, "implementation", "dtype"]
    counted = fair.group_by(who).agg(
        pl.col("ulps").filter(ordinary & number & ~special & ~lost & ~flushed).max().alias("worst"),
        (ordinary & lost).sum().alias("lost"),
        (ordinary & flushed).sum().alias("flushed"),
        (ordinary & special).sum().alias("special"),
        ordinary.sum().alias("ordinary"),
        (status == Status.CONFORMS).sum().alias("conforming"),
        pl.len().alias("judged"),
        (status == Status.BREAKS_MUST).sum().alias("must"),
        (status == Status.BREAKS_SHOULD).sum().alias("should"),
    )
    found: dict[str, dict[Place, dict[str, dict[str, Fit]]]] = {}
    for row in counted.iter_rows(named=True):
        of_place = found.setdefault(row["operator"], {}).setdefault(Place.of(row), {})
        names = [name for name in Fit.__dataclass_fields__ if name != "best"]
        of_place.setdefault(row["implementation"], {})[row["dtype"]] = Fit(**{n: row[n] for n in names})
    return found


def _wrong(judged: pl.DataFrame) -> _Faults:
    faults = judged.filter(pl.col("status").is_in(FAULTS))
    who = ["operator", *PLACE, "implementation", "cause"]
    counted = (
        faults.group_by(who)
        .agg(
            (pl.col("status") == Status.BREAKS_MUST).any().alias("must"),
            pl.len().cast(pl.Int64).alias("verdicts"),
            pl.col("dtype").unique().alias("dtypes"),
        )
        .sort(who)
    )
    found: dict[tuple[str, Place, str], list[Row]] = {}
    for row in counted.iter_rows(named=True):
        found.setdefault((row["operator"], Place.of(row), row["implementation"]), []).append(row)
    return found


def _table(operator: str, fits: _Fits, across: _Fits, wrong: _Faults) -> Table:
    every = {dtype for of_place in fits.values() for of_door in of_place.values() for dtype in of_door}
    dtypes = tuple(in_order(list(every), list(DTYPES)))
    return Table(
        operator=operator,
        dtypes=dtypes,
        frameworks=tuple(
            Doors(place, tuple(_lines(operator, place, _marked(fits[place]), dtypes, wrong)))
            for place in sorted(fits)
        ),
        standings={dtype: tuple(_standings(across, dtype)) for dtype in dtypes},
    )


def _standings(across: _Fits, dtype: str) -> Iterable[Standing]:
    found = []
    for place, of_place in across.items():
        fits = {name: of_door[dtype] for name, of_door in of_place.items() if dtype in of_door}
        if fits:
            best = min(fits.values(), key=lambda fit: (fit.order, -fit.ordinary))
            names = tuple(sorted(name for name, fit in fits.items() if fit.order == best.order))
            found.append(Standing(place, names, best))
    # a must clause that breaks on ordinary logits is an error beyond its bound, or a wrong special
    return sorted(found, key=lambda s: (s.fit.order[1:], s.place))


def _marked(of_place: Mapping[str, Mapping[str, Fit]]) -> Mapping[str, Mapping[str, Fit]]:
    """The same with the best of each format marked, where they differ."""
    marked = {name: dict(of_door) for name, of_door in of_place.items()}
    for dtype in {dtype for of_door in of_place.values() for dtype in of_door}:
        orders = {name: found[dtype].order for name, found in of_place.items() if dtype in found}
        best = min(orders.values())
        if best != max(orders.values()):
            for name, order in orders.items():
                if order == best:
                    marked[name][dtype] = replace(marked[name][dtype], best=True)
    return marked


def _lines(
    operator: str,
    place: Place,
    of_place: Mapping[str, Mapping[str, Fit]],
    dtypes: Sequence[str],
    wrong: _Faults,
) -> Iterable[Line]:
    """The best first, by the formats in which they are; those that fared alike share a line."""
    alike: dict[tuple[Fit | None, ...], list[str]] = {}
    for name in sorted(of_place):
        alike.setdefault(tuple(of_place[name].get(dtype) for dtype in dtypes), []).append(name)

    def place_in_list(item: tuple[tuple[Fit | None, ...], list[str]]) -> tuple[int, float, list[str]]:
        there = [fit for fit in item[0] if fit is not None]
        return -sum(fit.best for fit in there), -sum(fit.share for fit in there) / len(there), item[1]

    for fits, names in sorted(alike.items(), key=place_in_list):
        faults = {name: wrong.get((operator, place, name), ()) for name in names}
        yield Line(tuple(names), fits, tuple(_together(faults)))


def _together(faults: Mapping[str, Sequence[Row]]) -> Iterable[Wrong]:
    """The causes of a line, must clauses first, then those of most verdicts."""
    causes: dict[str, dict[str, Row]] = {}
    for name, rows in faults.items():
        for row in rows:
            causes.setdefault(row["cause"], {})[name] = row
    found = []
    for cause, by_name in causes.items():
        rows = list(by_name.values())
        found.append(
            Wrong(
                cause=cause,
                must=any(row["must"] for row in rows),
                verdicts=sum(row["verdicts"] for row in rows),
                dtypes=tuple(in_order([d for row in rows for d in row["dtypes"]], list(DTYPES))),
                only=tuple(by_name) if len(by_name) < len(faults) else (),
            )
        )
    return sorted(found, key=lambda w: (not w.must, -w.verdicts, w.cause))

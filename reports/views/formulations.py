"""What a formulation costs: fused, composed and naive ways side by side, by the magnitude of the logits.

“Why not softmax and then log?”, answered with numbers. Values only; naive ways are controls and gate nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from xent_conformance.reports.run.file import HELD, Run
from xent_conformance.reports.run.words import GRADED, JUDGED, NAIVE, Grade, Row, Status, Symptom
from xent_conformance.reports.text.wording import DTYPES, in_order
from xent_conformance.reports.views.causes import named
from xent_conformance.reports.views.fair import PLACE, Place, at_home, causes_of, shared
from xent_conformance.reports.views.scorecard import SMALL

FORMULATIONS = ("fused", "composed", NAIVE)

_EXP = ("at_exp_overflow", "at_exp_subnormal", "at_exp_vanishing")
_LARGEST = ("powers_of_two", "largest", "largest_everywhere", "lowest_everywhere")
MAGNITUDES: Mapping[str, Sequence[tuple[str, str]]] = {
    "|x| about 1": [("ordinary", "unit")],
    "|x| about 8": [("ordinary", "spread8")],
    "|x| about 32": [("ordinary", "spread32")],
    "two classes 5 to 80 apart": [("two_classes", "confident_right"), ("two_classes", "confident_wrong")],
    "the thresholds of exp": [("huge_logits", v) for v in _EXP],
    "the largest numbers": [
        ("huge_logits", v) for v in (*_LARGEST, "largest_against_lowest", "to_the_largest")
    ],
    # logit takes probabilities
    "p anywhere": [("ordinary", "uniform")],
    "p near ½": [("ordinary", "near_half")],
    "p near 0": [("ordinary", "near_zero")],
    "p near 1": [("ordinary", "near_one")],
}
"""Magnitude classes from mild to extreme, and the families and variants that make them."""

SPECIAL = (Symptom.NAN, Symptom.INFINITE)
"""What the band above a chart counts."""

_FORMATS = ("float32", "float64", "float16", "bfloat16", "float8_e4m3fn", "float8_e5m2")
"""Of formats in which as many ways were asked, the first is shown."""


@dataclass(frozen=True)
class Fared:
    """How a way fared in one magnitude class, in ``rows`` rows.

    ``worst``: error in ulp of what was a number and neither lost (1.2) nor flushed (1.3); None where nothing
    was. ``must`` and ``should``: rows by symptom that break such a clause. ``grade``: the worst of all.
    """

    rows: int
    worst: float | None
    grade: Grade
    must: Mapping[str, int]
    should: Mapping[str, int]

    def counted(self, symptoms: Iterable[str]) -> int:
        """Rows with any of these symptoms."""
        return sum(self.must.get(s, 0) + self.should.get(s, 0) for s in symptoms)


@dataclass(frozen=True)
class Way:
    """Implementations of one formulation that fared alike everywhere; a magnitude not asked is None."""

    formulation: str
    implementations: tuple[str, ...]
    fared: tuple[Fared | None, ...]


@dataclass(frozen=True)
class Group:
    """The ways of one framework."""

    place: Place
    ways: tuple[Way, ...]


@dataclass(frozen=True)
class Costs:
    """What the ways to compute one operator cost in one format, by magnitude.

    ``causes`` of what goes wrong in ways that users call, those of most rows first.
    """

    operator: str
    dtype: str
    magnitudes: tuple[str, ...]
    groups: tuple[Group, ...]
    causes: tuple[str, ...]

    def ways(self, formulation: str) -> tuple[Way, ...]:
        """Those of one formulation, in every framework."""
        return tuple(way for _, way in self.placed(formulation))

    def placed(self, formulation: str) -> tuple[tuple[Place, Way], ...]:
        """The same, each with where it was asked."""
        return tuple((g.place, way) for g in self.groups for way in g.ways if way.formulation == formulation)

    @property
    def formulations(self) -> tuple[str, ...]:
        """Those that were asked, in their order."""
        return tuple(in_order([way.formulation for g in self.groups for way in g.ways], FORMULATIONS))


@dataclass
class _Tally:
    """The rows of one way in one magnitude class."""

    rows: int = 0
    worst: float | None = None
    grade: int = 0
    must: Counter[str] = field(default_factory=Counter)
    should: Counter[str] = field(default_factory=Counter)

    def add(self, row: Row) -> None:
        self.rows += row["len"]
        if row["grade"] in GRADED:
            self.grade = max(self.grade, GRADED.index(row["grade"]))
        if row["status"] != Status.CONFORMS:
            faults = self.must if row["status"] == Status.BREAKS_MUST else self.should
            faults[row["symptom"]] += row["len"]
        # a wrong special value has no distance, and what was lost or flushed is counted apart
        measured = row["worst"] is not None and row["grade"] != Grade.WRONG_SPECIAL
        if measured and row["symptom"] not in SMALL:
            self.worst = max(self.worst or 0.0, row["worst"])

    @property
    def fared(self) -> Fared:
        return Fared(self.rows, self.worst, Grade(GRADED[self.grade]), dict(self.must), dict(self.should))


def costs(run: Run) -> tuple[Costs, ...]:
    """One table for each operator that was asked in any magnitude class, in the format of most ways.

    A framework's ways are compared at home, on the cases that all of them were asked.
    """
    lookup = pl.DataFrame(
        [(family, variant, name) for name, pairs in MAGNITUDES.items() for family, variant in pairs],
        schema={**{name: HELD[name] for name in ("family", "variant")}, "magnitude": pl.String()},
        orient="row",
    )
    # of one class nothing but the exact value will do, whatever the magnitude
    asked = (pl.col("output") == "value") & pl.col("status").is_in(JUDGED) & (pl.col("n") > 1)
    rows = at_home(named(run).verdicts).filter(asked)
    rows = rows.join(lookup, on=["family", "variant"], how="inner")
    rows = shared(rows, ["operator", *PLACE, "dtype"], ["case"])
    who = ["operator", *PLACE, "formulation", "implementation"]
    counted = rows.group_by(
        [*who, "magnitude", "dtype", "grade", "status", "symptom"], maintain_order=True
    ).agg(pl.len(), pl.col("ulps").fill_nan(None).max().alias("worst"))
    by_operator: dict[str, list[Row]] = {}
    for row in counted.iter_rows(named=True):
        by_operator.setdefault(row["operator"], []).append(row)
    order = in_order(list(by_operator), list(run.header["operators"]))
    return tuple(
        _costs(operator, by_operator[operator], rows.filter(pl.col("operator") == operator))
        for operator in order
    )


def _costs(operator: str, rows: Sequence[Row], verdicts: pl.DataFrame) -> Costs:
    dtype = _format(rows)
    tallies: dict[tuple[Place, str, str], dict[str, _Tally]] = {}
    for row in rows:
        if row["dtype"] == dtype:
            key = (Place.of(row), row["formulation"], row["implementation"])
            tallies.setdefault(key, {}).setdefault(row["magnitude"], _Tally()).add(row)
    magnitudes = [m for m in MAGNITUDES if any(m in of_way for of_way in tallies.values())]
    # mappings have no hash: ways are alike where their lists of magnitudes are equal
    groups: dict[Place, list[tuple[str, list[str], tuple[Fared | None, ...]]]] = {}
    for key in sorted(tallies, key=lambda k: (k[0], _rank(k[1]), k[2])):
        place, formulation, implementation = key
        fared = tuple(t.fared if (t := tallies[key].get(m)) else None for m in magnitudes)
        ways = groups.setdefault(place, [])
        same = next((names for f, names, there in ways if (f, there) == (formulation, fared)), None)
        if same is None:
            ways.append((formulation, [implementation], fared))
        else:
            same.append(implementation)
    return Costs(
        operator=operator,
        dtype=dtype,
        magnitudes=tuple(magnitudes),
        groups=tuple(
            Group(place, tuple(Way(f, tuple(names), fared) for f, names, fared in ways))
            for place, ways in groups.items()
        ),
        causes=causes_of(verdicts.filter(pl.col("dtype") == dtype)),  # of controls there are none
    )


def _format(rows: Sequence[Row]) -> str:
    """The format in which most ways were asked."""
    ways: dict[str, set[tuple[Place, str]]] = {}
    for row in rows:
        ways.setdefault(row["dtype"], set()).add((Place.of(row), row["implementation"]))
    order = in_order(list(ways), [*_FORMATS, *DTYPES])
    return max(order, key=lambda dtype: len(ways[dtype]))


def _rank(formulation: str) -> tuple[int, str]:
    known = FORMULATIONS.index(formulation) if formulation in FORMULATIONS else len(FORMULATIONS)
    return known, formulation

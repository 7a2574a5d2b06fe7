"""What a formulation costs: fused, composed and naive ways side by side, by the magnitude of the logits.

“Why not softmax and then log?”, answered with numbers. Values only; naive ways are controls and gate nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from xent_conformance.reports.html.marks import Mark, anchor
from xent_conformance.reports.html.naming import Naming
from xent_conformance.reports.html.section import Material, Section
from xent_conformance.reports.run.words import GRADED, JUDGED, NAIVE
from xent_conformance.reports.text.numbers import NOTHING, count, ulps
from xent_conformance.reports.text.wording import DTYPES, in_order, listed, plural, words

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

_FAULTS = {
    "NaN": "NaN",
    "infinite where finite": "infinite",
    "beyond the stable bound": "beyond the bound",
    "a number where NaN": "number for NaN",
    "finite where infinite": "finite for ∞",
    "flushed to zero": "flushed to 0",
    "lost relative accuracy": "lost accuracy",
}
"""Short words for symptoms, worst first; others are shown as they are."""

_NOT_ASKED = Mark("–", "not asked", "u")


@dataclass(frozen=True)
class Cell:
    """The worst error that is a number, and how many rows had which fault."""

    ulps: str
    mark: Mark
    about: str


@dataclass(frozen=True)
class Way:
    """Implementations of one formulation that fared alike everywhere."""

    formulation: str
    implementations: tuple[str, ...]
    naive: bool
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Group:
    """The ways of one framework."""

    framework: str
    ways: tuple[Way, ...]


@dataclass(frozen=True)
class Costs:
    """What the ways to compute one operator cost, in a sentence and in a table of magnitudes."""

    id: str
    operator: str
    sentence: str
    magnitudes: tuple[str, ...]
    groups: tuple[Group, ...]


@dataclass
class _Tally:
    """The rows of one way in one magnitude class."""

    rows: int = 0
    worst: float = -1.0
    dtype: str = ""
    grade: int = 0
    must: Counter[str] = field(default_factory=Counter)
    should: Counter[str] = field(default_factory=Counter)

    def add(self, row: Mapping[str, Any]) -> None:
        self.rows += row["len"]
        if row["grade"] in GRADED:
            self.grade = max(self.grade, GRADED.index(row["grade"]))
        if row["status"] != "conforms":
            faults = self.must if row["status"] == "breaks_must" else self.should
            faults[row["symptom"]] += row["len"]
        # a wrong special value has no distance
        if row["worst"] is not None and row["grade"] != "wrong_special" and row["worst"] > self.worst:
            self.worst, self.dtype = row["worst"], row["dtype"]


_Key = tuple[str, str, str]
"""Framework as it is named, formulation, implementation."""
_Tallies = Mapping[_Key, Mapping[str, _Tally]]


def view(material: Material) -> tuple[Costs, ...]:
    """One table for each operator that was asked in any magnitude class."""
    run, naming = material.run, material.naming
    lookup = pl.DataFrame(
        [(family, variant, name) for name, pairs in MAGNITUDES.items() for family, variant in pairs],
        schema={"family": pl.String(), "variant": pl.String(), "magnitude": pl.String()},
        orient="row",
    )
    # of one class nothing but the exact value will do, whatever the magnitude
    asked = (pl.col("output") == "value") & pl.col("status").is_in(JUDGED) & (pl.col("n") > 1)
    rows = run.verdicts.filter(asked)
    rows = rows.join(lookup, on=["family", "variant"], how="inner")
    target = ["framework", "version", "mode", "device", "machine"]
    # a door that is asked more must not look worse for it: the cases that most doors of its kind share
    here = ["operator", *target, "dtype"]
    rows = rows.with_columns(pl.len().over([*here, "case"]).alias("doors"))
    rows = rows.filter(pl.col("doors") == pl.col("doors").max().over(here))
    who = ["operator", *target, "formulation", "implementation"]
    counted = rows.group_by(
        [*who, "magnitude", "dtype", "grade", "status", "symptom"], maintain_order=True
    ).agg(pl.len(), pl.col("ulps").fill_nan(None).max().alias("worst"))
    by_operator: dict[str, list[dict[str, Any]]] = {}
    for row in counted.iter_rows(named=True):
        by_operator.setdefault(row["operator"], []).append(row)
    order = in_order(list(by_operator), list(run.header["operators"]))
    return tuple(_costs(operator, by_operator[operator], naming) for operator in order)


def _costs(operator: str, rows: Sequence[dict[str, Any]], naming: Naming) -> Costs:
    magnitudes = [m for m in MAGNITUDES if any(row["magnitude"] == m for row in rows)]
    tallies: dict[_Key, dict[str, _Tally]] = {}
    for name, of_framework in _fair(rows, naming):
        for row in of_framework:
            key = (name, row["formulation"], row["implementation"])
            tallies.setdefault(key, {}).setdefault(row["magnitude"], _Tally()).add(row)
    alike: dict[tuple[str, str, tuple[Cell, ...]], list[str]] = {}
    for key in sorted(tallies, key=lambda k: (k[0], _place(k[1]), k[2])):
        name, formulation, implementation = key
        cells = tuple(_cell(tallies[key].get(m)) for m in magnitudes)
        alike.setdefault((name, formulation, cells), []).append(implementation)
    groups: dict[str, list[Way]] = {}
    for (name, formulation, cells), found in alike.items():
        groups.setdefault(name, []).append(Way(formulation, tuple(found), formulation == NAIVE, cells))
    return Costs(
        id=anchor("cost", operator),
        operator=operator,
        sentence=sentence(tallies, magnitudes),
        magnitudes=tuple(magnitudes),
        groups=tuple(Group(name, tuple(ways)) for name, ways in groups.items()),
    )


def _fair(rows: Sequence[dict[str, Any]], naming: Naming) -> Iterable[tuple[str, list[dict[str, Any]]]]:
    """The rows of each framework in the modes and on the devices where all its formulations were asked.

    A mode such as mixed precision, in which only the main doors are asked, would make those look worse.
    """
    frameworks: dict[tuple[str, str], dict[str, list[dict[str, Any]]]] = {}
    for row in rows:
        of_framework = frameworks.setdefault((row["framework"], row["version"]), {})
        of_framework.setdefault(naming.where(row), []).append(row)
    for (framework, _), by_where in sorted(frameworks.items()):
        offered = {where: {row["formulation"] for row in found} for where, found in by_where.items()}
        all_of_them = set().union(*offered.values())
        fair = [where for where in sorted(by_where) if offered[where] == all_of_them] or sorted(by_where)
        yield f"{framework}: {', '.join(fair)}", [row for where in fair for row in by_where[where]]


def sentence(tallies: _Tallies, magnitudes: Sequence[str]) -> str:
    """Which ways stay accurate everywhere, and where the others break down first."""
    total = Counter(formulation for _, formulation, _ in tallies)
    fine: Counter[str] = Counter()
    lossy: Counter[str] = Counter()
    broken: dict[str, list[tuple[str, frozenset[str]]]] = {}
    for (_, formulation, _), cells in tallies.items():
        first = next((m for m in magnitudes if m in cells and cells[m].must), None)
        if first is not None:
            broken.setdefault(formulation, []).append((first, frozenset(cells[first].must)))
        elif any(c.should for c in cells.values()):
            lossy[formulation] += 1
        else:
            fine[formulation] += 1
    parts = [f"{_ways(fine, total, 'stays', 'stay') if fine else 'no way stays'} accurate at every magnitude"]
    if lossy:
        kept = _ways(lossy, total, "breaks", "break")
        parts.append(f"{kept} no must clause, but with relative accuracy lost or results flushed to zero")
    for formulation in sorted(broken, key=_place):
        found = broken[formulation]
        here = _ways(Counter({formulation: len(found)}), total, "breaks", "break")
        parts.append(f"{here} down, {_firsts(found, magnitudes)}")
    if NAIVE not in total:
        parts.append("no naive way was asked")
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _ways(counter: Mapping[str, int], total: Mapping[str, int], one: str, many: str) -> str:
    """``3 of 5 fused and both composed ways stay``."""
    kinds = sorted(counter, key=_place)
    noun = "way" if total[kinds[-1]] == 1 else "ways"
    return (
        f"{listed([_share(counter[f], total[f], f) for f in kinds])} {noun} "
        f"{one if sum(counter.values()) == 1 else many}"
    )


def _share(number: int, total: int, formulation: str) -> str:
    if number < total:
        return f"{number} of {total} {formulation}"
    every = {1: "the only", 2: "both"}.get(total, f"all {total}")
    return f"{every} {formulation}"


def _firsts(found: Sequence[tuple[str, frozenset[str]]], magnitudes: Sequence[str]) -> str:
    """Where they break down first, and what came back there."""
    texts = []
    for magnitude in magnitudes:
        here = [faults for first, faults in found if first == magnitude]
        if here:
            symptoms = ", ".join(_short(s) for s in in_order(list(frozenset().union(*here)), list(_FAULTS)))
            number = f"{len(here)} " if len(here) < len(found) else ""
            texts.append(f"{number}first at {magnitude} ({symptoms})")
    return listed(texts)


def _cell(tally: _Tally | None) -> Cell:
    if tally is None:
        return Cell("", _NOT_ASKED, "")
    error = NOTHING if tally.worst < 0 else ulps(tally.worst)
    rows = f"{'of ' if tally.must or tally.should else ''}{plural(tally.rows, 'row')}"
    if tally.worst > 0:
        rows += f" · worst {DTYPES.get(tally.dtype, tally.dtype)}"
    for glyph, css, faults in (("✕", "m", tally.must), ("▲", "s", tally.should)):
        if faults:
            found = in_order(list(faults), list(_FAULTS))
            word = ", ".join(f"{_short(symptom)} {count(faults[symptom])}" for symptom in found)
            return Cell(error, Mark(glyph, word, css), rows)
    return Cell(error, Mark("●", words(GRADED[tally.grade]), "k"), rows)


def _short(symptom: str) -> str:
    return _FAULTS.get(symptom, symptom)


def _place(formulation: str) -> tuple[int, str]:
    known = FORMULATIONS.index(formulation) if formulation in FORMULATIONS else len(FORMULATIONS)
    return known, formulation


SECTION = Section("formulations", "Formulations", "formulations.html", view, folded=True)

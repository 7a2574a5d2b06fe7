"""How far every element is off, and what its fault looks like: one pass over the elements of many rows.

Only the few that are infinite, NaN, special or beyond their bound are looked at once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xent_conformance.judging.numbered import Codes
from xent_conformance.judging.yardstick import MEASURED_WITH, Mask, Yardstick, distance
from xent_conformance.reference.formats import Floats, Ints
from xent_conformance.reports.run.words import GRADES, SYMPTOMS, Grade, Symptom

EXACT, FAITHFUL, ACCURATE, STABLE, DIVERGENT, WRONG = (
    GRADES.index(g)
    for g in (
        Grade.EXACT,
        Grade.FAITHFUL,
        Grade.ACCURATE,
        Grade.STABLE,
        Grade.DIVERGENT,
        Grade.WRONG_SPECIAL,
    )
)

_NUMBER = {symptom: number for number, symptom in enumerate(SYMPTOMS)}

Some = tuple[Yardstick, Ints | None, NDArray[Any]]
"""A yardstick, the rows of its batch that are measured or None for all, and what came back for the batch."""


def end_to_end(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Arrays as one."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


@dataclass(frozen=True)
class Elements:
    """All elements of many rows, end to end, with what each is measured with; see :class:`Yardstick`.

    ``starts`` says where each row begins and ``lengths`` how long it is; rows of one length are neighbours.
    """

    parts: Sequence[Some]
    starts: Ints
    lengths: Ints
    got: Floats
    k: NDArray[np.int32]
    hi: Floats
    lo: Floats
    radius: Floats
    rounded: Floats
    nearest: Floats
    accurate: Floats
    stable: Floats
    flushable: Mask
    special: Mask

    def allow_nothing(self, rows: Mask) -> None:
        """Nothing but the exact value will do in these rows (2.4)."""
        within = np.repeat(rows, self.lengths)
        for bound in (self.accurate, self.stable):
            bound[within] = 0.0

    def by_part(self, places: Ints) -> list[tuple[Some, Mask, Ints, Ints]]:
        """Of elements, in ascending order: each part that has any, which are its, their rows and elements."""
        sizes = [_count(rows, y) * y.elements for y, rows, _ in self.parts]
        ends = np.cumsum(sizes)
        part = np.searchsorted(ends, places, side="right")
        found = []
        for i in np.unique(part).tolist():
            (y, rows, _), mine = self.parts[i], part == i
            row, element = np.divmod(places[mine] - (ends[i] - sizes[i]), y.elements)
            found.append((self.parts[i], mine, row if rows is None else rows[row], element))
        return found


def laid_out(parts: Sequence[Some]) -> Elements:
    """The elements of all parts, which are in the order of their lengths."""
    rows = [_count(rows, y) for y, rows, _ in parts]
    lengths = np.repeat([y.elements for y, _, _ in parts], rows)
    columns: dict[str, list[NDArray[Any]]] = {name: [] for name in MEASURED_WITH}
    got = []
    for y, which, returned in parts:
        for name, column in columns.items():
            whole = getattr(y, name)
            column.append((whole if which is None else whole[which]).ravel())
        mine = returned if which is None else returned[which]
        got.append(mine.reshape(-1).astype(np.float64))
    joined = {name: end_to_end(column) for name, column in columns.items()}
    if len(parts) == 1:  # of which the bounds may be changed
        joined |= {name: joined[name].copy() for name in ("accurate", "stable")}
    return Elements(parts, np.cumsum(lengths) - lengths, lengths, end_to_end(got), **joined)


def _count(rows: Ints | None, y: Yardstick) -> int:
    return len(y.rounded) if rows is None else len(rows)


@dataclass(frozen=True)
class Measured:
    """Measurements of every element; ``grade`` and ``symptom`` by number."""

    ulps: Floats
    grade: Codes
    symptom: Codes
    far: dict[int, float] = field(default_factory=dict)
    """The share of the stable bound where the error is too large to be counted in ulps."""

    def ratio(self, elements: Elements, at: Ints) -> Floats:
        """The shares of the stable bound that the errors of some elements take."""
        ulps = self.ulps[at]
        with np.errstate(all="ignore"):
            ratio = np.where(ulps == 0, 0.0, ulps / elements.stable[at])
        wrong = self.grade[at] == WRONG
        if self.far:
            for i in np.flatnonzero(np.isinf(ulps) & ~wrong).tolist():
                ratio[i] = self.far.get(int(at[i]), ratio[i])
        ratio[wrong] = np.inf
        return ratio


def measure(e: Elements) -> Measured:
    """Every element measured."""
    with np.errstate(all="ignore"):
        ulps = distance(np.ldexp(e.got, -e.k), e.hi, e.lo, e.radius)
        finite = np.isfinite(e.got)
        infinite = np.flatnonzero(np.isinf(e.got)) if not finite.all() else np.zeros(0, dtype=np.int64)
        if infinite.size:
            ulps[infinite] = _as_the_next_number(e, infinite)
        grade = np.where(ulps <= e.stable, np.uint8(STABLE), np.uint8(DIVERGENT))
        np.copyto(grade, ACCURATE, where=ulps <= e.accurate, casting="unsafe")
        np.copyto(grade, FAITHFUL, where=(ulps < 1.0) & (e.stable > 0.0), casting="unsafe")
        np.copyto(grade, EXACT, where=ulps <= e.nearest, casting="unsafe")
        if infinite.size:
            grade[infinite[e.got[infinite] == e.rounded[infinite]]] = EXACT
        far = _far(e, np.flatnonzero(np.isinf(ulps) & finite & ~e.special), grade)
    symptom = np.zeros(len(grade), dtype=np.uint8)
    odd = np.flatnonzero(e.special | ~finite)
    if odd.size:
        _special(e, odd, ulps, grade, symptom)
    _faults(e, ulps, grade, symptom)
    return Measured(ulps, grade, symptom, far)


def _as_the_next_number(e: Elements, infinite: Ints) -> Floats:
    """The errors of infinities: one stands for the number after the largest, unless it is what is right."""
    found = np.zeros(len(infinite))
    for (y, _, _), mine, _, _ in e.by_part(infinite):
        at = infinite[mine]
        beyond = np.ldexp(np.copysign(0.5, e.got[at]), y.format.emax + 2 - e.k[at])
        ulps = distance(beyond, e.hi[at], e.lo[at], e.radius[at])
        found[mine] = np.where(e.got[at] == e.rounded[at], 0.0, ulps)
    return found


def _far(e: Elements, places: Ints, grade: Codes) -> dict[int, float]:
    """Grade what is further off than ulps can count, and say how much of its bound it takes."""
    found: dict[int, float] = {}
    for (y, _, _), mine, rows, elements in e.by_part(places) if places.size else ():
        at = places[mine]
        error, stable = y.far(e.got[at], rows, elements)
        stable = np.where(e.stable[at] == 0.0, 0.0, stable)
        grade[at] = np.where(error <= stable, STABLE, DIVERGENT)
        found.update(zip(at.tolist(), (error / stable).tolist(), strict=True))
    return found


def _special(e: Elements, odd: Ints, ulps: Floats, grade: Codes, symptom: Codes) -> None:
    """Where the exact value or what was returned is NaN or infinite."""
    got, hi, special = e.got[odd], e.hi[odd], e.special[odd]
    nan, infinite = np.isnan(got), np.isinf(got)
    same = np.where(np.isnan(hi), nan, got == hi)
    wrong = np.where(special, ~same, nan | (infinite & (grade[odd] == DIVERGENT)))
    right = special & same
    grade[odd] = np.where(wrong, WRONG, np.where(right, EXACT, grade[odd]))
    ulps[odd] = np.where(wrong, np.inf, np.where(right, 0.0, ulps[odd]))
    said = np.select(
        [nan, ~special, np.isnan(hi), infinite],
        [_NUMBER[s] for s in (Symptom.NAN, Symptom.INFINITE, Symptom.FINITE_FOR_NAN, Symptom.WRONG_INFINITY)],
        _NUMBER[Symptom.FINITE_FOR_INFINITE],
    )
    symptom[odd[wrong]] = said[wrong]


def _faults(e: Elements, ulps: Floats, grade: Codes, symptom: Codes) -> None:
    """Finite numbers that are beyond the accurate bound."""
    symptom[grade == STABLE] = _NUMBER[Symptom.LOST_ACCURACY]
    beyond = np.flatnonzero(grade == DIVERGENT)
    if beyond.size:
        flushed = (e.got[beyond] == 0) & e.flushable[beyond] & (e.hi[beyond] != 0)
        symptom[beyond] = np.where(flushed, _NUMBER[Symptom.FLUSHED], _NUMBER[Symptom.BEYOND_BOUND])


def worst(e: Elements, measured: Measured, weight: Floats) -> Ints:
    """The element that decides each row: the heaviest clause, then the grade, then the ulps.

    ``weight`` says row by row how heavy each symptom weighs, ``(rows, symptoms)``.
    """
    # ulps as a fraction below one, so that they only break ties
    fraction = 1.0 - 1.0 / (1.0 + np.log2(1.0 + np.minimum(measured.ulps, 1e300)))
    score = measured.grade + fraction
    faults = np.flatnonzero(measured.symptom)
    if faults.size:
        row = np.searchsorted(e.starts, faults, side="right") - 1
        heavy = weight[row, measured.symptom[faults]]
        score[faults] = heavy * 100 + measured.grade[faults] + fraction[faults]
    index = np.zeros(len(e.starts), dtype=np.int64)
    ends = np.append(np.flatnonzero(np.diff(e.lengths)) + 1, len(e.lengths))
    first = 0
    for last in ends.tolist():
        length = int(e.lengths[first])
        if length > 1:
            block = score[e.starts[first] : e.starts[first] + (last - first) * length]
            index[first:last] = block.reshape(-1, length).argmax(axis=1)
        first = last
    return index

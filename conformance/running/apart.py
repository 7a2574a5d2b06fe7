"""How far answers to the same elements are apart at most: of two frameworks, by the ends of their ranges.

Of all pairs of answers of two frameworks, the largest distance in an element is that of the largest of one
and the smallest of the other; so there is no need to look at the pairs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from xent_conformance.frameworks.interface import dtype_of
from xent_conformance.reference.formats import Floats

Exponents = NDArray[np.int32]

AT_ONCE = 2**18
"""Elements that are looked at together: a row may have 2²⁵."""


@dataclass(frozen=True)
class Answered:
    """What somebody answered to one output of a batch."""

    framework: str
    implementation: str
    mode: str
    device: str
    dtype: str
    elements: int
    """Of a row."""
    returned: bytes
    """All rows, in the bits that came."""
    there: bytes
    """A byte a row: whether it takes part."""

    @property
    def side(self) -> tuple[str, str]:
        """Between what distances are told."""
        return self.framework, self.device

    @property
    def size(self) -> int:
        """Elements of all rows."""
        return len(self.there) * self.elements

    def part(self, begin: int, end: int) -> Floats:
        """Those elements; NaN is what is no number, or takes no part."""
        found = np.frombuffer(self.returned, dtype_of(self.dtype))[begin:end].astype(np.float64)
        found[~np.isfinite(found)] = np.nan
        if b"\0" in self.there:
            found[~np.frombuffer(self.there, np.bool_)[np.arange(begin, end) // self.elements]] = np.nan
        return found

    def got(self, place: int) -> float:
        """One of them, whatever it is."""
        return float(np.frombuffer(self.returned, dtype_of(self.dtype))[place])


@dataclass(frozen=True)
class Farthest:
    """The largest distance of two sides, in ulps, and the first place that has it; the first two by name."""

    ulps: float
    place: int
    a: Answered
    b: Answered


def farthest(answers: Sequence[Answered], exponents: Exponents) -> Iterator[Farthest]:
    """Of each two sides that are compared, how far they are apart; 0 where no element can be compared.

    ``exponents``: of one ulp of the exact value, a number for each element.
    """
    sides: dict[tuple[str, str], list[Answered]] = {}
    for answer in answers:
        sides.setdefault(answer.side, []).append(answer)
    between = [(a, b) for a, b in combinations(sorted(sides), 2) if _across(a, b)]
    best: dict[tuple[tuple[str, str], tuple[str, str]], tuple[float, int]] = {}
    for begin in range(0, exponents.size, AT_ONCE):
        end = min(begin + AT_ONCE, exponents.size)
        ends = {side: _ends(sides[side], begin, end) for side in {s for pair in between for s in pair}}
        for pair in between:
            (low, high), (other_low, other_high) = (ends[side] for side in pair)
            apart = _ulps(np.fmax(high - other_low, other_high - low), exponents[begin:end])
            place = int(np.argmax(apart))
            if pair not in best or apart[place] > best[pair][0]:
                best[pair] = float(apart[place]), begin + place
    for (a, b), (ulps, place) in best.items():
        yield Farthest(ulps, place, *_ends_at(sides[a], sides[b], place))
    yield from _on_two_devices(sides, exponents)


def _across(a: tuple[str, str], b: tuple[str, str]) -> bool:
    """Two frameworks are compared on their devices as they are."""
    return a[0] != b[0] and not any("[" in device for _, device in (a, b))


def _on_two_devices(sides: dict[tuple[str, str], list[Answered]], exponents: Exponents) -> Iterator[Farthest]:
    """One door of one framework, on each two of its devices."""
    for one, other in combinations(sorted(sides), 2):
        if one[0] == other[0]:
            there = {(x.implementation, x.mode): x for x in sides[other]}
            found = [
                _apart(a, there[door], exponents)
                for a in sides[one]
                if (door := (a.implementation, a.mode)) in there
            ]
            if found:
                yield min(found, key=lambda f: (-f.ulps, f.place, f.a.implementation, f.a.mode))


def _apart(a: Answered, b: Answered, exponents: Exponents) -> Farthest:
    best = (-1.0, 0)
    for begin in range(0, exponents.size, AT_ONCE):
        end = min(begin + AT_ONCE, exponents.size)
        apart = _ulps(a.part(begin, end) - b.part(begin, end), exponents[begin:end])
        place = int(np.argmax(apart))
        best = max(best, (float(apart[place]), begin + place), key=lambda found: found[0])
    return Farthest(*best, a, b)


def _ends(answers: Iterable[Answered], begin: int, end: int) -> tuple[Floats, Floats]:
    """The smallest and the largest of each element."""
    low = np.full(end - begin, np.nan)
    high = low.copy()
    for answer in answers:
        part = answer.part(begin, end)
        np.fmin(low, part, out=low)
        np.fmax(high, part, out=high)
    return low, high


def _ends_at(some: Sequence[Answered], others: Sequence[Answered], place: int) -> tuple[Answered, Answered]:
    """Who is farthest apart there; of several the first by name."""
    numbers = {id(x): float(x.part(place, place + 1)[0]) for x in (*some, *others)}

    def rank(pair: tuple[Answered, Answered]) -> tuple[object, ...]:
        with np.errstate(over="ignore"):
            apart = abs(np.float64(numbers[id(pair[0])]) - numbers[id(pair[1])])
        return (-apart if apart == apart else 1.0, *((x.implementation, x.mode) for x in pair))

    return min(product(some, others), key=rank)


def _ulps(apart: Floats, exponents: Exponents) -> Floats:
    """Distances in ulps; what is none, or out of all measure, is 0."""
    with np.errstate(all="ignore"):
        found = np.ldexp(np.abs(apart), -exponents)
    return np.where(np.isfinite(found), found, 0.0)

"""The few results that are off by an ulp or more: measured in binary64, or by the ball reference.

Both ways lead to the same yardstick, the same bounds and the same rules as any verdict of a run.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from xent_conformance.frameworks.interface import Array
from xent_conformance.judging.measure import EXACT, WRONG, Measured, laid_out, measure
from xent_conformance.judging.numbered import Codes, rules
from xent_conformance.judging.yardstick import Mask, Yardstick
from xent_conformance.reference.exact.ball import Certified
from xent_conformance.reference.exact.enclosure import Enclosure
from xent_conformance.reference.formats import Floats, Ints
from xent_conformance.reference.oracle import Oracle, Truth
from xent_conformance.reports.run.words import GRADES, SYMPTOMS, Symptom
from xent_conformance.sweep.ground import Ground
from xent_conformance.sweep.sieve import remainder
from xent_conformance.sweep.tally import Charged, Place, Tally
from xent_conformance.sweep.values import ABSOLUTE, sizes

AT_ONCE = 2**15
"""Rows that are measured at a time."""

OF_BOUNDS = 2.0**-40
"""The relative error of a bound that is made of sizes in binary64."""

_ONE_AT_A_TIME = threading.Lock()
"""Ball arithmetic has one precision for the whole process."""


class Undecided(Exception):
    """The ball reference cannot tell; nobody else is asked."""


@dataclass(frozen=True)
class Rows:
    """Some points of a ground: their numbers, logits in binary64 and results.

    ``wanted``: which of their elements are to be measured, ``(rows, elements)``; ``unsure``: which of them
    only the ball reference can tell.
    """

    points: Ints
    x: Floats
    got: Array
    wanted: Mask
    unsure: Mask

    def __getitem__(self, which: Mask | slice) -> Rows:
        return Rows(
            self.points[which], self.x[which], self.got[which], self.wanted[which], self.unsure[which]
        )

    def in_parts(self) -> Iterator[Rows]:
        for start in range(0, len(self.points), AT_ONCE):
            yield self[start : start + AT_ONCE]


def count(ground: Ground, output: str, rows: Rows, tally: Tally) -> None:
    """Measure the elements that are wanted, and count them."""
    for part in rows.in_parts():
        infinite = np.isinf(part.x.reshape(len(part.x), -1)).any(axis=1)
        known = np.asarray(~(part.unsure.any(axis=1) | infinite))
        doubtful = part[~known]
        if known.any():
            near = part[known]
            truth = _in_binary64(ground, output, near.x)
            yardstick = Yardstick.of(truth, output)
            measured = measure(laid_out([(yardstick, None, near.got)]))
            doubt = _doubtful(yardstick, measured).reshape(near.wanted.shape) & near.wanted
            again = np.asarray(doubt.any(axis=1))
            _add(ground, near, near.wanted & ~again[:, None], measured, tally)
            doubtful = _joined(doubtful, near[again])
        if len(doubtful.points):
            measured, _ = looked_up(ground, output, doubtful.x, doubtful.got)
            tally.looked_up += int(doubtful.wanted.sum())
            _add(ground, doubtful, doubtful.wanted, measured, tally)


def looked_up(ground: Ground, output: str, x: Floats, got: Array) -> tuple[Measured, Yardstick]:
    """Measured with the ball reference. Raises :class:`Undecided`."""
    with _ONE_AT_A_TIME:
        truth = Oracle().truth(ground.inputs(x))
    if truth.certified.undecided.any():
        raise Undecided(f"{ground.operator} of {x[truth.certified.undecided][0]} is undecided")
    yardstick = Yardstick.of(truth, output)
    return measure(laid_out([(yardstick, None, got)])), yardstick


def enclosed(ground: Ground, output: str, x: Floats) -> Enclosure:
    """The values in binary64 with their errors, ``(rows, elements)``."""
    parts = ground.parts(output)(x)
    base, rest = np.broadcast_to(parts.base, parts.rest.shape), parts.rest
    total = np.asarray(base + rest)
    low = remainder(base, rest, total)
    radius = np.where(np.isfinite(total), ground.relative * parts.size + ABSOLUTE, 0.0)
    shape = (len(x), -1)
    zero = np.zeros(total.shape, dtype=np.int64)
    return Enclosure(total, low, radius, zero).reshape(*shape)


def _in_binary64(ground: Ground, output: str, x: Floats) -> Truth:
    inputs = ground.inputs(x)
    beside = sizes(ground.operator, x)
    as_rows = {name: a.reshape(len(x), -1) for name, a in beside.items()}
    nothing = np.zeros(len(x), dtype=bool)
    return Truth(inputs, Certified({output: enclosed(ground, output, x)}, as_rows, nothing))


def _doubtful(y: Yardstick, measured: Measured) -> Mask:
    """Whether the error of the values themselves may change a grade, or a place in the histogram."""
    low = measured.ulps
    high = low + 2.0 * y.radius.ravel() + low * 2.0**-50
    found = (low < 1.0) & (high >= 1.0)
    for bound in (y.accurate.ravel(), y.stable.ravel()):
        found |= (low <= bound * (1.0 + OF_BOUNDS)) & (high >= bound * (1.0 - OF_BOUNDS))
    found |= np.frexp(np.maximum(low, 1.0))[1] != np.frexp(np.maximum(high, 1.0))[1]
    special = y.special.ravel()
    # it was not correctly rounded, as far as was known
    return np.asarray(~special & (found | (measured.grade == EXACT)) & (measured.grade != WRONG))


def _joined(one: Rows, other: Rows) -> Rows:
    names = ("points", "x", "got", "wanted", "unsure")
    return Rows(*(np.concatenate([getattr(one, n), getattr(other, n)]) for n in names))


def _add(ground: Ground, rows: Rows, counted: Mask, measured: Measured, tally: Tally) -> None:
    """Count some elements of measured rows."""
    at = np.flatnonzero(counted)
    if not at.size:
        return
    row, element = np.divmod(at, counted.shape[1])
    grade, symptom, ulps = measured.grade[at], measured.symptom[at], measured.ulps[at]
    got = rows.got.reshape(-1)[at].astype(np.float64)
    for number, many in zip(*np.unique(grade, return_counts=True), strict=True):
        tally.grades[GRADES[number].value] += int(many)
    beyond = (grade > GRADES.index("faithful")) & np.isfinite(ulps) & (grade != WRONG)
    powers = np.frexp(np.maximum(ulps[beyond], 1.0))[1] - 1
    for power, many in zip(*np.unique(powers, return_counts=True), strict=True):
        tally.histogram[int(power)] = tally.histogram.get(int(power), 0) + int(many)

    def place(i: int) -> Place:
        return Place(float(ulps[i]), int(rows.points[row[i]]), int(element[i]), float(got[i]))

    numbers = np.flatnonzero((grade != WRONG) & np.isfinite(ulps))
    if numbers.size:
        tally.note(place(int(numbers[_first_largest(ulps[numbers])])))
    tested = ground.tested(rows.x)[row]
    for clause, fault, among in _by_charge(tested, symptom):
        worst = place(int(among[_first_largest(ulps[among])]))
        tally.charge(clause, fault, Charged(len(among), worst))


def _by_charge(tested: Codes, symptom: Codes) -> Iterator[tuple[str, Symptom, Ints]]:
    """Each clause that is broken, how, and by which of the elements."""
    broken = rules().broken[tested, symptom]
    faults = np.flatnonzero(symptom)
    for clause, fault in sorted(set(zip(broken[faults].tolist(), symptom[faults].tolist(), strict=True))):
        among = faults[(broken[faults] == clause) & (symptom[faults] == fault)]
        yield rules().ids[clause], SYMPTOMS[fault], among


def _first_largest(ulps: Floats) -> int:
    return int(np.argmax(ulps))

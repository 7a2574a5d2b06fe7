"""Grade one output of a batch against its certified enclosure and its bounds, all rows at once.

Everything is measured in ulps of the exact value (SPEC.md §0). The reference's radius is subtracted
from every error, so an accusation is never the reference's own doubt.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xent_conformance.cases.case import Case
from xent_conformance.reference.clauses import STABLE, Level, clause
from xent_conformance.reference.documented import documented
from xent_conformance.reference.exact.enclosure import Enclosure
from xent_conformance.reference.formats import Floats, Format, Ints
from xent_conformance.reference.oracle import Truth
from xent_conformance.reports.run.words import GRADES, SYMPTOMS, Grade, Status, Symptom

RELATIVE_ACCURACY, FLUSH, RESULT, OFFERED, ONE_CLASS = "1.2", "1.3", "1.4", "1.7", "2.4"
DECLARED = "5.11"
"""Charged by what is seen: a difference that an implementation documents."""

_ACCURATE, _STABLE, _DIVERGENT, _WRONG = (
    GRADES.index(g) for g in (Grade.ACCURATE, Grade.STABLE, Grade.DIVERGENT, Grade.WRONG_SPECIAL)
)
_STATUS = {Level.MUST: Status.BREAKS_MUST, Level.SHOULD: Status.BREAKS_SHOULD, Level.OPEN: Status.OPEN}


@dataclass(frozen=True)
class Verdict:
    """One row of one output: how accurate, whether right, by which clause, and its worst element.

    ``clause`` is the clause that is broken, or else the clause that was tested. ``ulps`` is the
    error of the worst element (infinite for a wrong special value), ``ratio`` its share of the
    stable bound, ``index`` its place in the row. The exact value is ``(hi + lo)·2**exponent``.
    """

    grade: Grade
    status: Status
    symptom: Symptom
    clause: str
    ulps: float
    ratio: float
    index: int
    got: float
    hi: float
    lo: float
    exponent: int
    rounded: float
    bits: str


COARSE = 1100
"""``2**COARSE`` ulps of the smallest number are a number that binary64 has, and so is its largest in them."""


@dataclass(frozen=True)
class _Yardstick:
    """All that one output of a batch is measured with, in ulps ``2**k`` of the exact values."""

    format: Format
    exact: Enclosure
    k: Ints
    rounded: Floats
    nearest: Floats
    accurate: Floats
    stable: Floats
    flushable: NDArray[np.bool_]
    coarse: Floats
    """The stable bound in units of ``2**COARSE`` ulps: where an error is too large to be counted in ulps."""

    @classmethod
    def of(cls, truth: Truth, output: str) -> _Yardstick:
        fmt, exact, bound = truth.inputs.format, truth.enclosure(output), truth.bound(output)
        k = fmt.ulp_exponent(exact.floor_log2())
        rounded = exact.round_to(fmt)
        with np.errstate(all="ignore"):
            return cls(
                format=fmt,
                exact=exact,
                k=k,
                rounded=rounded,
                nearest=_distance(np.ldexp(np.where(np.isinf(rounded), 0.0, rounded), -k), exact, k),
                accurate=np.ldexp(bound.accurate, -k),
                stable=np.ldexp(bound.stable, -k),
                flushable=np.abs(exact.approximate()) <= bound.flush,
                coarse=np.ldexp(bound.stable, -k - COARSE),
            )

    def rows(self, rows: Ints, exactly: NDArray[np.bool_]) -> _Yardstick:
        """The yardstick of these rows; where ``exactly``, nothing but the exact value will do (2.4)."""
        return _Yardstick(
            self.format,
            self.exact[rows],
            self.k[rows],
            self.rounded[rows],
            self.nearest[rows],
            np.where(exactly[:, None], 0.0, self.accurate[rows]),
            np.where(exactly[:, None], 0.0, self.stable[rows]),
            self.flushable[rows],
            np.where(exactly[:, None], 0.0, self.coarse[rows]),
        )


@dataclass(frozen=True)
class _Elements:
    """Measurements of every element, ``(rows, elements)``; ``grade`` and ``symptom`` by number."""

    ulps: Floats
    ratio: Floats
    grade: NDArray[np.int64]
    symptom: NDArray[np.int64]


class Judge:
    """Judges any number of answers to one batch; what they are measured with is made once."""

    def __init__(self, truth: Truth) -> None:
        self.truth = truth
        self._yardsticks: dict[str, _Yardstick] = {}

    @functools.cache  # noqa: B019  a judge lives as long as its batch
    def documented(self, name: str) -> Judge | None:
        """The judge of a documented definition (SPEC.md 5.11), where it says something of this batch."""
        found = documented(name, self.truth.inputs)
        return None if found is None else Judge(found)

    def ulp_exponents(self, output: str) -> Ints:
        """``k`` of every element: an ulp of its exact value is ``2**k``."""
        return self._yardstick(output).k

    def _yardstick(self, output: str) -> _Yardstick:
        if output not in self._yardsticks:
            self._yardsticks[output] = _Yardstick.of(self.truth, output)
        return self._yardsticks[output]

    def verdicts(self, cases: Sequence[Case], output: str, got: NDArray[Any]) -> list[Verdict]:
        """A verdict for each of ``cases``.

        ``got`` is what was returned, ``(rows, ...)``: row ``case.row`` answers the case. Raises
        ValueError where its rows do not have as many elements as the reference.
        """
        rows = np.array([case.row for case in cases], dtype=np.int64)
        clauses = [case.clause_of(output) for case in cases]
        exactly = np.array([c == ONE_CLASS for c in clauses])
        yardstick = self._yardstick(output).rows(rows, exactly)
        values = got[rows].reshape(len(rows), -1).astype(np.float64)
        if values.shape != yardstick.exact.hi.shape:
            elements = yardstick.exact.hi.shape[1]
            raise ValueError(f"{output} has {values.shape[1]} elements a row, the reference {elements}")
        measured = _measure(yardstick, values)
        worst = _worst(measured, clauses)
        raw = np.ascontiguousarray(got)
        undecided = self.truth.certified.undecided[rows]
        return [
            _verdict(
                yardstick, measured, values, clauses[i], bool(undecided[i]), i, j, raw[case.row].tobytes()
            )
            for i, (case, j) in enumerate(zip(cases, worst.tolist(), strict=True))
        ]


_BY_SYMPTOM = (
    Symptom.NONE,
    Symptom.NAN,
    Symptom.INFINITE,
    Symptom.FINITE_FOR_NAN,
    Symptom.WRONG_INFINITY,
    Symptom.FINITE_FOR_INFINITE,
    Symptom.FLUSHED,
    Symptom.LOST_ACCURACY,
)


def _measure(y: _Yardstick, got: Floats) -> _Elements:
    exact = y.exact
    with np.errstate(all="ignore"):
        # an infinity stands for the number after the largest, unless it is what is right
        beyond = np.ldexp(np.copysign(0.5, got), y.format.emax + 2 - y.k)
        infinite = np.isinf(got)
        ulps = _distance(np.where(infinite, beyond, np.ldexp(got, -y.k)), exact, y.k)
        ulps = np.where(infinite & (got == y.rounded), 0.0, ulps)
        nearest = np.where(np.isinf(y.rounded), got == y.rounded, ulps <= y.nearest)
        faithful = (ulps < 1.0) & (y.stable > 0.0)
        grade = np.select(
            [nearest, faithful, ulps <= y.accurate, ulps <= y.stable], [0, 1, _ACCURATE, _STABLE], _DIVERGENT
        )
        ratio = np.where(ulps == 0, 0.0, ulps / y.stable)
        # beside a subnormal of binary64, one is more ulps than there are numbers, and so may be its bound
        far = np.isinf(ulps) & np.isfinite(got)
        if far.any():
            coarse = _distance(np.ldexp(got, -y.k - COARSE), exact, y.k + COARSE)
            grade = np.where(far, np.where(coarse <= y.coarse, _STABLE, _DIVERGENT), grade)
            ratio = np.where(far, coarse / y.coarse, ratio)

    special = ~np.isfinite(exact.hi)
    same = np.where(np.isnan(exact.hi), np.isnan(got), got == exact.hi)
    lost = ~special & (np.isnan(got) | (infinite & (grade == _DIVERGENT)))
    wrong = (special & ~same) | lost
    grade = np.where(wrong, _WRONG, np.where(special, 0, grade))
    ulps = np.where(wrong, np.inf, np.where(special, 0.0, ulps))
    ratio = np.where(wrong, np.inf, np.where(special, 0.0, ratio))
    flushed = (grade == _DIVERGENT) & (got == 0) & y.flushable & ~special & (exact.hi != 0)
    conditions = [
        grade <= _ACCURATE,
        wrong & np.isnan(got),
        wrong & ~special,
        wrong & np.isnan(exact.hi),
        wrong & infinite,
        wrong,
        flushed,
        grade == _STABLE,
    ]
    symptom = np.select(
        conditions, [SYMPTOMS.index(s) for s in _BY_SYMPTOM], SYMPTOMS.index(Symptom.BEYOND_BOUND)
    )
    return _Elements(ulps, ratio, grade, symptom)


def _distance(got: Floats, exact: Enclosure, k: Ints) -> Floats:
    """``|got − exact|`` where one is an ulp ``2**k``, less the radius."""
    scale = exact.exponent - k
    error = np.abs((got - np.ldexp(exact.hi, scale)) - np.ldexp(exact.lo, scale))
    return np.asarray(np.maximum(error - np.ldexp(exact.radius, scale), 0.0), dtype=np.float64)


_PLAIN = (RELATIVE_ACCURACY, FLUSH, RESULT, OFFERED, "7.3", "7.4", "7.5", "7.8", "7.9", "7.10", "7.12")
"""Clauses whose cases are finite rows like any other: what they say is not about the numbers."""

_BESIDE = ("3.1", "3.2")
"""Clauses about NaN, whose rows have elements, or stand beside rows, that are plain."""


def _broken(symptom: Symptom, tested: str) -> str:
    """The clause that a symptom breaks in a case that tests ``tested``.

    A wrong number is charged to what is wrong with it, and not to what its row was made for: in a row that
    is asked twice for its bits, or beside a NaN, a number beyond the bound breaks 1.1 as it does anywhere.
    """
    charged = {Symptom.LOST_ACCURACY: RELATIVE_ACCURACY, Symptom.FLUSHED: FLUSH}
    plain = tested in _PLAIN or (tested in _BESIDE and symptom is Symptom.BEYOND_BOUND)
    return charged.get(symptom, STABLE if plain else tested)


@functools.cache
def _weights(tested: str) -> tuple[float, ...]:
    """How heavy each symptom weighs in a case that tests a clause: by the level of what it breaks."""
    weight = {Level.MUST: 2.0, Level.SHOULD: 1.0, Level.OPEN: 0.0}
    return tuple(
        0.0 if symptom is Symptom.NONE else weight[clause(_broken(symptom, tested)).level]
        for symptom in SYMPTOMS
    )


def _worst(measured: _Elements, clauses: Sequence[str]) -> Ints:
    """The element that decides each row: the heaviest clause, then the grade, then the ulps."""
    weights = np.array([_weights(tested) for tested in clauses])
    heavy = np.take_along_axis(weights, measured.symptom, axis=1)
    # ulps as a fraction below one, so that they only break ties
    fraction = 1.0 - 1.0 / (1.0 + np.log2(1.0 + np.minimum(measured.ulps, 1e300)))
    return np.asarray(np.argmax(heavy * 100 + measured.grade + fraction, axis=1), dtype=np.int64)


def _verdict(
    y: _Yardstick,
    measured: _Elements,
    got: Floats,
    tested: str,
    undecided: bool,
    i: int,
    j: int,
    raw: bytes,
) -> Verdict:
    symptom = SYMPTOMS[measured.symptom[i, j]]
    broken = _broken(symptom, tested)
    if undecided:
        status, broken = Status.UNDECIDED, tested
    elif clause(tested).level is Level.OPEN:
        status, broken = Status.OPEN, tested
    elif symptom is Symptom.NONE:
        status, broken = Status.CONFORMS, tested
    else:
        status = _STATUS[clause(broken).level]
    return Verdict(
        grade=GRADES[measured.grade[i, j]],
        status=status,
        symptom=symptom,
        clause=broken,
        ulps=float(measured.ulps[i, j]),
        ratio=float(measured.ratio[i, j]),
        index=j,
        got=float(got[i, j]),
        hi=float(y.exact.hi[i, j]),
        lo=float(y.exact.lo[i, j]),
        exponent=int(y.exact.exponent[i, j]),
        rounded=float(y.rounded[i, j]),
        bits=hashlib.blake2b(raw, digest_size=8).hexdigest(),
    )

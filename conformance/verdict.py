"""Grade one output of a batch against its certified enclosure and its bounds, all rows at once.

Everything is measured in ulps of the exact value (SPEC.md §0). The reference's radius is subtracted
from every error, so an accusation is never the reference's own doubt.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cases.case import Case
from conformance.outcome import GRADES, SYMPTOMS, Grade, Status, Symptom
from reference.clauses import Level, clause
from reference.enclosure import Enclosure
from reference.formats import Floats, Format, Ints
from reference.oracle import Truth

RELATIVE_ACCURACY, FLUSH, RESULT, ONE_CLASS = "1.2", "1.3", "1.4", "2.4"

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


@dataclass(frozen=True)
class _Elements:
    """Measurements of every element, ``(rows, elements)``."""

    ulps: Floats
    ratio: Floats
    grade: NDArray[np.int64]
    symptom: NDArray[np.int64]
    rounded: Floats


def judge(truth: Truth, cases: Sequence[Case], output: str, got: NDArray[Any]) -> list[Verdict]:
    """A verdict for each of ``cases``.

    ``got`` is what was returned, ``(rows, ...)``: row ``case.row`` answers the case. Raises
    ValueError where its rows do not have as many elements as the reference.
    """
    fmt = truth.inputs.format
    rows = np.array([case.row for case in cases], dtype=np.int64)
    exact = truth.enclosure(output)[rows]
    values = got[rows].reshape(len(rows), -1).astype(np.float64)
    if values.shape != exact.hi.shape:
        raise ValueError(f"{output} has {values.shape[1]} elements a row, the reference {exact.hi.shape[1]}")
    clauses = [case.clause_of(output) for case in cases]
    one_class = np.array([c == ONE_CLASS for c in clauses])[:, None]
    measured = _measure(truth, output, rows, exact, values, fmt, one_class)
    worst = _worst(measured, clauses)
    raw = np.ascontiguousarray(got)
    return [
        _verdict(truth, case, clauses[i], int(worst[i]), i, measured, exact, values, raw[case.row].tobytes())
        for i, case in enumerate(cases)
    ]


def _measure(
    truth: Truth,
    output: str,
    rows: Ints,
    exact: Enclosure,
    got: Floats,
    fmt: Format,
    one_class: NDArray[np.bool_],
) -> _Elements:
    bound = truth.bound(output)
    k = fmt.ulp_exponent(exact.floor_log2())
    rounded = exact.round_to(fmt)
    with np.errstate(all="ignore"):
        # an infinity stands for the number after the largest, unless that is what is right
        beyond = np.ldexp(np.copysign(0.5, got), fmt.emax + 2 - k)
        in_ulps = np.where(np.isinf(got), beyond, np.ldexp(got, -k))
        ulps = np.where(np.isinf(got) & (got == rounded), 0.0, _distance(in_ulps, exact, k))
        tail = bound.underflow[rows] * np.ldexp(fmt.smallest_subnormal, -k)
        accurate = np.where(one_class, 0.0, fmt.u * np.ldexp(bound.accurate[rows], -k) + tail)
        stable = np.where(one_class, 0.0, fmt.u * np.ldexp(bound.stable[rows], -k) + tail)
        grade = np.select(
            [ulps <= 0.5, ulps < 1.0, ulps <= accurate, ulps <= stable], [0, 1, _ACCURATE, _STABLE], _DIVERGENT
        )
        flushable = np.abs(exact.approximate()) <= bound.underflow[rows] * fmt.smallest_normal
        ratio = np.where(ulps == 0, 0.0, ulps / stable)

    special = ~np.isfinite(exact.hi)
    same = np.where(np.isnan(exact.hi), np.isnan(got), got == exact.hi)
    lost = ~special & (np.isnan(got) | (np.isinf(got) & (grade == _DIVERGENT)))
    wrong = (special & ~same) | lost
    grade = np.where(wrong, _WRONG, np.where(special, 0, grade))
    ulps = np.where(wrong, np.inf, np.where(special, 0.0, ulps))
    ratio = np.where(wrong, np.inf, np.where(special, 0.0, ratio))

    def number(symptom: Symptom) -> int:
        return SYMPTOMS.index(symptom)

    flushed = (grade >= _STABLE) & (got == 0) & flushable & ~special & (exact.hi != 0)
    symptom = np.select(
        [
            grade <= _ACCURATE,
            wrong & np.isnan(got),
            wrong & ~special,
            wrong & np.isnan(exact.hi),
            wrong & np.isinf(got),
            wrong,
            flushed,
            grade == _STABLE,
        ],
        [
            number(s)
            for s in (
                Symptom.NONE,
                Symptom.NAN,
                Symptom.INFINITE,
                Symptom.FINITE_FOR_NAN,
                Symptom.WRONG_INFINITY,
                Symptom.FINITE_FOR_INFINITE,
                Symptom.FLUSHED,
                Symptom.LOST_ACCURACY,
            )
        ],
        number(Symptom.BEYOND_BOUND),
    )
    return _Elements(ulps, ratio, grade, symptom, rounded)


def _distance(got: Floats, exact: Enclosure, k: Ints) -> Floats:
    """``|got − exact|`` where one is an ulp ``2**k``, less the radius."""
    scale = exact.exponent - k
    error = np.abs((got - np.ldexp(exact.hi, scale)) - np.ldexp(exact.lo, scale))
    return np.maximum(error - np.ldexp(exact.radius, scale), 0.0)


def _broken(symptom: Symptom, tested: str) -> str:
    """The clause that a symptom breaks in a case that tests ``tested``."""
    return {Symptom.LOST_ACCURACY: RELATIVE_ACCURACY, Symptom.FLUSHED: FLUSH}.get(symptom, tested)


def _worst(measured: _Elements, clauses: Sequence[str]) -> Ints:
    """The element that decides each row: the heaviest clause, then the grade, then the ulps."""
    weight = {Level.MUST: 2.0, Level.SHOULD: 1.0, Level.OPEN: 0.0}
    broken = np.array(
        [
            [
                0.0 if symptom is Symptom.NONE else weight[clause(_broken(symptom, tested)).level]
                for symptom in SYMPTOMS
            ]
            for tested in clauses
        ]
    )
    heavy = np.take_along_axis(broken, measured.symptom, axis=1)
    # ulps as a fraction below one, so that it only breaks ties
    fraction = 1.0 - 1.0 / (1.0 + np.log2(1.0 + np.minimum(measured.ulps, 1e300)))
    return np.asarray(np.argmax(heavy * 100 + measured.grade + fraction, axis=1), dtype=np.int64)


def _verdict(
    truth: Truth,
    case: Case,
    tested: str,
    j: int,
    i: int,
    measured: _Elements,
    exact: Enclosure,
    got: Floats,
    raw: bytes,
) -> Verdict:
    symptom = SYMPTOMS[measured.symptom[i, j]]
    broken = _broken(symptom, tested)
    if truth.certified.undecided[case.row]:
        status, broken = Status.UNDECIDED, tested
    elif clause(tested).level is Level.OPEN:
        status, broken = Status.OPEN, tested
    elif symptom is Symptom.NONE:
        status = Status.CONFORMS
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
        hi=float(exact.hi[i, j]),
        lo=float(exact.lo[i, j]),
        exponent=int(exact.exponent[i, j]),
        rounded=float(measured.rounded[i, j]),
        bits=hashlib.blake2b(raw, digest_size=8).hexdigest(),
    )

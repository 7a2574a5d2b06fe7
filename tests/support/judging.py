"""A judge of truths written by hand: exact values and bounds as a test needs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from types import SimpleNamespace
from typing import Any

import numpy as np

from xent_conformance.asking.answer import Answer
from xent_conformance.cases.case import Batch, Case
from xent_conformance.judging.judge import Judge
from xent_conformance.judging.numbered import STATUSES, rules
from xent_conformance.judging.rows import Answered, verdicts
from xent_conformance.reference.bounds.table import Bound
from xent_conformance.reference.exact.enclosure import Enclosure
from xent_conformance.reference.formats import FORMATS
from xent_conformance.reports.run.words import GRADES, SYMPTOMS, Grade, Status, Symptom

F32 = FORMATS["float32"]
ULP = 2.0**-23
"""Of 1 in binary32."""
ACCURATE, STABLE = 4.0, 16.0
"""The bounds of a :class:`Truth`, in ulps of the exact value."""


@dataclass
class Truth:
    """What a judge reads of a truth, written by hand."""

    hi: Any
    lo: Any = 0.0
    radius: Any = 0.0
    exponent: Any = 0
    accurate: Any = ACCURATE
    stable: Any = STABLE
    flush: Any = 0.0
    dtype: str = "float32"
    undecided: bool = False

    def __post_init__(self) -> None:
        self.inputs = SimpleNamespace(format=FORMATS[self.dtype])
        rows = len(np.atleast_2d(self.hi))
        self.certified = SimpleNamespace(undecided=np.full(rows, self.undecided))

    def enclosure(self, _output: str) -> Enclosure:
        parts = [np.asarray(v, dtype=np.float64) for v in (self.hi, self.lo, self.radius)]
        parts.append(np.asarray(self.exponent, dtype=np.int64))
        return Enclosure(*(np.atleast_2d(a) for a in np.broadcast_arrays(*parts)))

    def bound(self, output: str) -> Bound:
        exact = self.enclosure(output)
        ulp = np.ldexp(1.0, self.inputs.format.ulp_exponent(exact.floor_log2()))
        return Bound(*(np.broadcast_to(b, ulp.shape) * ulp for b in (self.accurate, self.stable)), self.flush)


@dataclass(frozen=True)
class Verdict:
    """One row of what a judge gives in columns, in words."""

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


def verdicts_of(judge: Judge, cases: Sequence[Case], output: str, got: Any) -> list[Verdict]:
    """The verdict on each case."""
    columns = judge.verdicts(cases, output, got)
    words: Mapping[str, Any] = {
        "grade": GRADES.__getitem__,
        "status": STATUSES.__getitem__,
        "symptom": SYMPTOMS.__getitem__,
        "clause": rules().ids.__getitem__,
        "bits": bytes.decode,
    }
    told = {
        f.name: [words.get(f.name, lambda v: v)(v) for v in getattr(columns, f.name).tolist()]
        for f in fields(Verdict)
    }
    return [Verdict(*row) for row in zip(*told.values(), strict=True)]


def rows_of(
    batch: Batch, judge: Judge, answer: Answer, target: Mapping[str, str], *, widening: bool = False
) -> list[dict[str, Any]]:
    """The verdicts on one answer, as rows of a run file."""
    return verdicts([Answered(batch, judge, answer, target, widening)]).rows()


def judged(got: Any, hi: Any, *, clause: str = "1.1", **truth: Any) -> Verdict:
    """The verdict on one row."""
    t = Truth(hi, **truth)
    values = np.atleast_2d(np.asarray(got, dtype=np.float64)).astype(t.inputs.format.dtype)
    (verdict,) = verdicts_of(Judge(t), [case(0, clause)], "value", values)  # type: ignore[arg-type]
    return verdict


def case(row: int, clause: str) -> Case:
    return Case(f"by/hand/r{row}", "hash", "by_hand", row, clause, {})


def check(v: Verdict, grade: Grade, status: Status, symptom: Symptom, clause: str) -> None:
    assert (v.grade, v.status, v.symptom, v.clause) == (grade, status, symptom, clause)

"""Many answers judged in one pass, in columns, get the verdicts that each gets by itself, row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from tests.support.corpus import of_corpus
from tests.support.judging import Verdict, verdicts_of
from tests.support.row_by_row import row_by_row
from xent_conformance.asking.answer import Answer
from xent_conformance.cases.case import Batch
from xent_conformance.frameworks.interface import Question
from xent_conformance.judging import judge as judging
from xent_conformance.judging import measure
from xent_conformance.judging.judge import Judge, graded
from xent_conformance.judging.numbered import numbers
from xent_conformance.judging.rows import Answered, verdicts
from xent_conformance.reference.cache import default_cache
from xent_conformance.reference.formats import JUDGED, Floats, native
from xent_conformance.reference.operators import OF_ROWS
from xent_conformance.reference.oracle import Oracle, Truth
from xent_conformance.reports.run.file import SCHEMA
from xent_conformance.reports.run.words import Grade, Symptom

ORACLE = Oracle(default_cache())

OFF: dict[str, Callable[[Floats], Floats]] = {
    "right": lambda right: right,
    "a little off": lambda right: right * (1 + 2.0**-6),
    "off in places": lambda right: np.where(np.arange(right.shape[1]) % 2 == 0, right, right + 1e-3),
    "NaN in places": lambda right: np.where(right > 0.1, np.nan, right),
    "infinite in places": lambda right: np.where(right < 0.5, -np.inf, right),
    "zero": np.zeros_like,
    "far off": lambda right: np.full_like(right, 0.5),
}


def asked(operator: str) -> Iterator[Batch]:
    """One batch of each family and format."""
    seen = set()
    for b in of_corpus("quick", operators=[operator]):
        kind = b.family, b.inputs.format.name
        if b.inputs.logits.size and kind not in seen:
            seen.add(kind)
            yield b


def returned(b: Batch, truth: Truth, output: str) -> dict[str, Any]:
    """What implementations that are off in these ways return."""
    with np.errstate(all="ignore"):
        right = truth.enclosure(output).round_to(b.inputs.format)
        return {name: native(off(right), b.inputs.format.dtype) for name, off in OFF.items()}


def same(a: Verdict, b: Verdict) -> bool:
    both = zip(vars(a).items(), vars(b).items(), strict=True)
    return all(x == y or (x[0] == y[0] and x[1] != x[1] and y[1] != y[1]) for x, y in both)


@pytest.mark.parametrize("operator", OF_ROWS)
def test_columns_agree_with_the_judge_of_rows(operator: str) -> None:
    """In every family and format, for what is right, off, NaN, infinite, flushed or far away."""
    grades, symptoms = set(), set()
    for b in asked(operator):
        truth = ORACLE.truth(b.inputs)
        judge = Judge(truth)
        for output in truth.certified.outputs:
            for name, got in returned(b, truth, output).items():
                with np.errstate(all="ignore"):
                    right = row_by_row(truth, b.cases, output, got)
                for expected, found in zip(right, verdicts_of(judge, b.cases, output, got), strict=True):
                    assert same(expected, found), (b.id, output, name, expected, found)
                    grades.add(found.grade)
                    symptoms.add(found.symptom)
    assert grades >= {Grade.EXACT, Grade.DIVERGENT, Grade.WRONG_SPECIAL}
    assert symptoms >= {Symptom.NONE, Symptom.NAN, Symptom.INFINITE, Symptom.BEYOND_BOUND}


@pytest.mark.parametrize(
    ("where", "fault"),
    [
        ("_special", lambda *_: None),
        ("_faults", lambda *_: None),
        ("_far", lambda *_: {}),
        ("_as_the_next_number", lambda e, infinite: np.full(len(infinite), np.inf)),
        ("worst", lambda e, *_: np.zeros(len(e.starts), dtype=np.int64)),
    ],
)
def test_a_fault_of_the_columns_is_seen(where: str, fault: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step that looks at a few elements once more is needed."""
    monkeypatch.setattr(measure, where, fault)
    if hasattr(judging, where):
        monkeypatch.setattr(judging, where, fault)
    seen = (test_columns_agree_with_the_judge_of_rows, ["softmax_cross_entropy", "softmax"])
    with pytest.raises(AssertionError):
        for operator in seen[1]:
            seen[0](operator)


def _every() -> list[judging.Returned]:
    """Answers of many lengths and formats; of the last of each batch, every second row from the end."""
    found = []
    for b in asked("sparse_softmax_cross_entropy"):
        truth = ORACLE.truth(b.inputs)
        judge = Judge(truth)
        for output in truth.certified.outputs:
            tested = numbers(b.clauses_of(output))
            *whole, last = returned(b, truth, output).values()
            found += [judge.returned(tested, output, got, None) for got in whole]
            rows = np.arange(len(b.cases))[::-2]
            found.append(judge.returned(tested[rows], output, last, rows))
    return found


def _equal(a: judging.Graded, b: judging.Graded) -> bool:
    return all(
        np.array_equal(x, y, equal_nan=x.dtype.kind == "f")
        for x, y in zip(vars(a).values(), vars(b).values(), strict=True)
    )


@pytest.mark.parametrize("at_once", [1, 100, judging.AT_ONCE])
def test_one_pass_is_as_many_as_it_takes(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much is measured at a time, and whatever stands beside it, in the order that was given."""
    every = _every()
    assert len({r.yardstick.elements for r in every}) > 3
    alone = [graded([r]) for r in every]
    monkeypatch.setattr(judging, "AT_ONCE", at_once)
    together, start = graded(every), 0
    for r, expected in zip(every, alone, strict=True):
        stop = start + len(r.tested)
        assert _equal(together[start:stop], expected)
        start = stop
    assert start == len(together.grade)


def test_a_table_has_the_rows_of_all_answers() -> None:
    """Each row says whose answer it is, to which case; the types are those of a run file."""
    answers, told = [], []
    for b in list(asked("softmax"))[:6]:
        truth = ORACLE.truth(b.inputs)
        for door in ("first", "second"):
            question = Question(door, "softmax", "eager", "cpu", ("value",))
            answer = Answer(question, {"value": returned(b, truth, "value")["right"]})
            answers.append(Answered(b, Judge(truth), answer, {"framework": b.family}))
            told += [(case.id, case.hash, case.variant, door, b.family, b.family) for case in b.cases]
    table = verdicts(answers).frame()
    assert dict(table.schema) == SCHEMA
    named = table.select("case", "hash", "variant", "implementation", "family", "framework")
    assert named.rows() == told
    assert set(table["dtype"]) <= set(JUDGED) and set(table["outcome"]) == {"returned"}
    rows = verdicts(answers).rows()
    assert repr(rows) == repr(table.drop("cause").rows(named=True)), "a NaN is none of its equals"


def test_nothing_makes_an_empty_table() -> None:
    assert dict(verdicts([]).frame().schema) == SCHEMA
    assert verdicts([]).frame().height == 0

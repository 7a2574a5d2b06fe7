"""Reports that have rows of their own: the right answer passes, what the report computed is caught."""

from __future__ import annotations

import pytest

from tests.support.historical.asking import (
    TARGET,
    asked,
    by_id,
    formula_flags,
    judge,
    right,
    statuses,
)
from tests.support.historical.formulas import BCE, CE, SG, SP, WRONG, S
from tests.support.historical.showing import FORMULAS
from tests.support.judging import rows_of
from xent_conformance.asking.answer import Answer, Failure
from xent_conformance.cases.corpus import batches
from xent_conformance.cases.families.historical import FAMILY, KINDS, entries, path_safe
from xent_conformance.frameworks.interface import Question
from xent_conformance.reports.run.words import Outcome


@pytest.mark.parametrize("batch_id", [b.id for b in batches("standard", families_=[FAMILY])])
def test_the_right_answer_is_never_flagged(batch_id: str) -> None:
    batch, j = judge(batch_id)
    for output in batch.inputs.outputs:
        assert set(statuses(batch, j, output, right(batch, j, output))) <= {"conforms", "open"}


@pytest.mark.parametrize("wrong", list(WRONG), ids=lambda w: f"{w[0]}-{w[1]}-{w[2]}")
def test_the_reported_formula_is_caught(wrong: tuple[str, str, str]) -> None:
    """The right answers with those rows computed as the report says: at least one row is flagged."""
    own, others = formula_flags(wrong)
    assert own
    assert not others


def test_every_formula_is_named_by_its_report() -> None:
    """So that the page has it; a formula of no report, or of another, shows nothing."""
    for name, (variant, _, _) in FORMULAS.items():
        assert name in by_id(variant.partition(" ")[0].partition("+")[0]).shown_by
    named = {name for e in entries() for name in e.shown_by if name.count(":") == 2}
    assert named == set(FORMULAS)
    assert len(FORMULAS) == len(WRONG)


@pytest.mark.parametrize(
    ("variant", "operator", "dtype"),
    [
        ("pytorch-15508+none", SP, "float32"),
        ("pytorch-72056", SP, "float32"),
        ("tensorflow-6590", S, "float64"),
    ],
)
def test_a_reported_error_is_caught(variant: str, operator: str, dtype: str) -> None:
    """Where an exception was the defect, an exception is flagged."""
    batch, j = judge(asked(variant, operator, dtype))
    raised = {"value": dict.fromkeys(range(len(batch.inputs)), Failure(Outcome.RAISED, "out of bounds"))}
    answer = Answer(Question("test", operator, "eager", "cpu", ("value",)), {}, raised)
    assert {row["status"] for row in rows_of(batch, j, answer, TARGET)} == {"breaks_must"}


def test_a_limit_is_known() -> None:
    """tt-metal#12847: the printed answer is within what bfloat16 arithmetic may give, and is not caught."""
    batch, j = judge(asked("tt-metal-12847", S, "bfloat16"))
    got = right(batch, j, "value")
    (row,) = (case.row for case in batch.cases if case.variant == "tt-metal-12847")
    printed = [0.27734375, 0.041748047, 0.19335938, 0.03466797, 0.107421875]
    printed += [0.06933594, 0.08251953, 0.052734375, 0.048095703, 0.083984375]
    got[row] = printed
    assert statuses(batch, j, "value", got)[row] == "conforms"


def test_every_report_with_a_wrong_formula_has_rows() -> None:
    issues = {name.partition(" ")[0].partition("+")[0] for name, _, _ in WRONG}
    assert {e.kind for e in map(by_id, issues) if e.rows} == set(KINDS)
    assert all(by_id(issue).rows for issue in issues)


def test_the_numbers_of_the_reports() -> None:
    """What the reports print as right is what the reference says."""
    printed = {
        ("Paddle#65859", BCE, "float32"): [44.739],
        ("aprender#2199", SP, "float32"): [0.7244379],
        ("nn#949", BCE, "float64"): [50.0],
        ("pytorch#11752", SP, "float32"): [0.693147],
        ("tensorflow#1513", CE, "float32"): [1.52118264e11, 1.23338506e11, 1.67200866e11],
        ("xla#4311", SG, "float32"): [5.37e-08],
    }
    for (issue, operator, dtype), values in printed.items():
        batch, j = judge(asked(path_safe(issue), operator, dtype))
        exact = j.truth.enclosure("value").approximate()
        rows = [case.row for case in batch.cases if case.variant == path_safe(issue)]
        assert exact[rows, 0].tolist() == pytest.approx(values, rel=2e-3), issue

"""What the tests of whole spaces share: how much is explored, and a correct implementation's verdicts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tests.support.faults.adapter import Faults
from tests.support.judging import rows_of
from xent_conformance.asking.answer import Answer
from xent_conformance.asking.arrays import arrays_of
from xent_conformance.asking.questions import manner_of
from xent_conformance.cases.case import Ask, Batch
from xent_conformance.cases.form import PLAIN_FORM, Form
from xent_conformance.frameworks.interface import Question
from xent_conformance.judging.judge import Judge
from xent_conformance.reference.formats import FORMATS
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.words import Status
from xent_conformance.worker.serve import Worker

SOMEWHAT = settings(
    max_examples=20,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
"""Deterministic, and few examples: each is certified and computed in several ways."""

WORKER = Worker(Faults())
NOBODY = {"framework": "", "version": "", "machine": "", "formulation": "", "device": "cpu"}
RIGHT = {Status.CONFORMS, Status.OPEN}


def formats_and_lengths(longest: int = 5) -> st.SearchStrategy[tuple[Any, int]]:
    return st.tuples(st.sampled_from(list(FORMATS.values())), st.integers(1, longest))


def judged(inputs: Inputs, variant: str, clause: str, form: Form = PLAIN_FORM) -> Iterable[dict[str, Any]]:
    """Verdicts on a correct variant of :mod:`variants`, all of them on ``clause``."""
    asks = tuple(Ask("row", x, clause, form=form) for x in inputs.logits)
    batch = Batch("explored", inputs, asks)
    outputs = ("value",) if form.out else inputs.outputs
    question = Question(variant, inputs.operator, "eager", "cpu", outputs, manner_of(batch))
    reply, results = WORKER.answer(question, arrays_of(batch))
    assert not reply["failures"]
    return rows_of(batch, Judge(Oracle().truth(inputs)), Answer(question, results), NOBODY)


def accused(inputs: Inputs, variant: str, clause: str, form: Form = PLAIN_FORM) -> list[dict[str, Any]]:
    """Verdicts that are not right."""
    return [r for r in judged(inputs, variant, clause, form) if r["status"] not in RIGHT]

"""A correct implementation in higher precision, rounded once, is graded ``exact`` everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.support.corpus import of_corpus
from tests.support.exact import DEFINITIONS, answer, group
from tests.support.fakes import DEFINED
from tests.support.judging import verdicts_of
from xent_conformance.cases.case import Batch
from xent_conformance.cases.corpus import batches
from xent_conformance.judging.judge import Judge
from xent_conformance.reference.cache import default_cache
from xent_conformance.reference.formats import FORMATS
from xent_conformance.reference.operators import OF_ROWS
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.words import Grade, Status

WIDEST = 50257
MANNERED = ("attributes", "element_weights", "label_types", "shapes", "layouts", "invariance")
"""Families of many small batches, whose rows are alike: a few of each batch are asked."""
LONG = ("long_sums", "saturating_sums")
ELSEWHERE = ("crossing",)
"""What moves under attributes has a second opinion by differences: ``test_second_opinion_moving``."""


def _label(batch: Batch, labels: list[float]) -> list[float] | int | None:
    kind = batch.inputs.definition.labels
    return {"none": lambda: None, "dense": lambda: labels, "index": lambda: int(labels[0])}[kind]()


def _answer(batch: Batch, i: int) -> dict[str, np.ndarray]:
    """One row, or one group, in the manner of the batch."""
    inputs = batch.inputs
    a, fmt, n = inputs.attributes, inputs.format.name, inputs.n
    x, p, c = (array[i].tolist() for array in (inputs.logits, inputs.labels, inputs.cotangent))
    if a.reduction == "none":
        v = inputs.tangent[i].tolist() if inputs.tangent.size else ()
        return answer(inputs.operator, fmt, x, _label(batch, p), c, a.given, v, inputs.copies)
    each = n if inputs.definition.labels == "dense" else 1
    labels = [_label(batch, p[k : k + each]) for k in range(0, len(p), each)]
    rows = [x[k : k + n] for k in range(0, len(x), n)]
    return group(inputs.operator, fmt, list(zip(rows, labels, strict=True)), c[0], a.given)


def _answers(batch: Batch, rows: list[int]) -> dict[str, np.ndarray]:
    """What the exact implementation returns for ``rows`` (zeros elsewhere), in the batch's dtype."""
    inputs, found = batch.inputs, dict[str, Any]()
    for i in rows:
        for name, values in _answer(batch, i).items():
            whole = found.setdefault(name, np.zeros((len(inputs), values.size), dtype=inputs.format.dtype))
            with np.errstate(over="ignore"):
                whole[i] = values.astype(inputs.format.dtype)
    return {name: found[name] for name in inputs.outputs}


def test_the_fakes_answer_what_it_defines() -> None:
    """They name its operators without importing it."""
    assert DEFINED == tuple(DEFINITIONS) == tuple(OF_ROWS)


def _judge(batch: Batch, rows: list[int]) -> int:
    judge = Judge(Oracle(default_cache()).truth(batch.inputs))
    judged = 0
    for output, got in _answers(batch, rows).items():
        cases = [batch.cases[i] for i in rows]
        for case, verdict in zip(cases, verdicts_of(judge, cases, output, got), strict=True):
            allowed = {Status.CONFORMS, Status.OPEN}
            assert verdict.status in allowed, (case.id, output, verdict)
            if verdict.status is Status.CONFORMS:
                assert verdict.grade is Grade.EXACT, (case.id, output, verdict)
            judged += 1
    return judged


def _asked(operator: str, dtype: str, *, mannered: bool) -> Iterator[Batch]:
    for batch in of_corpus("standard", operators=[operator], dtypes=[dtype]):
        measured = 0 < batch.inputs.n <= 100 and batch.inputs.logits.size and not batch.form.wrong
        measured = measured and not batch.inputs.attributes.around  # mpmath's definitions have nothing around
        if measured and (batch.family in MANNERED) is mannered and batch.family not in (*LONG, *ELSEWHERE):
            yield batch


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("operator", OF_ROWS)
def test_exact_everywhere(operator: str, dtype: str) -> None:
    judged = sum(_judge(b, list(range(len(b.inputs)))) for b in _asked(operator, dtype, mannered=False))
    assert judged >= 20


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("operator", [o.name for o in OF_ROWS.values() if not o.plain_labels])
def test_exact_in_every_manner(operator: str, dtype: str) -> None:
    """The first and the last row of each batch: in a group of attributes the last has nothing left."""
    judged = sum(_judge(b, sorted({0, len(b.inputs) - 1})) for b in _asked(operator, dtype, mannered=True))
    assert judged >= 20


@pytest.mark.parametrize("batch", list(batches("full", families_=LONG)), ids=lambda b: b.id)
def test_exact_over_long_sums(batch: Batch) -> None:
    assert _judge(batch, list(range(len(batch.inputs))))


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("n", [1000, WIDEST])
def test_exact_with_many_classes(dtype: str, n: int) -> None:
    """Cross-entropy with dense labels shows all of the family: loss, probabilities, log-probabilities."""
    every = [o.name for o in OF_ROWS.values() if not o.elementwise]
    operators = ["softmax_cross_entropy"] if n == WIDEST else every
    judged = 0
    for batch in of_corpus("standard", operators=operators, families=["ordinary"], dtypes=[dtype]):
        if batch.inputs.n == n:
            judged += _judge(batch, [0])
    assert judged >= len(operators) * 2

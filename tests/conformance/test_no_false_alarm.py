"""A correct implementation in higher precision, rounded once, is graded ``exact`` everywhere."""

from __future__ import annotations

import numpy as np
import pytest
from exact import answer

from cases.case import Batch
from cases.corpus import batches
from conformance.outcome import Grade, Status
from conformance.verdict import Judge
from reference.formats import FORMATS
from reference.operators import OPERATORS
from reference.oracle import Oracle

WIDEST = 50257


def _answers(batch: Batch, rows: list[int]) -> dict[str, np.ndarray]:
    """What the exact implementation returns for ``rows`` (zeros elsewhere), in the batch's dtype."""
    inputs = batch.inputs
    found: dict[str, np.ndarray] = {}
    for i in rows:
        labels = {"none": None, "dense": inputs.labels[i].tolist(), "index": None}[inputs.definition.labels]
        if inputs.definition.labels == "index":
            labels = int(inputs.labels[i, 0])
        fmt = inputs.format
        outputs = answer(
            inputs.operator, fmt.name, inputs.logits[i].tolist(), labels, inputs.cotangent[i].tolist()
        )
        for name, values in outputs.items():
            whole = found.setdefault(name, np.zeros((len(inputs), values.size), dtype=fmt.dtype))
            with np.errstate(over="ignore"):
                whole[i] = values.astype(fmt.dtype)
    return found


def _judge(batch: Batch, rows: list[int]) -> int:
    judge = Judge(Oracle().truth(batch.inputs))
    judged = 0
    for output, got in _answers(batch, rows).items():
        cases = [batch.cases[i] for i in rows]
        for case, verdict in zip(cases, judge.verdicts(cases, output, got), strict=True):
            allowed = {Status.CONFORMS, Status.OPEN}
            assert verdict.status in allowed, (case.id, output, verdict)
            if verdict.status is Status.CONFORMS:
                assert verdict.grade is Grade.EXACT, (case.id, output, verdict)
            judged += 1
    return judged


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("operator", OPERATORS)
def test_exact_everywhere(operator: str, dtype: str) -> None:
    judged = 0
    for batch in batches("standard", operators=[operator], dtypes=[dtype]):
        if batch.inputs.n <= 100:
            judged += _judge(batch, list(range(len(batch.inputs))))
    assert judged >= 20


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("n", [1000, WIDEST])
def test_exact_with_many_classes(dtype: str, n: int) -> None:
    """Cross-entropy with dense labels shows all of the family: loss, probabilities, log-probabilities."""
    every = [o.name for o in OPERATORS.values() if not o.elementwise]
    operators = ["softmax_cross_entropy"] if n == WIDEST else every
    judged = 0
    for batch in batches("standard", operators=operators, families_=["ordinary"], dtypes=[dtype]):
        if batch.inputs.n == n:
            judged += _judge(batch, [0])
    assert judged >= len(operators) * 2

"""Properties over the whole space: the reference obeys its identities, correct code its bounds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.exploring import NOBODY, WORKER
from tests.support.judging import rows_of
from xent_conformance.asking.answer import Answer
from xent_conformance.asking.arrays import arrays_of
from xent_conformance.cases.case import Ask, Batch
from xent_conformance.cases.strategies import rows
from xent_conformance.frameworks.interface import Question
from xent_conformance.judging.judge import Judge
from xent_conformance.reference.formats import FORMATS
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.operators import OF_ROWS
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.words import Status

EXPLORE = settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
EVERY = pytest.mark.parametrize("operator", OF_ROWS)


def inputs(operator: str) -> st.SearchStrategy[Inputs]:
    lengths, formats = st.integers(1, 6), st.sampled_from(list(FORMATS.values()))
    return st.tuples(formats, lengths).flatmap(lambda q: rows(operator, *q))


@EVERY
@EXPLORE
@given(data=st.data())
def test_correct_code_is_never_accused(operator: str, data: st.DataObject) -> None:
    """The correct NumPy implementation conforms to every clause of accuracy on any finite row."""
    asked = data.draw(inputs(operator))
    batch = Batch("explored", asked, (Ask("row", asked.logits[0], "1.1", asked.labels[0]),))
    question = Question("correct", operator, "eager", "cpu", asked.definition.outputs)
    reply, results = WORKER.answer(question, arrays_of(batch))
    assert not reply["failures"]
    judged = rows_of(batch, Judge(Oracle().truth(asked)), Answer(question, results), NOBODY)
    assert [r for r in judged if r["status"] != Status.CONFORMS] == []


@pytest.mark.parametrize("operator", ["softmax", "softmax_cross_entropy", "sparse_softmax_cross_entropy"])
@EXPLORE
@given(data=st.data())
def test_the_gradient_of_a_row_sums_to_zero(operator: str, data: st.DataObject) -> None:
    """A common offset changes nothing, so the derivative along it is zero."""
    asked = data.draw(inputs(operator))
    grad = Oracle().truth(asked).enclosure("grad_logits").approximate()
    size = np.abs(asked.cotangent).sum() * max(1.0, np.abs(asked.dense_labels).sum())
    assert abs(grad.sum()) <= 1e-14 * size * asked.n


@EXPLORE
@given(data=st.data())
def test_two_classes_are_the_sigmoid_of_the_difference(data: st.DataObject) -> None:
    d = data.draw(st.integers(-4000, 4000).map(lambda k: k / 8.0))
    fmt = FORMATS["float64"]
    one = np.ones((1, 2))
    pair = Oracle().truth(Inputs("softmax", fmt, np.array([[d, 0.0]]), np.zeros((1, 0)), one))
    single = Oracle().truth(Inputs("sigmoid", fmt, np.array([[d, -d]]), np.zeros((1, 0)), one))
    assert np.array_equal(pair.enclosure("value").round_to(fmt), single.enclosure("value").round_to(fmt))


@EVERY
@EXPLORE
@given(data=st.data())
def test_the_strategies_give_what_the_format_has(operator: str, data: st.DataObject) -> None:
    """:class:`Inputs` refuses anything else, so drawing is the test; rows are finite."""
    asked = data.draw(inputs(operator))
    assert np.isfinite(asked.logits).all()
    assert len(asked) == 1

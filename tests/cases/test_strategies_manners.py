"""Over the whole space of attributes, tangents and forms: correct code is never accused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from tests.support.exploring import SOMEWHAT, accused, formats_and_lengths, judged
from xent_conformance.cases import strategies
from xent_conformance.cases.form import PLAIN_FORM
from xent_conformance.reference.attributes import PLAIN, Attributes
from xent_conformance.reference.formats import BINARY32, FORMATS
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.operators import MOVING, OF_ROWS

EVERY = pytest.mark.parametrize("operator", OF_ROWS)
SPARSE = "sparse_softmax_cross_entropy"
LOSSES = pytest.mark.parametrize("operator", [o.name for o in OF_ROWS.values() if o.labels != "none"])
IN_THE_DTYPE = st.sampled_from(["pairwise", "sequential", "kahan", "online"])
BEYOND_ACCURATE = {"1.2", "1.3"}


@LOSSES
@SOMEWHAT
@given(data=st.data())
def test_attributes(operator: str, data: st.DataObject) -> None:
    inputs = data.draw(formats_and_lengths().flatmap(lambda q: strategies.weighted(operator, *q)))
    for variant in ("correct", data.draw(IN_THE_DTYPE)):
        assert accused(inputs, variant, "6.7") == []


@LOSSES
@SOMEWHAT
@given(data=st.data())
def test_reductions(operator: str, data: st.DataObject) -> None:
    inputs = data.draw(formats_and_lengths().flatmap(lambda q: strategies.groups(operator, *q)))
    for variant in ("correct", data.draw(IN_THE_DTYPE)):
        assert accused(inputs, variant, clause_of(inputs)) == []


@LOSSES
@SOMEWHAT
@given(data=st.data())
def test_textbook_code_may_lose_relative_accuracy_and_nothing_else(
    operator: str, data: st.DataObject
) -> None:
    strategy = st.sampled_from([strategies.weighted, strategies.groups])
    inputs = data.draw(st.tuples(strategy, formats_and_lengths()).flatmap(lambda q: q[0](operator, *q[1])))
    assert {r["clause"] for r in accused(inputs, "textbook", clause_of(inputs))} <= BEYOND_ACCURATE


def clause_of(inputs: Inputs) -> str:
    """6.11 where there is nothing to divide by: that is never judged."""
    a, labels = inputs.attributes, inputs.labels[0]
    if a.reduction != "mean" or inputs.definition.labels != "index":
        return "6.10"
    kept = sum(a.weight_of(int(y)) for y in labels if y != a.ignore_index)
    return "6.10" if kept else "6.11"


@EVERY
@SOMEWHAT
@given(data=st.data())
def test_derivatives_along_a_tangent(operator: str, data: st.DataObject) -> None:
    inputs = data.draw(formats_and_lengths().flatmap(lambda q: strategies.moving(operator, *q)))
    assert inputs.outputs == MOVING
    assert accused(inputs, "correct", "1.6") == []
    assert {r["clause"] for r in accused(inputs, "textbook", "1.6")} <= BEYOND_ACCURATE


@EVERY
@settings(SOMEWHAT, max_examples=15)
@given(data=st.data())
def test_forms(operator: str, data: st.DataObject) -> None:
    """Any shape, place of the classes, memory layout and buffer: the same bits as in plain rows."""
    form = data.draw(strategies.forms())
    fmt = data.draw(st.sampled_from(list(FORMATS.values())))
    count = strategies.rows_of_form(form)
    inputs = data.draw(strategies.stacks(operator, fmt, data.draw(st.integers(1, 4)), count))
    shaped = list(judged(inputs, "correct", "7.6", form))
    assert [r for r in shaped if r["status"] != "conforms"] == []
    plain = {(r["case"], r["output"]): r["bits"] for r in judged(inputs, "correct", "7.6")}
    assert {(r["case"], r["output"]): r["bits"] for r in shaped}.items() <= plain.items()


# --- what the strategies give -----------------------------------------------------------------------------


@LOSSES
@SOMEWHAT
@given(data=st.data())
def test_groups_hold_what_a_group_may(operator: str, data: st.DataObject) -> None:
    """:class:`Inputs` refuses a number that the format does not have, so drawing is most of the test."""
    inputs = data.draw(formats_and_lengths().flatmap(lambda q: strategies.groups(operator, *q)))
    a = inputs.attributes
    assert 1 <= (a.examples or 0) <= 4 and a.reduction in ("sum", "mean")
    assert inputs.logits.shape == (1, inputs.n * (a.examples or 0))
    assert np.isfinite(inputs.logits).all()
    assert not a.pos_weight or operator == "sigmoid_cross_entropy"
    if operator == SPARSE:
        known = (inputs.labels >= 0) & (inputs.labels < inputs.n) | (inputs.labels == a.ignore_index)
        assert known.all()


def test_what_is_found_shrinks_to_something_readable() -> None:
    """A weight of zero says that, and little else; an ignored example stands alone in its group."""
    few = settings(SOMEWHAT, max_examples=200)
    row = find(strategies.weighted(SPARSE, BINARY32, 2), lambda i: 0 in i.attributes.weight, settings=few)
    assert row.attributes == Attributes(weight=(0.0, 0.0))
    assert row.logits.tolist() == [[0.0, 0.0]] and row.cotangent.tolist() == [[0.125]]
    group = find(
        strategies.groups(SPARSE, BINARY32, 3), lambda i: i.attributes.reduction == "mean", settings=few
    )
    assert group.attributes == Attributes(reduction="mean", examples=1)
    assert group.logits.tolist() == [[0.0, 0.0, 0.0]]


def test_forms_shrink_to_plain_rows() -> None:
    assert find(strategies.forms(), lambda _: True) == PLAIN_FORM
    strided = find(strategies.forms(), lambda f: f.layout == "strided")
    assert (strided.shape, strided.axis, strided.out) == (None, -1, False)
    inner = find(strategies.forms(), lambda f: f.shape is not None and not f.class_axis_is_last)
    assert (inner.shape, inner.class_axis, inner.layout) == ((1,), 0, "contiguous")


def test_operators_without_labels_have_no_attributes() -> None:
    assert find(strategies.attributes("softmax", 3), lambda _: True) == PLAIN

"""``state``: each way of asking once more, with its clause, on rows that are harmless."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from tests.support.corpus import Corpus
from tests.support.family_rows import EVERY, WIDELY
from xent_conformance.cases.corpus import batches_of, families
from xent_conformance.cases.form import Again, Form
from xent_conformance.frameworks.interface import STATES
from xent_conformance.reference.formats import BINARY32, Format
from xent_conformance.reference.operators import Operator

EACH = pytest.mark.parametrize("operator", WIDELY, ids=lambda o: o.name)


@EACH
def test_every_state_has_its_clause(operator: Operator) -> None:
    """Of what is asked once more; the other outputs of the call are ordinary."""
    n = 16 if operator.elementwise else 10
    found = batches_of(operator, families()["state"], BINARY32, n)
    gradients = {"grad_logits", "grad_labels"} & set(operator.outputs)
    clauses = {
        b.form.again: {output: case.clause_of(output) for output in operator.outputs}
        for b in found
        for case in b.cases
    }
    expected = {
        "other_between": dict.fromkeys(operator.outputs, "7.3"),
        "threads": dict.fromkeys(operator.outputs, "7.3"),
        "inference": {"value": "7.8"} | dict.fromkeys(gradients, "1.1"),
        "second_backward": {"value": "1.1"} | dict.fromkeys(gradients, "7.9"),
        "accumulated": {"value": "1.1"} | dict.fromkeys(gradients, "7.10"),
    }
    alone = operator.domain == "log_probabilities"  # which are no target
    number_a_row = operator.labels == "index" or operator.name == "logsumexp"
    if not alone and not number_a_row:
        expected["shared"] = dict.fromkeys(operator.outputs, "7.12")
    assert clauses == expected
    assert all(b.form == Form(again=b.form.again) and b.asks[0].variant == b.form.again for b in found)


def test_the_states_are_those_of_the_interface() -> None:
    assert set(get_args(Again)) == {"", "twice", "alone", *STATES}


@EVERY
@EACH
def test_shared_rows_are_logits_and_labels_or_cotangents_at_once(operator: Operator, fmt: Format) -> None:
    """Parts of one, so that no clause on labels off the simplex is in the way; exact in every format."""
    n = 16 if operator.elementwise else 10
    for b in batches_of(operator, families()["state"], fmt, n):
        if b.form.again == "shared":
            other = b.inputs.labels if operator.labels == "dense" else b.inputs.cotangent
            assert np.array_equal(b.inputs.logits, other)
            assert (b.inputs.logits.sum(axis=1) == 1).all()
            assert ((b.inputs.logits > 0) & (b.inputs.logits < 1)).all()
            assert np.array_equal(b.inputs.logits, fmt.nearest(b.inputs.logits))


def test_quick_asks_every_state_in_binary32_alone(corpus: Corpus) -> None:
    asked_ = [b for b in corpus("quick") if b.family == "state"]
    assert {b.form.again for b in asked_} == set(STATES)
    assert {b.inputs.format.name for b in asked_} == {"float32"}
    assert max(len(b.inputs) for b in asked_) == 3

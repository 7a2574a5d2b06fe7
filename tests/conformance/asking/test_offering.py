"""An implementation is asked only what it takes, and only what its framework computes."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

import pytest

from tests.support import fakes_in_any_manner as fakes
from tests.support.by_hand import batch
from tests.support.faults.asked import SEATS
from tests.support.here import family, questions, seat
from xent_conformance.asking.questions import manner_of, outputs, takes
from xent_conformance.asking.questions import questions as every_question
from xent_conformance.cases.case import Batch
from xent_conformance.cases.families.shapes import FORMS
from xent_conformance.cases.form import Form
from xent_conformance.discovery.framework import Seat
from xent_conformance.frameworks.interface import STATES, Implementation, Manner
from xent_conformance.reference.attributes import Attributes
from xent_conformance.worker.serve import manner_of as received

SPARSE = "sparse_softmax_cross_entropy"
X = [[0.0, 1.0, 2.0, 3.0]] * 12


def implementation(operator: str = "softmax", *taken: str, class_axis: Any = None) -> Implementation:
    return Implementation("door", operator, "fused", lambda: None, "", frozenset(taken), class_axis)


def shaped(form: Form, operator: str = "softmax") -> Batch:
    labels = [[1.0]] * 12 if operator == SPARSE else None
    return batch(operator, X, labels=labels, form=form)


def asked(i: Implementation, b: Batch, fake: str = "Whole") -> bool:
    return takes(seat(fake).declaration, i, b)


def test_of_its_own_operator() -> None:
    assert asked(implementation("softmax"), shaped(Form()))
    assert not asked(implementation("log_softmax"), shaped(Form()))


@pytest.mark.parametrize("name", FORMS)
def test_shapes_by_the_place_of_the_class_axis(name: str) -> None:
    """Whoever has an ``axis`` is asked for each; else the classes must be where they always are."""
    form = FORMS[name]
    b = shaped(form)
    assert asked(implementation("softmax", "axis"), b)
    assert not asked(implementation("softmax"), b)
    vector, place = form.shape == (), form.class_axis
    rank = len(form.shape or ()) + 1
    assert asked(implementation("softmax", class_axis="last"), b) is (place == rank - 1)
    assert asked(implementation("softmax", class_axis="second"), b) is (vector or place == 1)


def test_elements_have_no_class_axis() -> None:
    for form in FORMS.values():
        assert asked(implementation("sigmoid"), shaped(form, "sigmoid"))


def test_rows_are_asked_of_everybody() -> None:
    for form in (Form(), Form(each=True), Form(again="twice"), Form(label_dtype="int8")):
        assert asked(implementation("softmax"), shaped(form))


@pytest.mark.parametrize("layout", sorted(fakes.LAYOUTS))
def test_layouts_that_the_tensors_can_have(layout: Any) -> None:
    b = shaped(Form(layout=layout))
    assert asked(implementation(), b)
    assert not asked(implementation(), b, fake="NoForwardMode")


@pytest.mark.parametrize("state", STATES)
def test_a_state_is_asked_of_the_modes_that_have_it(state: str) -> None:
    """A framework that says nothing of it is asked nothing."""
    (b,) = family("state", "softmax_cross_entropy", variant=state)
    (faults,) = (s for s in SEATS if s.name == "faults")
    (compiled,) = (s for s in SEATS if s.name == "compiled")
    assert [q.mode for q in every_question(faults, b, ["cpu"], ["correct"], "quick")] == ["eager"]
    names = [i.name for i in compiled.declaration.implementations]
    assert {q.mode for q in every_question(compiled, b, ["cpu"], names, "quick")} <= {"eager"}
    silent = Seat(replace(faults.framework, given=replace(faults.declaration, states={})))
    assert every_question(silent, b, ["cpu"], ["correct"], "quick") == []


@pytest.mark.parametrize("state", STATES)
def test_a_state_of_gradients_is_not_asked_of_whom_has_none(state: str) -> None:
    """Logits that are the cotangent too are of no account to a value either; labels are."""
    (faults,) = (s for s in SEATS if s.name == "faults")
    values = Seat(replace(faults.framework, given=replace(faults.declaration, autodiff=False)))
    for operator in ("softmax", "softmax_cross_entropy"):
        (b,) = family("state", operator, variant=state)
        asked = every_question(values, b, ["cpu"], ["correct"], "quick")
        of_values = state in ("other_between", "threads") or (state == "shared" and operator != "softmax")
        assert bool(asked) is of_values, operator


def test_a_buffer_is_given_to_whom_it_takes() -> None:
    b = shaped(Form(out=True))
    assert asked(implementation("softmax", "out"), b)
    assert not asked(implementation("softmax", "axis"), b)


@pytest.mark.parametrize(
    ("attributes", "needed"),
    [
        (Attributes(weight=(1.0, 2.0, 1.0, 1.0)), "weight"),
        (Attributes(label_smoothing=0.1), "label_smoothing"),
        (Attributes(ignore_index=-100), "ignore_index"),
        (Attributes(ignore_index=0), "ignore_index"),
        (Attributes(reduction="mean", examples=2), "reduction"),
        (
            Attributes((1.0,) * 4, (), 0.1, 2, "sum", 2),
            "weight label_smoothing ignore_index reduction",
        ),
        (Attributes(reduction="none", examples=0), ""),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_attributes_that_are_given_are_all_taken(attributes: Attributes, needed: str) -> None:
    if attributes.examples == 2:
        b = batch(SPARSE, [x * 2 for x in X], labels=[[1.0, 0.0]] * 12, attributes=attributes)
    elif attributes.examples == 0:
        b = batch(SPARSE, [[]], labels=[[]], attributes=attributes)
    else:
        b = batch(SPARSE, X, labels=[[1.0]] * 12, attributes=attributes)
    names = needed.split()
    assert asked(implementation(SPARSE, *names), b)
    assert asked(implementation(SPARSE, *names, "axis", "out"), b)
    for missing in names:
        assert not asked(implementation(SPARSE, *(n for n in names if n != missing)), b)


# --- outputs ----------------------------------------------------------------------------------------


def _outputs(b: Batch, fake: str = "Whole") -> tuple[str, ...]:
    return outputs(seat(fake).declaration, b)


def test_outputs_of_a_framework_that_has_everything() -> None:
    assert _outputs(shaped(Form())) == ("value", "grad_logits")
    (moving,) = family("derivatives", "softmax")
    assert _outputs(moving) == ("jvp", "hvp")


def test_no_forward_mode_no_question() -> None:
    (moving,) = family("derivatives", "softmax")
    assert _outputs(moving, "NoForwardMode") == ()
    assert questions("NoForwardMode", moving) == []


def test_a_buffer_is_for_values() -> None:
    """Nobody differentiates through ``out=``."""
    assert _outputs(shaped(Form(out=True))) == ("value",)


def test_labels_of_another_type_have_no_gradient() -> None:
    dense = batch("softmax_cross_entropy", X, labels=[[0.0, 0.0, 1.0, 0.0]] * 12)
    assert _outputs(dense) == ("value", "grad_logits", "grad_labels")
    asks = tuple(replace(a, form=Form(label_dtype="uint8")) for a in dense.asks)
    assert _outputs(replace(dense, asks=asks)) == ("value", "grad_logits")


def test_only_values_where_nothing_can_be_differentiated() -> None:
    sums = family("long_sums", "softmax", dtype="bfloat16")
    nothing = family("shapes", SPARSE, n=4, variant="no_example")
    for b in (*sums, *nothing):
        assert _outputs(b) == ("value",)


# --- the manner, and its way through the wire ---------------------------------------------------------


def _every_manner() -> list[Batch]:
    found = [b for o in ("softmax", SPARSE) for b in (*family("shapes", o, n=5), *family("layouts", o))]
    found += family("attributes", SPARSE, n=6) + family("label_types", SPARSE) + family("invariance", SPARSE)
    return found + family("long_sums", SPARSE, dtype="float16")


def test_the_manner_says_all_that_the_batch_is_asked_with() -> None:
    b = next(b for b in _every_manner() if b.cases[0].variant == "weighted+smoothed+ignore_class+mean")
    manner, a = manner_of(b), b.inputs.attributes
    assert (manner.examples, manner.n, manner.copies, manner.shape) == (4, 6, 1, None)
    assert dict(manner.attributes) == {
        "weight": a.weight,
        "label_smoothing": 0.1,
        "ignore_index": 2,
        "reduction": "mean",
    }
    assert manner_of(family("long_sums", SPARSE, dtype="float16")[0]).copies == 2**16
    twice = next(b for b in family("invariance", "softmax") if b.form.again == "twice")
    assert manner_of(twice).rows == len(twice.inputs) == 5
    assert manner_of(shaped(Form())) == Manner()


def test_every_manner_crosses_the_wire() -> None:
    """JSON knows no tuples, and writes a float so that it reads the same."""
    manners = {manner_of(b) for b in _every_manner()}
    assert len(manners) > 50
    for manner in manners:
        there = received(json.loads(json.dumps(asdict(manner))))
        assert there == manner
        assert hash(there) == hash(manner), "it is a key of what has been compiled"

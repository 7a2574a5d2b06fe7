"""A call from a file becomes a batch: the same rows, stacked as the corpus stacks its own."""

from __future__ import annotations

import numpy as np

from xent_conformance.cases.case import Ask, Batch
from xent_conformance.cases.form import PLAIN_FORM, Form
from xent_conformance.cases.outside.charge import Charge, charge
from xent_conformance.cases.outside.schema import Call
from xent_conformance.cases.words import Words
from xent_conformance.reference.formats import Floats
from xent_conformance.reference.inputs import Inputs


def batch(call: Call, family: str) -> Batch:
    """The batch that asks a call: each is asked apart, so that it is the call that its author made.

    Under a reduction its rows are one group, asked one above the other whatever their shape was.
    """
    op, n, grouped = call.operator, call.n, call.attributes.grouped
    x = _rows(call, call.logits)
    count = 1 if grouped else len(x)
    logits = x.reshape(count, -1)
    if call.labels is None:
        labels = np.zeros((count, 0))
    elif op.labels == "index":
        labels = call.labels.reshape(count, -1)
    else:
        labels = _rows(call, call.labels).reshape(count, -1)
    width = 1 if grouped or op.value_shape == "scalar" else n
    inputs = Inputs(
        op.name,
        call.format,
        logits,
        labels,
        _cotangent(call, f"{op.name}/{family}/{call.id}/{call.format.name}/n{n}", count, width),
        call.attributes,
        np.zeros((0, 0)) if call.tangent is None else _rows(call, call.tangent),
        empty_of=n,
    )
    form = _form(call)
    asks = []
    for row, label in zip(logits, labels, strict=True):
        found = Charge(call.clause) if call.clause else charge(op, call.format, row, label, call.attributes)
        asks.append(
            Ask(call.id, row, found.clause, label, found.clauses, attributes=call.attributes, form=form)
        )
    return Batch(family, inputs, tuple(asks), outside=True)


def expected(call: Call) -> Floats | None:
    """What the file says the value is, as a batch is answered: a row for each of its rows."""
    if call.expected is None:
        return None
    a, op = call.attributes, call.operator
    if a.reduction != "none" or (op.value_shape == "scalar" and not a.grouped):
        return call.expected.reshape(-1)
    return _rows(call, call.expected) if op.value_shape == "row" else call.expected.reshape(1, -1)


def _rows(call: Call, a: Floats) -> Floats:
    """``(rows, N)``: the axis of the classes last, the others folded."""
    return np.ascontiguousarray(np.moveaxis(a, call.classes, -1)).reshape(int(np.prod(call.lead)), call.n)


def _form(call: Call) -> Form:
    """How the rows were folded; two axes with the classes last, and one alone, are rows."""
    if call.attributes.grouped or (len(call.lead) < 2 and call.classes == len(call.lead)):
        return PLAIN_FORM
    return Form(shape=call.lead, axis=call.classes)


def _cotangent(call: Call, path: str, count: int, width: int) -> Floats:
    """As the file says; else 1 for a number a row, and for a row of them a drawn one.

    A cotangent of ones is annihilated by the gradient of softmax, and shows nothing.
    """
    if call.cotangent is None:
        return np.ones((count, 1)) if width == 1 else Words(path).cotangent(count, width)
    if width == 1:
        return call.cotangent.reshape(count, 1)
    return _rows(call, call.cotangent)

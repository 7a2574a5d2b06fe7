"""A call becomes the batch that the corpus would make of its rows: shape, axis, groups, cotangent, bits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.outside import batch_of, case, file_of, loss, read
from xent_conformance.asking.arrays import arrays_of
from xent_conformance.asking.questions import manner_of
from xent_conformance.cases.corpus import batches
from xent_conformance.cases.form import PLAIN_FORM, Form
from xent_conformance.cases.outside.batches import batch, expected
from xent_conformance.cases.outside.numbers import bits
from xent_conformance.reference.formats import native
from xent_conformance.reference.oracle import Oracle
from xent_conformance.worker.delivery import Delivery


def test_ids() -> None:
    b = batch_of(logits=[[1, 2], [3, 4]])
    assert [c.id for c in b.cases] == ["softmax/mine/one/float32/n2/r0", "softmax/mine/one/float32/n2/r1"]
    assert b.id == "softmax/mine/float32/n2/one"


def test_two_calls_are_two_batches(tmp_path: Path) -> None:
    """Of equal operator, format and length: each is asked as its author called it."""
    file = file_of(tmp_path, case(), case(id="two"))
    assert [b.id for b in file.batches] == ["softmax/mine/float32/n3/one", "softmax/mine/float32/n3/two"]


SHAPES = [
    ((3,), -1, PLAIN_FORM),
    ((2, 3), -1, PLAIN_FORM),
    ((2, 3), 1, PLAIN_FORM),
    ((3, 2), 0, Form(shape=(2,), axis=0)),
    ((2, 3, 4), 1, Form(shape=(2, 4), axis=1)),
    ((2, 3, 4), -1, Form(shape=(2, 3), axis=2)),
    ((2, 3, 4, 5), -3, Form(shape=(2, 4, 5), axis=1)),
    ((1, 2, 3, 1, 2), 2, Form(shape=(1, 2, 1, 2), axis=2)),
]


@pytest.mark.parametrize(("shape", "axis", "form"), SHAPES, ids=str)
@pytest.mark.parametrize("operator", ["softmax", "sparse_softmax_cross_entropy", "softmax_cross_entropy"])
def test_what_is_delivered_is_what_was_called(
    operator: str, shape: tuple[int, ...], axis: int, form: Form
) -> None:
    """The arrays that reach an implementation have the shape and numbers of the file; a row has two axes."""
    x = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    lead = tuple(np.delete(shape, axis))
    labels: Any = {"softmax": None, "softmax_cross_entropy": bits(np.full(shape, 0.25, np.float32))}
    y = np.arange(np.prod(lead), dtype=np.int64).reshape(lead) % shape[axis]
    given = labels.get(operator, bits(y))
    b = batch_of(operator=operator, logits=bits(x), axis=axis, labels=given)
    assert b.form == form
    seen: dict[str, Any] = {}

    def compute(arrays: Any, keywords: Any, state: str) -> Any:
        seen.update(arrays, keywords=keywords)
        return {"value": arrays["cotangent"]}

    scalar = operator != "softmax"
    found = Delivery(manner_of(b), frozenset({"axis"}), scalar).answer(compute, arrays_of(b))
    whole = x if x.ndim > 1 else x[None]
    assert np.array_equal(seen["logits"], whole)
    if operator == "sparse_softmax_cross_entropy":
        assert np.array_equal(seen["labels"], y if x.ndim > 1 else y.reshape(1))
    assert seen["keywords"] == ({} if form == PLAIN_FORM else {"axis": form.axis})
    assert len(found["value"]) == len(b.inputs)


def test_a_reduction_is_a_group() -> None:
    x = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    y = np.array([[0, 1, 2, 0], [2, 1, 0, 1]])
    b = batch_of(
        operator="sparse_softmax_cross_entropy",
        logits=bits(x), labels=bits(y), axis=1, attributes={"reduction": "mean", "weight": [1, 2, 4]},
    )  # fmt: skip
    assert len(b.inputs) == 1 and b.inputs.attributes.examples == 8 and b.form == PLAIN_FORM
    assert b.inputs.cotangent.tolist() == [[1.0]]
    wide = np.moveaxis(x.astype(np.float64), 1, -1).reshape(-1, 3)
    losses = np.log(np.exp(wide).sum(1)) - wide[np.arange(8), y.reshape(-1)]
    w = np.array([1.0, 2.0, 4.0])[y.reshape(-1)]
    value = Oracle().truth(b.inputs).enclosure("value").approximate()
    assert value[0, 0] == pytest.approx((w * losses).sum() / w.sum(), rel=1e-12)


def test_cotangents() -> None:
    assert batch_of(**loss()).inputs.cotangent.tolist() == [[1.0], [1.0]]
    assert batch_of(**loss(cotangent=[2, -1])).inputs.cotangent.tolist() == [[2.0], [-1.0]]
    drawn = batch_of(logits=[[1, 2, 4]] * 3).inputs.cotangent
    assert len(np.unique(drawn)) > 3 and (drawn != 0).all()
    assert np.array_equal(drawn, batch_of(logits=[[1, 2, 4]] * 3).inputs.cotangent), "the same every time"
    given = batch_of(logits=[[1, 2], [3, 4]], axis=0, cotangent=[[5, 6], [7, 8]])
    assert given.inputs.cotangent.tolist() == [[5.0, 7.0], [6.0, 8.0]]


def test_a_tangent_asks_for_derivatives() -> None:
    b = batch_of(logits=[[1, 2], [3, 4]], axis=0, tangent=[[1, 0], [0, 1]])
    assert b.inputs.outputs == ("jvp", "hvp") and b.inputs.tangent.tolist() == [[1.0, 0.0], [0.0, 1.0]]


@pytest.mark.parametrize(
    ("changes", "count", "n", "examples"),
    [
        ({"logits": {"bits": "", "shape": [0, 3]}}, 1, 3, 0),
        ({"logits": [[], []]}, 2, 0, None),
        ({"operator": "sigmoid", "logits": {"bits": "", "shape": [0, 2]}}, 1, 2, 0),
    ],
)
def test_nothing_at_all(changes: dict[str, Any], count: int, n: int, examples: int | None) -> None:
    b = batch_of(**changes)
    assert (len(b.inputs), b.inputs.n, b.inputs.attributes.examples) == (count, n, examples)
    assert len(b.cases) == count
    Oracle().truth(b.inputs)


def test_what_is_expected_is_laid_out_as_an_answer() -> None:
    x = np.arange(6.0).reshape(2, 3)
    (call,) = read(case(logits=x.tolist(), axis=0, expected=(x * 2).tolist())).calls
    found = expected(call)
    assert found is not None and np.array_equal(found, x.T * 2)
    (call,) = read(loss(expected=[1, 2])).calls
    found = expected(call)
    assert found is not None and found.tolist() == [1.0, 2.0]
    (call,) = read(loss(expected=3.0, attributes={"reduction": "sum"})).calls
    found = expected(call)
    assert found is not None and found.tolist() == [3.0]


@pytest.mark.parametrize("operator", ["softmax", "sparse_softmax_cross_entropy", "sigmoid_cross_entropy"])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_rows_of_the_corpus_come_through_a_file(operator: str, dtype: str) -> None:
    """The same bits, so the same hash and the same certified truth."""
    theirs = next(iter(batches("quick", operators=[operator], families_=["ordinary"], dtypes=[dtype])))
    i = theirs.inputs
    given: dict[str, Any] = {"logits": bits(native(i.logits, i.format.dtype))}
    if i.definition.labels == "index":
        given["labels"] = bits(i.labels[:, 0].astype(np.int64))
    elif i.definition.labels == "dense":
        given["labels"] = bits(native(i.labels, i.format.dtype))
    scalar = i.definition.value_shape == "scalar"
    given["cotangent"] = bits(native(i.cotangent[:, 0] if scalar else i.cotangent, i.format.dtype))
    (call,) = read(case(operator=operator, dtype=dtype, **given)).calls
    ours = batch(call, "mine")
    assert [c.hash for c in ours.cases] == [c.hash for c in theirs.cases]
    assert replace(ours.inputs, empty_of=0).digest == i.digest

"""Groups of examples, equal classes, and calls made once more: what comes back is what the row asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from tests.support.delivering import Array, delivered, rows
from xent_conformance.frameworks.interface import Manner
from xent_conformance.worker.delivery import AGAIN, WrongShape

N, EXAMPLES = 3, 4
MEAN = (("reduction", "mean"),)


def groups(count: int, labels: str) -> dict[str, Array]:
    """Groups side by side, as the driver sends them: one cotangent a group."""
    x = 1.0 + np.arange(count * EXAMPLES * N, dtype=np.float32).reshape(count, -1)
    found = {"logits": x, "cotangent": np.arange(1.0, count + 1, dtype=np.float32)}
    if labels == "index":
        found["labels"] = np.arange(count * EXAMPLES, dtype=np.int64).reshape(count, -1) % N
    else:
        found["labels"] = x / 64
    return found


def reduced(arrays: Mapping[str, Array], keywords: Mapping[str, Any]) -> Mapping[str, Array]:
    """The mean of everything, and gradients in the shapes of what they are taken by."""
    x, c = arrays["logits"], arrays["cotangent"].item()
    assert keywords["reduction"] == "mean"
    return {"value": np.asarray(x.mean()), "grad_logits": c * x, "grad_labels": -c * x}


@pytest.mark.parametrize("labels", ["index", "dense"])
def test_a_group_is_one_call_with_its_examples_for_rows(labels: str) -> None:
    manner = Manner(examples=EXAMPLES, n=N, attributes=MEAN)
    arrays = groups(2, labels)
    answer, kept = delivered(manner, reduced, arrays)
    assert len(kept.arrays) == 2
    for i, call in enumerate(kept.arrays):
        assert call["logits"].shape == (EXAMPLES, N)
        assert call["labels"].shape == ((EXAMPLES,) if labels == "index" else (EXAMPLES, N))
        assert np.array_equal(call["logits"].ravel(), arrays["logits"][i])
        assert np.array_equal(call["labels"].ravel(), arrays["labels"][i])
        assert call["cotangent"].size == 1 and call["cotangent"].item() == i + 1
    assert np.array_equal(answer["value"], arrays["logits"].mean(axis=1))
    assert np.array_equal(answer["grad_logits"], arrays["logits"] * [[1], [2]])
    assert np.array_equal(answer["grad_labels"], -arrays["logits"] * [[1], [2]])


def test_the_cotangent_of_a_reduced_loss_is_a_number() -> None:
    """With an axis of length one PyTorch and JAX refuse it, and no gradient is ever asked."""
    _, kept = delivered(Manner(examples=EXAMPLES, n=N, attributes=MEAN), reduced, groups(2, "index"))
    for call in kept.arrays:
        assert call["cotangent"].shape == ()
        assert isinstance(call["cotangent"], np.ndarray)


def test_a_reduction_that_does_not_reduce_is_a_wrong_shape() -> None:
    manner = Manner(examples=EXAMPLES, n=N, attributes=MEAN)
    with pytest.raises(WrongShape, match=r"returned shape \(4,\) for value, the operator's is \(\)"):
        delivered(manner, lambda a, _: {"value": a["logits"].mean(axis=1)}, groups(1, "index"))


def test_examples_without_a_reduction_have_a_value_each() -> None:
    manner = Manner(examples=EXAMPLES, n=N)
    answer, kept = delivered(manner, lambda a, _: {"value": a["logits"].sum(axis=1)}, groups(2, "dense"))
    assert answer["value"].shape == (2, EXAMPLES)
    assert [call["cotangent"].shape for call in kept.arrays] == [(EXAMPLES,)] * 2


@pytest.mark.parametrize("scalar", [True, False])
@pytest.mark.parametrize("labels", ["", "index", "dense"])
def test_no_example(labels: str, scalar: bool) -> None:
    """Not one row, and yet so many classes."""
    arrays = {"logits": np.zeros((1, 0), np.float32), "cotangent": np.zeros(1, np.float32)}
    if not scalar:
        arrays["cotangent"] = np.zeros((1, 1), np.float32)
    if labels:
        arrays["labels"] = np.zeros((1, 0), np.int64 if labels == "index" else np.float32)

    def compute(a: Mapping[str, Array], _k: Mapping[str, Any]) -> Mapping[str, Array]:
        return {"value": a["logits"].sum(axis=1) if scalar else a["logits"]}

    answer, kept = delivered(Manner(examples=0, n=N), compute, arrays)
    (call,) = kept.arrays
    assert call["logits"].shape == (0, N)
    assert call["cotangent"].shape == ((0,) if scalar else (0, N))
    if labels:
        assert call["labels"].shape == ((0,) if labels == "index" else (0, N))
    assert answer["value"].shape == (1, 0)


def test_the_sum_of_nothing_is_a_number() -> None:
    arrays = {"logits": np.zeros((1, 0), np.float32), "cotangent": np.ones(1, np.float32)}
    manner = Manner(examples=0, n=N, attributes=(("reduction", "sum"),))
    answer, _ = delivered(manner, lambda a, _: {"value": np.asarray(a["logits"].sum())}, arrays)
    assert answer["value"].tolist() == [0.0]


# --- equal classes ----------------------------------------------------------------------------------

COPIES = 8


def spoilt(place: int, number: float) -> Any:
    """The logits with one wrong element."""

    def compute(a: Mapping[str, Array], _k: Mapping[str, Any]) -> Mapping[str, Array]:
        value = a["logits"].copy()
        value[0, place] = number
        return {"value": value}

    return compute


def test_every_logit_stands_for_so_many_equal_classes() -> None:
    arrays = rows(2, 3)
    answer, kept = delivered(Manner(copies=COPIES), lambda a, _: {"value": a["logits"]}, arrays)
    assert np.array_equal(kept.arrays[0]["logits"], np.repeat(arrays["logits"], COPIES, axis=1))
    assert kept.arrays[0]["cotangent"].shape == (2, 3 * COPIES)
    assert np.array_equal(answer["value"], arrays["logits"])


def test_copies_on_the_first_axis() -> None:
    manner = Manner(copies=COPIES, shape=(1,), axis=0)
    answer, kept = delivered(manner, lambda a, _: {"value": a["logits"]}, rows(1, 3))
    assert kept.arrays[0]["logits"].shape == (3 * COPIES, 1)
    assert answer["value"].tolist() == [[1.0, 2.0, 3.0]]


def test_an_index_is_that_of_the_first_of_its_classes() -> None:
    arrays = rows(3, 3, scalar=True, labels="index")
    _, kept = delivered(Manner(copies=COPIES), lambda a, _: {"value": a["cotangent"]}, arrays)
    assert kept.arrays[0]["labels"].tolist() == [0, COPIES, 2 * COPIES]


def test_the_value_of_a_sum_over_copies_is_one_number_a_row() -> None:
    arrays = rows(2, 3, scalar=True)
    answer, _ = delivered(Manner(copies=COPIES), lambda a, _: {"value": a["logits"].sum(axis=1)}, arrays)
    assert np.array_equal(answer["value"], COPIES * arrays["logits"].sum(axis=1))


@pytest.mark.parametrize("number", [9.0, -9.0, 1.5, np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 1, COPIES // 2 - 1, COPIES // 2 + 1, COPIES - 1])
def test_a_single_wrong_copy_is_the_one_that_is_judged(place: int, number: float) -> None:
    answer, _ = delivered(Manner(copies=COPIES), spoilt(place, number), rows(1, 2))
    assert answer["value"][0, 0] == number or np.isnan(answer["value"][0, 0]) == np.isnan(number)
    assert answer["value"][0, 1] == 2.0


@pytest.mark.parametrize("number", [9.0, np.nan])
def test_a_wrong_copy_in_the_very_middle_is_judged_too(number: float) -> None:
    """Where the second half begins is where a loop in blocks goes wrong."""
    answer, _ = delivered(Manner(copies=COPIES), spoilt(COPIES // 2, number), rows(1, 2))
    assert np.array_equal(answer["value"][0, 0], np.float32(number), equal_nan=True)


# --- once more --------------------------------------------------------------------------------------


class Counting:
    """Returns the number of the call in every element."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, a: Mapping[str, Array], _k: Mapping[str, Any]) -> Mapping[str, Array]:
        self.calls += 1
        return {"value": np.full_like(a["cotangent"], self.calls)}


def test_twice_asks_all_rows_once_more() -> None:
    answer, kept = delivered(Manner(again="twice", rows=5), Counting(), rows(8, 3))
    assert [a["logits"].shape for a in kept.arrays] == [(8, 3), (8, 3)]
    assert np.array_equal(kept.arrays[0]["logits"], kept.arrays[1]["logits"])
    assert set(answer) == {"value", "value" + AGAIN}
    assert (answer["value"] == 1).all() and (answer["value" + AGAIN] == 2).all()
    assert answer["value" + AGAIN].shape == (8, 3)


def test_alone_asks_each_row_in_a_call_of_its_own_but_not_those_that_fill_the_batch() -> None:
    arrays = rows(8, 3, scalar=True, labels="index")
    answer, kept = delivered(Manner(again="alone", rows=5), Counting(), arrays)
    assert [a["logits"].shape for a in kept.arrays] == [(8, 3)] + [(1, 3)] * 5
    for i, call in enumerate(kept.arrays[1:]):
        assert call["logits"].tolist() == [arrays["logits"][i].tolist()]
        assert call["labels"].tolist() == [arrays["labels"][i]]
        assert call["cotangent"].tolist() == [arrays["cotangent"][i]]
    assert answer["value" + AGAIN].tolist() == [2, 3, 4, 5, 6]


# --- groups of another shape ------------------------------------------------------------------------


@pytest.mark.parametrize("labels", ["index", "dense"])
@pytest.mark.parametrize(("shape", "axis"), [((2, 2), 1), ((2, 2), -1), ((4,), 0), ((2, 2), -3)], ids=str)
def test_a_group_is_folded_to_its_shape(labels: str, shape: tuple[int, ...], axis: int) -> None:
    """Its examples are all places of the tensor, and gradients come back in their order."""
    manner = Manner(shape=shape, axis=axis, examples=EXAMPLES, n=N, attributes=MEAN)
    arrays = groups(2, labels)
    answer, kept = delivered(manner, reduced, arrays)
    for i, call in enumerate(kept.arrays):
        rows_ = np.moveaxis(call["logits"], axis, -1)
        assert rows_.shape == (*shape, N)
        assert np.array_equal(rows_.reshape(-1), arrays["logits"][i])
        given = call["labels"] if labels == "index" else np.moveaxis(call["labels"], axis, -1)
        assert given.shape == (shape if labels == "index" else (*shape, N))
        assert np.array_equal(given.reshape(-1), arrays["labels"][i])
        assert call["cotangent"].shape == ()
    assert np.array_equal(answer["grad_logits"], arrays["logits"] * [[1], [2]])


def test_a_group_of_one_example_may_be_a_vector() -> None:
    one = {
        name: a[:, : N if name == "logits" else 1] if a.ndim == 2 else a
        for name, a in groups(2, "index").items()
    }
    _, kept = delivered(Manner(shape=(), examples=1, n=N, attributes=MEAN), reduced, one)
    for call in kept.arrays:
        assert call["logits"].shape == (N,) and call["labels"].shape == ()


@pytest.mark.parametrize("examples", [None, EXAMPLES])
def test_what_is_asked_twice_is_asked_apart_where_it_was(examples: int | None) -> None:
    each = examples is None
    manner = Manner(each=each, shape=() if each else None, again="twice", rows=2, examples=examples, n=N)
    manner = manner if each else Manner(again="twice", rows=2, examples=examples, n=N, attributes=MEAN)
    arrays = rows(2, N) if each else groups(2, "index")

    def compute(a: Mapping[str, Array], k: Mapping[str, Any]) -> Mapping[str, Array]:
        return {"value": a["logits"]} if each else reduced(a, k)

    answer, kept = delivered(manner, compute, arrays)
    assert len(kept.arrays) == 4
    assert np.array_equal(answer["value"], answer["value" + AGAIN])

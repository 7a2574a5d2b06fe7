"""``layers`` holds what its docstring promises, in every format."""

from __future__ import annotations

import numpy as np
import pytest

from xent_conformance.cases.case import Batch
from xent_conformance.cases.corpus import batches
from xent_conformance.cases.families.layers import CHUNK, IGNORED, MORE, SMALL
from xent_conformance.reference.bounds.layer import Layer
from xent_conformance.reference.formats import FORMATS
from xent_conformance.reference.operators import OPERATORS

LAYER = "linear_cross_entropy"


@pytest.fixture(scope="module")
def asked() -> list[Batch]:
    return list(batches("standard", operators=[LAYER]))


def rows(asked: list[Batch], *variants: str) -> list[tuple[Batch, int]]:
    found = [(b, row) for b in asked for row, ask in enumerate(b.asks) if ask.variant in variants]
    assert found
    return found


def test_it_is_the_only_family_of_a_layer(asked: list[Batch]) -> None:
    assert {b.family for b in asked} == {"layers"}
    assert {b.operator for b in batches("quick", families_=["layers"])} == {LAYER}
    assert {b.inputs.format.name for b in asked if b.inputs.n == MORE} == set(FORMATS)


def test_chunks_do_not_divide_the_examples(asked: list[Batch]) -> None:
    assert all((b.inputs.attributes.examples or 0) % CHUNK for b in asked)


def test_a_bias_and_none_one_feature_and_many_every_reduction(asked: list[Batch]) -> None:
    given = [b.inputs.attributes for b in asked]
    assert {a.affine for a in given} == {True, False}
    assert {a.features for a in given} == {1, 3, 16}
    assert {a.reduction for a in given} == {"none", "sum", "mean"}
    assert {a.ignore_index for a in given} == {IGNORED, 3}


def test_an_offset_is_of_all_the_digits_and_nothing_is_rounded(asked: list[Batch]) -> None:
    """So no bound grants anything for it: 7.1."""
    for b, row in rows(asked, "offset", "offset_of_a_feature"):
        layer = Layer(b.inputs)
        assert layer.exact[row].all() and b.asks[row].clause == "7.1"
        logits = layer.hidden[row] @ layer.weight[row].T + layer.bias[row]
        assert (np.abs(logits) >= 2.0 ** (b.inputs.format.precision - 2)).all()
        assert (np.ptp(logits, axis=1) > 0).any()


def test_other_products_are_rounded(asked: list[Batch]) -> None:
    for b, row in rows(asked, "mean", "sum", "apart"):
        assert not Layer(b.inputs).exact[row].all()


def test_a_whole_chunk_is_ignored_the_first_and_the_last(asked: list[Batch]) -> None:
    gone = {
        "first_chunk_ignored": np.arange(7) < CHUNK,
        "last_chunk_ignored": np.arange(7) >= CHUNK,
        "one_row_kept": np.arange(7) != CHUNK,
        "no_row_kept": np.ones(7, dtype=bool),
        "no_row_kept_in_a_sum": np.ones(7, dtype=bool),
    }
    for name, ignored in gone.items():
        for b, row in rows(asked, name):
            np.testing.assert_array_equal(b.inputs.labels[row] == IGNORED, ignored)
            nothing = ignored.all() and b.inputs.attributes.reduction == "mean"
            assert b.asks[row].clause == ("6.11" if nothing else "6.8")


def test_one_label_is_beyond_the_classes(asked: list[Batch]) -> None:
    for b, row in rows(asked, "label_beyond"):
        assert (b.inputs.labels[row] == SMALL).sum() == 1 and b.asks[row].clause == "6.4"


def test_a_sum_over_examples_is_longer_than_sixteen_bits_count(asked: list[Batch]) -> None:
    for b, _ in rows(asked, "many_examples"):
        assert (b.inputs.attributes.examples or 0) > 512


def test_the_outputs_of_a_layer_have_their_own_names(asked: list[Batch]) -> None:
    names = OPERATORS[LAYER].outputs
    assert names == ("value", "grad_hidden", "grad_weight", "grad_bias")
    for b in asked:
        assert b.inputs.outputs == (names if b.inputs.attributes.affine else names[:-1])

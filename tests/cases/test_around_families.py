"""``composites`` and ``masks``: every kind of what stands around is asked in ``quick`` (6.15, 4.6)."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.corpus import of_corpus
from xent_conformance.discovery.problems import KEYWORDS
from xent_conformance.frameworks import interface
from xent_conformance.reference.attributes import AROUND, Attributes
from xent_conformance.reference.formats import BINARY32, Format
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.operators import OPERATORS


def test_the_worker_and_the_reference_mean_the_same() -> None:
    """The worker knows no reference, so it has the names once more."""
    assert frozenset(AROUND) == interface.AROUND and set(KEYWORDS) >= interface.AROUND


def test_every_kind_is_asked_in_quick_of_every_operator_that_has_it() -> None:
    for o in OPERATORS.values():
        asked = of_corpus("quick", families=["composites", "masks"], operators=[o.name])
        kinds = {kind for b in asked for kind in b.inputs.attributes.around}
        no_mask = {"mask"} if o.elementwise else set()
        assert kinds == (set() if o.domain != "reals" else set(AROUND) - no_mask), o.name


def test_products_stay_in_the_format() -> None:
    """Beyond it, a product that is rounded is infinite, and nothing is asked of it."""
    for b in of_corpus("standard", families=["composites"]):
        a = b.inputs.attributes
        y = np.abs(b.inputs.logits * a.scale / a.temperature)
        assert y.max() < b.inputs.format.largest / 2, b.id


def test_a_layer_is_exact_and_has_digits_that_a_faster_product_drops() -> None:
    """TF32 has ten bits of fraction; of binary16 and bfloat16 the logits' own format has no more to give."""
    for b in of_corpus("standard", families=["composites"]):
        matrix, fmt = np.array(b.inputs.attributes.matrix), b.inputs.format
        if not matrix.size:
            continue
        np.testing.assert_array_equal(fmt.nearest(b.inputs.product), b.inputs.product)
        terms = b.inputs.logits[:, :, None] * matrix
        np.testing.assert_array_equal(fmt.nearest(terms), terms)
        if fmt is BINARY32:
            eleven = Format("TF32", 11, -126, 127)
            assert (eleven.nearest(b.inputs.logits) != b.inputs.logits).any(axis=1).all(), b.id
            assert np.ptp(b.inputs.product, axis=1).max() > 4


@pytest.mark.parametrize(
    ("x", "given", "words"),
    [
        ([[1.0, 2.0**-24]], {"matrix": ((1.0, 1.0), (1.0, 1.0))}, "a product with the matrix is rounded"),
        ([[1.0, np.inf]], {"matrix": ((1.0, 1.0), (1.0, 1.0))}, "a product with the matrix is rounded"),
        ([[1.0, 2.0]], {"matrix": ((0.1, 1.0), (1.0, 1.0))}, "matrix holds a number that float32"),
        ([[1.0, 2.0]], {"matrix": ((1.0, 1.0),)}, r"shape \(1, 2\) for 2 numbers"),
        ([[1.0, 2.0]], {"matrix": ((1.0, 1.0), (1.0, 1.0)), "scale": 2.0}, "a bias and a mask alone"),
    ],
)
def test_a_matrix_that_is_not_exact_is_refused(x: list[list[float]], given: dict, words: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(ValueError, match=words):
        Inputs("softmax", BINARY32, np.array(x), np.zeros((1, 0)), np.ones((1, 2)), Attributes(**given))


def test_a_temperature_near_zero_has_ties_with_a_noise_and_without() -> None:
    for b in of_corpus("quick", families=["composites"], operators=["softmax"]):
        a = b.inputs.attributes
        if b.asks[0].variant not in ("scale+noise", "temperature_near_zero"):
            continue
        assert a.scale / a.temperature == 1024.0
        y = np.sort(b.inputs.logits * a.scale / a.temperature + np.array(a.bias or (0.0,)), axis=1)
        gap = y[:, -1] - y[:, -2]
        assert gap[0] > 30 and (gap[1:] < 20).all()


def test_what_is_masked_is_everything_that_a_logit_can_be() -> None:
    (half,) = (b for b in of_corpus("quick", families=["masks"], operators=["softmax"]) if "/half" in b.id)
    gone = half.inputs.logits[:, ~np.array(half.inputs.attributes.mask)]
    assert np.isnan(gone).all(axis=1).any() and np.isposinf(gone).all(axis=1).any()
    assert (gone == BINARY32.largest).all(axis=1).any() and np.isfinite(gone).all(axis=1).any()
    there = half.inputs.logits[:, np.array(half.inputs.attributes.mask)]
    assert np.isfinite(there).all() and there.max(axis=1).min() < -1e9


@pytest.mark.parametrize(
    ("operator", "given", "words"),
    [
        ("logit", {"scale": 2.0}, "nothing stands before it"),
        ("sigmoid", {"mask": (True, False)}, "it has none"),
        ("softmax", {"mask": (True,)}, "mask has 1 numbers for 2 classes"),
        ("softmax", {"bias": (0.1, 0.5)}, "bias holds a number that float32 does not have"),
        ("softmax", {"scale": 0.1}, "scale holds a number that float32 does not have"),
        ("softmax", {"cast": "bfloat16"}, "logits holds a number that bfloat16 does not have"),
    ],
)
def test_what_means_nothing_is_refused(operator: str, given: dict, words: str) -> None:  # type: ignore[type-arg]
    x = np.array([[0.5, 257.0]]) if operator != "logit" else np.array([[0.5, 0.25]])
    with pytest.raises(ValueError, match=words):
        Inputs(operator, BINARY32, x, np.zeros((1, 0)), np.ones((1, 2)), Attributes(**given))

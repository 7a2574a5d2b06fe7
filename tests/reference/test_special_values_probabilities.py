"""Cross-entropies of given probabilities at the ends of [0, 1] and beyond: SPEC.md 5.6 to 5.9, 6.16."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.asking_reference import INF, NAN, ask, same
from xent_conformance.reference.attributes import Attributes
from xent_conformance.reference.formats import BINARY64

BINARY = "binary_cross_entropy"
LN2 = float(np.log(2.0))


def test_5_6_a_label_that_agrees_takes_the_logarithm_away() -> None:
    hit = ask(BINARY, [0.0, -0.0, 1.0], [0.0, 0.0, 1.0], [1.0, 2.0, 0.5])
    same(hit["value"], [0.0, 0.0, 0.0])
    same(hit["grad_logits"], [1.0, 2.0, -0.5])


def test_5_6_a_label_that_does_not_is_an_infinite_loss() -> None:
    hit = ask(BINARY, [0.0, 1.0, 0.0, 1.0], [1.0, 0.0, 0.25, 0.25])
    same(hit["value"], [INF] * 4)
    same(hit["grad_logits"], [-INF, INF, -INF, INF])
    same(hit["grad_labels"], [INF, -INF, INF, -INF])


@pytest.mark.parametrize("k", [1, 3, 1000])
def test_5_7_next_to_an_end(k: int) -> None:
    """A loss as small as the probability, a slope of one over it, and none of a clamp."""
    p = k * 5e-324
    hit = ask(BINARY, [p, p, 1 - 2**-53], [0.0, 1.0, 1.0])
    assert hit["value"] == [p, pytest.approx(-float(np.log(p)), rel=1e-15), pytest.approx(2**-53, rel=1e-15)]
    assert hit["grad_logits"][0] == 1.0 and hit["grad_logits"][1] == -INF
    near = ask(BINARY, [2.0**-100, 2.0**-100], [1.0, 0.0])
    assert near["value"] == [pytest.approx(100 * LN2, rel=1e-15), 2.0**-100]
    same(near["grad_logits"], [-(2.0**100), 1.0])


def test_5_8_nan_takes_what_depends_on_it() -> None:
    """Its own element; a label has no share in the derivative by it."""
    hit = ask(BINARY, [NAN, 0.5, 0.5], [1.0, NAN, 0.5])
    assert np.isnan(hit["value"]).tolist() == np.isnan(hit["grad_logits"]).tolist() == [True, True, False]
    assert np.isnan(hit["grad_labels"]).tolist() == [True, False, False]


def test_5_8_a_label_outside_has_the_formula() -> None:
    hit = ask(BINARY, [0.5, 0.5], [2.0, -1.0])
    assert hit["value"] == pytest.approx([LN2, LN2], rel=1e-15)
    same(hit["grad_logits"], [-6.0, 6.0])


@pytest.mark.parametrize("p", [-5e-324, -1.0, 1 + 2**-52, 2.0, INF, -INF])
@pytest.mark.parametrize("z", [0.0, 1.0, 0.5])
def test_5_9_outside_there_is_no_loss(p: float, z: float) -> None:
    hit = ask(BINARY, [p, 0.5], [z, 1.0])
    assert np.isnan(hit["value"]).tolist() == [True, False]


def test_where_the_label_is_the_probability_the_slope_is_exactly_zero() -> None:
    """Its two terms are equal at any precision; of a third in binary64 as well."""
    p = [0.25, 1 / 3, BINARY64.smallest_subnormal, 1 - 2**-53]
    assert ask(BINARY, p, p)["grad_logits"] == [0.0] * 4


def test_attributes_at_the_ends() -> None:
    """A smoothed label agrees with neither end, and a weight of zero takes everything away."""
    smoothed = ask(BINARY, [0.0, 1.0], [0.0, 1.0], a=Attributes(label_smoothing=0.5))
    same(smoothed["value"], [INF, INF])
    nothing = ask(BINARY, [0.0, 1.0], [1.0, 0.0], a=Attributes(weight=(0.0, 0.0)))
    same(nothing["value"], [0.0, 0.0])
    same(nothing["grad_logits"], [0.0, 0.0])


# --- distributions that are given -----------------------------------------------------------------

DENSE, SPARSE = "categorical_cross_entropy", "sparse_categorical_cross_entropy"


@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_5_6_a_class_that_has_nothing(zero: float) -> None:
    """With label 0 it has no share, and with another the loss is infinite."""
    hit = ask(DENSE, [zero, 0.25, 0.75], [0.0, 0.5, 0.5], [2.0])
    clean = ask(DENSE, [0.25, 0.75], [0.5, 0.5], [2.0])
    same(hit["value"], clean["value"])
    same(hit["grad_logits"], [0.0, *clean["grad_logits"]])
    same(hit["grad_labels"], [INF, *clean["grad_labels"]])
    wrong = ask(DENSE, [zero, 1.0], [0.5, 0.5])
    assert wrong["value"] == [INF] and wrong["grad_logits"] == [-INF, -0.5]
    assert ask(SPARSE, [zero, 1.0], [1.0]) == {"value": [0.0], "grad_logits": [0.0, -1.0]}
    assert ask(SPARSE, [zero, 1.0], [0.0])["value"] == [INF]


def test_5_7_next_to_nothing() -> None:
    p = 2.0**-1074
    hit = ask(SPARSE, [p, 1.0], [0.0])
    assert hit["value"] == [pytest.approx(1074 * LN2, rel=1e-15)] and hit["grad_logits"] == [-INF, 0.0]
    assert ask(DENSE, [2.0**-100, 1.0], [1.0, 0.0])["grad_logits"] == [-(2.0**100), 0.0]


def test_5_8_and_5_9_what_is_no_probability() -> None:
    for p in (NAN, -0.25, 1.5):
        assert np.isnan(ask(DENSE, [p, 0.5], [1.0, 0.0])["value"]).all()
        assert np.isnan(ask(SPARSE, [p, 0.5], [0.0])["value"]).all()
        assert ask(SPARSE, [p, 0.5], [1.0])["value"] == [pytest.approx(LN2, rel=1e-15)]
    hit = ask(DENSE, [0.5, 0.5], [NAN, 1.0])
    assert np.isnan(hit["value"]).all() and hit["grad_labels"] == pytest.approx([LN2, LN2], rel=1e-15)


def test_6_16_nothing_is_normalised() -> None:
    """Probabilities whose sum is two have the loss of each by itself."""
    hit = ask(DENSE, [1.0, 1.0], [0.5, 0.5])
    assert hit["value"] == [0.0] and hit["grad_logits"] == [-0.5, -0.5]


@pytest.mark.parametrize("y", [-1.0, 3.0, 2.0**40])
def test_6_4_an_index_of_given_probabilities(y: float) -> None:
    for values in ask(SPARSE, [0.25, 0.25, 0.5], [y]).values():
        assert np.isnan(values).all()


def test_attributes_of_a_given_distribution() -> None:
    """Smoothing gives the first class a share; a weight of zero takes it away; an ignored index all."""
    p, t = [0.25, 0.75], [0.0, 1.0]
    smoothed = ask(DENSE, p, t, a=Attributes(label_smoothing=0.5))
    assert smoothed["value"] == [pytest.approx(-0.25 * np.log(0.25) - 0.75 * np.log(0.75), rel=1e-15)]
    assert smoothed["grad_logits"] == [-1.0, -1.0]
    alone = ask(DENSE, [0.0, 0.75], [0.5, 0.5], a=Attributes(weight=(0.0, 2.0)))
    assert alone["value"] == [pytest.approx(-np.log(0.75), rel=1e-15)]
    ignored = ask(SPARSE, [0.0, 1.0], [0.0], a=Attributes(ignore_index=0))
    assert ignored == {"value": [0.0], "grad_logits": [0.0, 0.0]}

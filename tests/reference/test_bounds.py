"""Innocent algorithms never exceed their bound (SPEC.md 8.13), in any format or order of summation.

Three libraries are tried: NumPy's own functions on the corpus up to 1000 classes and on rows made to
strain, and one as bad as SPEC.md §8.1 allows (three ulps from exp, 2.5 from division) on the rows
that strain. If one of these fails, the derivation in SPEC.md is wrong: mend that, and nothing else.
"""

from __future__ import annotations

import functools

import numpy as np
import pytest

from tests.support.corpus import of_corpus
from tests.support.reference import innocents
from tests.support.reference.arithmetic import ORDERS, Arithmetic
from tests.support.reference.innocence import Trials, accused, in_orders, orders, trials, worst
from tests.support.reference.innocents import PLAIN as TABLES
from tests.support.reference.measure import Ratios, answer, plain, ratios
from tests.support.reference.rows import strained
from tests.support.reference.strain import assert_tiers_in_order, strain
from tests.support.reference.textbook import QUADRATIC
from tests.support.reference.textbook_divergences import QUOTIENT_FIRST
from xent_conformance.reference.bounds.sizes import SATURATED, Sizes
from xent_conformance.reference.bounds.table import BOUNDS
from xent_conformance.reference.cache import default_cache
from xent_conformance.reference.formats import BINARY32, BINARY64
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.operators import MOVING, OF_ROWS, OPERATORS
from xent_conformance.reference.oracle import Oracle, Truth

QUESTIONS = [(o.name, output, tier) for o in OF_ROWS.values() for output in o.outputs for tier in TABLES]


@functools.lru_cache(maxsize=1)
def corpus(operator: str) -> list[Truth]:
    oracle = Oracle(default_cache())  # other tests, and other processes, have certified much of it
    every = (b.inputs for b in of_corpus("standard", operators=[operator]))
    return [oracle.truth(i) for i in every if i.n <= 1000 and plain(i)]


@functools.lru_cache(maxsize=1)
def tried(operator: str) -> Trials:
    """Every batch with every arithmetic it is to be tried in."""
    usual = [(t, Arithmetic(t.inputs.format, order)) for t in corpus(operator) for order in ORDERS]
    return usual + trials(strain(strained, operator))


def no_innocent(name: str, truth: Truth) -> bool:
    """What takes too long, and who breaks 2.1: a quotient that is taken first leaves the format."""
    return (name in QUADRATIC and truth.inputs.n > 64) or (
        name in QUOTIENT_FIRST and overflows_inside(truth.inputs)
    )


def overflows_inside(inputs: Inputs) -> bool:
    """Whether ``p/q`` leaves the format, of a row."""
    with np.errstate(all="ignore"):
        ratio = inputs.labels / inputs.logits
    finite = np.isfinite(inputs.labels) & np.isfinite(inputs.logits) & (inputs.logits != 0)
    return bool((np.abs(ratio[finite]) > inputs.format.largest).any())


@pytest.mark.parametrize(("operator", "output", "tier"), QUESTIONS)
def test_the_innocent_are_never_accused(operator: str, output: str, tier: str) -> None:
    runs = in_orders(tried(operator), orders(operator, tier))
    found = worst(runs, TABLES[tier][operator, output], output, tier, no_innocent)
    assert found
    scalar = output == "value" and OPERATORS[operator].value_shape == "scalar"
    for name, (_, count, _) in found.items():
        assert count >= (400 if scalar else 4000), f"{name} was judged on {count} elements only"
    assert accused(found) == {}


def test_every_output_has_a_bound_and_innocents() -> None:
    """Values and gradients here, ``jvp`` and ``hvp`` in :mod:`test_bounds_derivatives`."""
    asked = {(o.name, output) for o in OF_ROWS.values() for output in o.outputs}
    moving = {(name, output) for name in OF_ROWS for output in MOVING}
    assert set(BOUNDS) == asked | moving
    assert set(TABLES["stable"]) == set(TABLES["accurate"]) == asked
    assert set(innocents.MOVING["stable"]) == moving
    assert set(innocents.MOVING["accurate"]) == moving


@pytest.mark.parametrize("operator", OF_ROWS)
def test_accurate_is_never_looser_than_stable(operator: str) -> None:
    for truth in strain(strained, operator):
        assert_tiers_in_order(truth, truth.inputs.definition.outputs)


def test_a_sum_that_saturates_is_not_covered() -> None:
    """2**25 equal logits: a binary32 sum stops at 2**24, wrong by one half; the bound allows 2**-6."""
    none = np.zeros((1, 0))
    inputs = Inputs("softmax", BINARY32, np.zeros((1, 1)), none, np.ones((1, 1)), copies=2**25)
    sizes = Sizes(inputs, {}, {})
    assert sizes.h_stable * BINARY32.u == SATURATED < 0.5
    assert sizes.h_accurate == 25 + 4


def test_bounds_do_not_depend_on_their_neighbours() -> None:
    """A row's bound is the same alone as in a batch."""
    truth = strain(strained, "softmax_cross_entropy")[0]
    i = truth.inputs
    alone = Inputs(i.operator, i.format, i.logits[3:4], i.labels[3:4], i.cotangent[3:4])
    single = Oracle().truth(alone)
    for output in i.definition.outputs:
        for tier in ("accurate", "stable", "flush"):
            np.testing.assert_array_equal(
                getattr(single.bound(output), tier)[0], getattr(truth.bound(output), tier)[3]
            )


def test_an_unknown_output_is_refused() -> None:
    truth = strain(strained, "softmax")[0]
    with pytest.raises(KeyError, match="grad_labels"):
        truth.bound("grad_labels")


# --- derivations that were wrong once -------------------------------------------------------------


def one_row(operator: str, x: list[float], p: list[float] = (), fmt=BINARY64) -> Truth:
    width = len(x) if OPERATORS[operator].value_shape == "row" else 1
    return Oracle().truth(Inputs(operator, fmt, np.array([x]), np.array([list(p)]), np.ones((1, width))))


def correctly_rounded(truth: Truth, output: str) -> Ratios:
    fmt = truth.inputs.format
    return ratios(truth.enclosure(output).round_to(fmt).astype(fmt.dtype), truth, output)


def test_a_correctly_rounded_result_is_within_its_bound_however_large() -> None:
    truth = one_row("log_softmax", [1.5e308, 1.1e300, -0.7e292])
    assert correctly_rounded(truth, "value").worst_stable <= 1


@pytest.mark.parametrize("operator", ["log_softmax", "logsumexp"])
def test_a_sum_of_subnormal_exponentials_is_accurate(operator: str) -> None:
    """Each exponential is correctly rounded, half an η off; a thousand of them are 500 η off."""
    truth = one_row(operator, [0.0] + [-744.0] * 999)
    algorithm = TABLES["accurate"][operator, "value"]["log1p"]
    assert ratios(answer(algorithm, Arithmetic(BINARY64, "tree"), truth), truth, "value").worst_accurate <= 1

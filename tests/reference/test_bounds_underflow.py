"""Innocent results that underflow inside: rows on which nothing but gradual underflow counts (SPEC.md 8.1).

A derivation that forgets it accuses every correct program, by a factor that grows with the number of
subnormal terms or with what multiplies them. Long rows, so apart from the rows that strain the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from tests.support.reference import innocents
from tests.support.reference.arithmetic import Arithmetic, Array
from tests.support.reference.innocence import SLOPS, accused, worst
from xent_conformance.reference.attributes import Attributes
from xent_conformance.reference.formats import BINARY16, BINARY32, BINARY64, FORMATS, Floats, Format
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.operators import MOVING, OF_ROWS, OPERATORS
from xent_conformance.reference.oracle import Oracle, Truth

SUMS = [name for name, o in OF_ROWS.items() if not o.elementwise]
Tables = Mapping[str, Mapping[tuple[str, str], Mapping[str, Callable[..., Array]]]]


def accusations(truth: Truth, output: str, tables: Tables) -> dict[tuple[str, str], tuple[float, int, str]]:
    """Every form beyond its bound, with trees and every library: tier and name, ratio, count, place."""
    runs = [(truth, Arithmetic(truth.inputs.format, "tree", slop)) for slop in SLOPS]
    return {
        (tier, name): entry
        for tier, table in tables.items()
        for name, entry in accused(worst(runs, table[truth.inputs.operator, output], output, tier)).items()
    }


def moving(operator: str, fmt: Format, x: Floats, v: Floats, c: Floats) -> Truth:
    """One row, label and one-hot class 0; the last cotangent where there is one alone."""
    o, n = OPERATORS[operator], x.size
    labels = {"none": np.zeros((1, 0)), "index": np.zeros((1, 1)), "dense": np.eye(1, n)}[o.labels]
    cotangent = c if o.value_shape == "row" else c[-1:]
    x, v, cotangent = (fmt.nearest(a.reshape(1, -1)) for a in (x, v, cotangent))
    return Oracle().truth(Inputs(operator, fmt, x, labels, cotangent, tangent=v))


@pytest.mark.parametrize("operator", SUMS)
@pytest.mark.parametrize("output", MOVING)
@pytest.mark.parametrize("fmt", [BINARY16, BINARY32], ids=lambda f: f.name)
def test_a_sum_of_subnormal_exponentials(operator: str, output: str, fmt: Format) -> None:
    """A thousand ``exp(−d)`` of 1.3 η, each rounded to η, are all of ``Σ s_j v_j`` where ``v_k = 0``."""
    x, v = np.full(1000, np.log(1.3 * fmt.smallest_subnormal)), np.ones(1000)
    x[0] = v[0] = 0.0
    assert accusations(moving(operator, fmt, x, v, v), output, innocents.MOVING) == {}


@pytest.mark.parametrize("operator", [name for name in SUMS if name != "softmax"])
def test_a_sum_of_subnormal_products(operator: str) -> None:
    """4000 probabilities of 1/4000 times 0.0003: products of 1.3 η in binary16."""
    v = np.full(4000, 0.0003)
    v[0] = 0.0
    truth = moving(operator, BINARY16, np.zeros(4000), v, v)
    assert accusations(truth, "jvp", innocents.MOVING) == {}


def test_a_subnormal_slope_times_a_large_sum_of_cotangents() -> None:
    """``log_softmax``: ``s_i t_i`` of a thousand classes, subnormal in binary16, times ``Σ c = 1000``."""
    v = ((np.arange(1000) % 7) - 3) * 2.0**-15
    truth = moving("log_softmax", BINARY16, np.zeros(1000), v, np.ones(1000))
    assert accusations(truth, "hvp", innocents.MOVING) == {}


@pytest.mark.parametrize(("fmt", "small"), [(BINARY16, 1.1 * 2.0**-10), (BINARY32, 1.1 * 2.0**-70)])
def test_a_subnormal_product_divided_by_small_probabilities(fmt: Format, small: float) -> None:
    """``logit``: ``c v`` is subnormal, and ``c v (2p − 1) / (p (1 − p))²`` is not."""
    p = np.linspace(0.02, 0.98, 64)
    truth = moving("logit", fmt, p, np.full(64, small), np.full(64, small))
    assert accusations(truth, "hvp", innocents.MOVING) == {}


@pytest.mark.parametrize("output", ["value", "grad_logits", "grad_labels"])
@pytest.mark.parametrize("fmt", FORMATS.values(), ids=lambda f: f.name)
def test_a_large_positive_weight_of_a_subnormal_softplus(fmt: Format, output: str) -> None:
    """``softplus(−x)`` is subnormal, half an η off; three hundred times that is 150 η off."""
    x = fmt.nearest(np.linspace(-0.5, 8.0, 24)[None, :] - np.log(fmt.smallest_normal))
    ones = np.ones_like(x)
    extra = Attributes(pos_weight=(float(fmt.nearest(np.array(300.0))),) * x.size)
    truth = Oracle().truth(Inputs("sigmoid_cross_entropy", fmt, x, ones, ones, extra))
    assert accusations(truth, output, innocents.ROWS) == {}


def test_a_subnormal_probability_has_the_bound_of_the_specification() -> None:
    """``u · s · ρ`` is six η where ``u`` meets a subnormal ``s`` first; 8.2 says 178, and two roundings."""
    x = np.array([[238.5884081368511, -470.52720209402696]])
    truth = Oracle().truth(Inputs("softmax", BINARY64, x, np.zeros((1, 0)), np.ones((1, 2))))
    assert accusations(truth, "value", innocents.PLAIN) == {}
    d, eta = x[0, 0] - x[0, 1], BINARY64.smallest_subnormal
    rho = d + 2 * 6 + 5 + 1 + 5  # E, Q, and (log2 2 + 4) of a sum
    assert truth.bound("value").accurate[0, 1] / eta == pytest.approx(
        np.exp(-d) / eta * BINARY64.u * rho + 2, abs=1
    )

"""``log Σ b_i exp(x_i)``: innocent forms stay within the bound, mistakes exceed it (SPEC.md 8.4, 8.13)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from tests.support.reference.arithmetic import ORDERS, Arithmetic, Array
from tests.support.reference.measure import Ruler, answer
from tests.support.reference.rows import strained
from xent_conformance.reference.attributes import Attributes
from xent_conformance.reference.formats import FORMATS, Format
from xent_conformance.reference.oracle import Oracle, Truth

EVERY_FORMAT = pytest.mark.parametrize("fmt", FORMATS.values(), ids=list(FORMATS))
SLOPS = ("nearest", "up", "down", "mixed")
PLAIN_ORDERS = tuple(order for order in ORDERS if order != "online")


def _weights(fmt: Format, n: int) -> Iterator[tuple[float, ...]]:
    """Small and large, some of them nothing; and one that is negative, of a class that adds little."""
    i = np.arange(n)
    yield tuple(((1.0 + i * 5 % 16) / 8).tolist())
    yield tuple(np.where(i == n - 1, 1 / 8, (i * 3 % 7) * 8.0).tolist())
    if n > 2:
        yield tuple(np.where(i == 1, -1 / 64, 1.0 + i % 3).tolist())


@functools.cache
def truths(fmt: Format) -> list[Truth]:
    return [
        Oracle().truth(replace(inputs, attributes=Attributes(weight=weight)))
        for inputs in strained("logsumexp", fmt)
        for weight in _weights(fmt, inputs.n)
    ]


# --- the textbook ----------------------------------------------------------------------------------


def _parts(a: Arithmetic, x: Array, given: Attributes) -> tuple[Array, Array, Array]:
    """``m`` of the classes that weigh anything, ``b exp(x − m)`` and its sum."""
    b = a.of(np.array([given.weight]))
    m = np.where(b == 0, a.of(-np.inf), x).max(axis=1, keepdims=True)
    terms = b * np.where(b == 0, a.of(0.0), a.exp(x - m))
    return m, terms, a.sum(terms)


def value(a: Arithmetic, x: Array, _p: Array, _c: Array, given: Attributes) -> Array:
    m, _, total = _parts(a, x, given)
    return m + a.log(total)


def value_in_base_two(a: Arithmetic, x: Array, _p: Array, _c: Array, given: Attributes) -> Array:
    """In 16 bits the exponent is a number of the accumulator."""
    b = a.of(np.array([given.weight]))
    m = np.where(b == 0, a.of(-np.inf), x).max(axis=1, keepdims=True)
    exponent = (x - m).astype(a.wide) * np.float64(np.log2(np.e)).astype(a.wide)
    return m + a.log(a.sum(b * np.where(b == 0, a.of(0.0), a.exp2(exponent))))


def gradient(a: Arithmetic, x: Array, _p: Array, c: Array, given: Attributes) -> Array:
    _, terms, total = _parts(a, x, given)
    return c * a.divide(terms, total)


def gradient_of_steps(a: Arithmetic, x: Array, _p: Array, c: Array, given: Attributes) -> Array:
    """The derivative of the logarithm, then of each exponential."""
    _, terms, total = _parts(a, x, given)
    return a.divide(c, total) * terms


INNOCENT: dict[str, tuple[Callable[..., Array], ...]] = {
    "value": (value, value_in_base_two),
    "grad_logits": (gradient, gradient_of_steps),
}
ACCURATE: dict[str, tuple[Callable[..., Array], ...]] = {"value": (value,), "grad_logits": (gradient,)}


def _worst(fmt: Format, output: str, tier: str, forms: tuple[Callable[..., Array], ...]) -> float:
    orders = PLAIN_ORDERS if tier == "stable" else ("pairwise", "blocked", "tree")
    worst = 0.0
    for truth in truths(fmt):
        ruler = Ruler(truth, output)
        for order in orders:
            for slop in SLOPS:
                a = Arithmetic(fmt, order, slop)
                for form in forms:
                    worst = max(worst, float(ruler.ratio(answer(form, a, truth), tier).max(initial=0.0)))
    return worst


@EVERY_FORMAT
@pytest.mark.parametrize("output", ["value", "grad_logits"])
def test_innocent_forms_are_within_the_bound(fmt: Format, output: str) -> None:
    """And use some of it: a bound that nothing comes near would prove nothing."""
    assert 0.02 < _worst(fmt, output, "stable", INNOCENT[output]) <= 1
    assert 0.02 < _worst(fmt, output, "accurate", ACCURATE[output]) <= 1


# --- mistakes --------------------------------------------------------------------------------------


def without_weights(a: Arithmetic, x: Array, _p: Array, c: Array, given: Attributes) -> Array:
    m = x.max(axis=1, keepdims=True)
    e = a.exp(x - m)
    return c * a.divide(e, a.sum(e))


def weights_of_the_neighbours(a: Arithmetic, x: Array, p: Array, c: Array, given: Attributes) -> Array:
    return value(a, x, p, c, replace(given, weight=(*given.weight[1:], given.weight[0])))


@EVERY_FORMAT
@pytest.mark.parametrize(
    ("output", "mistake"), [("grad_logits", without_weights), ("value", weights_of_the_neighbours)]
)
def test_a_mistake_exceeds_the_bound(fmt: Format, output: str, mistake: Callable[..., Array]) -> None:
    assert _worst(fmt, output, "stable", (mistake,)) > 4

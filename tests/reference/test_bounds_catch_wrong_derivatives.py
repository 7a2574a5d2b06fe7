"""Wrong ``jvp`` and ``hvp`` exceed ``stable`` on a row where the mistake shows (SPEC.md 8.13).

Beside each on the same row: the right algorithm, which is within ``accurate``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.support.reference.arithmetic import Arithmetic, Array
from tests.support.reference.innocents import MOVING as TABLES
from tests.support.reference.measure import Ratios, ask
from tests.support.reference.textbook import quotient
from tests.support.reference.textbook_derivatives import softmax_vjp
from tests.support.reference.textbook_sigmoid import two_branches
from xent_conformance.reference.formats import BFLOAT16, FORMATS, Format
from xent_conformance.reference.operators import OPERATORS

X = [1.5, 0.0, 0.0, 0.5]
V = [0.0, 4.0, 4.0, 4.0]
C = [1.0, -1.0, -1.0, -1.0]
UNIFORM = [1.0, 1.0, 1.0, 1.0]


def hessian_of_the_diagonal(a, x, p, c, v):
    """``s_i (1 − s_i) v_i``: what a uniform tangent would be annihilated by is gone."""
    s = quotient(a, x)
    return c * (s * (a.one - s) * v)


def hessian_without_its_diagonal(a, x, p, c, v):
    s = quotient(a, x)
    return -(c * (s * a.sum(s * v)))


def log_hessian_of_the_diagonal(a, x, p, c, v):
    s = quotient(a, x)
    return -(a.sum(c) * (s * (a.one - s) * v))


def covariance_forgotten(a, x, p, c, v):
    """``s_i t_i c_i``: the derivative of ``s_i`` alone, not of ``Σ s_j c_j``."""
    return softmax_vjp(a, quotient(a, x), v) * c


def covariance_halved(a, x, p, c, v):
    """``s_i (t_i (c_i − c̄))``: the mean is differentiated no more."""
    s = quotient(a, x)
    return softmax_vjp(a, s, v) * (c - a.sum(s * c))


def without_the_mean(a, x, p, c, v):
    return v


def probability_without_the_mean(a, x, p, c, v):
    return quotient(a, x) * v


def label_without_the_mean(a, x, p, c, v):
    return -a.sum(p * v)


def mean_of_the_tangent(a, x, p, c, v):
    """``Σ v / N`` in place of ``Σ s v``."""
    return a.sum(v) * a.of(1 / v.shape[1])


def gradient_for_second_derivative(a, x, p, c, v):
    y = two_branches(a, x)
    return c * v * (y * (a.one - y))


def slope_of_the_sum(a, x, p, c, v):
    """A ``jvp`` that forgets the tangent."""
    return a.sum(quotient(a, x))


@dataclass(frozen=True)
class Mistake:
    wrong: Callable[[Arithmetic, Array, Array, Array, Array], Array]
    operator: str
    output: str


MISTAKES = [
    Mistake(hessian_of_the_diagonal, "logsumexp", "hvp"),
    Mistake(hessian_of_the_diagonal, "softmax_cross_entropy", "hvp"),
    Mistake(hessian_of_the_diagonal, "sparse_softmax_cross_entropy", "hvp"),
    Mistake(hessian_without_its_diagonal, "softmax_cross_entropy", "hvp"),
    Mistake(log_hessian_of_the_diagonal, "log_softmax", "hvp"),
    Mistake(covariance_forgotten, "softmax", "hvp"),
    Mistake(covariance_halved, "softmax", "hvp"),
    Mistake(gradient_for_second_derivative, "sigmoid", "hvp"),
    Mistake(without_the_mean, "log_softmax", "jvp"),
    Mistake(probability_without_the_mean, "softmax", "jvp"),
    Mistake(label_without_the_mean, "softmax_cross_entropy", "jvp"),
    Mistake(mean_of_the_tangent, "logsumexp", "jvp"),
    Mistake(slope_of_the_sum, "logsumexp", "jvp"),
]


def measured(m: Mistake, fmt: Format, v: list[float]) -> tuple[Ratios, Ratios]:
    """The wrong algorithm's and the right one's."""
    labels = {"none": None, "index": [1.0], "dense": [0.25, 0.5, 0.0, 0.25]}[OPERATORS[m.operator].labels]
    of = ask(m.operator, fmt, X, labels, m.output, v=v, c=C)
    return of(m.wrong), of(next(iter(TABLES["accurate"][m.operator, m.output].values())))


COARSE = (covariance_forgotten, covariance_halved)
"""Three factors of 18 u each, four of them: in bfloat16 the bound is as large as the covariance."""

ASKED = [
    (m, fmt) for m in MISTAKES for fmt in FORMATS.values() if not (fmt is BFLOAT16 and m.wrong in COARSE)
]


@pytest.mark.parametrize(
    ("m", "fmt"), ASKED, ids=[f"{m.operator} {m.wrong.__name__} {fmt.name}" for m, fmt in ASKED]
)
def test_a_mistake_is_beyond_stable(m: Mistake, fmt: Format) -> None:
    wrong, right = measured(m, fmt, V)
    assert wrong.worst_stable > 1
    assert right.worst_accurate <= 1


HALVES = [m for m in MISTAKES if m.wrong in (covariance_halved, mean_of_the_tangent)]


@pytest.mark.parametrize("m", HALVES, ids=lambda m: f"{m.operator} {m.wrong.__name__}")
def test_a_uniform_tangent_shows_nothing(m: Mistake) -> None:
    """Why 1.6 asks for a tangent whose elements differ: here the same mistakes are exact."""
    wrong, _ = measured(m, FORMATS["float64"], UNIFORM)
    assert wrong.worst_stable <= 1

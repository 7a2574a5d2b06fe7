"""Wrong algorithms exceed ``stable`` on a row where the mistake shows (SPEC.md 8.13)."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.reference import textbook, textbook_sigmoid
from tests.support.reference.arithmetic import Arithmetic, Array
from tests.support.reference.measure import ask
from xent_conformance.reference.formats import BFLOAT16, BINARY16, BINARY32, BINARY64, FORMATS, Format

EVERY = tuple(FORMATS.values())


def unshifted(a: Arithmetic, x: Array, p: Array, c: Array) -> Array:
    e = a.exp(x)
    return a.divide(e, a.sum(e))


def narrow_accumulator(a: Arithmetic, x: Array, p: Array, c: Array) -> Array:
    """Adds in the 16-bit format itself."""
    e = a.exp(x - x.max(axis=1, keepdims=True))
    total = np.zeros_like(e[:, :1])
    for j in range(e.shape[1]):
        total = total + e[:, j : j + 1]
    return a.divide(e, total)


def log_of_softmax(a: Arithmetic, x: Array, p: Array, c: Array) -> Array:
    return a.log(textbook.quotient(a, x))


def clipped_log_of_softmax(a: Arithmetic, x: Array, p: Array, c: Array) -> Array:
    s = np.maximum(textbook.quotient(a, x), a.of(a.fmt.nearest(np.array(1e-7))))
    return -np.take_along_axis(a.log(s), p.astype(np.int64), axis=1)


def offset_kept(a: Arithmetic, x: Array, p: Array, c: Array) -> Array:
    return x - textbook.logsumexp(a, x)


def half_formula(a: Arithmetic, x: Array, z: Array, c: Array) -> Array:
    return z * textbook_sigmoid.softplus(a, -x)


def softmax_minus_labels(a: Arithmetic, x: Array, p: Array, c: Array) -> Array:
    return c * (textbook.quotient(a, x) - p)


def unguarded_softplus(a: Arithmetic, x: Array, p: Array, c: Array) -> Array:
    return -a.log(a.one + a.exp(-x))


def log_of_sigmoid(a: Arithmetic, x: Array, p: Array, c: Array) -> Array:
    return a.log(textbook_sigmoid.one_branch(a, x))


def slope_without_label(a: Arithmetic, x: Array, z: Array, c: Array) -> Array:
    return c * textbook_sigmoid.two_branches(a, x)


def mean_of_row(a: Arithmetic, x: Array, p: Array, c: Array) -> Array:
    """A loss divided by the number of classes."""
    return a.divide(
        textbook.STABLE["softmax_cross_entropy", "value"]["nll"](a, x, p, c), a.of(float(x.shape[1]))
    )


def beyond_exp(fmt: Format) -> float:
    return fmt.emax * 0.7 + 3.0


@pytest.mark.parametrize("fmt", EVERY, ids=lambda f: f.name)
class TestWrong:
    """Each exceeds ``stable`` on a row where the mistake shows."""

    def test_no_shift_by_the_maximum(self, fmt: Format) -> None:
        assert ask("softmax", fmt, [beyond_exp(fmt), 1.0])(unshifted).worst_stable > 1
        assert ask("softmax", fmt, [-1e4, -1e4])(unshifted).worst_stable > 1

    def test_log_of_softmax(self, fmt: Format) -> None:
        row = [0.0, -1.5 * fmt.precision - 0.75 * fmt.emax - 10]
        assert ask("log_softmax", fmt, row)(log_of_softmax).worst_stable > 1

    def test_clipped_probability(self, fmt: Format) -> None:
        clipped = ask("sparse_softmax_cross_entropy", fmt, [60.0, 0.0], [1])(clipped_log_of_softmax)
        assert clipped.worst_stable > 1

    def test_gradient_forgets_the_sum_of_the_labels(self, fmt: Format) -> None:
        row, p = [1.0, 2.0, 0.5], [1.0, 1.0, 0.0]
        assert ask("softmax_cross_entropy", fmt, row, p, "grad_logits")(softmax_minus_labels).worst_stable > 1

    def test_half_formula(self, fmt: Format) -> None:
        assert ask("sigmoid_cross_entropy", fmt, [0.5], [0.0])(half_formula).worst_stable > 1
        assert ask("sigmoid_cross_entropy", fmt, [0.5], [0.5])(half_formula).worst_stable > 1

    def test_slope_without_label(self, fmt: Format) -> None:
        got = ask("sigmoid_cross_entropy", fmt, [0.5], [1.0], "grad_logits")(slope_without_label)
        assert got.worst_stable > 1

    def test_unguarded_softplus(self, fmt: Format) -> None:
        assert ask("log_sigmoid", fmt, [-beyond_exp(fmt)])(unguarded_softplus).worst_stable > 1

    def test_log_of_sigmoid(self, fmt: Format) -> None:
        assert ask("log_sigmoid", fmt, [-beyond_exp(fmt)])(log_of_sigmoid).worst_stable > 1

    def test_averaged_over_the_classes(self, fmt: Format) -> None:
        assert ask("softmax_cross_entropy", fmt, [1.0, 0.0], [1.0, 0.0])(mean_of_row).worst_stable > 1


@pytest.mark.parametrize("fmt", EVERY, ids=lambda f: f.name)
@pytest.mark.parametrize("size", [0, 1])
def test_always_nan_or_infinite_is_beyond_every_bound(fmt: Format, size: int) -> None:
    for constant in (np.nan, np.inf, -np.inf):
        got = ask("softmax", fmt, [0.0] * (size + 1))(lambda a, x, p, c, k=constant: np.full_like(x, a.of(k)))
        assert got.worst_stable > 1


def test_a_bfloat16_accumulator_of_a_thousand_classes() -> None:
    """The sum stops at 256, where adding one no longer changes it."""
    assert ask("softmax", BFLOAT16, [0.0] * 1000)(narrow_accumulator).worst_stable > 1
    assert ask("softmax", BFLOAT16, [0.0] * 8)(narrow_accumulator).worst_stable <= 1


def test_a_float16_accumulator_of_many_classes() -> None:
    assert ask("softmax", BINARY16, [0.0] * 5000)(narrow_accumulator).worst_stable > 1


def products_apart(a: Arithmetic, x: Array, p: Array, c: Array) -> Array:
    """``exp2(x log2 e − m log2 e)``: each product is rounded by its own size, and not by the difference's."""
    factor = a.of(textbook.LOG2_E)
    e = a.exp2(x * factor - x.max(axis=1, keepdims=True) * factor)
    return a.divide(e, a.sum(e))


@pytest.mark.parametrize("fmt", [BINARY32, BINARY64], ids=lambda f: f.name)
def test_base_two_of_two_products_is_not_what_is_granted(fmt: Format) -> None:
    """It keeps the offset; the textbook's base two takes it off first."""
    row = [10_000.0, 10_001.0, 10_002.5]
    assert ask("softmax", fmt, row)(products_apart).worst_stable > 1
    assert ask("softmax", fmt, row)(textbook.STABLE["softmax", "value"]["base_two"]).worst_stable <= 1


def test_an_offset_kept_in_logsumexp() -> None:
    """``x − (m + log S)`` at 1e8: the sum absorbs ``log 2``, and two equal classes get probability one."""
    assert ask("log_softmax", BINARY32, [1e8, 1e8])(offset_kept).worst_stable > 1
    assert ask("log_softmax", BINARY64, [1e17, 1e17])(offset_kept).worst_stable > 1
    assert ask("log_softmax", BINARY32, [1.0, 1.0])(offset_kept).worst_stable <= 1

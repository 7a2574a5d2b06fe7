"""The precision ladder: what is not known is tried again with more bits, and never guessed."""

from __future__ import annotations

import numpy as np
import pytest
from flint import arb, ctx

from xent_conformance.reference.exact import ball
from xent_conformance.reference.exact.ball import PRECISIONS, Values, certify
from xent_conformance.reference.formats import BINARY32, BINARY64
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.oracle import Oracle


def uniform(n: int = 10) -> Inputs:
    """Equal logits and equal labels of 0.1: ``s Σp − p`` is exactly zero, but 1/10 is no binary number."""
    p = BINARY64.nearest(np.full((1, n), 1 / n))
    return Inputs("softmax_cross_entropy", BINARY64, np.full((1, n), 3.0), p, np.ones((1, 1)))


def test_total_cancellation_is_certified_zero() -> None:
    truth = Oracle().truth(uniform())
    gradient = truth.enclosure("grad_logits")
    assert not truth.certified.undecided.any()
    assert (gradient.hi == 0).all()
    assert (np.ldexp(gradient.radius, gradient.exponent + 1080) <= 1.0).all(), "below 2**-1080"


def test_at_one_precision_it_stays_undecided_and_is_flagged() -> None:
    truth = Oracle(precisions=(128,)).truth(uniform())
    assert truth.certified.undecided.tolist() == [True]


def test_only_the_undecided_row_is_flagged() -> None:
    """A neighbour that is known at once keeps its answer: rows are independent."""
    hard, easy = uniform(), np.arange(10.0)[None]
    p = np.vstack([hard.labels, np.eye(10)[:1]])
    both = Inputs("softmax_cross_entropy", BINARY64, np.vstack([hard.logits, easy]), p, np.ones((2, 1)))
    low, high = Oracle(precisions=(128,)).truth(both), Oracle().truth(both)
    assert low.certified.undecided.tolist() == [True, False]
    assert high.certified.undecided.tolist() == [False, False]
    for output in both.definition.outputs:
        for field in ("hi", "lo", "radius", "exponent"):
            a, b = getattr(low.enclosure(output), field), getattr(high.enclosure(output), field)
            np.testing.assert_array_equal(a[1], b[1])


def test_near_cancellation_gets_its_digits_from_the_ladder() -> None:
    """``exp(x) − 1 − x`` of a tiny x is ``x²/2``: 401 bits below the 1 that was taken away."""
    x = 2.0**-200

    def define(row: int) -> Values:
        seen.append(ctx.prec)
        return {"value": [arb(x).exp() - 1 - arb(x)]}

    seen: list[int] = []
    certified = certify(define, 1)
    assert seen == [128, 256, 512]
    enclosure = certified.outputs["value"]
    assert enclosure.approximate().tolist() == [[2.0**-401]]
    assert enclosure.radius[0, 0] <= 2.0**-500


def test_each_row_climbs_alone() -> None:
    calls: list[tuple[int, int]] = []

    def define(row: int) -> Values:
        calls.append((row, ctx.prec))
        return {"value": [arb(1) / 3 if row != 1 else (arb(2) ** -150 + 1).log() - arb(2) ** -150]}

    certified = certify(define, 3)
    assert [row for row, bits in calls if bits == 128] == [0, 1, 2]
    assert {row for row, bits in calls if bits > 128} == {1}
    assert not certified.undecided.any()


def test_what_never_converges_is_undecided_at_the_top() -> None:
    """No fallback: the last precision is tried, and the row is given up."""
    calls: list[int] = []

    def define(row: int) -> Values:
        calls.append(ctx.prec)
        return {"value": [arb(0, 1)]}

    assert certify(define, 1).undecided.tolist() == [True]
    assert tuple(calls) == PRECISIONS


def test_one_unknown_element_makes_the_row_undecided() -> None:
    certified = certify(
        lambda row: {"value": [arb(1), arb(0, 1)], "grad_logits": [arb(1)]}, 1, precisions=(64, 128)
    )
    assert certified.undecided.tolist() == [True]


@pytest.mark.parametrize("bits", [53, 300])
def test_precision_is_restored(bits: int) -> None:
    before, ctx.prec = ctx.prec, bits
    try:
        Oracle().truth(uniform())
        assert ctx.prec == bits
        with pytest.raises(ZeroDivisionError):
            certify(lambda row: {"value": [arb(1 // row)]}, 1)
        assert ctx.prec == bits
    finally:
        ctx.prec = before


def test_the_callers_precision_does_not_matter() -> None:
    """A definition evaluated at 2 bits would be wrong; the ladder sets its own."""
    inputs = Inputs("softmax", BINARY32, np.array([[0.5, -1.0, 2.0]]), np.zeros((1, 0)), np.ones((1, 3)))
    expected = Oracle().truth(inputs).enclosure("value")
    before, ctx.prec = ctx.prec, 2
    try:
        got = Oracle().truth(inputs).enclosure("value")
    finally:
        ctx.prec = before
    np.testing.assert_array_equal(got.hi, expected.hi)
    np.testing.assert_array_equal(got.lo, expected.lo)


def test_sizes_are_not_outputs() -> None:
    """Names that start with ``_`` feed the bounds and are kept apart from what is judged."""
    certified = certify(lambda row: {"value": [arb(1)], "_s": [arb(1) / 3]}, 2)
    assert set(certified.outputs) == {"value"}
    np.testing.assert_array_equal(certified.sizes["s"], [[1 / 3], [1 / 3]])


# --- blocks ---------------------------------------------------------------------------------------


def mixed(row: int) -> Values:
    """Three elements a row: ordinary, tiny, and one that row 4 never knows."""
    return {
        "value": [arb(row) / 3, arb(2) ** (-1000 - row) / 3, arb(0, 1) if row == 4 else arb(1) / 7],
        "_s": [arb(row) / 3],
    }


@pytest.mark.parametrize("block", [1, 4, 6, 10**6])
def test_in_whatever_blocks_the_rows_are_the_same(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = certify(mixed, 7)
    monkeypatch.setattr(ball, "BLOCK", block)
    got = certify(mixed, 7)
    assert got.undecided.tolist() == [row == 4 for row in range(7)]
    np.testing.assert_array_equal(got.sizes["s"], [[row / 3] for row in range(7)])
    for field in ("hi", "lo", "radius", "exponent"):
        found = getattr(got.outputs["value"], field)
        assert found.shape == (7, 3)
        np.testing.assert_array_equal(found, getattr(expected.outputs["value"], field))


def test_no_rows_are_no_blocks() -> None:
    nothing = certify(mixed, 0)
    assert nothing.undecided.shape == (0,) and not nothing.outputs and not nothing.sizes


def test_an_output_that_a_block_lacks_is_not_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ball, "BLOCK", 1)
    for last in (0, 1):
        with pytest.raises(KeyError, match=r"value|other"):
            certify(lambda row, last=last: {"value" if row == last else "other": [arb(1)]}, 2)  # type: ignore[misc]

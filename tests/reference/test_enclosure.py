"""An enclosure ``(hi + lo ± radius) · 2**exponent`` keeps 106 bits and rounds correctly from them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from flint import arb, ctx, fmpq
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.reference.exact_rounding import correctly_rounded, floor_log2
from xent_conformance.reference.exact.enclosure import RELATIVE_BITS, Enclosure, enclose
from xent_conformance.reference.formats import BINARY64, FORMATS, Format

ALL = list(FORMATS.values())


def enclose_all(values: list[Fraction]) -> tuple[Enclosure, np.ndarray]:
    """As the precision ladder does it: balls and their enclosure at one working precision."""
    before, ctx.prec = ctx.prec, 512
    try:
        return enclose([arb(fmpq(v.numerator, v.denominator)) for v in values])
    finally:
        ctx.prec = before


def as_fractions(e: Enclosure) -> tuple[list[Fraction], list[Fraction]]:
    """Middles and radii, exactly."""
    scales = [Fraction(2) ** int(k) for k in e.exponent]
    middles = [(Fraction(h) + Fraction(v)) * s for h, v, s in zip(e.hi, e.lo, scales, strict=True)]
    return middles, [Fraction(r) * s for r, s in zip(e.radius, scales, strict=True)]


def values_near(fmt: Format) -> list[Fraction]:
    """Ties, powers of two from both sides, subnormals and the overflow edge of ``fmt``."""
    hair = Fraction(1, 2**90)
    eta, top = Fraction(fmt.smallest_subnormal), Fraction(fmt.largest)
    last_gap = Fraction(2) ** (fmt.emax - fmt.precision + 1)
    centres = [
        Fraction(1),
        Fraction(fmt.smallest_normal),
        eta,
        3 * eta,
        eta / 2,
        3 * eta / 2,
        5 * eta / 2,
        top,
    ]
    centres += [Fraction(1) + n * Fraction(fmt.u) for n in (-1, 1, 2, 3, 5)]
    centres += [Fraction(1) - n * Fraction(fmt.u) / 2 for n in (1, 2, 3)]
    centres += [Fraction(fmt.smallest_normal) - n * eta / 2 for n in (1, 2, 3)]
    centres += [top + last_gap / 2, top + last_gap, top - last_gap / 2, 4 * top]
    return [sign * c * (1 + k * hair) for c in centres for k in (-1, 0, 1) for sign in (1, -1)]


@pytest.mark.parametrize("fmt", ALL, ids=lambda f: f.name)
def test_round_to_is_correct_at_the_edges(fmt: Format) -> None:
    """2**-90 to either side of a tie must decide it, though ``hi`` alone does not see the difference."""
    values = values_near(fmt)
    enclosure, known = enclose_all(values)
    assert known.all()
    expected = [correctly_rounded(v, fmt) for v in values]
    np.testing.assert_array_equal(enclosure.round_to(fmt), expected)


RATIONALS = st.builds(
    lambda n, d, e: Fraction(n, d) * Fraction(2) ** e,
    st.integers(-(2**80), 2**80).filter(bool),
    st.integers(1, 2**80),
    st.integers(-1150, 1050),
)


@settings(max_examples=400, database=None)
@given(RATIONALS)
@example(Fraction(2) ** 1024)
@example(Fraction(2) ** -900 * 3)
@example(Fraction(2) ** -1074)
@example(Fraction(2) ** 1000)
def test_contains_the_value_and_rounds_it(value: Fraction) -> None:
    """Everywhere, also where binary64 itself cannot hold ``hi`` or ``lo``."""
    enclosure, known = enclose_all([value])
    assert known.all()
    (middle,), (radius,) = as_fractions(enclosure)
    assert abs(value - middle) <= radius
    if abs(value) >= Fraction(2) ** -1080:
        assert radius <= abs(value) * Fraction(1, 2 ** (RELATIVE_BITS - 2))
        assert int(enclosure.floor_log2()[0]) == floor_log2(value)
    for fmt in ALL:
        assert enclosure.round_to(fmt)[0] == correctly_rounded(value, fmt), fmt.name


def test_specials_are_themselves() -> None:
    enclosure, known = enclose([float("nan"), float("inf"), float("-inf"), arb(0)])
    assert known.all()
    for fmt in ALL:
        np.testing.assert_array_equal(enclosure.round_to(fmt), [np.nan, np.inf, -np.inf, 0.0])
    np.testing.assert_array_equal(enclosure.approximate(), [np.nan, np.inf, -np.inf, 0.0])


def test_a_wide_ball_is_not_known() -> None:
    """Fewer than 100 good bits, a zero that is not certain and a ball without end are all refused."""
    vague = arb(1, arb(2) ** -99)
    around_zero = arb(0, arb(2) ** -1079)
    certainly_negligible = arb(0, arb(2) ** -1081)
    for value, known in [
        (vague, False),
        (around_zero, False),
        (arb("nan"), False),
        (arb(0, arb("inf")), False),
        (certainly_negligible, True),
        (arb(1, arb(2) ** -102), True),
    ]:
        assert enclose([value])[1].tolist() == [known], value
        assert enclose([value, arb(1)])[1].tolist() == [known, True], "a neighbour changes nothing"


def test_negligible_rounds_to_zero_in_binary64() -> None:
    enclosure, known = enclose([arb(2) ** -1081, -(arb(2) ** -3000)])
    assert known.all()
    assert enclosure.round_to(BINARY64).tolist() == [0.0, 0.0]
    assert (np.abs(enclosure.approximate()) + np.ldexp(enclosure.radius, enclosure.exponent) < 5e-324).all()


def test_indexing_and_reshaping_keep_the_four_arrays_together() -> None:
    enclosure, _ = enclose_all([Fraction(n, 3) for n in range(6)])
    part = enclosure.reshape(2, 3)[1]
    np.testing.assert_array_equal(part.hi, [1.0, 4 / 3, 5 / 3])
    assert part.lo.shape == part.radius.shape == part.exponent.shape == (3,)

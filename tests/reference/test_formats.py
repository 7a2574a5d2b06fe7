"""The four formats: their constants, their ulp, and rounding into them, against independent casts."""

from __future__ import annotations

from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.reference.exact_rounding import correctly_rounded, floor_log2, ulp
from xent_conformance.reference.formats import BFLOAT16, BINARY16, BINARY32, BINARY64, FORMATS, Format

SMALL = [BINARY16, BFLOAT16]
ALL = list(FORMATS.values())


def every_finite(fmt: Format) -> np.ndarray:
    """All finite numbers of a 16-bit format, in increasing order, −0 left out."""
    with np.errstate(invalid="ignore"):  # signalling NaNs
        values = np.arange(2**16, dtype=np.uint16).view(fmt.dtype).astype(np.float64)
    return np.unique(values[np.isfinite(values)])


@pytest.mark.parametrize("fmt", ALL, ids=lambda f: f.name)
def test_constants_are_those_of_finfo(fmt: Format) -> None:
    info = ml_dtypes.finfo(fmt.dtype)
    assert fmt.largest == float(info.max)
    assert fmt.smallest_normal == float(info.smallest_normal)
    assert fmt.smallest_subnormal == float(info.smallest_subnormal)
    assert 2 * fmt.u == float(info.eps)
    assert fmt.precision == info.nmant + 1
    assert fmt.dtype.name == fmt.name


def test_accumulators_are_binary32_or_better() -> None:
    assert [f.u_accumulate for f in ALL] == [2.0**-24, 2.0**-24, 2.0**-24, 2.0**-53]


def test_hex_is_the_stored_bits() -> None:
    assert BFLOAT16.hex(1.0) == "0x3f80"
    assert BINARY16.hex(-2.0) == "0xc000"
    assert BINARY32.hex(1.0) == "0x3f800000"
    assert BINARY64.hex(float("inf")) == "0x7ff0000000000000"


@pytest.mark.parametrize("fmt", SMALL, ids=lambda f: f.name)
def test_ulp_is_the_gap_of_every_number(fmt: Format) -> None:
    """The distance to the next number away from zero, for all of them; beyond the largest, the last gap."""
    numbers = every_finite(fmt)
    numbers = numbers[numbers >= 0]
    k = fmt.ulp_exponent(
        np.array([-(2**20) if x == 0 else floor_log2(Fraction(x)) for x in numbers.tolist()])
    )
    np.testing.assert_array_equal(np.ldexp(1.0, k)[:-1], np.diff(numbers))
    assert np.ldexp(1.0, k)[-1] == np.diff(numbers)[-1]


@pytest.mark.parametrize("fmt", ALL, ids=lambda f: f.name)
def test_ulp_at_the_edges(fmt: Format) -> None:
    """Zero and subnormals: η. Below a power of two: half of what it is at it. Beyond range: the last."""
    below_one, one, two = fmt.ulp_exponent(np.array([-1, 0, 1]))
    assert (below_one, one, two) == (-fmt.precision, 1 - fmt.precision, 2 - fmt.precision)
    tiny = fmt.ulp_exponent(np.array([-(2**20), fmt.emin - 5, fmt.emin - 1, fmt.emin, fmt.emin + 1]))
    assert np.ldexp(1.0, tiny[:4]).tolist() == [fmt.smallest_subnormal] * 4
    assert tiny[4] == tiny[3] + 1
    last = fmt.ulp_exponent(np.array([fmt.emax - 1, fmt.emax, fmt.emax + 1, 2**20]))
    assert last[0] + 1 == last[1] == last[2] == last[3]


@pytest.mark.parametrize("fmt", SMALL, ids=lambda f: f.name)
def test_nearest_around_every_number(fmt: Format) -> None:
    """Each number, each midpoint (a tie) and a hair to either side of it, over the whole format."""
    numbers = every_finite(fmt)
    middles = (numbers[:-1] + numbers[1:]) / 2
    np.testing.assert_array_equal(fmt.nearest(numbers), numbers)
    np.testing.assert_array_equal(fmt.nearest(np.nextafter(middles, -np.inf)), numbers[:-1])
    np.testing.assert_array_equal(fmt.nearest(np.nextafter(middles, np.inf)), numbers[1:])
    ties = fmt.nearest(middles)
    bits = ties.astype(fmt.dtype).view(np.uint16)
    assert ((ties == numbers[:-1]) | (ties == numbers[1:])).all()
    assert (bits % 2 == 0).all(), "ties go to the even neighbour"


@pytest.mark.parametrize("fmt", [BINARY16, BFLOAT16, BINARY32], ids=lambda f: f.name)
def test_nearest_agrees_with_casts(fmt: Format) -> None:
    """From binary32 bits (a cast of ml_dtypes from binary64 rounds twice), and NumPy's from binary64."""
    words = np.random.Philox(key=7).random_raw(200_000)
    singles = words.astype(np.uint32).view(np.float32)
    singles = singles[np.isfinite(singles)]
    with np.errstate(over="ignore"):
        cast = singles.astype(fmt.dtype).astype(np.float64)
    np.testing.assert_array_equal(fmt.nearest(singles.astype(np.float64)), cast)
    if fmt is not BFLOAT16:
        doubles = np.ldexp(words.astype(np.float64), (words % 300).astype(np.int64) - 220)
        with np.errstate(over="ignore", under="ignore"):
            np.testing.assert_array_equal(fmt.nearest(doubles), doubles.astype(fmt.dtype).astype(np.float64))


@settings(max_examples=500, database=None)
@given(x=st.floats(allow_nan=False, allow_infinity=False), fmt=st.sampled_from(ALL))
def test_nearest_is_the_definition(x: float, fmt: Format) -> None:
    assert float(fmt.nearest(np.array(x))) == correctly_rounded(Fraction(x), fmt)


@pytest.mark.parametrize("fmt", ALL, ids=lambda f: f.name)
def test_nearest_keeps_what_is_no_number(fmt: Format) -> None:
    out = fmt.nearest(np.array([np.nan, np.inf, -np.inf, 0.0, -0.0]))
    np.testing.assert_array_equal(out, [np.nan, np.inf, -np.inf, 0.0, 0.0])


@pytest.mark.parametrize("fmt", [BINARY16, BFLOAT16, BINARY32], ids=lambda f: f.name)
def test_nearest_overflows_from_half_an_ulp_beyond(fmt: Format) -> None:
    half = float(ulp(Fraction(fmt.largest), fmt)) / 2
    edge = fmt.largest + half
    out = fmt.nearest(np.array([np.nextafter(edge, 0), edge, -np.nextafter(edge, 0), -edge]))
    assert out.tolist() == [fmt.largest, np.inf, -fmt.largest, -np.inf]

"""Numbers on the page: shortest decimals that read back, exact decimals, bits, ulps."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xent_conformance.reports.text.numbers import (
    LAYOUTS,
    bits,
    count,
    elements,
    exact,
    exact_fraction,
    per_cent,
    seconds,
    shortest,
    ulps,
)

DTYPES = {name: np.dtype(getattr(ml_dtypes, name, name)) for name in LAYOUTS}
finite = st.floats(allow_nan=False, allow_infinity=False)


def every_16_bit(dtype: str) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return np.arange(2**16, dtype=np.uint16).view(DTYPES[dtype]).astype(np.float64)


@pytest.mark.parametrize(
    ("value", "dtype", "expected"),
    [
        (1.0, "bfloat16", "0x3f80"),
        (1.0, "float16", "0x3c00"),
        (1.0, "float32", "0x3f800000"),
        (1.0, "float64", "0x3ff0000000000000"),
        (-0.0, "bfloat16", "0x8000"),
        (-0.0, "float64", "0x8000000000000000"),
        (math.inf, "bfloat16", "0x7f80"),
        (-math.inf, "float16", "0xfc00"),
        (math.inf, "float32", "0x7f800000"),
        (2.0**-133, "bfloat16", "0x0001"),
        (2.0**-24, "float16", "0x0001"),
        (2.0**-149, "float32", "0x00000001"),
        (2.0**-1074, "float64", "0x0000000000000001"),
        (math.nan, "bfloat16", "0x7fc0"),
        (math.nan, "float16", "0x7e00"),
        (math.nan, "float32", "0x7fc00000"),
        (math.nan, "float64", "0x7ff8000000000000"),
    ],
)
def test_bits(value: float, dtype: str, expected: str) -> None:
    assert bits(value, dtype) == expected


@pytest.mark.parametrize(
    ("value", "dtype"), [(0.1, "float32"), (1.001, "bfloat16"), (1e39, "float32"), (65520.0, "float16")]
)
def test_a_value_that_the_format_does_not_have_has_no_bits(value: float, dtype: str) -> None:
    assert bits(value, dtype) is None
    assert float(shortest(value, dtype)) == value


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_every_16_bit_number_reads_back(dtype: str) -> None:
    values = every_16_bit(dtype)
    texts = [shortest(float(v), dtype) for v in values]
    back = np.array([float(t) for t in texts]).astype(DTYPES[dtype]).astype(np.float64)
    np.testing.assert_array_equal(back, values)
    np.testing.assert_array_equal(np.signbit(back), np.signbit(values) & ~np.isnan(values))


@given(st.floats(width=32, allow_nan=False))
def test_every_binary32_reads_back(value: float) -> None:
    assert float(np.float32(shortest(value, "float32"))) == value


@given(finite)
def test_every_binary64_reads_back_and_is_as_short_as_repr(value: float) -> None:
    text = shortest(value, "float64")
    assert float(text) == value
    assert math.copysign(1, float(text)) == math.copysign(1, value)
    if abs(value) < 1e16:
        assert len(Decimal(text).normalize().as_tuple().digits) <= len(
            Decimal(repr(value)).normalize().as_tuple().digits
        )


@pytest.mark.parametrize(
    ("value", "dtype", "text"),
    [
        (0.10000000149011612, "float32", "0.1"),
        (0.0, "float32", "0"),
        (-0.0, "float32", "-0"),
        (65504.0, "float16", "65504"),
        (3.3895313892515355e38, "bfloat16", "3.39e+38"),
        (2.0**-24, "float16", "6e-08"),
        (math.nan, "float16", "NaN"),
        (-math.inf, "float16", "-inf"),
    ],
)
def test_shortest(value: float, dtype: str, text: str) -> None:
    assert shortest(value, dtype) == text


@pytest.mark.parametrize("dtype", LAYOUTS)
def test_elements_are_read_from_little_endian_bytes(dtype: str) -> None:
    largest = np.inf if LAYOUTS[dtype].letter else 448.0  # a format without infinities has 448
    values = np.array([1.5, -0.0, largest, -2.0], dtype=DTYPES[dtype])
    row = elements(values.tobytes().hex(), dtype)
    assert [e.decimal for e in row] == ["1.5", "-0", "inf" if np.isinf(largest) else "448", "-2"]
    assert [e.bits for e in row] == [bits(float(v), dtype) for v in values]


def test_a_nan_keeps_its_payload() -> None:
    (element,) = elements("c1ff", "bfloat16")
    assert (element.decimal, element.bits) == ("NaN", "0xffc1")


def test_torn_bytes_are_refused() -> None:
    with pytest.raises(ValueError, match="3 bytes are not a row of float16"):
        elements("000000", "float16")


@given(finite, st.floats(-0.5, 0.5), st.integers(-1200, 1200))
def test_exact_is_within_half_a_unit_of_the_20th_digit(hi: float, part: float, exponent: int) -> None:
    lo = part * math.ulp(hi) if math.isfinite(part * math.ulp(hi)) else 0.0
    value = exact_fraction(hi, lo, exponent)
    shown = Fraction(exact(hi, lo, exponent))
    if value == 0:
        assert shown == 0
        return
    power = Decimal(exact(hi, lo, exponent)).adjusted()
    assert abs(shown - value) <= Fraction(1, 2) * Fraction(10) ** (power - 19)


@pytest.mark.parametrize(
    ("hi", "lo", "exponent", "text"),
    [
        (131008.0, 0.0, 0, "131008"),
        (1.0, 2.0**-60, 0, "1.0000000000000000009"),
        (1.0, 2.0**-90, 0, "1.0000000000000000000"),
        (-0.5, 0.0, -2, "-0.125"),
        (1.0, 0.0, -2000, "8.7098098162172166756e-603"),
        (0.0, 0.0, 0, "0"),
        (math.inf, 0.0, 0, "inf"),
        (math.nan, 0.0, 0, "NaN"),
    ],
)
def test_exact(hi: float, lo: float, exponent: int, text: str) -> None:
    assert exact(hi, lo, exponent) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.5, "0.50"),
        (0.9996, "< 1"),
        (9.996, "10.0"),
        (761.667, "761.7"),
        (12345.4, "12,345"),
        (3.2e15, "3.2×10¹⁵"),
        (1e-5, "1.0×10⁻⁵"),
        (math.inf, "> 10³⁰⁸"),
        (math.nan, "—"),
    ],
)
def test_ulps(value: float, text: str) -> None:
    assert ulps(value) == text


def test_counts_and_seconds() -> None:
    assert count(52568) == "52,568"
    assert (seconds(92.588), seconds(0.004)) == ("92.6 s", "4 ms")


def test_all_and_none_are_said_of_all_and_none_only() -> None:
    assert [per_cent(n, 3000) for n in (0, 1, 1500, 2999, 3000)] == [
        "0 %",
        "0.1 %",
        "50.0 %",
        "99.9 %",
        "100 %",
    ]

"""Bits: every format's own, one NaN for all, two zeros."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

from xent_conformance.worker.bits import other_bits, other_rows

FORMATS = [np.float16, ml_dtypes.bfloat16, np.float32, np.float64]


@pytest.mark.parametrize("dtype", FORMATS)
def test_zeros_differ_and_nan_is_nan(dtype: Any) -> None:
    a = np.array([0.0, np.nan, 1.0, np.inf]).astype(dtype)
    b = np.array([-0.0, -np.nan, 1.0, np.inf]).astype(dtype)
    assert other_bits(a, b).tolist() == [True, False, False, False]
    assert other_bits(a, np.array([0.0, 1.0, np.nan, -np.inf]).astype(dtype)).tolist() == [False, *[True] * 3]


@pytest.mark.parametrize("dtype", [np.longdouble, np.complex128, object])
def test_what_has_more_bits_than_a_word_is_compared_by_its_numbers(dtype: Any) -> None:
    """None of them is a format: whoever returns it breaks 1.4 anyway, and is to be judged."""
    a, b = np.array([1.0, np.nan, 2.0]).astype(dtype), np.array([1.0, np.nan, 3.0]).astype(dtype)
    assert other_bits(a, b).tolist() == [False, False, True]


def test_the_payload_of_a_nan_says_nothing() -> None:
    a = np.full(2, np.nan, dtype=np.float32)
    b = a.copy()
    b.view(np.uint32)[1] |= 77
    assert a.tobytes() != b.tobytes() and not other_bits(a, b).any()


def test_integers_and_shapes() -> None:
    assert other_bits(np.arange(3), np.array([0, 5, 2])).tolist() == [False, True, False]
    assert other_bits(np.array(1.0), np.array(2.0)).shape == ()
    assert not other_bits(np.zeros((0, 4)), np.zeros((0, 4))).size


def test_another_shape_or_format_differs_everywhere() -> None:
    a = np.zeros((2, 3), dtype=np.float32)
    assert other_bits(a, np.zeros((2, 3))).all() and other_bits(a, a[:1]).all()


def test_memory_that_is_not_contiguous() -> None:
    a = np.arange(12.0).reshape(3, 4)
    b = a.copy()
    b[2, 1] = np.nextafter(b[2, 1], 99)
    assert other_rows(a.T, b.T).tolist() == [False, True, False, False]
    assert other_rows(a, b).tolist() == [False, False, True]
    assert other_rows(a[:, 0], b[:, 1]).tolist() == [True, True, True]

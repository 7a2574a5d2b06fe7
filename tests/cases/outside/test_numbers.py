"""The numbers of a file are numbers of the format, or refused by place; bits go there and back."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xent_conformance.cases.outside.numbers import MAX_NUMBERS, CasesError, bits, floats, indices, told
from xent_conformance.reference.formats import BFLOAT16, BINARY16, BINARY32, BINARY64, FORMATS, native


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (1, 1.0),
        (-0.5, -0.5),
        ("inf", math.inf),
        ("+inf", math.inf),
        ("-inf", -math.inf),
        ("-INF", -math.inf),
        ("0x1.8p+1", 3.0),
        ("-0x1p-149", -(2.0**-149)),
        ("0x0.8p1", 1.0),
        ("0x10p0", 16.0),
        ("0x0p0", 0.0),
    ],
)
def test_a_number(written: Any, value: float) -> None:
    assert floats(written, BINARY32, "x") == value
    assert floats([[written]], BINARY32, "x").tolist() == [[value]]


def test_signs_and_nan_are_kept() -> None:
    assert math.copysign(1, floats("-0x0p0", BINARY32, "x")) == -1
    assert math.copysign(1, floats(-0.0, BINARY32, "x")) == -1
    assert np.isnan(floats("nan", BINARY16, "x"))


@given(st.floats(width=32), st.sampled_from([BINARY32, BINARY64]))
def test_what_python_prints_in_hexadecimal_is_read(value: float, fmt: Any) -> None:
    text = value.hex() if math.isfinite(value) else str(value)
    assert np.array_equal(floats(text, fmt, "x"), value, equal_nan=True)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ([1.0, 0.1], "x[1]: 0.1 is no float32 number, the nearest is 0.10000000149011612; write that, or"),
        ([[1.0], [1e40]], 'x[1][0]: 1e+40 is no float32 number, the nearest is "inf"'),
        ("0x1.0000001p0", "no float32 number, the nearest is 1.0"),
        ("0x1.00000000000001p0", "is no binary64 number, so it is of no format"),
        ("0x1p99999", "is no binary64 number"),
        ("1.5", "'1.5' is no number: strings are"),
        ("12", "'12' is no number"),  # float.fromhex reads 18
        ("infinity", "is no number"),
        (True, "'True' is no number"),
        (None, "'None' is no number"),
        ([{}], "x[0]: '{}' is no number"),
        (10**400, 'beyond every format; an infinity is written "inf"'),
        ([1.0, json.loads("-1e400")], 'x[1]: it is beyond every format; an infinity is written "inf"'),
        ([[1, 2], [3]], "x[1]: it has 1 elements, and the first list there has 2 elements"),
        ([[1], 2], "x[1]: it has a number, and the first list"),
        ([1, [2]], "x[1]: a list stands where its neighbours are numbers"),
        ([[[[[[[[[1]]]]]]]]], "more than 8 axes"),
        ({"bits": "AAAA"}, 'an object has "bits" and "shape", this one bits'),
        ({"bits": "AAAA", "shape": [1]}, "3 bytes of bits; shape (1,) of float32 needs 4"),
        ({"bits": "!!!!", "shape": [1]}, "bits are no base64"),
        ({"bits": 3, "shape": [1]}, "bits are no base64"),
        ({"bits": "", "shape": [-1]}, "shape [-1] is no list"),
        ({"bits": "", "shape": [True]}, "is no list"),
        ({"bits": "", "shape": [MAX_NUMBERS, 2]}, f"{2 * MAX_NUMBERS} numbers; a case holds at most"),
    ],
)
def test_what_is_refused(written: Any, said: str) -> None:
    with pytest.raises(CasesError) as refused:
        floats(written, BINARY32, "x")
    assert said in str(refused.value) and "\n" not in str(refused.value)


def test_nearest_rounds_to_even_once() -> None:
    written = [0.1, 2049.0, 65520.0, "nan"]
    found = floats(written, BINARY16, "x", nearest=True)
    assert np.array_equal(found, [float(np.float16(0.1)), 2048.0, math.inf, math.nan], equal_nan=True)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ([0, 1.5], "x[1]: 1.5 is no index"),
        (["nan"], "x[0]: 'nan' is no index"),
        ([True], "True is no index"),
        ([2**53 + 1], "is no index that a case can hold"),
        ([2**80], "is no index that a case can hold"),
    ],
)
def test_an_index_is_a_whole_number(written: Any, said: str) -> None:
    with pytest.raises(CasesError, match=said.replace("[", r"\[")):
        indices(written, "x")
    assert indices([[3, -100]], "x").tolist() == [[3.0, -100.0]]


@pytest.mark.parametrize("fmt", FORMATS.values(), ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0), (2, 3, 4)])
def test_bits_go_there_and_back(fmt: Any, shape: tuple[int, ...]) -> None:
    words = np.random.default_rng(5).integers(0, 256, (*shape, fmt.dtype.itemsize), dtype=np.uint8)
    array = np.ascontiguousarray(words).view(fmt.dtype).reshape(shape)
    found = floats(bits(array), fmt, "x")
    assert found.shape == shape
    assert np.array_equal(found, array.astype(np.float64), equal_nan=True)


def test_bits_are_little_endian_and_indices_of_64() -> None:
    assert bits(np.array([1.0], dtype=">f4")) == {"bits": "AACAPw==", "shape": [1]}
    assert indices(bits(np.array([-1, 7])), "x").tolist() == [-1.0, 7.0]
    transposed = np.arange(6.0, dtype=np.float32).reshape(2, 3).T
    assert np.array_equal(floats(bits(transposed), BINARY32, "x"), transposed)


@given(st.lists(st.floats(width=16), max_size=5))
def test_what_is_told_is_read(values: list[float]) -> None:
    array = np.array(values, dtype=np.float64)
    assert np.array_equal(floats(told(array), BINARY16, "x"), array, equal_nan=True)
    assert native(floats([1.0], BFLOAT16, "x"), BFLOAT16.dtype).tobytes() == b"\x80\x3f"

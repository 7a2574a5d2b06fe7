"""The same numbers in other memory: equal element by element, and truly where the layout says."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest

from tests.support.fakes_in_any_manner import LAYOUTS
from xent_conformance.cases.form import Layout
from xent_conformance.frameworks.interface import dtype_of
from xent_conformance.reference.formats import FORMATS
from xent_conformance.worker.layouts import laid_out

Array = np.ndarray[Any, np.dtype[Any]]

BROADCAST = ("broadcast", "cotangent_broadcast", "logits_broadcast")
ADVERSE = ("strided", "sliced")
"""Layouts with gaps, which hold garbage."""


def numbers(shape: tuple[int, ...], dtype: str = "float32") -> Array:
    return (1.0 + np.arange(np.prod(shape, dtype=int))).reshape(shape).astype(dtype_of(dtype))


def equal_rows(shape: tuple[int, ...], dtype: str = "float32") -> Array:
    return np.repeat(numbers((1, *shape[1:]), dtype), shape[0], axis=0)


def around(a: Array, elements: int) -> Array:
    """The memory from the first element of a view on."""
    return np.lib.stride_tricks.as_strided(a, (elements,), (a.itemsize,)).astype(np.float64)


def test_there_is_a_layout_for_every_name() -> None:
    assert set(get_args(Layout)) == {"contiguous", *LAYOUTS}
    for layout in get_args(Layout):
        laid_out("cotangent", equal_rows((2, 3)), layout)


@pytest.mark.parametrize("dtype", [*FORMATS, "int64", "uint8"])
@pytest.mark.parametrize("shape", [(8,), (8, 11), (2, 11, 2), (2, 5, 2, 2)], ids=str)
@pytest.mark.parametrize("layout", get_args(Layout))
def test_elements_are_where_they_were(layout: str, shape: tuple[int, ...], dtype: str) -> None:
    a = equal_rows(shape, dtype) if layout in BROADCAST else numbers(shape, dtype)
    for name in ("logits", "labels", "cotangent"):
        found = laid_out(name, a, layout)
        assert found.dtype == a.dtype
        assert found.shape == a.shape
        assert np.array_equal(found, a)


@pytest.mark.parametrize("dtype", FORMATS)
def test_transposed_memory(dtype: str) -> None:
    found = laid_out("logits", numbers((8, 11), dtype), "transposed")
    size = found.itemsize
    assert found.strides == (size, 8 * size)
    assert found.flags.f_contiguous and not found.flags.c_contiguous


def test_transposed_memory_of_a_block_is_reversed_in_all_axes() -> None:
    assert laid_out("logits", numbers((2, 11, 3)), "transposed").strides == (4, 8, 88)


@pytest.mark.parametrize("shape", [(8,), (8, 11), (2, 11, 2)], ids=str)
def test_strides_are_two_elements_along_every_axis(shape: tuple[int, ...]) -> None:
    found = laid_out("logits", numbers(shape), "strided")
    wide = np.zeros([2 * n for n in shape], dtype=np.float32)
    assert found.strides == tuple(2 * s for s in wide.strides)
    assert found.base is not None


def test_a_slice_has_other_numbers_before_and_behind_every_row() -> None:
    found = laid_out("logits", numbers((8, 11)), "sliced")
    assert found.strides == (14 * 4, 4)
    assert found.base is not None and found.base.shape == (11, 14)


@pytest.mark.parametrize("layout", ADVERSE)
@pytest.mark.parametrize("dtype", FORMATS)
def test_gaps_are_full_of_nan(layout: str, dtype: str) -> None:
    """Whoever reads on where a row ends reads NaN, at once."""
    found = laid_out("logits", numbers((8, 11), dtype), layout)
    step = found.strides[0] // found.itemsize
    memory = around(found, step * 7 + 11)
    theirs = np.zeros(len(memory), dtype=bool)
    for i in range(8):
        theirs[
            i * step : i * step + found.strides[1] // found.itemsize * 11 : found.strides[1] // found.itemsize
        ] = True
    assert np.isfinite(memory[theirs]).all()
    assert np.isnan(memory[~theirs]).all()
    assert (~theirs).sum() >= 7


@pytest.mark.parametrize("layout", ADVERSE)
@pytest.mark.parametrize("dtype", ["int64", "int8", "uint64"])
def test_gaps_among_labels_are_absurd_indices(layout: str, dtype: str) -> None:
    found = laid_out("labels", np.arange(8).astype(dtype), layout)
    assert found.base is not None
    beside = set(found.base.tolist()) - set(range(8))
    assert beside == {np.iinfo(dtype).max}


@pytest.mark.parametrize("dtype", FORMATS)
def test_misaligned_memory_is_one_element_behind_a_boundary(dtype: str) -> None:
    for shape in ((8, 11), (3,), (1, 1), (2, 11, 2)):
        found = laid_out("logits", numbers(shape, dtype), "misaligned")
        assert found.ctypes.data % 64 == found.itemsize
        assert found.flags.c_contiguous


@pytest.mark.parametrize("shape", [(8,), (8, 11), (2, 11, 2)], ids=str)
def test_reversed_memory_runs_backwards_along_every_axis(shape: tuple[int, ...]) -> None:
    found = laid_out("logits", numbers(shape), "reversed")
    assert all(s < 0 for s in found.strides)
    assert [-s for s in found.strides] == list(numbers(shape).strides)


def test_a_broadcast_row_is_in_memory_once() -> None:
    for name in ("logits", "labels", "cotangent"):
        assert laid_out(name, equal_rows((8, 11)), "broadcast").strides == (0, 4)
    assert laid_out("labels", np.full(8, 3), "broadcast").strides == (0,)


def test_only_the_cotangent_is_broadcast_where_the_layout_says_so() -> None:
    """What automatic differentiation of a sum hands on."""
    found = {n: laid_out(n, equal_rows((8, 11)), "cotangent_broadcast") for n in ("logits", "cotangent")}
    assert found["cotangent"].strides == (0, 4)
    assert found["logits"].flags.c_contiguous and found["logits"].strides == (44, 4)


@pytest.mark.parametrize("layout", BROADCAST)
def test_behind_a_broadcast_row_are_other_numbers(layout: str) -> None:
    """Else a kernel that ignores the stride of zero walks on through equal rows, and is right."""
    a = equal_rows((8, 11))
    name = layout.partition("_")[0] if "_" in layout else "labels"
    assert not np.shares_memory(laid_out(name, a, layout), a)


def test_channels_last() -> None:
    found = laid_out("logits", numbers((2, 11, 2, 2)), "class_last")
    strides = found.strides
    assert strides[1] == 4, "the classes are innermost"
    assert strides == (11 * 2 * 2 * 4, 4, 11 * 2 * 4, 11 * 4)


@pytest.mark.parametrize("layout", ["contiguous", "strided", "misaligned"])
def test_a_number_stays_a_number(layout: str) -> None:
    """The cotangent of a reduced loss, the label of a vector: no axis, and none is added."""
    for dtype in ("float32", "bfloat16", "int64"):
        found = laid_out("cotangent", np.array(3).astype(dtype_of(dtype)), layout)
        assert found.shape == () and float(found) == 3.0
        assert isinstance(found, np.ndarray), "torch.from_numpy takes no scalar"


@pytest.mark.parametrize("layout", get_args(Layout))
def test_nothing_is_laid_out_as_nothing(layout: str) -> None:
    if layout not in BROADCAST:
        assert laid_out("logits", numbers((0, 4)), layout).shape == (0, 4)

"""Arrays as bytes: what went in comes out, bit for bit, and nothing else is read."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from xent_conformance.reference.cache import packed, unpacked

KINDS = st.sampled_from([np.dtype(np.float64), np.dtype(np.int64), np.dtype(np.int32), np.dtype(bool)])
ANY = KINDS.flatmap(lambda kind: arrays(kind, array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)))


@given(st.dictionaries(st.text(max_size=5), ANY, max_size=4))
def test_what_went_in_comes_out(found: dict[str, np.ndarray]) -> None:
    back = unpacked(packed(found))
    assert list(back) == list(found)
    for name, array in found.items():
        assert back[name].dtype == array.dtype and back[name].shape == array.shape
        assert back[name].tobytes() == array.tobytes()


@pytest.mark.parametrize("body", [b"", b"{}x", b"no", b"3\n", b'[["a", "<f8", [2]]]\n12345678', b"[[1]]\n"])
def test_what_is_not_packed_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):
        unpacked(body)


def test_more_than_was_packed_is_refused() -> None:
    with pytest.raises(ValueError, match="1 bytes too many"):
        unpacked(packed({"a": np.zeros(2)}) + b"x")

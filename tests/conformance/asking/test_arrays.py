"""The arrays of a batch, as a call is sent them."""

from __future__ import annotations

import numpy as np

from tests.support.by_hand import INFINITY, batch
from tests.support.guilty_rows import CLEAN
from xent_conformance.asking.arrays import arrays_of


def test_arrays_are_the_dtypes_own_bits() -> None:
    b = batch("softmax_cross_entropy", [[-0.0, INFINITY, 0.5]], labels=[[0.0, 0.0, 1.0]], dtype="bfloat16")
    arrays = arrays_of(b)
    assert {name: (a.dtype.name, a.shape) for name, a in arrays.items()} == {
        "logits": ("bfloat16", (1, 3)),
        "labels": ("bfloat16", (1, 3)),
        "cotangent": ("bfloat16", (1,)),
    }
    assert arrays["logits"].view(np.uint16).tolist() == [[0x8000, 0x7F80, 0x3F00]]


def test_index_labels_are_int64() -> None:
    arrays = arrays_of(batch("sparse_softmax_cross_entropy", CLEAN, labels=[[i % 3] for i in range(5)]))
    assert arrays["labels"].dtype == np.int64
    assert arrays["labels"].tolist() == [0, 1, 2, 0, 1]


def test_no_labels_where_there_are_none() -> None:
    assert set(arrays_of(batch("softmax", CLEAN))) == {"logits", "cotangent"}

"""The derivative of ``p log p`` by a reciprocal, of subnormal targets: JAX on a CPU, and on CUDA."""

from __future__ import annotations

import numpy as np
import pytest

from xent_conformance.cases.corpus import find_case
from xent_conformance.diagnosis.predict import Right, predictions
from xent_conformance.reference.cache import default_cache
from xent_conformance.reference.oracle import Oracle

NAME = "the reciprocal of a target overflows"
KEPT = "of a subnormal target that is kept"
NAN, INF = np.nan, np.inf


@pytest.mark.parametrize(
    "dtype, flushed, kept",
    [("bfloat16", NAN, -INF), ("float16", -INF, -INF), ("float32", NAN, INF), ("float64", NAN, -INF)],
)
def test_what_comes_back_of_a_subnormal_target(dtype: str, flushed: float, kept: float) -> None:
    """Of the second class of the row: on an x86-64 CPU, whose JAX flushes, and on an H200, whose does not."""
    batch, case = find_case(f"kl_divergence/soft_labels/subnormal/{dtype}/n10/r0")
    right = Right(Oracle(default_cache()).truth(batch.inputs), "grad_labels")
    told = {p.name[1]: p.values[case.row, 1] for p in predictions(right, lambda n: n[0] == NAME)}
    assert set(told) == {"", KEPT}
    assert np.array_equal([told[""], told[KEPT]], [flushed, kept], equal_nan=True)

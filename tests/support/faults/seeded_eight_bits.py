"""Faults of formats of eight bits: what a format has not, or has in other places than another of its size."""

from __future__ import annotations

import ml_dtypes
import numpy as np

from tests.support.faults.blocks import Ask
from tests.support.faults.fault import DENSE, LIKELIHOOD, delivery, output, right
from tests.support.faults.kernel import Kernel
from tests.support.faults.sums import Array

E4M3 = np.dtype(ml_dtypes.float8_e4m3fn)


@output(DENSE, "value", "the maximum begins at −∞, which is NaN in a format without infinities")
def maximum_of_no_infinity(a: Ask) -> Array:
    begun = a.rounded(np.full((1, 1), -np.inf))
    return np.where(np.isnan(begun), begun, right(a, "value"))


@delivery(LIKELIHOOD, "read", "E4M3 is read with the bias of its other form (FNUZ): the half of each number")
def e4m3_of_another_bias(self: Kernel, name: str, tensor: Array) -> Array:
    other = tensor.view(ml_dtypes.float8_e4m3fnuz) if tensor.dtype == E4M3 else tensor
    return np.array(other, order="C").astype(tensor.dtype)

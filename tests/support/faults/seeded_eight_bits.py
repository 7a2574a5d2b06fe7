"""Faults of formats of eight bits: what a format has not, or has in other places than another of its size."""

from __future__ import annotations

import ml_dtypes
import numpy as np

from tests.support.faults.blocks import Ask
from tests.support.faults.fault import DENSE, LIKELIHOOD, Beyond, delivery, output, right
from tests.support.faults.kernel import Kernel
from tests.support.faults.sums import Array

E4M3 = np.dtype(ml_dtypes.float8_e4m3fn)


@output(DENSE, "value", "the maximum begins at −∞, which is NaN in a format without infinities")
def maximum_of_no_infinity(a: Ask) -> Array:
    begun = a.rounded(np.full((1, 1), -np.inf))
    return np.where(np.isnan(begun), begun, right(a, "value"))


@output(
    DENSE,
    "value",
    "of eight bits four are loaded at once: classes beyond a multiple of four are in no sum",
    beyond=Beyond("eight_bits", "standard", "float8_e4m3fn", "quick asks four classes in eight bits"),
)
def tail_of_eight_bits_left_out(a: Ask) -> Array:
    left_out = (np.arange(a.n) >= a.n // 4 * 4) & (a.dtype.itemsize == 1) & (a.p == 0)
    return right(a, "value", x=np.where(left_out, -np.inf, a.x))


@delivery(LIKELIHOOD, "read", "E4M3 is read with the bias of its other form (FNUZ): the half of each number")
def e4m3_of_another_bias(self: Kernel, name: str, tensor: Array) -> Array:
    other = tensor.view(ml_dtypes.float8_e4m3fnuz) if tensor.dtype == E4M3 else tensor
    return np.array(other, order="C").astype(tensor.dtype)

"""Faults of what stands before an operator and after it, and of masks (SPEC.md 6.15, 4.6)."""

from __future__ import annotations

import numpy as np

from tests.support.faults.blocks import Ask
from tests.support.faults.fault import BINARY, DENSE, SPARSE, delivery, output, part, plain, right
from tests.support.faults.kernel import Kernel
from tests.support.faults.sums import Array
from xent_conformance.frameworks.interface import Call, dtype_of

# --- a scale, a temperature, a bias, a factor ------------------------------------------------------


@part("softmax", "s", "the product is fused into the difference and not into the maximum: exp overflows")
def fused_into_the_difference(a: Ask) -> Array:
    if a.dtype != np.float32:
        return a.e / a.S
    e = np.exp((a.x - a.m.astype(np.float32)).astype(np.float32))
    return (e / e.sum(axis=1, keepdims=True)).astype(np.float64)


@delivery("softmax", "chain", "the gradient knows no scale and no temperature")
def gradient_without_scale(self: Kernel, call: Call) -> float:
    return 1.0


@delivery("log_softmax", "before", "the bias is added twice")
def bias_twice(self: Kernel, call: Call, x: Array) -> Array:
    bias = np.array([call.keywords.get("bias", (0.0,))])
    return Kernel.before(self, call, x) + bias


@delivery(SPARSE, "before", "the bias is added before the temperature divides")
def bias_before_temperature(self: Kernel, call: Call, x: Array) -> Array:
    bias = np.array([call.keywords.get("bias", (0.0,))])
    factor = call.keywords.get("scale", 1.0) / call.keywords.get("temperature", 1.0)
    return (x + bias) * factor


@delivery("softmax", "before", "a temperature below a hundredth is taken for a hundredth")
def temperature_held_up(self: Kernel, call: Call, x: Array) -> Array:
    temperature = call.keywords.get("temperature", 1.0)
    return Kernel.before(self, call, x) * (temperature / max(temperature, 0.01))


@delivery("sigmoid", "before", "a product that is kept in bfloat16")
def product_in_sixteen_bits(self: Kernel, call: Call, x: Array) -> Array:
    y = Kernel.before(self, call, x)
    if not {"scale", "temperature"} & set(call.keywords) or call.logits.dtype != np.float32:
        return y
    cut = y.astype(np.float32).view(np.uint32) & np.uint32(0xFFFF0000)
    return cut.view(np.float32).astype(np.float64)


@delivery("softmax", "product", "a matrix product with the ten bits of TF32")
def product_in_eleven_bits(self: Kernel, x: Array, matrix: Array) -> Array:
    cut = [
        (a.astype(np.float32).view(np.uint32) & np.uint32(0xFFFFE000)).view(np.float32) for a in (x, matrix)
    ]
    return Kernel.product(self, *(a.astype(x.dtype) for a in cut)) if matrix.ndim else x


@delivery("sigmoid", "after", "the gradient goes back through the matrix as it is, not turned")
def gradient_by_the_matrix_itself(self: Kernel, a: Ask, output: str, found: Array) -> Array:
    return Kernel.after(self, plain(a, matrix=a.matrix.T), output, found)


@delivery("log_sigmoid", "after", "logits that arrive in bfloat16 are computed with in it")
def computed_in_the_narrow_format(self: Kernel, a: Ask, output: str, found: Array) -> Array:
    right = Kernel.after(self, a, output, found)
    return right.astype(dtype_of(a.cast)).astype(right.dtype) if a.cast else right


@delivery("logsumexp", "before", "a temperature that multiplies")
def temperature_multiplies(self: Kernel, call: Call, x: Array) -> Array:
    return Kernel.before(self, call, x) * call.keywords.get("temperature", 1.0) ** 2


@delivery(BINARY, "after", "the gradient knows no factor")
def gradient_without_factor(self: Kernel, a: Ask, output: str, found: Array) -> Array:
    right = Kernel.after(self, a, output, found)
    return right if output == "value" else right / a.times


# --- masks -----------------------------------------------------------------------------------------


@delivery("softmax", "hidden", "−10 000 stands for −∞")
def finite_mask(self: Kernel, call: Call, y: Array) -> Array:
    return np.where(np.array(call.keywords["mask"]), y, -1e4) if "mask" in call.keywords else y


@part("softmax", "s", "masked probabilities are zeroed and the others not normalised again")
def zeroed_afterwards(a: Ask) -> Array:
    e = np.exp(a.seen - a.seen.max(axis=1, keepdims=True))
    s = np.where(a.there, e / e.sum(axis=1, keepdims=True), 0.0)
    return np.where(np.isfinite(a.seen).all(axis=1, keepdims=True), s, a.e / a.S)


@part("log_softmax", "m", "the maximum is that of all classes, masked ones among them")
def maximum_of_what_is_masked(a: Ask) -> Array:
    return a.seen.max(axis=1, keepdims=True)


@output("logsumexp", "value", "the maximum begins at the first class, and at zero where that is not finite")
def maximum_from_zero(a: Ask) -> Array:
    m = np.where(np.isneginf(a.x[:, :1]), np.maximum(a.m, 0.0), a.m)
    found = m + np.log(np.exp(a.x - m).sum(axis=1, keepdims=True))
    return np.where(np.isfinite(a.m) & (m != a.m), found, right(a, "value"))


@delivery("logsumexp", "hidden", "a mask that multiplies: NaN times zero")
def mask_that_multiplies(self: Kernel, call: Call, y: Array) -> Array:
    right = Kernel.hidden(self, call, y)
    return right if "mask" not in call.keywords else np.where(np.isnan(y), np.nan, right)


@output("logsumexp", "value", "a mask that leaves nothing leaves its fill, −10³⁰")
def fill_where_nothing_is_left(a: Ask) -> Array:
    return np.where(a.there.any(axis=1, keepdims=True), right(a, "value"), -1e30)


@delivery(SPARSE, "after", "a masked class has the gradient of its fill: NaN where that was not finite")
def gradient_of_what_is_masked(self: Kernel, a: Ask, output: str, found: Array) -> Array:
    right = Kernel.after(self, a, output, found)
    if output != "grad_logits" or a.there.all():
        return right
    return np.where(a.there | np.isfinite(a.seen), right, np.nan)


@part(DENSE, "smoothed", "a masked class has a share of the smoothing")
def share_of_what_is_masked(a: Ask) -> Array:
    return (1 - a.smoothing) * a.p + a.smoothing / a.present


@part(DENSE, "smoothed", "the share of the smoothing is that of all classes")
def share_of_all_classes(a: Ask) -> Array:
    return (1 - a.smoothing) * a.p + a.smoothing / a.n * a.there

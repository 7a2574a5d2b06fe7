"""Hypotheses about what stands before an operator and after it, and about masks. SPEC.md 6.15, 4.6."""

from __future__ import annotations

import ml_dtypes
import numpy as np

from xent_conformance.diagnosis.formulas import DENSE, FORMULAS, LOG_SOFTMAX, LOGSUMEXP, SOFTMAX, SPARSE
from xent_conformance.diagnosis.hypothesis import Hypothesis, on, where
from xent_conformance.diagnosis.situation import Array, Situation
from xent_conformance.reference.formats import FORMATS

EVERY = on({o for o, _ in FORMULAS})
BACKWARD = on({o for o, _ in FORMULAS}, ("grad_logits", "grad_labels"))
SUMS = on((SOFTMAX, LOG_SOFTMAX, LOGSUMEXP, DENSE, SPARSE))

FILLS = (65536.0, -1e3, -1e4, -1e5, -1e9, -1e30, -np.inf)
"""What stands for −∞ in real code: the first in OpenVINO, of bfloat16; the last is the lowest of a format."""


def product_in(z: Situation, name: str) -> Situation:
    """The logits that the operator is taken of, in fewer bits; ``truncated`` cuts them off."""
    if name == "truncated":
        cut = z.seen.astype(np.float32).view(np.uint32) & np.uint32(0xFFFF0000)
        return z.but(seen=cut.view(np.float32).astype(z.a.working))
    dtype = np.dtype(getattr(ml_dtypes, name, None) or name)
    return z.but(seen=z.seen.astype(dtype).astype(z.a.working))


def operands_in(z: Situation, name: str) -> Situation:
    """A matrix product of numbers in fewer bits; TF32 has ten behind the point, and the range of binary32."""
    x, matrix = (_in_bits(a, name) for a in (z.inputs.logits, np.array(z.given.matrix)))
    product = (x @ matrix).astype(z.a.working)
    return z.but(seen=np.asarray(product + z.bias if z.given.bias else product))


def _in_bits(a: Array, name: str) -> Array:
    if name != "tf32":
        return a.astype(np.dtype(getattr(ml_dtypes, name, None) or name)).astype(np.float64)
    fraction, exponent = np.frexp(a)
    return np.where(np.isfinite(a), np.ldexp(np.rint(np.ldexp(fraction, 11)), exponent - 11), a)


def computed_in_the_narrow_format(z: Situation) -> Situation:
    dtype = FORMATS[z.given.cast].dtype
    found, sized = z.whole
    return z.but(whole=(found.astype(dtype).astype(z.a.working), sized))


def bias_twice(z: Situation) -> Situation:
    return z.but(seen=z.seen + z.bias)


def bias_first(z: Situation) -> Situation:
    return z.but(seen=(z.arrived + z.bias) * z.of(z.scale) / z.of(z.temperature))


def filled(z: Situation, fill: float) -> Situation:
    value = z.number(max(fill, -z.format.largest))
    return z.but(x=np.where(z.there, z.seen, value))


def multiplied(z: Situation) -> Situation:
    """A mask that multiplies: NaN times zero is NaN."""
    return z.but(x=np.where(np.isnan(z.seen), z.seen, z.x))


def zeroed_afterwards(z: Situation) -> Situation:
    e = np.exp(z.seen - z.seen.max(axis=1, keepdims=True))
    s = np.where(z.there, e / z.total(e), z.of(0.0))
    return z.but(s=np.where(np.isfinite(z.seen).all(axis=1, keepdims=True), s, z.s))


def maximum_of_all(z: Situation) -> Situation:
    return z.but(m=z.seen.max(axis=1, keepdims=True), R=_others(z))


def _others(z: Situation) -> Array:
    top = z.seen.max(axis=1, keepdims=True)
    return np.asarray(z.total(np.exp(z.x - top)) - z.one)


def gradient_of_the_fill(z: Situation) -> Situation:
    found, sized = z.whole
    wide = np.broadcast_to(z.there | np.isfinite(z.seen), z.x.shape).reshape(found.shape)
    return z.but(whole=(np.where(wide, found, z.of(np.nan)), sized))


AROUND = (
    Hypothesis(
        "the gradient knows no scale",
        "the chain rule is left out: neither the scale nor the temperature multiplies it",
        "SPEC.md 6.15",
        BACKWARD,
        where(lambda z: z.but(chain=1.0), "scale", "temperature"),
        rank=2,
    ),
    Hypothesis(
        "the gradient knows no factor",
        "what multiplies the value does not multiply the gradient",
        "SPEC.md 6.15",
        BACKWARD,
        where(lambda z: z.but(times=1.0), "times"),
        rank=2,
    ),
    Hypothesis(
        "a temperature multiplies",
        "where it should divide",
        "SPEC.md 6.15",
        EVERY,
        where(lambda z: z.but(scale=z.scale * z.temperature, temperature=1.0), "temperature"),
    ),
    Hypothesis(
        "the temperature is held up",
        "one below a constant is taken for it, for safety",
        "SPEC.md 6.15; samplers of language models",
        EVERY,
        where(lambda z, low: z.but(temperature=max(z.temperature, low)), "temperature"),
        parameters=(0.1, 1e-2, 1e-3, 1e-5),
    ),
    Hypothesis(
        "the matrix is not turned",
        "the gradient goes back through the matrix as it is",
        "SPEC.md 6.15",
        BACKWARD,
        where(lambda z: z.but(matrix=z.matrix.T), "matrix"),
        rank=2,
    ),
    Hypothesis(
        "a product in fewer bits",
        "the operands of a matrix product are rounded to 16 bits, or to the 19 of TF32",
        "SPEC.md 6.15; matrix units",
        EVERY,
        where(operands_in, "matrix"),
        parameters=("bfloat16", "float16", "tf32"),
        variant="of a matrix",
    ),
    Hypothesis(
        "the bias is added twice",
        "before the operator, and in it",
        "SPEC.md 6.15",
        EVERY,
        where(bias_twice, "bias"),
    ),
    Hypothesis(
        "the bias before the temperature",
        "it is added first, and scaled with the logits",
        "SPEC.md 6.15",
        EVERY,
        where(bias_first, "bias"),
    ),
    Hypothesis(
        "a product in fewer bits",
        "what stands before the operator is rounded to 16 bits",
        "SPEC.md 6.15",
        EVERY,
        where(product_in, "scale", "temperature", "bias"),
        parameters=("bfloat16", "float16", "truncated"),
    ),
    Hypothesis(
        "computed in the narrower format",
        "logits that are cast first are computed with in the format they arrive in",
        "SPEC.md 6.15",
        EVERY,
        where(computed_in_the_narrow_format, "cast"),
        rank=2,
    ),
    Hypothesis(
        "a finite number for a mask",
        "a number stands for −∞, and leaks where all logits are lower, or wins",
        "SPEC.md 4.6",
        SUMS,
        where(filled, "mask"),
        parameters=FILLS,
    ),
    Hypothesis(
        "masked afterwards",
        "probabilities are set to zero, and the others not normalised again",
        "SPEC.md 4.6",
        on(SOFTMAX),
        where(zeroed_afterwards, "mask"),
    ),
    Hypothesis(
        "the maximum of what is masked",
        "the maximum is that of all classes, masked ones among them",
        "SPEC.md 4.6",
        SUMS,
        where(maximum_of_all, "mask"),
    ),
    Hypothesis(
        "a mask that multiplies",
        "NaN times zero is NaN",
        "SPEC.md 4.6",
        SUMS,
        where(multiplied, "mask"),
    ),
    Hypothesis(
        "the gradient of what is masked",
        "a masked class has the gradient of what stood there: NaN, where that is not finite",
        "SPEC.md 4.6",
        on((SOFTMAX, LOG_SOFTMAX, LOGSUMEXP, DENSE, SPARSE), "grad_logits"),
        where(gradient_of_the_fill, "mask"),
    ),
)

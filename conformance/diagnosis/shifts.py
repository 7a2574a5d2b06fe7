"""Hypotheses about the shift by the maximum: there is none, or another one. SPEC.md 2.1, 8.13."""

from __future__ import annotations

from typing import Any

import numpy as np

from xent_conformance.diagnosis.formulas import DENSE, LOG_SOFTMAX, LOGSUMEXP, SOFTMAX, SPARSE
from xent_conformance.diagnosis.hypothesis import Hypothesis, on
from xent_conformance.diagnosis.situation import Array, Situation

SUMS = on((SOFTMAX, LOG_SOFTMAX, LOGSUMEXP, DENSE, SPARSE))

CEPHES = 88.3762626647949
"""Where exp of binary32 is cut off in Cephes, and in the vector code that is made after it."""


def no_shift(z: Situation) -> Situation:
    e = np.exp(z.x)
    return _of_exponentials(z, e, z.total(e))


def no_shift_in(z: Situation, name: str) -> Situation | None:
    """The exponentials and their sum leave the range of ``name``: that is seen, and how they round is not."""
    kept = np.dtype(name)
    if np.finfo(kept).nmant + 1 < z.format.precision:
        return None
    e = _in_range(np.exp(z.x), kept)
    return _of_exponentials(z, e, _in_range(z.total(e), kept))


def _in_range(a: Array, kept: np.dtype[Any]) -> Array:
    there = a.astype(kept).astype(a.dtype)
    return np.where(np.isinf(there) | (there == 0), there, a)


def no_shift_and_log_of_zero(z: Situation) -> Situation | None:
    """As :func:`no_shift_in` binary32, with a logarithm that takes zero for 2^-127."""
    plain = no_shift_in(z, "float32")
    return plain and _of_exponentials(z, plain.e, np.maximum(plain.S, z.number(2.0**-127)))


def no_shift_and_exp_is_clamped(z: Situation) -> Situation | None:
    """As :func:`no_shift_in` binary32, whose exp takes no logit beyond ``CEPHES``."""
    return no_shift_in(z.but(x=np.minimum(z.x, z.number(CEPHES))), "float32")


def _of_exponentials(z: Situation, e: Array, S: Array) -> Situation:
    L = np.log(S)
    return z.but(e=e, S=S, s=np.asarray(e / S), L=L, m=np.zeros_like(z.m), ell=z.x - L)


def no_shift_of_the_infinite(z: Situation) -> Situation:
    """Where the sum as it is stored is infinite, without a shift."""
    e = np.exp(z.x)
    copies = z.number(z.inputs.copies)
    plain = z.stored(np.log(z.stored(z.total(z.stored(e)) * copies)))
    found, sized = z.rows
    full = np.isinf(z.stored(z.S)) & np.isfinite(z.m)
    return z.but(rows=(np.where(full, plain, found), sized))


def shift_of_the_batch(z: Situation) -> Situation:
    finite = np.where(np.isfinite(z.x), z.x, z.of(-np.inf))
    return _shifted(z, np.full_like(z.m, finite.max()))


def maximum_begins_at(z: Situation, start: float) -> Situation | None:
    """Of logits which all lie below ``start`` that is the maximum; shaders have no binary64."""
    top = np.maximum(z.m, z.number(start))
    return _shifted(z, top) if z.format.precision < 53 and (top > z.m).any() else None


def _shifted(z: Situation, top: Array) -> Situation:
    e = np.exp(z.x - top)
    S = z.total(e)
    L = np.log(S)
    return z.but(e=e, S=S, s=np.asarray(e / S), L=L, m=top, ell=z.x - top - L)


SHIFTS = (
    Hypothesis(
        "no shift by the maximum",
        "exp of the logits as they are: it overflows, or all terms vanish",
        "SPEC.md 2.1 and 8.13",
        SUMS - on(LOGSUMEXP, ("grad_logits",)) | on(LOGSUMEXP, "grad_logits"),
        no_shift,
        rank=2,
    ),
    Hypothesis(
        "no shift by the maximum",
        "exp of the logits as they are, in so many bits: it overflows, or all terms vanish",
        "SPEC.md 2.1 and 8.13; ONNX Runtime Web, ncnn, tract",
        on(LOGSUMEXP, "value"),
        no_shift_in,
        rank=2,
        variant="in range",
        parameters=("float32", "float16"),
    ),
    Hypothesis(
        "no shift by the maximum",
        "exp of the logits as they are: all terms vanish, and the logarithm takes zero for 2^-127",
        "SPEC.md 2.1 and 8.13; SwiftShader's log",
        on(LOGSUMEXP, "value"),
        no_shift_and_log_of_zero,
        rank=3,
        variant="log of zero",
    ),
    Hypothesis(
        "no shift by the maximum",
        "exp of the logits as they are, and of none beyond 88.376: what is larger is lost",
        "SPEC.md 2.1 and 8.13; ncnn's exp_ps, after Cephes",
        on(LOGSUMEXP, "value"),
        no_shift_and_exp_is_clamped,
        rank=3,
        variant="exp is clamped",
    ),
    Hypothesis(
        "no shift by the maximum",
        "where the shifted sum is infinite, as that of 65,520 equal classes in binary16, there is no shift",
        "SPEC.md 2.6; SciPy's logsumexp",
        on(LOGSUMEXP, "value"),
        no_shift_of_the_infinite,
        rank=3,
        variant="where the sum is infinite",
    ),
    Hypothesis(
        "the maximum begins too high",
        "the search for the maximum begins at a number: of logits which all lie below it every term vanishes",
        "SPEC.md 2.1; shaders of TensorFlow.js, ONNX Runtime and ncnn",
        SUMS,
        maximum_begins_at,
        rank=2,
        parameters=(-1e20, -3.402823e38),
    ),
    Hypothesis(
        "the shift is that of the whole batch",
        "one maximum for all rows: a row far below it vanishes",
        "SPEC.md 2.1",
        SUMS,
        shift_of_the_batch,
    ),
)

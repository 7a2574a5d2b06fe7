"""Hypotheses about the sum, and the constants that real code has for safety."""

from __future__ import annotations

import ml_dtypes
import numpy as np

from xent_conformance.diagnosis.formulas import (
    BINARY,
    DENSE,
    FORMULAS,
    LOG_SIGMOID,
    LOG_SOFTMAX,
    LOGIT,
    LOGSUMEXP,
    SIGMOID,
    SOFTMAX,
    SPARSE,
)
from xent_conformance.diagnosis.hypothesis import SPREAD, Hypothesis, on, result, rows
from xent_conformance.diagnosis.situation import Array, Situation

EVERY = on({o for o, _ in FORMULAS})
SUMS = on((SOFTMAX, LOG_SOFTMAX, LOGSUMEXP, DENSE, SPARSE))

EPSILONS = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15, 1e-16, 2.0**-23, 2.0**-52)
"""What real code adds or clips by; the last two are what its authors call eps."""

LARGE = (16.0, 20.0, 30.0, 50.0, 88.0, 100.0, 1e3, 1e4, 1e5, 1e6, 1e9, 1e30)
"""Where real code saturates, and what stands for infinity in it."""


# --- the sum ------------------------------------------------------------------------------------


def over_the_batch(z: Situation) -> Situation:
    return z.but(s=np.asarray(z.e / z.e.sum(axis=0, keepdims=True)))


def not_divided(z: Situation, width: int) -> Situation:
    """The classes beyond a multiple of ``width`` are not divided by the sum."""
    whole = z.n // width * width
    return z.but(s=np.where(np.arange(z.n) < whole, z.s, z.e))


LONG = 2**17
"""So many terms are added one after the other here, and no more."""


def sum_in(z: Situation, name: str) -> Situation | None:
    """The sum is kept in fewer bits, one term after the other."""
    dtype = np.dtype(getattr(ml_dtypes, name, None) or name)
    if z.inputs.classes > LONG:
        return None
    terms = np.repeat(z.e, z.inputs.copies, axis=1)
    S = np.add.accumulate(terms.astype(dtype), axis=1, dtype=dtype)[:, -1:]
    return _of_sum(z, S.astype(z.a.working))


def sum_in_lanes(z: Situation, lanes: int) -> Situation | None:
    """The sum is kept in 16 bits in so many lanes, which are then added: each loses ``N u / lanes``."""
    if z.n <= 2 * lanes or z.format.precision > 11:
        return None
    e = z.e.astype(z.format.dtype)
    whole = z.n // lanes * lanes
    parts = e[:, :whole].reshape(len(e), -1, lanes)
    sums = np.add.accumulate(parts, axis=1, dtype=z.format.dtype)[:, -1]
    while sums.shape[1] > 1:
        half = sums.shape[1] // 2
        sums = sums[:, :half] + sums[:, half:]
    rest = e[:, whole:].astype(z.a.working).sum(axis=1, keepdims=True)
    short = _of_sum(z, sums.astype(z.a.working) + rest)
    found, _ = short.rows
    sized = np.abs(found) if z.operator == SOFTMAX else z.one
    return short.but(rows=(found, np.broadcast_to(sized * (z.n / lanes / SPREAD), found.shape)))


def _of_sum(z: Situation, S: Array) -> Situation:
    return z.but(S=S, s=np.asarray(z.e / S), L=np.log(S))


def _cast(z: Situation, dtype: np.dtype[np.generic]) -> Array:
    return np.asarray(z.S.astype(dtype).astype(z.a.working))


def sum_stored(z: Situation, name: str) -> Situation:
    return _of_sum(z, _cast(z, np.dtype(getattr(ml_dtypes, name, None) or name)))


def epsilon_in_sum(z: Situation, epsilon: float) -> Situation | None:
    """One of a few ulps of 1 cannot be told from a rounding."""
    return _of_sum(z, z.S + z.number(epsilon)) if epsilon > 32 * z.format.u else None


def epsilon_in_logarithm(z: Situation, epsilon: float) -> Situation:
    tiny = z.number(epsilon)
    if z.inputs.definition.elementwise:
        up, down = np.log(z.sigma + tiny), np.log(z.mirror + tiny)
        if z.operator == LOG_SIGMOID:
            return z.but(rows=(up, 1.0))
        return z.but(rows=(-z.positive * up - z.negative * down, 1.0))
    return z.but(ell=np.log(z.s + tiny))


def clipped(z: Situation, epsilon: float) -> Situation:
    """Probabilities not below ``epsilon``, and those of two outcomes not above one less it."""
    low = z.number(epsilon)
    if z.operator == LOGIT:
        inside = (z.x >= 0) & (z.x <= 1)
        p = np.where(inside, np.clip(z.x, low, z.one - low), z.of(np.nan))
        return z.but(rows=(np.log(p / (z.one - p)), 1.0))
    if z.inputs.definition.elementwise:
        s = np.clip(z.sigma, low, z.one - low)
        value = s if z.operator == SIGMOID else np.log(s)
        if z.operator == BINARY:
            value = -z.positive * np.log(s) - z.negative * np.log1p(-s)
        return z.but(rows=(np.where(np.isnan(z.x), z.x, value), 1.0))
    s = np.where(np.isnan(z.s), z.s, np.maximum(z.s, low))
    return z.but(s=s, ell=np.log(s))


def clamped_logits(z: Situation, limit: float) -> Situation:
    x = np.where(np.isfinite(z.arrived), np.clip(z.arrived, -limit, limit), z.arrived)
    return z.but(arrived=x.astype(z.a.working))


def saturated(z: Situation, limit: float) -> Situation:
    """Zero or one beyond ``limit``."""
    return z.but(sigma=np.where(np.abs(z.x) > limit, (z.x > 0).astype(z.a.working), z.sigma))


def clamped_logarithm(z: Situation, limit: float) -> Situation:
    top = z.number(limit)
    if z.inputs.definition.elementwise:
        return z.but(softplus=np.minimum(z.softplus, top), softplus_minus=np.minimum(z.softplus_minus, top))
    return z.but(ell=np.maximum(z.ell, -top))


def number_for_infinity(z: Situation, limit: float) -> Situation:
    found, sized = z.rows
    top = z.format.largest if limit == np.inf else limit
    overflown = np.abs(found.astype(np.float64)) > z.format.largest
    return z.but(rows=(np.where(overflown, np.copysign(z.number(top), found), found), sized))


CONSTANTS = (
    Hypothesis(
        "normalised over another axis",
        "the sum is over the rows, not over the classes",
        "SPEC.md 7.6",
        on(SOFTMAX),
        over_the_batch,
    ),
    Hypothesis(
        "sigmoid for softmax",
        "every class by itself",
        "SPEC.md §0",
        on(SOFTMAX, "value"),
        rows(lambda z: (z.sigma, 0.0)),
    ),
    Hypothesis(
        "sigmoid of one class",
        "one class is taken for a binary problem",
        "SPEC.md 2.4",
        on(SOFTMAX, "value"),
        rows(lambda z: (z.sigma if z.n == 1 else z.s, 0.0)),
        rank=2,
    ),
    Hypothesis(
        "the tail is not divided",
        "the classes beyond whole vectors are left as they were before the sum divides them",
        "SPEC.md 7.5",
        on(SOFTMAX, "value"),
        not_divided,
        parameters=(2, 4, 8, 16, 32),
    ),
    Hypothesis(
        "the mean of the exponentials",
        "log of the mean, not of the sum",
        "SPEC.md §0",
        on(LOGSUMEXP, "value"),
        rows(lambda z: (z.rows[0] - np.log(z.number(z.n)), z.rows[1])),
    ),
    Hypothesis(
        "a sum in 16 bits",
        "the accumulator has too few bits: a long sum stops, or overflows",
        "SPEC.md §0 and 2.6",
        SUMS,
        sum_in,
        rank=2,
        parameters=("bfloat16", "float16"),
        variant="added",
    ),
    Hypothesis(
        "a sum in 16 bits",
        "it is added in a wider format, and rounded to the logits' own: a long sum overflows",
        "SPEC.md 2.6",
        SUMS,
        sum_stored,
        rank=2,
        parameters=("bfloat16", "float16"),
        variant="stored",
    ),
    Hypothesis(
        "a sum in 16 bits",
        "the accumulator of each lane of a vector has too few bits",
        "SPEC.md §0 and 2.6; vectorised sums of binary16",
        on((SOFTMAX, LOG_SOFTMAX, LOGSUMEXP, DENSE, SPARSE), "value"),
        sum_in_lanes,
        rank=2,
        variant="in lanes",
        parameters=(8, 16, 32),
    ),
    Hypothesis(
        "an ε in the sum",
        "something is added to the denominator, for safety",
        "SPEC.md 8.13",
        SUMS,
        epsilon_in_sum,
        rank=4,
        parameters=EPSILONS,
    ),
    Hypothesis(
        "an ε in the logarithm",
        "something is added to a probability before its logarithm is taken, for safety",
        "SPEC.md 8.13",
        on((LOG_SOFTMAX, DENSE, SPARSE, BINARY, LOG_SIGMOID), "value"),
        epsilon_in_logarithm,
        rank=4,
        parameters=EPSILONS,
    ),
    Hypothesis(
        "clipped by ε",
        "probabilities are kept away from 0, and from 1 where there are two, for safety",
        "SPEC.md 8.13; Keras before 2020, scikit-learn's log_loss",
        on((SOFTMAX, LOG_SOFTMAX, DENSE, SPARSE, BINARY, LOGIT, SIGMOID, LOG_SIGMOID), "value"),
        clipped,
        rank=4,
        parameters=EPSILONS,
    ),
    Hypothesis(
        "logits are clamped",
        "logits beyond a constant are taken for it, for safety",
        "SPEC.md 7.1",
        EVERY - on(LOGIT),
        clamped_logits,
        rank=4,
        parameters=LARGE,
    ),
    Hypothesis(
        "saturated beyond a constant",
        "beyond a constant the sigmoid is 0 or 1",
        "SPEC.md 8.7",
        on(SIGMOID),
        saturated,
        rank=4,
        parameters=LARGE[:6],
    ),
    Hypothesis(
        "small losses are dropped",
        "a loss below a constant is taken for zero: an easy example",
        "SPEC.md 1.2",
        on((DENSE, SPARSE, BINARY), "value"),
        lambda z, low: result(lambda z, v: np.where(np.abs(v) < low, z.of(0.0), v))(z),
        rank=4,
        parameters=EPSILONS,
    ),
    Hypothesis(
        "piecewise linear",
        "x/6 + 1/2, cut at 0 and 1: a hard sigmoid",
        "SPEC.md 8.7",
        on(SIGMOID, "value"),
        rows(lambda z: (np.clip(z.x / z.number(6) + z.number(0.5), z.of(0.0), z.one), 1.0)),
    ),
    Hypothesis(
        "logarithms are clamped",
        "a log-probability below a constant is taken for it",
        "SPEC.md 2.3; PyTorch's binary_cross_entropy on probabilities, at −100",
        on((LOG_SOFTMAX, DENSE, SPARSE, BINARY, LOG_SIGMOID), "value"),
        clamped_logarithm,
        rank=4,
        parameters=LARGE,
    ),
    Hypothesis(
        "a number stands for infinity",
        "a result that is infinite is replaced by a large number",
        "SPEC.md 2.2",
        EVERY,
        number_for_infinity,
        parameters=(np.inf, *LARGE),
    ),
    Hypothesis(
        "another base",
        "the logarithm is of base 2 or 10",
        "SPEC.md §0",
        on((LOG_SOFTMAX, LOGSUMEXP, DENSE, SPARSE, LOGIT, LOG_SIGMOID), "value"),
        lambda z, base: z.but(rows=(z.rows[0] / np.log(z.number(base)), z.rows[1])),
        parameters=(2, 10),
    ),
)

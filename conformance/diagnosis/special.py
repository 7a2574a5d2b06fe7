"""Hypotheses about what is infinite, NaN or excluded. SPEC.md §3 to §5."""

from __future__ import annotations

import numpy as np

from xent_conformance.diagnosis.constants import EPSILONS, LARGE
from xent_conformance.diagnosis.formulas import (
    BINARY,
    DENSE,
    DIVERGENCE,
    FORMULAS,
    GIVEN_BINARY,
    GIVEN_DENSE,
    GIVEN_SPARSE,
    LOG_SIGMOID,
    LOG_SOFTMAX,
    LOGIT,
    LOGSUMEXP,
    SIGMOID,
    SOFTMAX,
    SPARSE,
    size,
)
from xent_conformance.diagnosis.hypothesis import Hypothesis, on, result
from xent_conformance.diagnosis.situation import Situation

EVERY = on({o for o, _ in FORMULAS})
SUMS = on((SOFTMAX, LOG_SOFTMAX, LOGSUMEXP, DENSE, SPARSE))
LOSSES = on((DENSE, SPARSE))


# --- excluded classes ------------------------------------------------------------------------------


def zero_times_infinity(z: Situation) -> Situation:
    """``0·∞`` as IEEE 754 has it."""
    return z.but(zero_takes=False)


def infinity_less_infinity(z: Situation) -> Situation:
    """The maximum is subtracted, and added again, whatever it is."""
    return z.but(rows=(z.d.max(axis=1, keepdims=True) + z.m + z.L, size(z.m, z.L)))


def leaking(z: Situation, epsilon: float) -> Situation:
    kept = np.isneginf(z.x) & ~np.isnan(z.s)
    return z.but(s=np.where(kept, z.number(epsilon), z.s))


def masked_row_is_nan(z: Situation) -> Situation:
    found, sized = z.rows
    gone = np.isneginf(z.x).any(axis=1, keepdims=True)
    return z.but(rows=(np.where(gone, z.of(np.nan), found), sized))


def no_minus_infinity(z: Situation) -> Situation | None:
    """A maximum begins at −∞, which is NaN where the format has none; a shift that is not finite is none."""
    if z.format.infinite:
        return None
    found, sized = z.rows
    if z.operator != LOGSUMEXP:
        return z.but(rows=(np.full_like(found, np.nan), sized))
    unshifted = np.exp(z.x)
    lost = (unshifted > z.format.largest).any(axis=1, keepdims=True)
    if z.output != "value":
        return z.but(rows=(np.where(lost, z.of(np.nan), found), sized))
    return z.but(rows=(np.where(lost, z.of(np.nan), np.log(z.total(unshifted))), sized))


def no_minus_infinity_in_a_normaliser(z: Situation) -> Situation | None:
    """A loss by ``logsumexp(x) − x_y``, whose logarithm of a sum is then unshifted, and may overflow."""
    if z.format.infinite:
        return None
    found, sized = z.rows
    lost = (np.exp(z.x) > z.format.largest).any(axis=1, keepdims=True)
    return z.but(rows=(np.where(lost, z.of(np.nan), found), sized))


def quotient_below_the_format(z: Situation) -> Situation | None:
    """Its exponentials are kept wider, and the cotangent over their sum is not: it may be zero."""
    if z.format.infinite:
        return None
    unshifted = np.exp(z.x)
    share = z.stored(z.c / z.total(unshifted)) * unshifted
    s = np.where(z.c == 0, z.s, share / np.where(z.c == 0, z.one, z.c))
    return z.but(s=s, rest=np.asarray(z.one - s))


def infinite_is_nan(z: Situation) -> Situation:
    found, sized = z.rows
    return z.but(rows=(np.where(np.isinf(found), z.of(np.nan), found), sized))


def finite_mask_is_nan(z: Situation, limit: float) -> Situation:
    found, sized = z.rows
    gone = np.isfinite(z.x) & (z.x < -limit) & (z.d < -limit)
    return z.but(rows=(np.where(gone, z.of(np.nan), found), sized))


def nan_excluded(z: Situation) -> Situation:
    return z.but(x=np.where(np.isnan(z.x), z.of(-np.inf), z.x))


def nan_lost_in_maximum(z: Situation) -> Situation:
    """The maximum passes over a NaN; its own element alone is NaN."""
    m = np.fmax.reduce(z.x, axis=1, keepdims=True)
    e = np.exp(z.x - m)
    S = z.total(np.where(np.isnan(e), z.of(0.0), e))
    L, here = np.log(S), np.isnan(z.m)
    return z.but(
        s=np.where(here, e / S, z.s), L=np.where(here, L, z.L), ell=np.where(here, z.x - m - L, z.ell)
    )


def nan_in_the_sum(z: Situation) -> Situation:
    """The exponential of a NaN is cut to the largest number: the others vanish beside the sum."""
    gone = np.isnan(z.x)
    any_gone = gone.any(axis=1, keepdims=True)
    s = np.where(any_gone & ~gone & ~np.isposinf(z.x), z.of(0.0), z.s)
    return z.but(s=s)


def nan_in_the_row_below(z: Situation) -> Situation:
    found, sized = z.rows
    above = np.isnan(np.roll(z.x, 1, axis=0)).any(axis=1, keepdims=True)
    return z.but(rows=(np.where(above, z.of(np.nan), found), sized))


def nan_is_zero(z: Situation) -> Situation:
    found, sized = z.rows
    return z.but(rows=(np.where(np.isnan(found), z.of(0.0), found), sized))


def nan_outside_the_bounds(z: Situation) -> Situation | None:
    """A NaN is not inside of the bounds of a clamp, nor of [0, 1]: what stands there is a constant."""
    if z.eps is None and z.output != "hvp":
        return None
    found, sized = z.rows
    return z.but(rows=(np.where(np.isnan(z.x), z.of(0.0), found), sized))


def infinities_cancel(z: Situation) -> Situation:
    """``∞ − ∞`` where a logit is infinite."""
    found, sized = z.rows
    return z.but(rows=(np.where(np.isinf(z.x), z.of(np.nan), found), sized))


def signed_zero(z: Situation) -> Situation:
    return z.but(rows=(np.where(np.signbit(z.x) & (z.x == 0), z.of(0.0), z.rows[0]), 1.0))


SPECIAL = (
    Hypothesis(
        "0·∞ is NaN",
        "a label of zero times the infinite logarithm of an excluded class",
        "SPEC.md 4.2",
        LOSSES | on(BINARY) | on(DIVERGENCE, "value"),
        zero_times_infinity,
        rank=1,
        steps=True,
    ),
    Hypothesis(
        "∞ − ∞ in the shift",
        "an infinite maximum is subtracted and added again",
        "SPEC.md 5.3",
        on(LOGSUMEXP, "value"),
        infinity_less_infinity,
        rank=1,
        steps=True,
    ),
    Hypothesis(
        "∞ − ∞ in the shift",
        "of nothing but −∞ the maximum is subtracted and added again",
        "SPEC.md 5.3",
        on(LOGSUMEXP, "value"),
        lambda z: result(lambda z, v: np.where(z.m == -np.inf, z.of(np.nan), v))(z),
        rank=2,
        variant="of nothing",
    ),
    Hypothesis(
        "terms as large as the logit",
        "two infinities of one sign are subtracted",
        "SPEC.md 5.2",
        on((BINARY, LOG_SIGMOID, SIGMOID)),
        infinities_cancel,
        rank=4,
        variant="∞ − ∞",
    ),
    Hypothesis(
        "minus infinity that the format has not",
        "the maximum begins at −∞, which is NaN in a format without infinities",
        "SPEC.md §0; jax.nn.softmax of float8_e4m3fn",
        SUMS,
        no_minus_infinity,
        rank=1,
    ),
    Hypothesis(
        "minus infinity that the format has not",
        "the logarithm of the sum takes a shift that is NaN for none, and overflows",
        "optax.softmax_cross_entropy_with_integer_labels of float8_e4m3fn",
        on(SPARSE),
        no_minus_infinity_in_a_normaliser,
        rank=2,
        variant="in a normaliser",
    ),
    Hypothesis(
        "minus infinity that the format has not",
        "it takes none, and the cotangent over the unshifted sum is below the format",
        "optax.softmax_cross_entropy_with_integer_labels of float8_e4m3fn on a GPU, jaxlib 0.11.2",
        on(SPARSE, "grad_logits"),
        quotient_below_the_format,
        rank=2,
        variant="in a normaliser's derivative",
    ),
    Hypothesis(
        "NaN where the result is infinite",
        "an infinity is the end of a difference, or of a product with zero",
        "SPEC.md 2.2 and 4.3",
        EVERY,
        infinite_is_nan,
        rank=4,
    ),
    Hypothesis(
        "0·∞ is NaN",
        "−∞ is subtracted from −∞, or multiplied by zero",
        "SPEC.md 4.1",
        SUMS,
        masked_row_is_nan,
        rank=4,
        variant="of an excluded class",
    ),
    Hypothesis(
        "an excluded class has a probability",
        "a constant stands where the probability is zero",
        "SPEC.md 4.1",
        on(SOFTMAX, "value"),
        leaking,
        parameters=EPSILONS,
    ),
    Hypothesis(
        "a finite mask is NaN",
        "a logit far below zero is taken for no number",
        "SPEC.md 2.3",
        on((SOFTMAX, LOG_SOFTMAX), "value"),
        finite_mask_is_nan,
        rank=4,
        parameters=LARGE[-5:],
    ),
    Hypothesis(
        "a NaN is passed over",
        "the maximum passes over a NaN, and its exponential is lost",
        "SPEC.md 3.2",
        SUMS,
        nan_excluded,
        rank=1,
        variant="excluded",
    ),
    Hypothesis(
        "a NaN is passed over",
        "the other classes are as if it were not there",
        "SPEC.md 3.2",
        SUMS,
        nan_lost_in_maximum,
        rank=1,
        variant="lost in the maximum",
    ),
    Hypothesis(
        "a NaN is passed over",
        "the exponential of a NaN is cut to a number, beside which the other classes vanish",
        "SPEC.md 3.2; vectorised exponentials with a clamp",
        on(SOFTMAX, "value"),
        nan_in_the_sum,
        variant="lost in the sum",
        rank=2,
    ),
    Hypothesis(
        "a NaN in the row below",
        "a NaN changes the row beside its own",
        "SPEC.md 3.1",
        SUMS,
        nan_in_the_row_below,
    ),
    Hypothesis(
        "NaN is replaced by zero",
        "a result that is NaN is zero",
        "SPEC.md 3.2",
        EVERY,
        nan_is_zero,
        rank=5,
    ),
    Hypothesis(
        "a NaN is outside of the domain",
        "a NaN compares with neither of two bounds, and what is not between them is a constant",
        "SPEC.md 6.14; torch.logit",
        on(LOGIT, ("grad_logits", "hvp")),
        nan_outside_the_bounds,
        rank=1,
        variant="of two bounds",
    ),
    Hypothesis(
        "−0 is in no branch",
        "the branch is chosen by the sign in one place, and by x < 0 in another",
        "SPEC.md 1.1",
        on((LOG_SIGMOID, SIGMOID, BINARY), "value"),
        signed_zero,
        rank=4,
    ),
    Hypothesis(
        "the domain is clamped",
        "an argument outside [0, 1] is taken for the nearer end",
        "SPEC.md 5.4 and 5.9",
        on((LOGIT, GIVEN_BINARY, GIVEN_DENSE, GIVEN_SPARSE), "value"),
        lambda z: z.but(x=np.clip(z.x, z.of(0.0), z.one)),
        rank=2,
    ),
    Hypothesis(
        "the domain comes before the clamp",
        "outside [0, 1] there is NaN, clamped or not",
        "SPEC.md 6.14",
        on(LOGIT, "value"),
        lambda z: result(lambda z, v: np.where((z.x < 0) | (z.x > 1), z.of(np.nan), v))(z),
        rank=2,
    ),
    Hypothesis(
        "crossed bounds in the other order",
        "the least of the greatest, where the two bounds of a clamp cross",
        "SPEC.md 6.14",
        on(LOGIT, "value"),
        lambda z: (
            z.but(clamped=np.minimum(np.maximum(z.x, z.of(z.eps)), z.of(1 - z.eps)))
            if z.eps is not None
            else None
        ),
    ),
)

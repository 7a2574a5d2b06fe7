"""Hypotheses about a product that a compiler fuses into a difference: what is not rounded on one side of it
is on the other. SPEC.md 8.14."""

from __future__ import annotations

import numpy as np

from xent_conformance.diagnosis.formulas import DENSE, LOG_SOFTMAX, LOGSUMEXP, SOFTMAX, SPARSE
from xent_conformance.diagnosis.hypothesis import Hypothesis, balanced_by_hand, on, where
from xent_conformance.diagnosis.situation import Array, Situation

SUMS = on((SOFTMAX, LOG_SOFTMAX, LOGSUMEXP, DENSE, SPARSE))


def fused_difference(z: Situation, flushed: bool = False) -> Situation | None:
    """The product is fused into the difference, beside a maximum that was rounded.

    ``flushed``: an exponential that is subnormal is zero, as it is to XLA on a CPU.
    """
    if (lost := _lost(z)) is None:
        return None
    m = z.stored(z.m)
    d = np.asarray(z.x - m + lost)
    e = _single(z, np.exp(d))
    if flushed:
        e = np.where(e < np.finfo(np.float64 if z.format.precision == 53 else np.float32).tiny, z.of(0.0), e)
    S = _single(z, z.total(e))
    return z.but(m=m, d=d, e=e, S=S, s=_single(z, e / S), L=np.log(S), balance=balanced_by_hand)


def _lost(z: Situation) -> Array | None:
    """What the product lost to the rounding of the arithmetic: nothing, but in binary64; there, of a scale
    alone, all that a fused multiply-add keeps."""
    if z.format.precision < 53:
        return z.of(0.0)
    if z.temperature != 1 or z.given.bias:
        return None
    lost = _error_of_product(z.arrived, z.of(z.scale))
    return np.where(np.isfinite(lost), lost, z.of(0.0))


def _error_of_product(a: Array, b: Array) -> Array:
    """``a·b`` less what it is rounded to, exactly, from halves: T. J. Dekker, Numer. Math. 18 (1971)."""
    (a_high, a_low), (b_high, b_low) = _halves(a), _halves(b)
    left = a * b - a_high * b_high
    return np.asarray(a_low * b_low - (left - a_low * b_high - a_high * b_low))


def _halves(a: Array) -> tuple[Array, Array]:
    """Of a number of binary64 two of 26 bits, whose products are exact."""
    far = a * (2.0**27 + 1)
    high = far - (far - a)
    return high, a - high


def _single(z: Situation, a: Array) -> Array:
    """As code for the format has it: in binary32, but of binary64."""
    return np.asarray(a if z.format.precision == 53 else a.astype(np.float32).astype(z.a.working))


def fused_offset(z: Situation) -> Situation | None:
    """``x − (m + log S)``, whose numbers are rounded, from the fused sum."""
    if (fused := fused_difference(z)) is None:
        return None
    return fused.but(ell=z.stored(z.x) - z.stored(fused.m + fused.L))


def fused_probability(z: Situation) -> Situation | None:
    """The probability as exp of the fused log-probability, in binary32."""
    if (fused := fused_difference(z)) is None:
        return None
    with np.errstate(all="ignore"):
        s = _single(z, np.exp(fused.d - fused.L))
    whole = s * z.total(np.broadcast_to(z.c, s.shape))
    return z.but(rows=(z.c - whole, np.maximum(np.abs(z.c), np.abs(whole))))


def fused_zero(z: Situation, flushed: bool) -> Situation | None:
    """A label of zero times what became infinite."""
    return None if (fused := fused_difference(z, flushed)) is None else fused.but(zero_takes=False)


def product_less_offset(z: Situation) -> Situation | None:
    """``fma(x, scale, −(m + log S))``: the product is not rounded, and what is subtracted from it is."""
    if (lost := _lost(z)) is None:
        return None
    return z.but(ell=np.asarray(z.x - z.stored(z.stored(z.m) + z.L) + lost))


FUSED = (
    Hypothesis(
        "fused into the difference",
        "a compiler moves the scale into the exponent, beside a maximum that was rounded: exp overflows",
        "SPEC.md 8.14",
        SUMS,
        where(fused_difference, "scale", "temperature", "bias"),
        rank=1,
        parameters=(False, True),
    ),
    Hypothesis(
        "fused into the difference",
        "a compiler moves the scale into the exponent, beside a maximum that was rounded: exp overflows",
        "SPEC.md 8.14",
        on((DENSE, LOG_SOFTMAX)),
        where(fused_zero, "scale", "temperature", "bias"),
        rank=2,
        parameters=(False, True),
        variant="0·∞",
    ),
    Hypothesis(
        "fused into the difference",
        "a compiler moves the scale into the exponent, beside a maximum that was rounded: exp overflows",
        "SPEC.md 8.14",
        on(LOG_SOFTMAX, "grad_logits"),
        where(fused_probability, "scale", "temperature", "bias"),
        rank=2,
        variant="exp of log-softmax",
    ),
    Hypothesis(
        "fused into the difference",
        "a compiler moves the scale into the exponent, beside a maximum that was rounded: exp overflows",
        "SPEC.md 8.14",
        on(SPARSE, "value"),
        where(fused_offset, "scale", "temperature", "bias"),
        rank=2,
        variant="offset kept",
    ),
    Hypothesis(
        "offset kept",
        "a product is not rounded where m + log S, which is, is subtracted from it",
        "SPEC.md 8.14; XLA under fast math",
        on(LOG_SOFTMAX, "value") | on(DENSE, ("value", "grad_labels")),
        where(product_less_offset, "scale"),
        rank=2,
        variant="of a fused product",
    ),
)

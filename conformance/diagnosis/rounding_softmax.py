"""Hypotheses about the softmax family: the right function, in steps that round apart. SPEC.md 8.2 – 8.6."""

from __future__ import annotations

import numpy as np

from xent_conformance.diagnosis.formulas import (
    DENSE,
    LOG_SOFTMAX,
    LOGSUMEXP,
    SOFTMAX,
    SPARSE,
    settled,
    size,
)
from xent_conformance.diagnosis.hypothesis import SPREAD, Hypothesis, balanced_by_hand, on
from xent_conformance.diagnosis.situation import Array, Pair, Situation

LOSSES = on((DENSE, SPARSE), "value") | on(DENSE, "grad_labels")
LOGARITHMS = on(LOG_SOFTMAX, "value") | LOSSES
ALL = on((SOFTMAX, LOG_SOFTMAX, LOGSUMEXP, DENSE, SPARSE))


def whole_sum(z: Situation) -> Situation:
    L = np.log(z.one + z.R) if z.inputs.copies > 1 else np.log(z.total(z.e))
    return z.but(L=np.asarray(L))


def log_of_softmax(z: Situation) -> Situation:
    return z.but(ell=np.log(z.s), log_size=z.one)


def offset_kept(z: Situation) -> Situation:
    v = z.m + z.L
    return z.but(ell=z.x - v, log_size=size(z.x, v))


def labels_subtracted(z: Situation) -> Situation:
    return z.but(balance=balanced_by_hand)


def mean_subtracted(z: Situation) -> Situation:
    mean = z.total(z.s * z.c)
    return z.but(rows=(z.s * (z.c - mean), z.s * size(z.c, mean)))


def cotangents_summed(z: Situation) -> Situation:
    """``c − s Σc``."""
    whole = z.s * z.total(np.broadcast_to(z.c, z.x.shape))
    return z.but(rows=(z.c - whole, size(z.c, whole)))


def cotangents_in_order(z: Situation) -> Situation | None:
    """One after the other, in 16 bits: a partial sum is infinite, whatever the whole one is."""
    return cotangents_summed(z.but(summed=in_order)) if z.a.sums.itemsize == 2 else None


def products_subtracted(z: Situation) -> Situation:
    product = z.s * z.c
    mean = z.total(product)
    return z.but(rows=(product - z.s * mean, size(product, z.s * mean)))


def through_the_quotient(z: Situation) -> Situation:
    """The derivative of each step: the exponential, the sum, the quotient."""
    first = z.c / z.S
    second = z.total(z.c / z.S * (z.e / z.S))
    return z.but(rows=(z.e * (first - second), z.e * size(first, second)))


def squared_sum(z: Situation) -> Situation | None:
    """``c/S − Σ c e · S⁻²``, of which nothing is left but the first where S² is no number of the format."""
    with np.errstate(over="ignore"):
        gone = np.isinf(z.stored(z.stored(z.S) * z.stored(z.S)))
    if not gone.any():
        return None
    found, _ = z.rows
    lost = z.s * z.c
    return z.but(rows=(np.where(gone, lost, found), np.abs(lost)))


def from_value(z: Situation) -> Situation:
    short = z.but(s=np.asarray(np.exp(z.x - z.stored(z.m + z.L))))
    return moved_by_hand(short) if z.output == "hvp" else short


def from_logsumexp(z: Situation) -> Situation:
    """The gradient of a loss that is ``logsumexp(x) − x``, each derived by itself."""
    return z.but(s=np.asarray(np.exp(z.x - z.stored(z.m + z.L))), balance=balanced_by_hand)


def exp_of_logarithm(z: Situation) -> Situation:
    return z.but(s=np.asarray(np.exp(z.ell)))


def exp_of_saved_logarithm(z: Situation) -> Situation:
    """A backward that starts from log-probabilities: an ulp of one is a relative error of its exponential."""
    s = np.asarray(np.exp(z.ell))
    found, _ = z.but(s=s).rows
    far = np.where(np.isfinite(z.ell), np.abs(z.ell), z.of(0.0))
    return z.but(rows=(found, np.abs(s * z.total(z.q) * z.c) * far / z.number(SPREAD)))


def reciprocal(z: Situation) -> Situation:
    """The quotient as a product with an approximate reciprocal, an ulp short."""
    short = z.but(s=np.asarray(z.e * np.nextafter(z.one / z.S, z.of(0.0))))
    softmax = (z.operator, z.output) == (SOFTMAX, "grad_logits")
    return mean_subtracted(short) if softmax else short


def in_order(z: Situation, terms: Array) -> Array:
    """One term after the other."""
    summed = np.add.accumulate(terms.astype(z.a.sums), axis=1, dtype=z.a.sums)[:, -1:]
    return np.asarray(summed.astype(z.a.working))


def another_order(z: Situation) -> Situation | None:
    """Any order loses up to ``N u`` of the sum (SPEC.md 8.1): more than 1.2 grants, where N is large."""
    if z.n <= 32 or z.output in ("jvp", "hvp"):
        return None
    added = z.but(summed=in_order)
    found, _ = added.rows
    lost = {"value": z.one, "grad_logits": np.abs(z.c) * z.s, "grad_labels": np.abs(z.c * z.slope)}[z.output]
    sized = np.abs(found) if z.operator == SOFTMAX and z.output == "value" else lost
    return added.but(rows=(found, sized.astype(np.float64) * (z.n / SPREAD)))


def base_two(z: Situation) -> Situation:
    power = z.d * z.number(np.log2(np.e))
    return z.but(e=np.asarray(np.exp2(power)), log_size=z.log_size)


def undetached(z: Situation) -> Situation:
    """The derivative by the shift is minus the sum of what the others were rounded by."""
    found, sized = z.rows
    g = z.stored(found)
    rest = z.stored(z.total(g))
    return z.but(rows=(g - np.where(np.arange(z.n) == z.k, rest, z.of(0.0)), sized))


def moved_by_hand(z: Situation) -> Situation:
    """Every derivative along a tangent from ``t = v − Σ s v`` as it is written."""
    mean = z.total(z.s * z.v)
    t, sized = z.v - mean, size(z.v, mean)
    found = _moved(z, t, sized) if z.output == "jvp" else _bent(z, t, sized)
    return z.but(rows=settled(z, found) if z.operator == SPARSE else found)


def _moved(z: Situation, t: Array, sized: Array) -> Pair:
    if z.operator == SOFTMAX:
        return z.s * t, z.s * sized
    if z.operator == LOG_SOFTMAX:
        return t, sized
    if z.operator == LOGSUMEXP:
        return z.total(z.s * z.v), z.total(np.abs(z.s * z.v))
    return _loss_moved(z)


def _bent(z: Situation, t: Array, sized: Array) -> Pair:
    if z.operator == SOFTMAX:
        mean = z.total(z.s * z.c)
        return z.s * (t * (z.c - mean) - z.total(z.s * t * z.c)), z.s * sized * size(z.c, mean)
    factor = z.c
    if z.operator == LOG_SOFTMAX:
        factor = -z.total(np.broadcast_to(z.c, z.x.shape))
    elif z.operator != LOGSUMEXP:
        factor = z.c * z.total(np.broadcast_to(z.q, z.x.shape))
    return factor * z.s * t, np.abs(factor) * z.s * sized


def _loss_moved(z: Situation) -> Pair:
    """``Σ (s Σq − q) v``."""
    whole = z.s * z.total(np.broadcast_to(z.q, z.x.shape))
    terms = (whole - z.q) * z.v
    return z.total(terms), (size(whole, z.q) * np.abs(z.v)).max(axis=1, keepdims=True)


ROUNDING_SOFTMAX = (
    Hypothesis(
        "log of the whole sum",
        "the logarithm is taken of a sum that contains the maximum's 1, not log1p of the others",
        "SPEC.md 8.3, the textbook",
        LOGARITHMS | on(LOGSUMEXP, "value"),
        whole_sum,
        rank=1,
        rounds=True,
    ),
    Hypothesis(
        "log of a rounded probability",
        "the logarithm of a rounded probability, which may have underflowed to 0",
        "SPEC.md 8.13, naive",
        LOGARITHMS,
        log_of_softmax,
        rank=2,
        rounds=True,
        variant="softmax",
    ),
    Hypothesis(
        "offset kept",
        "x − (m + log S): the offset is added to the logarithm, which is rounded away beside it",
        "SPEC.md 8.3, not a textbook form",
        LOGARITHMS,
        offset_kept,
        rank=2,
        rounds=True,
    ),
    Hypothesis(
        "probabilities less labels",
        "s Σp − p from rounded probabilities, which cancels for the labelled class",
        "SPEC.md 8.5, the textbook",
        on((DENSE, SPARSE), "grad_logits"),
        labels_subtracted,
        rank=1,
        rounds=True,
    ),
    Hypothesis(
        "a mean is subtracted",
        "s (c − Σ s c) with the cotangent as it is: where it is nearly uniform, the difference cancels",
        "SPEC.md 8.2, the textbook",
        on(SOFTMAX, "grad_logits"),
        mean_subtracted,
        rank=1,
        rounds=True,
        variant="s (c − Σ s c)",
    ),
    Hypothesis(
        "probabilities less labels",
        "c − s Σ c: the whole sum is rounded, and taken from an element that is nearly as large",
        "SPEC.md 8.3, the textbook; in 16 bits the sum itself may overflow",
        on(LOG_SOFTMAX, "grad_logits"),
        cotangents_summed,
        rank=1,
        rounds=True,
        variant="c − s Σ c",
    ),
    Hypothesis(
        "a sum in 16 bits",
        "the cotangents are added one after the other in the format: a partial sum overflows",
        "SPEC.md 1.5",
        on(LOG_SOFTMAX, "grad_logits"),
        cotangents_in_order,
        rank=2,
        steps=True,
        variant="of the cotangents",
    ),
    Hypothesis(
        "a mean is subtracted",
        "s c − s Σ s c: each product is rounded before they are subtracted",
        "SPEC.md 8.2, the textbook",
        on(SOFTMAX, "grad_logits"),
        products_subtracted,
        rank=2,
        rounds=True,
        variant="two products",
    ),
    Hypothesis(
        "a mean is subtracted",
        "c/S and Σ c e / S², the derivatives of the steps, are rounded apart before they are subtracted",
        "SPEC.md 8.2, the textbook under automatic differentiation",
        on(SOFTMAX, "grad_logits"),
        through_the_quotient,
        rank=2,
        rounds=True,
        variant="of the quotient",
    ),
    Hypothesis(
        "the square of a sum overflows",
        "the derivative of e/S divides by S²: in binary16 that is infinite from S = 256, and Σ s c is lost",
        "SPEC.md 2.1; the derivative of a quotient in JAX",
        on(SOFTMAX, "grad_logits"),
        squared_sum,
        rank=2,
    ),
    Hypothesis(
        "gradient from the rounded value",
        "exp(x − value) with the value as it was rounded: the error of the value is that of the gradient",
        "SPEC.md 8.4",
        on(LOGSUMEXP, ("grad_logits", "jvp", "hvp")),
        from_value,
        rank=1,
        rounds=True,
    ),
    Hypothesis(
        "gradient from the rounded value",
        "exp(x − logsumexp) with logsumexp as it was rounded: far from zero its logarithm is lost",
        "SPEC.md 7.1 and 8.4",
        on((DENSE, SPARSE), "grad_logits"),
        from_logsumexp,
        rank=2,
        variant="of logsumexp",
    ),
    Hypothesis(
        "exp of log-softmax",
        "the probability is exp of a rounded log-probability",
        "SPEC.md 8.2, no textbook form",
        on(SOFTMAX, "value"),
        exp_of_logarithm,
        rank=2,
        rounds=True,
    ),
    Hypothesis(
        "gradient from the rounded value",
        "the exponential of rounded log-probabilities, of which a small one has lost its last digits",
        "SPEC.md 8.3; the backward of log_softmax in PyTorch",
        on((DENSE, SPARSE), "grad_logits"),
        exp_of_saved_logarithm,
        rank=2,
        rounds=True,
        variant="of log-softmax",
    ),
    Hypothesis(
        "approximate reciprocal",
        "the quotient is a product with a reciprocal that is an ulp short: one class has less than 1",
        "SPEC.md 2.4; Eigen's vectorised reciprocal",
        on(SOFTMAX, ("value", "grad_logits")) | on(LOGSUMEXP, "grad_logits"),
        reciprocal,
        rank=2,
        steps=True,
    ),
    Hypothesis(
        "another order of summation",
        "no fault: a long sum is added in an order that loses its last digits",
        "SPEC.md 8.1, any order is stable",
        ALL,
        another_order,
        rank=2,
        rounds=True,
        innocent=True,
    ),
    Hypothesis(
        "exponential in base two",
        "exp2((x − m) log2 e): the product is rounded, which counts far from the maximum",
        "SPEC.md 8.2; attention kernels",
        ALL - on((SOFTMAX, LOG_SOFTMAX, LOGSUMEXP, DENSE, SPARSE), ("jvp", "hvp")),
        base_two,
        rank=3,
        steps=True,
    ),
    Hypothesis(
        "the maximum is not detached",
        "the largest class gets minus the sum of what the other elements of the gradient were rounded by",
        "SPEC.md 8.2",
        on((SOFTMAX, LOG_SOFTMAX), "grad_logits"),
        undetached,
        rank=2,
        steps=True,
    ),
    Hypothesis(
        "a mean is subtracted",
        "v − Σ s v as it is written: where the tangent is nearly uniform it cancels",
        "SPEC.md 8.11, the textbook",
        on((SOFTMAX, LOG_SOFTMAX, LOGSUMEXP, DENSE, SPARSE), ("jvp", "hvp")),
        moved_by_hand,
        rank=1,
        rounds=True,
        variant="s (v − Σ s v)",
    ),
)

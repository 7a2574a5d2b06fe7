"""Hypotheses about losses of given probabilities: the ends of [0, 1], clips, sums. SPEC.md 5.6–5.9, 6.16."""

from __future__ import annotations

import numpy as np

from xent_conformance.diagnosis.constants import LARGE
from xent_conformance.diagnosis.formulas import (
    GIVEN_BINARY,
    GIVEN_DENSE,
    GIVEN_SPARSE,
    of_chances,
    plain,
    settled,
    size,
    two_slopes,
)
from xent_conformance.diagnosis.given import EPSILONS
from xent_conformance.diagnosis.hypothesis import Hypothesis, on, rows
from xent_conformance.diagnosis.situation import Array, Pair, Situation, divided

CLASSES = (GIVEN_DENSE, GIVEN_SPARSE)
LOSSES = (GIVEN_BINARY, *CLASSES)
SLOPES = ("grad_logits", "jvp")


def _factor(z: Situation) -> Array:
    return z.v if z.output == "jvp" else z.c


def numbers(z: Situation, sized: Array) -> Array:
    return np.where(np.isfinite(sized), sized, z.of(0.0))


# --- the ends of [0, 1] ----------------------------------------------------------------------------


def as_written(z: Situation) -> Situation:
    """``0·∞`` and ``0/0`` as IEEE 754 has them."""
    return z.but(zero_takes=False)


def reciprocals(z: Situation, share: Array, p: Array) -> Array:
    """A reciprocal of the format, that is multiplied."""
    return share * z.stored(z.one / p)


def by_reciprocals(z: Situation) -> Situation:
    return _apart(z.but(quotient=reciprocals, zero_takes=False))


def over_the_square(z: Situation) -> Situation:
    """``c v / p²``, each step a number of the format, times the label."""
    squared = z.stored(z.one / z.stored(z.chance * z.chance))
    return z.but(rows=plain(z.q * z.stored(z.stored(z.c * z.v) * squared)))


def _apart(z: Situation) -> Situation:
    """The two slopes of a binary loss, each by itself."""
    if z.operator == GIVEN_BINARY and z.output in SLOPES:
        return z.but(rows=two_slopes(z, _factor(z)))
    return z


def two_quotients(z: Situation) -> Pair:
    return two_slopes(z, _factor(z))


def passed_over(z: Situation) -> Situation:
    """NaN, the logarithm of what is no probability, times a label of zero is zero; a given one stays."""
    up = np.where(z.smoothed == 0, z.of(0.0), z.positive * np.log(z.x))
    down = np.where(z.smoothed == 1, z.of(0.0), z.negative * np.log1p(-z.x))
    lost = np.where(np.isnan(z.x), z.x, z.of(0.0))
    return z.but(rows=(lost - (up + down), numbers(z, size(up, down))))


def kink(z: Situation, flushed: bool) -> Situation:
    """The derivative by a label that is zero is zero, of either term; if ``flushed``, by a subnormal too."""
    factor, least = z.c * z.slope, z.format.smallest_normal if flushed else 0.0
    up = np.where((z.smoothed == 0) | (np.abs(z.smoothed) < least), z.of(0.0), z.log_chance)
    if z.operator == GIVEN_DENSE:
        return z.but(rows=plain(-factor * up))
    down = np.where(z.smoothed == 1, z.of(0.0), z.log_rest)
    return z.but(rows=(factor * (down - up), numbers(z, np.abs(factor) * size(up, down))))


NUMERATOR = (
    4.5270000862445199635215e-5,
    4.9854102823193375972212e-1,
    6.5787325942061044846969e0,
    2.9911919328553073277375e1,
    6.0949667980987787057556e1,
    5.7112963590585538103336e1,
    2.0039553499201281259648e1,
)
DENOMINATOR = (
    1.0,
    1.5062909083469192043167e1,
    8.3047565967967209469434e1,
    2.2176239823732856465394e2,
    3.0909872225312059774938e2,
    2.1642788614495947685003e2,
    6.0118660497603843919306e1,
)
"""Of Cephes' ``log1p``, for arguments from √½ − 1 to √2 − 1; beyond, it takes ``log(1 + x)``."""


def log1p_beyond_its_range(z: Situation) -> Situation | None:
    """The rational function wherever ``|x| < √2 − 1``: on the negative side that is too far, by 10⁻¹⁴."""
    if z.format.precision != 53:
        return None
    x = -z.chance
    rational = x * x * (x * np.polyval(NUMERATOR, x) / np.polyval(DENOMINATOR, x) - 0.5)
    log_rest = np.where(np.abs(x) < np.sqrt(2.0) - 1.0, x + rational, np.log1p(x))
    if z.output == "value":
        return z.but(log_rest=log_rest)
    up, factor = z.pos_weight * z.log_chance, z.c * z.slope
    return z.but(rows=(factor * (log_rest - up), numbers(z, np.abs(factor) * size(up, log_rest))))


# --- constants for safety --------------------------------------------------------------------------


def clipped(z: Situation, epsilon: float) -> Situation:
    """To ``[ε, 1 − ε]`` in the format, where 1 − ε may be 1; what is clipped does not move."""
    low, high = z.of(epsilon), z.of(1 - epsilon)
    inside = (z.x >= low) & (z.x <= high)
    p = np.clip(z.x, low, high)
    rest = np.log(z.stored(z.one - p))
    found = z.but(chance=p, log_rest=rest, moves=inside, quotient=reciprocals, zero_takes=False)
    if z.output != "grad_labels":
        return _apart(found)
    factor, up = z.c * z.slope, found.log_chance
    return found.but(rows=(factor * (rest - up), numbers(z, np.abs(factor) * size(rest, up, z.one))))


def under_the_fraction(z: Situation, epsilon: float) -> Situation:
    """What a derivative is divided by does not end at 0; the loss is none of it."""
    low = z.of(epsilon)
    if z.operator != GIVEN_BINARY:
        return z.but(quotient=lambda z, share, p: divided(z, share, np.maximum(p, low)))
    factor, p = _factor(z), z.chance
    over = z.w * (p - z.smoothed)
    found = factor * over / np.maximum(p * (z.one - p), low)
    return z.but(rows=plain(found))


def clamped_logarithms(z: Situation, limit: float) -> Situation:
    low = -z.number(limit)
    return z.but(log_chance=np.maximum(z.log_chance, low), log_rest=np.maximum(z.log_rest, low))


def added(z: Situation, epsilon: float) -> Situation:
    tiny = z.number(epsilon)
    return z.but(log_chance=np.log(z.chance + tiny), log_rest=np.log(z.one - z.chance + tiny))


# --- the right function, in steps that round apart -------------------------------------------------


def rounded_rest(z: Situation) -> Pair:
    found, _ = of_chances(z.but(log_rest=np.log(z.one - z.chance)))
    up, down = z.positive * z.log_chance, z.negative * np.maximum(np.abs(z.log_rest), z.one)
    return found, numbers(z, size(up, down))


def logarithms_subtracted(z: Situation) -> Pair:
    up, down = z.pos_weight * z.log_chance, np.log(z.one - z.chance)
    factor = z.c * z.slope
    return factor * (down - up), numbers(z, np.abs(factor) * size(up, down, z.one))


def expanded(z: Situation) -> Pair:
    """``(p² − 2 p z + z) / (p (1 − p))²``, PyTorch's."""
    p, d = z.chance, z.chance * (z.one - z.chance)
    twice = (p + p) * z.smoothed
    factor = z.c * z.v * z.w / d / d
    return factor * (p * p - twice + z.smoothed), np.abs(factor) * size(p * p, twice, z.smoothed)


def by_logits(z: Situation) -> Pair:
    """``c (Q p − q)``, behind a softmax or a sigmoid that is not there."""
    if z.operator == GIVEN_BINARY:
        up, down = z.negative * z.chance, z.positive * (z.one - z.chance)
        return z.c * (up - down), np.abs(z.c) * size(up, down)
    up = z.chance * z.total(z.q)
    found = z.c * (up - z.q), np.abs(z.c) * size(up, z.q)
    return settled(z, found) if z.indexed else found


PROBABILITIES = (
    Hypothesis(
        "0·∞ is NaN",
        "a label of zero times the logarithm, or the reciprocal, of a probability of zero",
        "SPEC.md 5.6",
        on(GIVEN_BINARY) - on(GIVEN_BINARY, "grad_labels")
        | on(GIVEN_DENSE, ("value", *SLOPES, "hvp"))
        | on(GIVEN_SPARSE, (*SLOPES, "hvp")),
        as_written,
        rank=1,
        variant="of a probability",
    ),
    Hypothesis(
        "0·∞ is NaN",
        "a label of zero times a reciprocal that is infinite: of a probability of zero, or a subnormal one",
        "SPEC.md 5.6 and 5.7; automatic differentiation of a logarithm",
        on(LOSSES, (*SLOPES, "hvp")),
        by_reciprocals,
        rank=2,
        variant="of a reciprocal",
    ),
    Hypothesis(
        "0·∞ is NaN",
        "a label of zero times c v / p², which overflows before it is multiplied",
        "SPEC.md 1.6; the derivative of xlogy in JAX, once more",
        on(GIVEN_DENSE, "hvp"),
        over_the_square,
        rank=3,
        variant="of the square of a probability",
    ),
    Hypothesis(
        "a NaN is passed over",
        "a label of zero passes over the logarithm of what is no probability",
        "SPEC.md 5.9; xlogy",
        on(GIVEN_BINARY, "value"),
        passed_over,
        rank=2,
        variant="by a label of zero",
    ),
    Hypothesis(
        "the kink at zero",
        "of xlogy the derivative at a label of 0 is taken for 0: the loss is linear in it, its branch is not",
        "SPEC.md 8.16; the derivative of xlogy in TensorFlow",
        on((GIVEN_BINARY, GIVEN_DENSE), "grad_labels"),
        kink,
        rank=2,
        parameters=(False, True),
        variant="of xlogy",
    ),
    Hypothesis(
        "log1p beyond its range",
        "the rational function of a logarithm is good above √½ − 1, and is taken down to 1 − √2",
        "SPEC.md 5.7; Cephes' log1p in XLA, binary64",
        on(GIVEN_BINARY, ("value", "grad_labels")),
        log1p_beyond_its_range,
        rank=2,
    ),
    Hypothesis(
        "clipped by ε",
        "given probabilities are kept away from 0 and from 1, and what is clipped has no gradient",
        "SPEC.md 5.7; Keras",
        on(GIVEN_BINARY),
        clipped,
        rank=4,
        parameters=EPSILONS,
        variant="of given probabilities",
    ),
    Hypothesis(
        "clipped by ε",
        "what a derivative is divided by, p (1 − p) or p, is kept away from 0, and the loss is not",
        "SPEC.md 5.7; PyTorch's binary_cross_entropy",
        on(LOSSES, SLOPES),
        under_the_fraction,
        rank=4,
        parameters=(*EPSILONS, float(np.float32(1e-12))),
        variant="under the fraction",
    ),
    Hypothesis(
        "derived by logits that are not there",
        "p − t: the gradient behind a softmax, or a sigmoid, where probabilities are given",
        "SPEC.md §0",
        on(LOSSES, "grad_logits"),
        rows(by_logits),
        variant="of probabilities",
    ),
    Hypothesis(
        "clipped by ε",
        "given probabilities are kept away from 0 by their logarithms, and so is one less them",
        "SPEC.md 5.6 and 5.7; PyTorch's binary_cross_entropy, at −100",
        on(LOSSES, "value"),
        clamped_logarithms,
        rank=4,
        parameters=LARGE,
        variant="by the logarithm",
    ),
    Hypothesis(
        "an ε in the logarithm",
        "something is added to a given probability, and to one less it, before its logarithm is taken",
        "SPEC.md 5.7; tf.compat.v1.losses.log_loss",
        on(LOSSES, "value"),
        added,
        rank=4,
        parameters=EPSILONS,
        variant="of given probabilities",
    ),
    Hypothesis(
        "log of a rounded probability",
        "the logarithm of a rounded 1 − p, not log1p: a small p is lost beside 1",
        "SPEC.md 8.16, the textbook",
        on(GIVEN_BINARY, "value"),
        rows(rounded_rest),
        rank=1,
        rounds=True,
        variant="1 − p",
    ),
    Hypothesis(
        "log of the odds",
        "log(1 − p) − log p: two logarithms subtracted, which cancel near one half",
        "SPEC.md 8.16, the textbook",
        on(GIVEN_BINARY, "grad_labels"),
        rows(logarithms_subtracted),
        rank=1,
        rounds=True,
        variant="log(1 − p) − log p",
    ),
    Hypothesis(
        "probabilities less labels",
        "c (1 − z)/(1 − p) and −c z/p, each rounded apart: they cancel where p is nearly z",
        "SPEC.md 8.16, the textbook under automatic differentiation",
        on(GIVEN_BINARY, SLOPES),
        rows(two_quotients),
        rank=1,
        rounds=True,
        variant="(1 − z)/(1 − p) less z/p",
    ),
    Hypothesis(
        "a product is derived factor by factor",
        "(p² − 2 p z + z) / (p (1 − p))²: the numerator cancels, where two quotients have one sign",
        "SPEC.md 8.16; PyTorch's binary_cross_entropy",
        on(GIVEN_BINARY, "hvp"),
        rows(expanded),
        rank=2,
        rounds=True,
        variant="p² − 2 p z + z",
    ),
)

"""Hypotheses about losses of given log-probabilities: a divergence, and a likelihood. SPEC.md 4.7, 6.1."""

from __future__ import annotations

import numpy as np

from xent_conformance.diagnosis.formulas import DENSE, DIVERGENCE, LIKELIHOOD, SPARSE, settled, size
from xent_conformance.diagnosis.hypothesis import Hypothesis, on, rows
from xent_conformance.diagnosis.situation import Array, Pair, Situation

EPSILONS = (1e-4, 1e-6, 1e-7, 1e-8, 1e-10, 1e-12)
"""What real code keeps a target away from 0 by."""


def as_written(z: Situation) -> Pair:
    """``Σ w p (log p − x)``, 0·∞ and all."""
    terms = z.w * (z.smoothed * (np.log(z.smoothed) - z.x))
    return z.total(terms), size(terms).max(axis=1, keepdims=True)


def cross_entropy(z: Situation) -> Pair:
    return -z.total(z.product(z.w * z.smoothed, z.x)), 0.0


def forgotten(z: Situation) -> Pair:
    """``c w (log p − x)``."""
    return z.c * z.slope * (np.log(z.smoothed) - z.x), np.abs(z.c * z.slope) * size(z.x)


def by_logits(z: Situation) -> Pair:
    """``c (exp(x) − p)``."""
    q = z.w * z.smoothed
    found = z.c * (np.exp(z.x) - q), np.abs(z.c) * size(np.exp(z.x), q)
    return settled(z, found) if z.indexed else found


def once_more(z: Situation) -> Pair:
    """Of the log-softmax of what is given."""
    return z.right[SPARSE if z.indexed else DENSE, z.output](z)


def reciprocal_of_the_target(z: Situation) -> Situation:
    """``p · 1/p`` in the derivative of ``p log p``: both as the arithmetic has them, which flushes."""
    tiny = np.finfo(np.float32 if z.format.precision < 53 else np.float64).tiny
    return _by_reciprocal(z, np.where(np.abs(z.smoothed) < tiny, z.of(0.0), z.smoothed))


def reciprocal_of_a_kept_target(z: Situation) -> Situation:
    """The same where nothing is flushed."""
    return _by_reciprocal(z, z.smoothed)


def _by_reciprocal(z: Situation, p: Array) -> Situation:
    factor, one = z.c * z.slope, p * z.stored(z.one / p)
    return z.but(rows=(factor * (np.log(p) + one - z.x), np.abs(factor) * size(z.x, z.one)))


def clipped_target(z: Situation, epsilon: float) -> Situation:
    low = np.maximum(z.smoothed, z.number(epsilon))
    return z.but(smoothed=np.where(np.isnan(z.smoothed), z.smoothed, low))


GIVEN = (
    Hypothesis(
        "the reciprocal of a target overflows",
        "p log p is derived as log p + p · 1/p: of a subnormal p that is infinite, or, flushed to 0, 0·∞",
        "SPEC.md 6.1; the derivative of xlogy in JAX",
        on(DIVERGENCE, "grad_labels"),
        reciprocal_of_the_target,
        rank=2,
    ),
    Hypothesis(
        "the reciprocal of a target overflows",
        "p log p is derived as log p + p · 1/p: of a subnormal p that is infinite, or, flushed to 0, 0·∞",
        "SPEC.md 6.1; the derivative of xlogy in JAX, on CUDA",
        on(DIVERGENCE, "grad_labels"),
        reciprocal_of_a_kept_target,
        rank=2,
        variant="of a subnormal target that is kept",
    ),
    Hypothesis(
        "0·∞ is NaN",
        "p (log p − x) as it is written: a target of zero times its infinite logarithm",
        "SPEC.md 4.7",
        on(DIVERGENCE, "value"),
        rows(as_written),
        rank=2,
        variant="p (log p − x)",
    ),
    Hypothesis(
        "0·∞ is NaN",
        "the row times one-hot labels: zero times the infinity of an excluded class",
        "SPEC.md 4.7",
        on(LIKELIHOOD, "value"),
        rows(lambda z: settled(z, (-z.total(z.q * z.x), 0.0))),
        rank=1,
        variant="one-hot labels",
    ),
    Hypothesis(
        "0·∞ is NaN",
        "the cotangent times one-hot labels: zero times one that is not finite, in every class",
        "SPEC.md 3.2",
        on(LIKELIHOOD, "grad_logits"),
        rows(lambda z: settled(z, (-z.c * z.q, 0.0))),
        rank=1,
        variant="one-hot labels and the cotangent",
    ),
    Hypothesis(
        "the entropy of the target is left out",
        "−Σ p x: the cross-entropy where the divergence is asked",
        "SPEC.md §0",
        on(DIVERGENCE, "value"),
        rows(cross_entropy),
    ),
    Hypothesis(
        "the derivative of the logarithm is forgotten",
        "log p − x by a target p, which is one short",
        "SPEC.md §0",
        on(DIVERGENCE, "grad_labels"),
        rows(forgotten),
    ),
    Hypothesis(
        "derived by logits that are not there",
        "exp(x) − p: the gradient behind a log-softmax, where log-probabilities are given",
        "SPEC.md §0",
        on((DIVERGENCE, LIKELIHOOD), "grad_logits"),
        rows(by_logits),
    ),
    Hypothesis(
        "normalised once more",
        "what is given is normalised: log-probabilities as logits, a distribution by its sum",
        "SPEC.md §0; the most common mistake of users",
        on((DIVERGENCE, LIKELIHOOD), ("value", "grad_logits")),
        rows(once_more),
    ),
    Hypothesis(
        "clipped by ε",
        "a target is kept away from 0, for safety, and its gradient with it",
        "SPEC.md 4.7 and 8.13; Keras' KLDivergence",
        on(DIVERGENCE),
        clipped_target,
        rank=4,
        parameters=EPSILONS,
        variant="of a target",
    ),
)

"""Hypotheses about losses of given distributions: clipped, or divided by their sum. SPEC.md 5.6–5.9, 6.16."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from xent_conformance.diagnosis.formulas import (
    GIVEN_DENSE,
    GIVEN_SPARSE,
    plain,
    settled,
    size,
    surprise,
)
from xent_conformance.diagnosis.given import EPSILONS
from xent_conformance.diagnosis.hypothesis import Change, Hypothesis, on, rows
from xent_conformance.diagnosis.probabilities import CLASSES, SLOPES, numbers
from xent_conformance.diagnosis.situation import Array, Pair, Situation, divided


def one_hot(z: Situation) -> Pair:
    """An index as a row of labels, every one of which is multiplied."""
    if z.output == "value":
        return settled(z, (-z.total(z.q * z.log_chance), 0.0))
    return settled(z, plain(-divided(z.but(zero_takes=False), z.c * z.q, z.chance)))


def clipped_below(z: Situation, epsilon: float) -> Situation:
    low = z.of(epsilon)
    return z.but(chance=np.maximum(z.chance, low), moves=z.x >= low)


def of_logits(z: Situation) -> Pair:
    """Of the log-softmax of the probabilities."""
    found = -z.total(z.product(z.q, z.ell)), z.one
    return settled(z, found) if z.indexed else found


# --- a distribution that is divided by its sum -----------------------------------------------------


def normalised(z: Situation) -> Pair:
    """``−Σ q log(p / Σp)``, which moves every class."""
    return _normalised(z, z.of(0.0), z.of(np.inf))


def normalised_and_clipped(z: Situation, epsilon: float) -> Pair:
    return _normalised(z, z.of(epsilon), z.of(1 - epsilon))


def _normalised(z: Situation, low: Array, high: Array) -> Pair:
    whole = z.total(z.x)
    s = z.stored(z.x / whole)
    kept = (s >= low) & (s <= high)
    if z.output in ("value", "grad_labels"):
        clipped = z.but(chance=np.clip(s, low, high), zero_takes=False)
        if z.output == "value":
            return surprise(clipped)
        factor = z.c * z.slope
        return -factor * clipped.log_chance, np.abs(factor) * size(clipped.log_chance, z.one)
    shares = np.where(kept, z.q, z.of(0.0))
    return _of_shares(z, shares, np.where(kept, z.x, z.one), whole, z.one)


def clipped_and_normalised(z: Situation, epsilon: float) -> Pair:
    """By a softmax of the logarithms of what is clipped."""
    low, high = z.of(epsilon), z.of(1 - epsilon)
    kept = (z.x >= low) & (z.x <= high)
    p = np.clip(z.x, low, high)
    if z.output == "value":
        return _by_a_sum(z, p, z.total(p))
    found, sized = _of_shares(z, z.q, p, z.total(p), np.where(kept, z.one, z.of(0.0)))
    if z.output == "grad_logits":  # a difference times a reciprocal of the format
        by = z.stored(z.one / p)
        found = np.where(np.isinf(by) & kept, z.c * (z.total(z.q) * (p / z.total(p)) - z.q) * by, found)
    return found, sized


def clipped_and_added_in_the_format(z: Situation, epsilon: float) -> Pair | None:
    """The same, of which the sum is kept in 16 bits: ε is lost beside 1."""
    if z.format.precision > 11:
        return None
    p = np.clip(z.x, z.of(epsilon), z.of(1 - epsilon))
    return _by_a_sum(z, p, z.stored(z.total(p)))


def _by_a_sum(z: Situation, p: Array, whole: Array) -> Pair:
    found, sized = surprise(z.but(chance=p / whole))
    return found, np.maximum(sized, size(z.q).max(axis=1, keepdims=True))


def _of_shares(z: Situation, q: Array, p: Array, whole: Array, kept: Array) -> Pair:
    """Derivatives of ``−Σ q log p + Q log Σp``, where what is not ``kept`` does not move."""
    own = divided(z.but(zero_takes=True), q, p)
    over = z.stored(own)
    mass = z.total(np.where(np.isinf(over), over, q)) / whole  # it overflows with what it is made of
    v = kept * z.v if z.output in ("jvp", "hvp") else z.one
    if z.output == "jvp":
        found = mass * z.total(v) - z.total(own * v)
        return found, size(mass * v, own * v).max(axis=1, keepdims=True)
    first, second = (own, mass) if z.output == "grad_logits" else (-own / p * v, -mass / whole * z.total(v))
    way = size(first, second)
    if z.output == "hvp":  # a sum over the classes is on the way to each of them
        way = np.maximum(way, np.abs(own * v / whole).max(axis=1, keepdims=True))
    sized = np.maximum(np.abs(z.c) * way, z.of(z.format.smallest_normal))
    return z.c * (kept * (second - first)), numbers(z, sized)


def _of_index(formula: Callable[..., Pair | None]) -> Change:
    """Of an index, nothing of a row that is ignored."""

    def change(z: Situation, *epsilon: float) -> Situation | None:
        found = formula(z, *epsilon)
        if found is None:
            return None
        return z.but(rows=settled(z, found) if z.indexed else found)

    return change


DISTRIBUTIONS = (
    Hypothesis(
        "0·∞ is NaN",
        "one-hot labels times logarithms, or over probabilities, in every class",
        "SPEC.md 5.6",
        on(GIVEN_SPARSE, ("value", "grad_logits")),
        rows(one_hot),
        rank=2,
        variant="one-hot labels of probabilities",
    ),
    Hypothesis(
        "clipped by ε",
        "given probabilities are kept away from 0",
        "SPEC.md 5.7",
        on(CLASSES),
        clipped_below,
        rank=4,
        parameters=EPSILONS,
        variant="of given probabilities, below",
    ),
    Hypothesis(
        "clipped by ε",
        "a given distribution is divided by its sum, and kept away from 0 and from 1",
        "SPEC.md 5.7 and 6.16; Keras' categorical_crossentropy",
        on(CLASSES, "value") | on(GIVEN_DENSE, "grad_labels"),
        _of_index(normalised_and_clipped),
        rank=4,
        parameters=EPSILONS,
        variant="of what is normalised",
    ),
    Hypothesis(
        "clipped by ε",
        "a given distribution is kept away from 0 and from 1, and divided by its sum",
        "SPEC.md 5.7 and 6.16; Keras' sparse_categorical_crossentropy",
        on(CLASSES, "value"),
        _of_index(clipped_and_normalised),
        rank=4,
        parameters=EPSILONS,
        variant="before it is normalised",
    ),
    Hypothesis(
        "clipped by ε",
        "the same, and the sum is kept in 16 bits",
        "SPEC.md 5.9 and 6.16; Keras' sparse_categorical_crossentropy in bfloat16",
        on(GIVEN_SPARSE, "value"),
        _of_index(clipped_and_added_in_the_format),
        rank=4,
        parameters=EPSILONS,
        variant="before it is normalised, in 16 bits",
    ),
    Hypothesis(
        "normalised once more",
        "a given distribution is divided by its sum: each element has the mass of the labels more",
        "SPEC.md 6.16",
        on(CLASSES, (*SLOPES, "hvp")),
        _of_index(normalised),
        variant="by its sum",
    ),
    Hypothesis(
        "normalised once more",
        "a given distribution is divided by its sum, and clipped, where nothing moves",
        "SPEC.md 6.16; Keras' categorical_crossentropy",
        on(CLASSES, (*SLOPES, "hvp")),
        _of_index(normalised_and_clipped),
        parameters=EPSILONS,
        variant="by its sum, and clipped",
    ),
    Hypothesis(
        "normalised once more",
        "the logarithms of what is clipped are taken for logits",
        "SPEC.md 6.16; Keras' sparse_categorical_crossentropy",
        on(CLASSES, (*SLOPES, "hvp")),
        _of_index(clipped_and_normalised),
        parameters=EPSILONS,
        variant="clipped, and taken for logits",
    ),
    Hypothesis(
        "normalised once more",
        "given probabilities are taken for logits",
        "SPEC.md §0; the most common mistake of users",
        on(CLASSES, "value"),
        rows(of_logits),
        variant="probabilities",
    ),
)

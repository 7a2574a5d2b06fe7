"""Hypotheses about weights and smoothing in their known wrong forms. SPEC.md 6.6, 6.7, 6.9."""

from __future__ import annotations

from collections.abc import Callable

import ml_dtypes
import numpy as np

from xent_conformance.diagnosis.formulas import (
    BINARY,
    DENSE,
    DIVERGENCE,
    GIVEN_BINARY,
    GIVEN_DENSE,
    GIVEN_SPARSE,
    LIKELIHOOD,
    LOGSUMEXP,
    SPARSE,
)
from xent_conformance.diagnosis.hypothesis import Hypothesis, on, picked, where
from xent_conformance.diagnosis.situation import Situation

LOSSES = on((DENSE, SPARSE, BINARY, DIVERGENCE, LIKELIHOOD, GIVEN_BINARY, GIVEN_DENSE, GIVEN_SPARSE))
SOFTMAX_LOSSES = on((DENSE, SPARSE))


# --- weights ---------------------------------------------------------------------------------------


def no_weights(z: Situation) -> Situation:
    if z.weighs:
        return z.but(w=np.ones_like(z.w))
    return z.but(w=np.ones_like(z.w), counted=z.counted)


def weights_twice(z: Situation) -> Situation:
    return z.but(q=z.w * z.q, slope=z.w * z.slope)


def weights_rolled(z: Situation) -> Situation:
    return z.but(w=np.roll(z.w, 1, axis=1))


def weights_normalised(z: Situation) -> Situation:
    return z.but(w=z.w / z.w.mean(dtype=z.a.working))


def negative_weights(z: Situation) -> Situation:
    return z.but(w=np.maximum(z.w, z.of(0.0)), pos_weight=np.maximum(z.pos_weight, z.of(0.0)))


def label_weight(z: Situation) -> Situation:
    """Every share has the weight of the labelled class."""
    mine = picked(z.w, z.y)
    return z.but(q=mine * z.smoothed)


# --- positive weights ------------------------------------------------------------------------------


def no_pos_weight(z: Situation) -> Situation:
    return z.but(pos_weight=np.ones_like(z.pos_weight))


def pos_weight_on_negatives(z: Situation) -> Situation:
    return z.but(factors=(z.pos_weight, z.one))


def pos_weight_on_both(z: Situation) -> Situation:
    return z.but(factors=(z.pos_weight, z.pos_weight))


def pos_weight_of_hard(z: Situation) -> Situation:
    of_label = np.where(z.p > 0.5, z.pos_weight, z.one)
    return z.but(factors=(of_label, of_label))


def pos_weight_of_ones(z: Situation) -> Situation:
    return z.but(pos_weight=np.where((z.pos_weight == 1).all(), z.of(0.0), z.pos_weight))


def pos_weight_of_rows(z: Situation) -> Situation:
    """The positive weights run along the examples."""
    each = np.resize(z.pos_weight, (len(z.arrived), 1))
    return z.but(pos_weight=each)


def less_one(z: Situation, name: str) -> Situation | None:
    """``1 + (P − 1)``, of which the difference is rounded in the weights' own format."""
    if z.given.weight_dtype != name:
        return None
    narrow = np.dtype(getattr(ml_dtypes, name, None) or name)
    return z.but(pos_weight=z.one + (z.pos_weight.astype(narrow) - narrow.type(1)).astype(z.a.working))


def in_the_logits_format(z: Situation) -> Situation | None:
    if not z.given.weight_dtype:
        return None
    return z.but(w=z.stored(z.w), pos_weight=z.stored(z.pos_weight))


# --- smoothing -------------------------------------------------------------------------------------


def no_smoothing(z: Situation) -> Situation:
    return z.but(smoothing=z.of(0.0))


def on_the_others(z: Situation) -> Situation:
    others = z.smoothing * (z.one - z.p) / z.number(max(z.n - 1, 1))
    return z.but(smoothed=(z.one - z.smoothing) * z.p + others)


def share_not_weighted(z: Situation) -> Situation:
    q = z.w * (z.one - z.smoothing) * z.p + z.smoothing * z.shares
    return z.but(q=q)


def share_of(outcomes: Callable[[Situation], int]) -> Callable[[Situation], Situation]:
    """The share is one over so many outcomes."""

    def change(z: Situation) -> Situation:
        return z.but(shares=np.full((1, z.n), z.number(1.0 / max(outcomes(z), 1))))

    return change


def share_of_all(z: Situation) -> Situation:
    return z.but(shares=np.where(z.there, z.number(1.0 / z.n), z.number(0.0)))


def share_of_the_last_axis(z: Situation) -> Situation | None:
    return share_of(lambda z: z.last)(z) if z.last != z.n else None


def labels_of_the_last_axis(z: Situation) -> Situation | None:
    other = share_of_the_last_axis(z)
    return other and other.but(rows=(z.c * (z.s - other.q), np.abs(z.c) * np.maximum(z.s, np.abs(other.q))))


def slope_of_one(z: Situation) -> Situation:
    return z.but(slope=np.broadcast_to(z.w, z.x.shape))


def share_of_excluded(z: Situation) -> Situation:
    gone = (z.x == -np.inf) & (z.p == 0)
    return z.but(q=np.where(gone, z.of(0.0), z.q))


WEIGHTS = (
    Hypothesis(
        "weights are not applied",
        "the weights of the classes are forgotten",
        "SPEC.md 6.6",
        LOSSES | on(LOGSUMEXP),
        where(no_weights, "weight"),
        rank=2,
    ),
    Hypothesis(
        "weights are applied twice",
        "to the labels, and to the loss again",
        "SPEC.md 6.6",
        SOFTMAX_LOSSES,
        where(weights_twice, "weight"),
    ),
    Hypothesis(
        "the weight of another class",
        "the weights are read one place off",
        "SPEC.md 6.6",
        LOSSES,
        where(weights_rolled, "weight"),
    ),
    Hypothesis(
        "weights are normalised",
        "the weights are divided by their mean",
        "SPEC.md 6.6",
        LOSSES,
        where(weights_normalised, "weight"),
    ),
    Hypothesis(
        "a negative weight is zero",
        "a weight below zero is taken for none",
        "SPEC.md 6.6",
        LOSSES,
        where(negative_weights, "weight", "pos_weight"),
    ),
    Hypothesis(
        "every share has the label's weight",
        "the shares of smoothing have the weight of the labelled class, not each its own",
        "SPEC.md 6.7; Keras, JAX examples",
        on(SPARSE),
        where(label_weight, "weight"),
    ),
    Hypothesis(
        "the share of smoothing is not weighted",
        "only the labelled class has its weight",
        "SPEC.md 6.7",
        SOFTMAX_LOSSES,
        where(share_not_weighted, "weight"),
    ),
    Hypothesis(
        "positive weights are not applied",
        "the positive weights are forgotten",
        "SPEC.md 6.9",
        on(BINARY),
        where(no_pos_weight, "pos_weight"),
        rank=2,
    ),
    Hypothesis(
        "in fewer bits",
        "a weight less one is rounded in the weights' own format, which is narrower than that of the logits",
        "SPEC.md 6.5",
        on(BINARY),
        where(less_one, "pos_weight"),
        rank=3,
        parameters=("float32", "float16", "bfloat16"),
        variant="a weight less one",
    ),
    Hypothesis(
        "weights are cast to the logits' format",
        "weights of a wider format are rounded to that of the logits before they multiply",
        "SPEC.md 6.5",
        LOSSES | on(LOGSUMEXP),
        where(in_the_logits_format, "weight", "pos_weight"),
        rank=2,
    ),
    Hypothesis(
        "positive weights on the negative term",
        "the weight multiplies the term of the negative label",
        "SPEC.md 6.9",
        on(BINARY),
        where(pos_weight_on_negatives, "pos_weight"),
    ),
    Hypothesis(
        "positive weights on the whole loss",
        "the weight multiplies both terms",
        "SPEC.md 6.9",
        on(BINARY),
        where(pos_weight_on_both, "pos_weight"),
    ),
    Hypothesis(
        "positive weights of hard labels",
        "the weight is looked up by label > 1/2, and multiplies the whole loss: right for hard labels",
        "SPEC.md 6.9",
        on(BINARY),
        where(pos_weight_of_hard, "pos_weight"),
    ),
    Hypothesis(
        "positive weights of one are zero",
        "weights that are all one are taken for none at all",
        "SPEC.md 6.9",
        on(BINARY),
        where(pos_weight_of_ones, "pos_weight"),
        rank=4,
    ),
    Hypothesis(
        "positive weights along another axis",
        "the weights go to the rows, not to the elements of a row",
        "SPEC.md 6.9",
        on(BINARY),
        where(pos_weight_of_rows, "pos_weight"),
        rank=4,
    ),
    Hypothesis(
        "smoothing is not applied",
        "the smoothing is forgotten",
        "SPEC.md 6.7",
        LOSSES,
        where(no_smoothing, "label_smoothing"),
        rank=2,
    ),
    Hypothesis(
        "smoothing on the other classes",
        "the mass is spread over the N − 1 classes that are not labelled",
        "SPEC.md 6.7",
        SOFTMAX_LOSSES,
        where(on_the_others, "label_smoothing"),
    ),
    Hypothesis(
        "smoothing over a row of elements",
        "ε/N where two outcomes have ε/2 each",
        "SPEC.md 6.7",
        on(BINARY),
        where(share_of(lambda z: z.n), "label_smoothing"),
    ),
    Hypothesis(
        "smoothing over another axis",
        "the share is one over the length of the last axis of the tensor, which is not that of the classes",
        "SPEC.md 6.7",
        SOFTMAX_LOSSES,
        where(share_of_the_last_axis, "label_smoothing"),
        rank=3,
    ),
    Hypothesis(
        "smoothing over another axis",
        "the share is one over the length of the last axis, and the labels' sum is taken for one",
        "SPEC.md 6.7; Keras on TensorFlow's kernel",
        on(DENSE, "grad_logits"),
        where(labels_of_the_last_axis, "label_smoothing"),
        variant="labels taken to sum to one",
    ),
    Hypothesis(
        "masked classes have a share of the smoothing",
        "a class that a mask takes away is given mass, which is an infinite loss",
        "SPEC.md 6.7",
        SOFTMAX_LOSSES,
        where(share_of(lambda z: z.given.present(z.n)), "mask"),
        rank=2,
    ),
    Hypothesis(
        "masked classes count in the smoothing",
        "the share is that of all classes, masked ones among them",
        "SPEC.md 6.7",
        SOFTMAX_LOSSES,
        where(share_of_all, "mask"),
    ),
    Hypothesis(
        "the gradient by the labels knows no smoothing",
        "the factor 1 − ε is left out",
        "SPEC.md 6.7",
        on((DENSE, BINARY, GIVEN_DENSE, GIVEN_BINARY), "grad_labels"),
        where(slope_of_one, "label_smoothing"),
        rank=2,
    ),
    Hypothesis(
        "the share of an excluded class is left out",
        "smoothing gives an excluded class mass, which is an infinite loss; it is passed over",
        "SPEC.md 4.3 and 6.7",
        SOFTMAX_LOSSES,
        where(share_of_excluded, "label_smoothing"),
        rank=4,
    ),
)

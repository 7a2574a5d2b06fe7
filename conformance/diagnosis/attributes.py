"""Hypotheses about weights, smoothing, an ignored index and reductions, in their known wrong forms. SPEC.md §6."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from xent_conformance.diagnosis.formulas import BINARY, DENSE, LOGSUMEXP, SPARSE
from xent_conformance.diagnosis.hypothesis import Change, Hypothesis, Where, on, picked, where
from xent_conformance.diagnosis.situation import Array, Situation

LOSSES = on((DENSE, SPARSE, BINARY))
SOFTMAX_LOSSES = on((DENSE, SPARSE))
GRADIENTS = on((DENSE, SPARSE, BINARY), ("grad_logits", "grad_labels", "hvp"))


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
        return z.but(shares=np.full((1, z.n), z.number(1.0 / outcomes(z))))

    return change


def share_of_all(z: Situation) -> Situation:
    return z.but(shares=np.where(z.there, z.number(1.0 / z.n), z.number(0.0)))


def share_of_the_last_axis(z: Situation) -> Situation:
    other = share_of(lambda z: z.last)(z)
    return other.but(rows=(z.c * (z.s - other.q), np.abs(z.c) * np.maximum(z.s, np.abs(other.q))))


def slope_of_one(z: Situation) -> Situation:
    return z.but(slope=np.broadcast_to(z.w, z.x.shape))


def share_of_excluded(z: Situation) -> Situation:
    gone = (z.x == -np.inf) & (z.p == 0)
    return z.but(q=np.where(gone, z.of(0.0), z.q))


# --- an ignored index ------------------------------------------------------------------------------


def not_ignored(z: Situation) -> Situation:
    """The rows that are to be ignored are rows like any other, of the nearest class."""
    return z.but(ignored=np.zeros_like(z.ignored), outside=z.outside, counted=z.counted)


def not_ignored_at_all(z: Situation) -> Situation:
    """Nobody looks for an index to ignore."""
    return z.but(ignore_index=None)


def ignored_if_a_class(z: Situation) -> Situation:
    return z.but(ignored=z.ignored & (z.index == z.y))


def ignored_if_no_class(z: Situation) -> Situation:
    return z.but(ignored=z.ignored & (z.index != z.y))


def smoothing_of_ignored(z: Situation) -> Situation:
    found, sized = z.rows
    share = -z.total(z.product(z.w * z.smoothing * z.shares, z.ell))
    return z.but(rows=(np.where(z.ignored, share, found), sized))


# --- what a mean divides by --------------------------------------------------------------------------


def _examples(z: Situation, kept: Array) -> Array:
    return z.across(np.broadcast_to(z.of(kept), (len(z.arrived), 1)))


def over_rows(z: Situation) -> Situation:
    return z.but(divisor=z.number(z.examples))


def over_kept_rows(z: Situation) -> Situation:
    return z.but(divisor=_examples(z, ~z.ignored))


def over_elements(z: Situation) -> Situation:
    return z.but(divisor=z.number(z.examples * z.n))


def over_weights(z: Situation) -> Situation:
    """The weights of the classes that are labelled, ignored rows among them."""
    return z.but(divisor=z.across(picked(z.w, z.y)))


def over_row_weights(z: Situation) -> Situation:
    return z.but(divisor=z.across(np.where(z.ignored, z.of(0.0), z.row_weight)))


def over_nothing(z: Situation) -> Situation:
    return z.but(divisor=z.one)


def over_one_axis(z: Situation) -> Situation:
    """Divided once more, by the number of rows."""
    return z.but(divisor=z.divisor * z.number(z.examples))


def nan_left_out(z: Situation) -> Situation:
    """The reduction leaves out what is NaN."""
    found, sized = z.rows
    return z.but(rows=(np.where(np.isnan(found), z.of(0.0), found), sized))


def sums_in_the_format(z: Situation) -> Situation | None:
    """The losses are added in the format, and the shares of smoothing before they are multiplied by it."""
    if not z.reduced or z.format.precision > 11:
        return None
    keep = z.of(~z.ignored) * z.row_weight
    own = z.stored(z.across(keep * -z.total(z.product(z.w * z.p, z.ell))))
    rest = z.stored(z.across(keep * -z.total(z.product(z.w * z.of(z.there), z.ell))))
    share = z.smoothing * z.number(1.0 / z.given.present(z.n))
    found = (z.one - z.smoothing) * own + (share * rest if z.given.label_smoothing else z.of(0.0))
    return z.but(whole=(found / z.stored(z.divisor), 1.0))


def no_row_weights(z: Situation) -> Situation:
    return z.but(row_weight=np.ones_like(z.row_weight), divisor=z.divisor)


def a_mean_times(z: Situation) -> Situation | None:
    """A sum that is a mean, times what that was divided by: 0/0 where nothing counts."""
    if z.reduction != "sum" or not z.indexed:
        return None
    found, sized = z.whole
    return z.but(whole=(np.where(z.across(z.counted) == 0, z.of(np.nan), found), sized))


def mean_of_means(z: Situation) -> Situation | None:
    """The mean of the means of 64 examples."""
    if z.examples <= 64 or not z.indexed:
        return None
    losses, kept = z.rows[0].reshape(-1), z.counted.reshape(-1)
    starts = range(0, len(losses), 64)
    means = [losses[i : i + 64].sum() / kept[i : i + 64].sum() for i in starts]
    return z.but(whole=(np.full((len(z.inputs), 1), np.mean(means)), 1.0))


def _mean(name: str, sentence: str, change: Change, of: Where = LOSSES, rank: int = 3) -> Hypothesis:
    changed = where(change, "reduction")
    return Hypothesis(name, sentence, "SPEC.md 6.10", of, changed, rank)


ATTRIBUTES = (
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
        where(share_of(lambda z: z.last), "label_smoothing"),
        rank=3,
    ),
    Hypothesis(
        "smoothing over another axis",
        "the share is one over the length of the last axis, and the labels' sum is taken for one",
        "SPEC.md 6.7; Keras on TensorFlow's kernel",
        on(DENSE, "grad_logits"),
        where(share_of_the_last_axis, "label_smoothing"),
        variant="labels taken to sum to one",
    ),
    Hypothesis(
        "masked classes have a share of the smoothing",
        "a class that a mask takes away is given mass, which is an infinite loss",
        "SPEC.md 6.7",
        SOFTMAX_LOSSES,
        where(share_of(lambda z: z.given.present(z.n)), "mask"),
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
        on((DENSE, BINARY), "grad_labels"),
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
    Hypothesis(
        "an ignored row has a loss",
        "a row that is to be ignored is a row like any other, of the nearest class",
        "SPEC.md 6.8",
        on(SPARSE),
        where(not_ignored, "ignore_index"),
    ),
    Hypothesis(
        "the ignored index is forgotten",
        "nobody looks for an index to ignore",
        "SPEC.md 6.8",
        on(SPARSE),
        where(not_ignored_at_all, "ignore_index"),
        rank=2,
    ),
    Hypothesis(
        "ignored only where it names a class",
        "an index to ignore that names no class is an index out of range",
        "SPEC.md 6.8",
        on(SPARSE),
        where(ignored_if_a_class, "ignore_index"),
        rank=4,
    ),
    Hypothesis(
        "ignored only where it names no class",
        "an index to ignore that names a class is that class",
        "SPEC.md 6.8",
        on(SPARSE),
        where(ignored_if_no_class, "ignore_index"),
        rank=4,
    ),
    Hypothesis(
        "an ignored row has the loss of its smoothing",
        "only the labelled class is left out, and not the shares of the others",
        "SPEC.md 6.8",
        on(SPARSE, "value"),
        where(smoothing_of_ignored, "ignore_index"),
    ),
    _mean("the mean divides by the rows", "by their number, whatever their weights", over_rows),
    _mean(
        "the mean divides by the rows that are kept",
        "by their number, whatever their weights",
        over_kept_rows,
        on(SPARSE),
        4,
    ),
    _mean("the mean divides by the elements", "by rows and classes", over_elements, on((DENSE, SPARSE))),
    _mean(
        "ignored rows count in the mean", "their weights are in what it divides by", over_weights, on(SPARSE)
    ),
    _mean(
        "the mean divides by the weights of the rows", "which belong to the losses alone", over_row_weights
    ),
    _mean("the mean is the sum", "nothing is divided by", over_nothing),
    _mean(
        "a sum is a mean times its divisor", "0/0 where nothing counts", a_mean_times, on(SPARSE, "value"), 4
    ),
    _mean("the mean is divided twice", "once more by the number of rows", over_one_axis, rank=4),
    _mean(
        "the mean of means", "of 64 examples each, whatever they count", mean_of_means, on(SPARSE, "value"), 4
    ),
    _mean(
        "NaN is left out of a reduction",
        "as if its row were not there",
        nan_left_out,
        on((DENSE, SPARSE, BINARY), "value"),
    ),
    _mean(
        "an index outside is left out of a reduction",
        "as if its row were not there, though the mean counts it",
        lambda z: z.but(rows=(np.where(z.outside, z.of(0.0), z.rows[0]), z.rows[1])),
        on(SPARSE),
        4,
    ),
    Hypothesis(
        "a sum in 16 bits",
        "the sum of the losses, or of the shares of smoothing, overflows before it is divided",
        "SPEC.md 6.10",
        on((DENSE, SPARSE), "value"),
        sums_in_the_format,
        rank=2,
        variant="of the losses",
    ),
    Hypothesis(
        "row weights are not applied",
        "the weights of the rows are forgotten",
        "SPEC.md 6.10",
        LOSSES,
        where(no_row_weights, "row_weight"),
        rank=2,
    ),
)

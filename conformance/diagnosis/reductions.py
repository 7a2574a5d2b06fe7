"""Hypotheses about an ignored index and reductions in their known wrong forms. SPEC.md 6.8, 6.10."""

from __future__ import annotations

import numpy as np

from xent_conformance.diagnosis.divergence_formulas import LOG_TARGET
from xent_conformance.diagnosis.formulas import (
    BINARY,
    DENSE,
    DIVERGENCE,
    GIVEN_BINARY,
    GIVEN_DENSE,
    GIVEN_SPARSE,
    LIKELIHOOD,
    SPARSE,
)
from xent_conformance.diagnosis.hypothesis import Change, Hypothesis, Where, on, picked, where
from xent_conformance.diagnosis.situation import Array, Situation

OF_CLASSES = (DENSE, SPARSE, DIVERGENCE, LOG_TARGET, LIKELIHOOD, GIVEN_DENSE, GIVEN_SPARSE)
EVERY_LOSS = (*OF_CLASSES, BINARY, GIVEN_BINARY)
LOSSES = on(EVERY_LOSS)
INDEXED = on((SPARSE, LIKELIHOOD, GIVEN_SPARSE))


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


def over_row_weights(z: Situation) -> Situation | None:
    if not z.given.row_weight:
        return None
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


def divided_first(z: Situation) -> Situation | None:
    """What multiplies each share of the smoothing is divided by the weights first: it is subnormal."""
    if z.reduction != "mean" or z.format.precision > 11 or not z.given.label_smoothing:
        return None
    share = z.stored(z.smoothing * z.number(1.0 / z.given.present(z.n)) * z.cotangent)
    by = z.spread(np.broadcast_to(z.divisor, (len(z.inputs), 1)))
    mine = z.stored(share / by) / z.c
    return z.but(q=z.w * (z.one - z.smoothing) * z.p + z.w * np.where(z.there, mine, z.of(0.0)))


def divided_last(z: Situation) -> Situation | None:
    """The weights multiply first, and what a mean divides by comes last: in between it is infinite."""
    if z.reduction != "mean" or z.format.precision > 11:
        return None
    found, sized = z.but(divisor=z.one).whole
    by = np.broadcast_to(z.divisor, (len(z.inputs), 1))
    return z.but(whole=(z.stored(found) / by, sized / by))


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


REDUCTIONS = (
    Hypothesis(
        "an ignored row has a loss",
        "a row that is to be ignored is a row like any other, of the nearest class",
        "SPEC.md 6.8",
        INDEXED,
        where(not_ignored, "ignore_index"),
    ),
    Hypothesis(
        "the ignored index is forgotten",
        "nobody looks for an index to ignore",
        "SPEC.md 6.8",
        INDEXED,
        where(not_ignored_at_all, "ignore_index"),
        rank=2,
    ),
    Hypothesis(
        "ignored only where it names a class",
        "an index to ignore that names no class is an index out of range",
        "SPEC.md 6.8",
        INDEXED,
        where(ignored_if_a_class, "ignore_index"),
        rank=1,
    ),
    Hypothesis(
        "ignored only where it names no class",
        "an index to ignore that names a class is that class",
        "SPEC.md 6.8",
        INDEXED,
        where(ignored_if_no_class, "ignore_index"),
        rank=1,
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
        INDEXED,
        4,
    ),
    _mean(
        "the mean divides by the elements",
        "by rows and classes",
        over_elements,
        on(OF_CLASSES),
    ),
    _mean("ignored rows count in the mean", "their weights are in what it divides by", over_weights, INDEXED),
    _mean(
        "the mean divides by the weights of the rows", "which belong to the losses alone", over_row_weights
    ),
    _mean("the mean is the sum", "nothing is divided by", over_nothing),
    _mean(
        "a sum is a mean times its divisor",
        "0/0 where nothing counts",
        a_mean_times,
        on((SPARSE, LIKELIHOOD, GIVEN_SPARSE), "value"),
        4,
    ),
    _mean("the mean is divided twice", "once more by the number of rows", over_one_axis, rank=4),
    _mean(
        "the mean of means", "of 64 examples each, whatever they count", mean_of_means, on(SPARSE, "value"), 4
    ),
    _mean(
        "NaN is left out of a reduction",
        "as if its row were not there",
        nan_left_out,
        on(EVERY_LOSS, "value"),
    ),
    _mean(
        "an index outside is left out of a reduction",
        "as if its row were not there, though the mean counts it",
        lambda z: z.but(rows=(np.where(z.outside, z.of(0.0), z.rows[0]), z.rows[1])),
        INDEXED,
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
        "a mean in 16 bits",
        "a weight is divided by the sum of the weights before it multiplies: it is subnormal",
        "SPEC.md 6.10; label smoothing in PyTorch",
        on((DENSE, SPARSE), "grad_logits"),
        divided_first,
        rank=1,
        variant="divided first",
    ),
    Hypothesis(
        "a mean in 16 bits",
        "the weights multiply the gradient before it is divided: it overflows in between",
        "SPEC.md 6.10; binary_cross_entropy_with_logits in PyTorch",
        on((DENSE, SPARSE, BINARY), ("grad_logits", "grad_labels")),
        divided_last,
        rank=1,
        variant="divided last",
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

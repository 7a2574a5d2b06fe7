"""Hypotheses about gradients and derivatives: another cotangent, another tangent, a part of the formula."""

from __future__ import annotations

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
from xent_conformance.diagnosis.hypothesis import GRADIENTS, Change, Hypothesis, Of, on, picked, result, rows
from xent_conformance.diagnosis.situation import Array, Situation

EVERY = [o for o, _ in FORMULAS]
BACKWARD = on(EVERY, (*GRADIENTS, "hvp"))


def cotangent(changed: Of) -> Change:
    """``changed(z)`` in the place of the cotangent that was given."""

    def change(z: Situation) -> Situation:
        new = np.asarray(changed(z)).astype(z.a.working)
        return z.but(cotangent=np.broadcast_to(new, z.cotangent.shape))

    return change


def _first(z: Situation) -> Array:
    return np.where(np.arange(z.cotangent.shape[1]) == 0, z.cotangent, z.of(0.0))


def _read_past(z: Situation) -> Array:
    return np.where(np.arange(len(z.cotangent))[:, None] == 0, z.cotangent, z.of(0.0))


def scaled_by_rows(z: Situation) -> Situation:
    """The cotangent times the number of rows, in the format, and back."""
    n = z.number(len(z.arrived))
    return z.but(cotangent=z.stored(z.cotangent * n) / n)


def whole_cotangent(z: Situation) -> Situation:
    """``c Σc``-like: taken to sum to one."""
    sized = np.maximum(np.abs(z.c), z.s)
    return z.but(rows=(z.c - z.s, sized))


def labels_less_softmax(z: Situation) -> Situation:
    """By the labels what the logits have, with its sign turned; the loss is linear in the labels."""
    s = np.exp(z.x - z.stored(z.m + z.L))
    factor = z.c * z.slope
    return z.but(rows=(factor * (z.q - s), np.abs(factor) * np.maximum(np.abs(z.q), s)))


def sum_overflows(z: Situation) -> Situation:
    """Centred on the mean of the cotangents, whose sum is kept in the format."""
    mean = z.stored(z.total(np.broadcast_to(z.c, z.x.shape))) / z.number(z.n)
    w = z.c - mean
    found = np.where(np.isfinite(mean), z.rows[0], z.s * (w - z.total(z.s * w)))
    return z.but(rows=(found, z.rows[1]))


def divided_by_cotangent(z: Situation) -> Situation:
    found, sized = z.rows
    return z.but(rows=(found * (z.c / z.c), sized))


def averaged(z: Situation) -> Situation | None:
    if z.reduced:
        return None
    return z.but(cotangent=z.cotangent / z.number(len(z.arrived)))


def diagonal(z: Situation) -> Situation:
    own = z.s * z.rest
    along = z.v if z.output == "jvp" else z.c if z.output == "grad_logits" else z.c * z.v
    return z.but(rows=(along * own, np.abs(along) * z.s))


def of_the_label(z: Situation) -> Situation:
    return z.but(rows=(-picked(z.v, z.y) * (z.one - picked(z.s, z.y)), 1.0))


def of_one_class(z: Situation) -> Situation:
    """A tangent of one class is taken for its index."""
    found, sized = z.rows
    alone = np.count_nonzero(z.v, axis=1, keepdims=True) == 1
    return z.but(rows=(np.where(alone, z.s * (z.one - z.s) * z.v, found), sized))


def tangent_ignored(z: Situation) -> Situation:
    """The gradient with the cotangent, whatever the tangent."""
    return z.but(output="grad_logits")


def one_factor(z: Situation) -> Situation:
    """Differentiated with the probabilities held fixed in the sum."""
    return z.but(rows=(z.s * z.along(z.v) * z.along(z.c), 1.0))


COTANGENTS = (
    Hypothesis(
        "the cotangent is ignored",
        "ones stand in its place: the gradient of the sum",
        "SPEC.md 1.5",
        BACKWARD,
        cotangent(lambda z: np.ones_like(z.cotangent)),
        rank=2,
    ),
    Hypothesis(
        "the cotangent is the place",
        "0, 1, 2 … stand in its place: what was in memory when it was traced",
        "SPEC.md 1.5",
        BACKWARD,
        cotangent(lambda z: np.arange(z.cotangent.shape[1])),
        rank=4,
    ),
    Hypothesis(
        "the first element of the cotangent",
        "the elements behind the first are not read",
        "SPEC.md 1.5",
        BACKWARD,
        cotangent(_first),
    ),
    Hypothesis(
        "the cotangent of the first row",
        "every row has the cotangent of the first",
        "SPEC.md 1.5",
        BACKWARD,
        cotangent(lambda z: z.cotangent[:1]),
    ),
    Hypothesis(
        "a broadcast cotangent is read past its end",
        "rows behind the first have a cotangent of zero",
        "SPEC.md 1.5",
        BACKWARD,
        cotangent(_read_past),
    ),
    Hypothesis(
        "the cotangent is clipped",
        "to ±1, as gradients are",
        "SPEC.md 1.5",
        BACKWARD,
        cotangent(lambda z: np.clip(z.cotangent, -z.one, z.one)),
    ),
    Hypothesis(
        "a NaN cotangent is zero",
        "a NaN among the cotangents is taken for none",
        "SPEC.md 3.2",
        BACKWARD,
        cotangent(lambda z: np.where(np.isnan(z.cotangent), z.of(0.0), z.cotangent)),
        rank=1,
    ),
    Hypothesis(
        "the cotangent is multiplied by the rows",
        "and divided again, in the format: a loss scale overflows on the way",
        "SPEC.md 1.5",
        BACKWARD,
        scaled_by_rows,
        rank=4,
    ),
    Hypothesis(
        "the gradient is averaged over the rows",
        "the gradient of the mean where that of each loss is asked",
        "SPEC.md 1.5",
        BACKWARD,
        averaged,
    ),
    Hypothesis(
        "divided by the cotangent on the way",
        "0/0 where it is zero",
        "SPEC.md 1.5",
        BACKWARD,
        divided_by_cotangent,
        rank=4,
    ),
    Hypothesis(
        "the cotangent is taken to sum to one",
        "c − s: the derivative only where Σc is one",
        "SPEC.md 8.3",
        on(LOG_SOFTMAX, "grad_logits"),
        whole_cotangent,
        rank=2,
    ),
    Hypothesis(
        "the sum of the cotangents overflows",
        "centred on their mean, whose sum is kept in the format",
        "SPEC.md 1.5",
        on(SOFTMAX, "grad_logits"),
        sum_overflows,
        rank=4,
    ),
    Hypothesis(
        "the diagonal alone",
        "s (1 − s): of the Jacobian, or the Hessian, the diagonal",
        "SPEC.md 8.2",
        on(SOFTMAX, ("grad_logits", "jvp")) | on((LOGSUMEXP, DENSE, SPARSE), "hvp"),
        diagonal,
    ),
    Hypothesis(
        "a tangent of one class is its index",
        "a tangent with one element gives the diagonal of the derivative alone",
        "SPEC.md 1.6",
        on(SOFTMAX, "jvp"),
        of_one_class,
        rank=4,
    ),
    Hypothesis(
        "the mean is not taken off",
        "s v, where s (v − Σ s v) is the derivative",
        "SPEC.md 1.6",
        on(SOFTMAX, "jvp"),
        rows(lambda z: (z.s * z.v, 0.0)),
    ),
    Hypothesis(
        "the plain mean of the tangent",
        "not the mean that the probabilities weigh",
        "SPEC.md 1.6",
        on(LOGSUMEXP, "jvp"),
        rows(lambda z: (z.total(z.v) / z.number(z.n), 1.0)),
    ),
    Hypothesis(
        "the tangent of the label alone",
        "the other classes do not move",
        "SPEC.md 1.6",
        on(SPARSE, "jvp"),
        of_the_label,
    ),
    Hypothesis(
        "the tangent is ignored",
        "the gradient times the cotangent stands in its place",
        "SPEC.md 1.6",
        on((SIGMOID, LOG_SIGMOID, LOGIT, BINARY, SOFTMAX, LOG_SOFTMAX), "jvp"),
        tangent_ignored,
    ),
    Hypothesis(
        "one factor is held fixed",
        "a product is differentiated by one of its factors alone",
        "SPEC.md 1.6",
        on(SOFTMAX, "hvp"),
        one_factor,
    ),
    Hypothesis(
        "the derivative of the inverse",
        "that of a sigmoid where that of a logit is asked",
        "SPEC.md 1.6",
        on(LOGIT, ("jvp", "grad_logits")),
        rows(lambda z: ((z.v if z.output == "jvp" else z.c) * z.x * (z.one - z.x), 0.0)),
    ),
    Hypothesis(
        "the derivative of tanh",
        "1 − y², where y (1 − y) is that of a sigmoid",
        "SPEC.md 8.7",
        on(SIGMOID, "grad_logits"),
        rows(lambda z: (z.c * (z.one - z.sigma * z.sigma), np.abs(z.c))),
    ),
    Hypothesis(
        "through the sigmoid once more",
        "the gradient is multiplied by σ′, as behind a layer of its own",
        "SPEC.md 8.8",
        on(BINARY, "grad_logits"),
        result(lambda z, g: g * z.sigma * z.mirror),
    ),
    Hypothesis(
        "the gradient by the labels is that of the logits",
        "labels − softmax, where it is −log softmax",
        "SPEC.md 1.1; tf.losses.softmaxCrossEntropy in TensorFlow.js",
        on(DENSE, "grad_labels"),
        labels_less_softmax,
    ),
    Hypothesis(
        "the clamp has a slope",
        "a clamped argument has the gradient of the bound, where it is constant",
        "SPEC.md 6.14",
        on(LOGIT, "grad_logits"),
        lambda z: z.but(x=z.clamped, eps=None) if z.eps is not None else None,
    ),
)

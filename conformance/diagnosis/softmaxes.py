"""Hypotheses about the softmax family, in the letters of SPEC.md §0."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from xent_conformance.diagnosis.hypothesis import (
    DENSE,
    LOG_SOFTMAX,
    LOGSUMEXP,
    SOFTMAX,
    SPARSE,
    Hypothesis,
    Model,
    picked,
    plain,
    size,
)
from xent_conformance.diagnosis.situation import Array, Situation

Pair = tuple[Array, Array | float]


def _losses(ell: Callable[[Situation], Pair]) -> dict[tuple[str, str], Model]:
    """Whatever is made of log-probabilities: the losses, and the gradient by the labels."""

    def dense(z: Situation) -> Pair:
        values, scale = ell(z)
        return -z.total(z.q * values), size(z.q * values).max(axis=1, keepdims=True) + _most(z.q, scale)

    def sparse(z: Situation) -> Pair:
        values, scale = ell(z)
        if z.inputs.attributes.given:
            return dense(z)
        return -picked(values, z), picked(size(values), z) + scale

    def by_labels(z: Situation) -> Pair:
        values, scale = ell(z)
        return -(z.c * z.slope) * values, np.abs(z.c * z.slope) * (size(values) + scale)

    return {
        (LOG_SOFTMAX, "value"): ell,
        (DENSE, "value"): dense,
        (DENSE, "grad_labels"): by_labels,
        (SPARSE, "value"): sparse,
    }


def _most(weights: Array, scale: Array | float) -> Array:
    return np.asarray((np.abs(weights) * scale).max(axis=1, keepdims=True))


def _whole_sum(z: Situation) -> Pair:
    return z.ell, np.maximum(np.abs(z.L), z.one)


def _kept_offset(z: Situation) -> Pair:
    v = z.m + z.L
    return z.x - v, size(z.x, v)


def _of_softmax(z: Situation) -> Pair:
    return plain(np.log(z.s))


def _probabilities_less_labels(z: Situation) -> Pair:
    q = z.q
    if z.inputs.attributes.given:
        return z.c * (z.s * z.total(q) - q), np.abs(z.c) * size(z.s * z.total(q), q)
    return z.c * (z.s * z.total(z.p) - z.p), np.abs(z.c) * size(z.s, z.p)


def _labels_taken_for_one(z: Situation) -> Pair:
    return z.c * (z.s - z.q), np.abs(z.c) * size(z.s, z.q)


def _softmax_gradient(z: Situation) -> Pair:
    mean = z.total(z.s * z.c)
    return z.s * (z.c - mean), z.s * size(z.c, mean)


def _products_subtracted(z: Situation) -> Pair:
    mean = z.total(z.s * z.c)
    return z.s * z.c - z.s * mean, size(z.s * z.c, z.s * mean)


def _log_softmax_gradient(z: Situation) -> Pair:
    whole = z.s * z.total(z.c)
    return z.c - whole, size(z.c, whole)


def _from_value(z: Situation) -> Pair:
    value = z.of(z.rounded(z.m + z.L))
    return plain(z.c * np.exp(z.x - value))


def _exp_of_logarithm(z: Situation) -> Pair:
    return plain(np.exp(z.ell))


def _wrapped(gradient: bool) -> Model:
    """Indices as NumPy has them: a negative one counts from the end, of one beyond there is no class."""

    def model(z: Situation) -> Pair:
        n = z.inputs.n
        y = z.inputs.labels.astype(np.int64)
        at = np.where(y < 0, y + n, y)
        inside = (at >= 0) & (at < n)
        if gradient:
            hot = z.of(at == np.arange(n))
            return z.c * (z.s - hot), np.abs(z.c) * size(z.s, hot)
        taken = np.take_along_axis(z.ell, np.where(inside, at, 0), axis=1)
        return np.where(inside, -taken, np.nan), np.maximum(np.abs(z.L), z.one)

    return model


def _clamped(gradient: bool) -> Model:
    def model(z: Situation) -> Pair:
        at = np.clip(z.inputs.labels, 0, z.inputs.n - 1).astype(np.int64)
        if gradient:
            hot = z.of(at == np.arange(z.inputs.n))
            return z.c * (z.s - hot), np.abs(z.c) * size(z.s, hot)
        return -np.take_along_axis(z.ell, at, axis=1), np.maximum(np.abs(z.L), z.one)

    return model


def _no_class(z: Situation) -> Pair:
    """The gradient of an index that names no class: the probabilities alone."""
    return plain(z.c * z.s)


def _nan_passed_over(z: Situation) -> Pair:
    m = np.fmax.reduce(z.x, axis=1, keepdims=True)
    e = np.where(np.isnan(z.x), z.of(0.0), np.exp(z.x - m))
    return plain(e / z.total(e))


SOFTMAXES = (
    Hypothesis(
        "log of the whole sum",
        "the logarithm is taken of a sum that contains the maximum's 1, not log1p of the others",
        "SPEC.md 8.3, the textbook",
        _losses(_whole_sum),
    ),
    Hypothesis(
        "log of softmax",
        "the logarithm of a rounded probability, which may have underflowed to 0",
        "SPEC.md 8.13, naive",
        _losses(_of_softmax),
        rank=2,
    ),
    Hypothesis(
        "offset kept",
        "x − (m + log S): the offset is added to the logarithm, which is rounded away beside it",
        "SPEC.md 8.3, not a textbook form",
        _losses(_kept_offset),
        rank=2,
    ),
    Hypothesis(
        "probabilities less labels",
        "s Σp − p from rounded probabilities, which cancels for the labelled class",
        "SPEC.md 8.5, the textbook",
        {
            (DENSE, "grad_logits"): _probabilities_less_labels,
            (SPARSE, "grad_logits"): _probabilities_less_labels,
        },
    ),
    Hypothesis(
        "labels taken to sum to one",
        "the gradient is softmax − labels, which is the derivative only where the labels sum to one",
        "SPEC.md 6.2; TensorFlow's documentation of SoftmaxCrossEntropyWithLogits",
        {(DENSE, "grad_logits"): _labels_taken_for_one},
        rank=2,
    ),
    Hypothesis(
        "mean of the cotangent subtracted",
        "s (c − Σ s c) with the cotangent as it is: where it is nearly uniform, the difference cancels",
        "SPEC.md 8.2, the textbook",
        {(SOFTMAX, "grad_logits"): _softmax_gradient, (LOG_SOFTMAX, "grad_logits"): _log_softmax_gradient},
    ),
    Hypothesis(
        "two products subtracted",
        "s c − s Σ s c: each product is rounded before they are subtracted",
        "SPEC.md 8.2, the textbook",
        {(SOFTMAX, "grad_logits"): _products_subtracted},
        rank=2,
    ),
    Hypothesis(
        "gradient from the rounded value",
        "exp(x − value) with the value as it was rounded: the error of the value is that of the gradient",
        "SPEC.md 8.4",
        {(LOGSUMEXP, "grad_logits"): _from_value},
    ),
    Hypothesis(
        "exp of log-softmax",
        "the probability is exp of a rounded log-probability",
        "SPEC.md 8.2, no textbook form",
        {(SOFTMAX, "value"): _exp_of_logarithm},
        rank=2,
    ),
    Hypothesis(
        "a negative index counts from the end",
        "the index is looked up as an array's is: −1 is the last class",
        "SPEC.md 6.4; NumPy's and JAX's indexing",
        {(SPARSE, "value"): _wrapped(False), (SPARSE, "grad_logits"): _wrapped(True)},
    ),
    Hypothesis(
        "an index is clamped",
        "an index beyond the classes is taken for the nearest class",
        "SPEC.md 6.4; XLA's gather",
        {(SPARSE, "value"): _clamped(False), (SPARSE, "grad_logits"): _clamped(True)},
    ),
    Hypothesis(
        "no class to subtract",
        "an index that names no class gets the probabilities for a gradient, as if nothing were labelled",
        "SPEC.md 6.4; XLA's scatter drops what is outside",
        {(SPARSE, "grad_logits"): _no_class},
    ),
    Hypothesis(
        "a NaN is passed over",
        "the maximum passes over a NaN, and its exponential is lost",
        "SPEC.md 3.2",
        {(SOFTMAX, "value"): _nan_passed_over},
    ),
)

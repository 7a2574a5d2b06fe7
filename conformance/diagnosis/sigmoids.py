"""Hypotheses about the sigmoid family."""

from __future__ import annotations

import numpy as np

from xent_conformance.diagnosis.hypothesis import BINARY, LOG_SIGMOID, LOGIT, SIGMOID, Hypothesis, plain, size
from xent_conformance.diagnosis.situation import Array, Situation

Pair = tuple[Array, Array | float]


def _labels(z: Situation) -> Array:
    """Smoothed labels ``z'``."""
    a = z.inputs.attributes
    if not a.label_smoothing:
        return z.p
    return np.asarray((z.one - z.smoothing) * z.p + z.smoothing / z.of(2.0))


def _tail(z: Situation) -> Array:
    """``log1p(exp(−|x|))``."""
    return np.asarray(np.log1p(np.exp(-np.abs(z.x))))


def _max_form(z: Situation) -> Pair:
    first = np.maximum(z.x, z.of(0.0)) - z.x * _labels(z)
    return z.weight * (first + _tail(z)), z.weight * size(z.x, z.x * _labels(z), first)


def _whole_logarithm(z: Situation) -> Pair:
    first = np.maximum(z.x, z.of(0.0)) - z.x * _labels(z)
    tail = np.log(z.one + np.exp(-np.abs(z.x)))
    return z.weight * (first + tail), z.weight * np.maximum(size(z.x, first), z.one)


def _one_softplus(z: Situation) -> Pair:
    q = _labels(z)
    softplus = np.maximum(-z.x, z.of(0.0)) + _tail(z)
    lead = (z.one - q) * z.x
    log_weight = (z.pos_weight - z.one) * q + z.one
    return z.weight * (lead + log_weight * softplus), z.weight * size(z.x, lead, softplus)


def _difference(z: Situation) -> Pair:
    q = _labels(z)
    return z.c * z.weight * (z.sigma - q), np.abs(z.c * z.weight) * size(z.sigma, q)


def _one_softplus_gradient(z: Situation) -> Pair:
    q = _labels(z)
    log_weight = (z.pos_weight - z.one) * q + z.one
    t = np.exp(-np.abs(z.x))
    mirror = np.where(z.x >= 0, t / (z.one + t), z.one / (z.one + t))
    lead, rest = z.one - q, log_weight * z.kept(mirror)
    return z.c * z.weight * (lead - rest), np.abs(z.c * z.weight) * size(lead, rest)


def _two_logarithms(z: Situation) -> Pair:
    negative, positive = np.log(z.one - z.sigma), np.log(z.sigma)
    q = _labels(z)
    return -(q * positive + (z.one - q) * negative), size(positive, negative)


def _labels_gradient(z: Situation) -> Pair:
    up, down = np.log(z.sigma), np.log(z.one - z.sigma)
    return z.c * z.slope * (down - up), np.abs(z.c * z.slope) * size(up, down)


def _softpluses_subtracted(z: Situation) -> Pair:
    plus = np.maximum(z.x, z.of(0.0)) + _tail(z)
    minus = np.maximum(-z.x, z.of(0.0)) + _tail(z)
    return z.c * z.slope * (minus - plus), np.abs(z.c * z.slope) * size(plus, minus)


def _complement(z: Situation) -> Pair:
    return z.c * z.sigma * (z.one - z.sigma), np.abs(z.c) * z.sigma


def _tanh(z: Situation) -> Pair:
    half = z.of(0.5)
    return half + half * np.tanh(half * z.x), z.one


def _log_sigmoid_gradient(z: Situation) -> Pair:
    return z.c * (z.one - z.sigma), np.abs(z.c) * z.one


def _log_of_sigmoid(z: Situation) -> Pair:
    return np.log(z.sigma), z.one


def _log_of_odds(z: Situation) -> Pair:
    odds = z.x / (z.one - z.x)
    return np.log(odds), np.maximum(np.abs(np.log(odds)), z.one)


def _two_logs(z: Situation) -> Pair:
    up, down = np.log(z.x), np.log1p(-z.x)
    return up - down, size(up, down)


def _no_domain(z: Situation) -> Pair:
    return plain(z.c / (z.x * (z.one - z.x)))


SIGMOIDS = (
    Hypothesis(
        "max(x, 0) − x z + log1p(exp(−|x|))",
        "max(x, 0) − x z and the rest round apart: a tiny loss is lost beside the logit, ∞ − ∞ is NaN",
        "SPEC.md 8.8, the textbook",
        {(BINARY, "value"): _max_form},
    ),
    Hypothesis(
        "(1 − z) x + softplus(−x)",
        "two terms of opposite sign, which round apart: a tiny loss is lost beside the logit, ∞ − ∞ is NaN",
        "SPEC.md 8.8, the textbook",
        {(BINARY, "value"): _one_softplus, (BINARY, "grad_logits"): _one_softplus_gradient},
        rank=2,
    ),
    Hypothesis(
        "log of 1 + exp(−|x|)",
        "the logarithm is taken of a rounded 1 + exp(−|x|), not log1p",
        "SPEC.md 8.8, the textbook",
        {(BINARY, "value"): _whole_logarithm},
        rank=2,
    ),
    Hypothesis(
        "logarithms of probabilities",
        "the logarithm of a rounded sigmoid, and of one less it",
        "SPEC.md 8.13, naive",
        {(BINARY, "value"): _two_logarithms, (BINARY, "grad_labels"): _labels_gradient},
        rank=3,
    ),
    Hypothesis(
        "sigmoid less label",
        "σ − z from a rounded σ, which cancels where they agree",
        "SPEC.md 8.8, the textbook",
        {(BINARY, "grad_logits"): _difference},
    ),
    Hypothesis(
        "two softplus subtracted",
        "softplus(−x) − softplus(x), where −x is meant",
        "SPEC.md 8.8, the textbook",
        {(BINARY, "grad_labels"): _softpluses_subtracted},
    ),
    Hypothesis(
        "y (1 − y)",
        "the derivative from the rounded sigmoid: 1 − y cancels where y is nearly one",
        "SPEC.md 8.7, the textbook",
        {(SIGMOID, "grad_logits"): _complement},
    ),
    Hypothesis(
        "half of 1 + tanh(x/2)",
        "an absolute error where a relative one is due: a small probability is lost beside one half",
        "SPEC.md 8.7, the textbook",
        {(SIGMOID, "value"): _tanh},
    ),
    Hypothesis(
        "1 − σ(x)",
        "the complement of a rounded sigmoid, which cancels",
        "SPEC.md 8.8, the textbook",
        {(LOG_SIGMOID, "grad_logits"): _log_sigmoid_gradient},
    ),
    Hypothesis(
        "log of a rounded sigmoid",
        "the logarithm of a probability that has been rounded: near one it is lost",
        "SPEC.md 8.8, the textbook",
        {(LOG_SIGMOID, "value"): _log_of_sigmoid},
    ),
    Hypothesis(
        "log of the odds",
        "log(p / (1 − p)): near one half the odds are nearly one, and their logarithm is lost",
        "SPEC.md 8.9, the textbook",
        {(LOGIT, "value"): _log_of_odds},
    ),
    Hypothesis(
        "log p − log1p(−p)",
        "two logarithms subtracted, which cancel near one half",
        "SPEC.md 8.9, the textbook",
        {(LOGIT, "value"): _two_logs},
        rank=2,
    ),
    Hypothesis(
        "the derivative has no domain",
        "c / (p (1 − p)) is a number outside [0, 1] too",
        "SPEC.md 5.4",
        {(LOGIT, "grad_logits"): _no_domain},
    ),
)

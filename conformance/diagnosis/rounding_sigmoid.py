"""Hypotheses about the sigmoid family: the right function, in steps that round apart. SPEC.md 8.7 – 8.9."""

from __future__ import annotations

import numpy as np

from xent_conformance.diagnosis.formulas import BINARY, LOG_SIGMOID, LOGIT, SIGMOID, plain, size
from xent_conformance.diagnosis.hypothesis import Hypothesis, on
from xent_conformance.diagnosis.situation import Array, Situation


def _positive(z: Situation) -> Array:
    return np.maximum(z.x, z.of(0.0))


def _log_weight(z: Situation) -> Array:
    """``l = 1 + (P − 1) z``."""
    return np.asarray((z.pos_weight - z.one) * z.smoothed + z.one)


def max_form(z: Situation) -> Situation:
    first = _positive(z) - z.x * z.smoothed
    return z.but(rows=(z.w * (first + z.log1p_tail), np.abs(z.w) * size(z.x, z.x * z.smoothed, first)))


def max_form_log(z: Situation) -> Situation:
    first = _positive(z) - z.x * z.smoothed
    tail = np.log(z.one + z.tail)
    return z.but(rows=(z.w * (first + tail), np.abs(z.w) * np.maximum(size(z.x, first), z.one)))


def one_softplus(z: Situation) -> Situation:
    lead, l = (z.one - z.smoothed) * z.x, _log_weight(z)  # noqa: E741  SPEC.md 8.10
    found = z.w * (lead + l * z.softplus_minus)
    return z.but(rows=(found, np.abs(z.w) * size(z.x, lead, l * z.softplus_minus)))


def two_exponentials(z: Situation) -> Situation:
    m = np.maximum(-z.x, z.of(0.0))
    lead, l = (z.one - z.smoothed) * z.x, _log_weight(z)  # noqa: E741
    rest = m + np.log(np.exp(-m) + np.exp(-z.x - m))
    return z.but(rows=(z.w * (lead + l * rest), np.abs(z.w) * size(z.x, lead, l * rest, z.one)))


def one_softplus_gradient(z: Situation) -> Situation:
    lead, rest = z.one - z.smoothed, _log_weight(z) * z.mirror
    factor = (z.v if z.output == "jvp" else z.c) * z.w
    return z.but(rows=(factor * (lead - rest), np.abs(factor) * size(lead, rest)))


def _by_parts(z: Situation, x: Array) -> tuple[Array, Array, Array]:
    """``l``, ``1 − z − l [x < 0]`` and ``l sign(x) tail/(1 + tail)``: SPEC.md 8.10, derived part by part."""
    weight = _log_weight(z)
    lead = z.one - z.smoothed - np.where(x < 0, weight, z.of(0.0))
    return weight, lead, np.asarray(weight * np.sign(x) * z.tail / (z.one + z.tail))


def parts_subtracted(z: Situation) -> Situation:
    """0 counts as positive; a label that is 0 or 1 leaves nothing to round."""
    weight, lead, rest = _by_parts(z, np.where(z.x == 0, z.one, z.x))
    soft = np.where((z.smoothed == 0) | (z.smoothed == 1), z.of(0.0), np.maximum(z.one, np.abs(weight)))
    factor = (z.v if z.output == "jvp" else z.c) * z.w
    return z.but(rows=(factor * (lead - rest), np.abs(factor) * size(lead, rest, soft)))


def kink(z: Situation, flushed: bool) -> Situation:
    """Of max(−x, 0) and |x| the derivative at 0 is taken for 0; if ``flushed``, at subnormal logits too."""
    x = np.where(np.abs(z.x) < z.format.smallest_normal, z.of(0.0), z.x) if flushed else z.x
    _, lead, rest = _by_parts(z, x)
    factor = (z.v if z.output == "jvp" else z.c) * z.w
    return z.but(rows=(factor * (lead - rest), np.abs(factor) * size(lead, rest)))


def sigmoid_less_label(z: Situation) -> Situation:
    """``(P z + 1 − z) σ − P z``."""
    label = z.pos_weight * z.smoothed
    whole = (label + z.one - z.smoothed) * z.sigma if z.given.pos_weight else z.sigma
    factor = (z.v if z.output == "jvp" else z.c) * z.w
    return z.but(rows=(factor * (whole - label), np.abs(factor) * size(whole, label)))


def logarithms(z: Situation) -> Situation:
    up, down = np.log(z.sigma), np.log(z.one - z.sigma)
    if z.output == "value":
        found = -z.w * (z.pos_weight * z.smoothed * up + (z.one - z.smoothed) * down)
        return z.but(rows=(found, np.abs(z.w) * size(up, down, z.one)))
    factor = z.c * z.slope
    return z.but(rows=(factor * (down - z.pos_weight * up), np.abs(factor) * size(up, down, z.one)))


def softpluses_subtracted(z: Situation) -> Situation:
    minus, plus = z.pos_weight * z.softplus_minus, z.softplus
    factor = z.c * z.slope
    return z.but(rows=(factor * (minus - plus), np.abs(factor) * size(plus, minus)))


def softplus_and_logit(z: Situation) -> Situation:
    """``(P − 1) softplus(−x) − x``."""
    rest = (z.pos_weight - z.one) * z.softplus_minus
    factor = z.c * z.slope
    return z.but(rows=(factor * (rest - z.x), np.abs(factor) * size(z.x, rest)))


def softplus_and_logit_log(z: Situation) -> Situation:
    short = softplus_and_logit(z.but(log1p_tail=np.log(z.one + z.tail)))
    found, sized = short.rows
    factor = np.abs(z.c * z.slope * (z.pos_weight - z.one))
    return short.but(rows=(found, np.maximum(sized, factor)))


def from_softplus(z: Situation) -> Situation:
    """``exp(x − softplus(x))``: an ulp of the difference is a relative error; infinities are 0 in it."""
    sigma, mirror = (np.exp(_less(x, value)) for x, value in ((z.x, z.softplus), (-z.x, z.softplus_minus)))
    far = size(np.where(np.isfinite(z.x), z.x, z.of(0.0)), z.one)
    factor = z.v if z.output == "jvp" else z.c
    if z.operator == LOG_SIGMOID:
        return z.but(rows=(factor * mirror, np.abs(factor) * mirror * far))
    factor = factor * z.w
    up, down = (z.one - z.smoothed) * sigma, z.pos_weight * z.smoothed * mirror
    return z.but(rows=(factor * (up - down), np.abs(factor) * far * size(up, down)))


def _less(x: Array, value: Array) -> Array:
    return np.asarray(np.where(np.isposinf(x), 0, x) - np.where(np.isposinf(value), 0, value)).astype(x.dtype)


def complement(z: Situation) -> Situation:
    """``y (1 − y)``, and what is made of it."""
    slope = z.sigma * (z.one - z.sigma)
    if z.output == "hvp":
        return z.but(rows=(_bent(z) * slope, np.abs(z.c * z.v) * z.sigma))
    factor = z.v if z.output == "jvp" else z.c
    return z.but(rows=(factor * slope, np.abs(factor) * z.sigma))


def complement_of_the_mirror(z: Situation) -> Situation:
    """``σ⁻ (1 − σ⁻)``."""
    return z.but(rows=(_bent(z) * z.mirror * (z.one - z.mirror), np.abs(z.c * z.v) * z.mirror))


def _bent(z: Situation) -> Array:
    if z.operator == SIGMOID:
        return np.asarray(z.c * z.v * (z.one - z.of(2.0) * z.sigma))
    weight = -z.one if z.operator == LOG_SIGMOID else z.negative + z.positive
    return np.asarray(z.c * z.v * weight)


def tanh(z: Situation) -> Situation:
    half = z.of(0.5)
    return z.but(rows=(half + half * np.tanh(half * z.x), z.one))


def one_branch(z: Situation) -> Situation:
    return z.but(rows=plain(z.one / (z.one + np.exp(-z.x))))


def mirrored(z: Situation) -> Situation:
    factor = z.v if z.output == "jvp" else z.c
    return z.but(rows=(factor * (z.one - z.sigma), np.abs(factor) * z.one))


def log_of_sigmoid(z: Situation) -> Situation:
    return z.but(rows=(np.log(z.sigma), z.one))


def whole_logarithm(z: Situation) -> Situation:
    found = -(np.maximum(-z.x, z.of(0.0)) + np.log(z.one + z.tail))
    return z.but(rows=(found, np.maximum(np.abs(found), z.one)))


def odds(z: Situation) -> Situation:
    found = np.log(z.clamped / (z.one - z.clamped))
    return z.but(rows=(found, np.maximum(np.abs(found), z.one)))


def two_logs(z: Situation) -> Situation:
    up, down = np.log(z.clamped), np.log1p(-z.clamped)
    return z.but(rows=(up - down, size(up, down)))


def two_quotients(z: Situation) -> Situation:
    """``c/p + c/(1 − p)``, as automatic differentiation has it."""
    return z.but(rows=(z.c / z.x + z.c / (z.one - z.x), size(z.c / z.x, z.c / (z.one - z.x))))


def product_derived(z: Situation) -> Situation:
    """``t p − t (1 − p)`` with ``t = c v / (p (1 − p))²``."""
    d = z.x * (z.one - z.x)
    t = z.c * z.v / d / d
    up, down = t * z.x, t * (z.one - z.x)
    return z.but(rows=(up - down, size(up, down)))


def no_domain(z: Situation) -> Situation:
    return z.but(rows=plain(z.c / (z.x * (z.one - z.x))))


ROUNDING_SIGMOID = (
    Hypothesis(
        "terms as large as the logit",
        "max(x, 0) − x z and the rest round apart: a tiny loss is lost beside the logit, ∞ − ∞ is NaN",
        "SPEC.md 8.8, the textbook",
        on(BINARY, "value"),
        max_form,
        rank=1,
        rounds=True,
        variant="max(x, 0) − x z + log1p(exp(−|x|))",
    ),
    Hypothesis(
        "terms as large as the logit",
        "two terms of opposite sign, which round apart: a tiny loss is lost beside the logit, ∞ − ∞ is NaN",
        "SPEC.md 8.8, the textbook",
        on(BINARY, "value"),
        one_softplus,
        rank=2,
        rounds=True,
        variant="(1 − z) x + softplus(−x)",
    ),
    Hypothesis(
        "probabilities less labels",
        "the derivative of (1 − z) x + softplus(−x): two numbers that are nearly equal are subtracted",
        "SPEC.md 8.8, the textbook",
        on(BINARY, ("grad_logits", "jvp")),
        one_softplus_gradient,
        rank=2,
        rounds=True,
        variant="(1 − z) less σ(−x)",
    ),
    Hypothesis(
        "log of the whole sum",
        "the logarithm is taken of a rounded 1 + exp(−|x|), not log1p",
        "SPEC.md 8.8, the textbook",
        on(BINARY, "value"),
        max_form_log,
        rank=2,
        rounds=True,
        variant="max(x, 0) − x z + log(1 + exp(−|x|))",
    ),
    Hypothesis(
        "terms as large as the logit",
        "m + log(exp(−m) + exp(−x − m)): the logarithm of a rounded sum near 1",
        "SPEC.md 8.8, the textbook; PyTorch before 2.0",
        on(BINARY, "value"),
        two_exponentials,
        rank=2,
        rounds=True,
        variant="log of two exponentials",
    ),
    Hypothesis(
        "log of a rounded probability",
        "the logarithm of a rounded sigmoid, and of one less it",
        "SPEC.md 8.13, naive",
        on(BINARY, ("value", "grad_labels")),
        logarithms,
        rank=3,
        rounds=True,
        variant="σ and 1 − σ",
    ),
    Hypothesis(
        "probabilities less labels",
        "σ − z from a rounded σ, which cancels where they agree",
        "SPEC.md 8.8, the textbook",
        on(BINARY, ("grad_logits", "jvp")),
        sigmoid_less_label,
        rank=1,
        rounds=True,
        variant="σ − z",
    ),
    Hypothesis(
        "probabilities less labels",
        "the derivatives of max(−x, 0) and of the rest: a soft label is rounded away beside 1",
        "SPEC.md 8.8, automatic differentiation of the textbook",
        on(BINARY, ("grad_logits", "jvp")),
        parts_subtracted,
        rank=2,
        rounds=True,
        variant="1 − z − [x < 0]",
    ),
    Hypothesis(
        "gradient from the rounded value",
        "exp(x − softplus(x)): a difference as large as the logit, whose rounding is that of the probability",
        "SPEC.md 8.8; the derivative of logaddexp in JAX",
        on((LOG_SIGMOID, BINARY), ("grad_logits", "jvp")),
        from_softplus,
        rank=2,
        rounds=True,
        variant="exp(x − softplus(x))",
    ),
    Hypothesis(
        "the kink at zero",
        "of max(x, 0), |x|, xlogy the derivative at 0 is taken for 0: the loss is smooth, its parts are not",
        "SPEC.md 8.8; automatic differentiation of the textbook",
        on(BINARY, ("grad_logits", "jvp")),
        kink,
        rank=2,
        parameters=(False, True),
    ),
    Hypothesis(
        "two softplus subtracted",
        "softplus(−x) − softplus(x), where −x is meant",
        "SPEC.md 8.8, the textbook",
        on(BINARY, "grad_labels"),
        softpluses_subtracted,
        rank=1,
        rounds=True,
        variant="softplus(−x) − softplus(x)",
    ),
    Hypothesis(
        "two softplus subtracted",
        "(P − 1) softplus(−x) − x: the terms are rounded apart, and ∞ − ∞ or 0·∞ is NaN",
        "SPEC.md 8.10, the textbook",
        on(BINARY, "grad_labels"),
        softplus_and_logit,
        rank=2,
        rounds=True,
        variant="(P − 1) softplus(−x) − x",
    ),
    Hypothesis(
        "log of the whole sum",
        "(P − 1) softplus(−x) − x: what a logarithm near 1 is off, times the positive weight",
        "SPEC.md 8.10",
        on(BINARY, "grad_labels"),
        softplus_and_logit_log,
        rank=3,
        rounds=True,
        variant="(P − 1) softplus(−x) − x",
    ),
    Hypothesis(
        "one less a rounded sigmoid",
        "the derivative from the rounded sigmoid: 1 − y cancels where y is nearly one",
        "SPEC.md 8.7, the textbook",
        on(SIGMOID, ("grad_logits", "jvp", "hvp")) | on((LOG_SIGMOID, BINARY), "hvp"),
        complement,
        rank=1,
        rounds=True,
        variant="y (1 − y)",
    ),
    Hypothesis(
        "one less a rounded sigmoid",
        "the second derivative from the rounded σ(−x): one less it cancels where that is nearly one",
        "SPEC.md 8.11, the textbook",
        on((LOG_SIGMOID, BINARY), "hvp"),
        complement_of_the_mirror,
        rank=1,
        variant="σ(−x) (1 − σ(−x))",
        rounds=True,
    ),
    Hypothesis(
        "half of 1 + tanh(x/2)",
        "an absolute error where a relative one is due: a small probability is lost beside one half",
        "SPEC.md 8.7, the textbook",
        on(SIGMOID, "value"),
        tanh,
        rank=1,
        rounds=True,
    ),
    Hypothesis(
        "1 / (1 + exp(−x))",
        "exp overflows where the sigmoid is small, and makes it zero",
        "SPEC.md 8.7",
        on(SIGMOID, "value"),
        one_branch,
        rank=1,
        rounds=True,
    ),
    Hypothesis(
        "one less a rounded sigmoid",
        "the complement of a rounded sigmoid, which cancels",
        "SPEC.md 8.8, the textbook",
        on(LOG_SIGMOID, ("grad_logits", "jvp")),
        mirrored,
        rank=1,
        rounds=True,
        variant="1 − σ(x)",
    ),
    Hypothesis(
        "log of a rounded probability",
        "the logarithm of a probability that has been rounded: near one it is lost",
        "SPEC.md 8.8, the textbook",
        on(LOG_SIGMOID, "value"),
        log_of_sigmoid,
        rank=3,
        rounds=True,
        variant="σ",
    ),
    Hypothesis(
        "log of the whole sum",
        "the logarithm is taken of a rounded 1 + exp(−|x|), not log1p",
        "SPEC.md 8.8, the textbook",
        on(LOG_SIGMOID, "value"),
        whole_logarithm,
        rank=2,
        rounds=True,
        variant="−log(1 + exp(−x))",
    ),
    Hypothesis(
        "log of the odds",
        "log(p / (1 − p)): near one half the odds are nearly one, and their logarithm is lost",
        "SPEC.md 8.9, the textbook",
        on(LOGIT, "value"),
        odds,
        rank=1,
        rounds=True,
        variant="log(p / (1 − p))",
    ),
    Hypothesis(
        "log of the odds",
        "two logarithms subtracted, which cancel near one half",
        "SPEC.md 8.9, the textbook",
        on(LOGIT, "value"),
        two_logs,
        rank=2,
        rounds=True,
        variant="log p − log1p(−p)",
    ),
    Hypothesis(
        "two quotients added",
        "c/p + c/(1 − p), each rounded, or infinite, apart",
        "SPEC.md 8.9, the textbook under automatic differentiation",
        on(LOGIT, "grad_logits"),
        two_quotients,
        rank=2,
        rounds=True,
    ),
    Hypothesis(
        "a product is derived factor by factor",
        "the second derivative from that of p (1 − p), factor by factor: the two terms cancel near one half",
        "SPEC.md 8.11, automatic differentiation of c / (p (1 − p))",
        on(LOGIT, "hvp"),
        product_derived,
        rank=2,
        rounds=True,
        variant="t p − t (1 − p)",
    ),
    Hypothesis(
        "the derivative has no domain",
        "c / (p (1 − p)) is a number outside [0, 1] too",
        "SPEC.md 5.4",
        on(LOGIT, "grad_logits"),
        no_domain,
        rank=1,
    ),
)

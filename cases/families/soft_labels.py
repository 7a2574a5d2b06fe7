"""``soft_labels``: dense labels that are not one-hot, on the simplex (1.1) and off it (6.1, 6.2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xent_conformance.cases.case import Ask
from xent_conformance.cases.families.common import ordinary
from xent_conformance.cases.family import GIVEN, Family
from xent_conformance.cases.words import Words
from xent_conformance.reference.exact.enclosure import enclose
from xent_conformance.reference.exact.row import Row
from xent_conformance.reference.formats import Floats, Format
from xent_conformance.reference.operators import OPERATORS, Operator, evaluate

ELEMENTS = 16
OFF_SIMPLEX = {"grad_logits": "6.2"}


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    if operator.labels != "dense":
        return ()
    if operator.elementwise:
        return (ELEMENTS,)
    return (10,) if profile == "quick" else (10, 1000)


def _simplex(fmt: Format, weights: Floats) -> Floats:
    """Positive whole numbers as probabilities: one division, one rounding each."""
    return fmt.nearest(weights / weights.sum())


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    if operator.domain == "log_probabilities":
        yield from _targets(operator, fmt, n, words)
    else:
        fractional = operator.elementwise
        asked = _fractional if fractional else _distributions
        yield from asked(operator, fmt, n, words)


def _distributions(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    """Cross-entropy of logits, or of a distribution that is given."""

    def logits() -> Floats:
        return ordinary(operator, fmt, n, words)

    def weights() -> Floats:
        return 1.0 + words.integers(8, n).astype(np.float64)

    of_logits = operator.domain == "reals"
    off = OFF_SIMPLEX if of_logits else {}
    hot = np.asarray(np.arange(n) == words.below(n, 1), dtype=np.float64)
    smooth = fmt.nearest(0.9 * hot + 0.1 / n)
    for _ in range(3):
        yield Ask("smoothed", logits(), "1.1", smooth)
        yield Ask("random", logits(), "1.1", _simplex(fmt, weights()))
    yield Ask("uniform", logits(), "1.1", _simplex(fmt, np.ones(n)))
    yield Ask("two_hot", logits(), "1.1", fmt.nearest(np.where(np.arange(n) < 2, 0.5, 0.0)))
    for name, factor in (("sum_two", 2.0), ("sum_half", 0.5), ("sum_eight", 8.0)):
        yield Ask(
            name,
            logits(),
            "6.1",
            fmt.nearest(factor * _simplex(fmt, weights())),
            off,
        )
        yield Ask(name, logits(), "6.1", factor * hot, off)
    yield Ask("zero", logits(), "6.1", np.zeros(n), off)
    yield Ask("negative", logits(), "6.1", hot - 0.25, off)
    yield Ask("opposite", logits(), "6.1", -hot, off)
    tiny = np.where(np.arange(n) == 0, 1.0, 2.0 ** (fmt.emin // 2))
    yield Ask("tiny", logits(), "6.1", tiny, off)
    subnormal = np.where(np.arange(n) == 0, 1.0, fmt.smallest_subnormal)
    yield Ask("subnormal", logits(), "6.1", subnormal, off)
    for _ in range(2):
        x = logits()
        yield Ask("softmax_itself", x, "1.1", _softmax(fmt, x) if of_logits else x)
    nan = hot.copy()
    nan[n // 2] = np.nan
    unlabelled = (
        ("3.2", OFF_SIMPLEX | {"grad_labels": "1.1"}) if of_logits else ("5.8", {"grad_logits": "6.16"})
    )
    yield Ask("nan_label", logits(), unlabelled[0], nan, unlabelled[1])
    for factor in (0.9921875, 1.0078125):  # within a per cent of one, where normalising goes unseen
        yield Ask("sum_within_a_per_cent", logits(), "6.1", factor * hot, off)
        soft = fmt.nearest(factor * _simplex(fmt, weights()))
        yield Ask("sum_within_a_per_cent", logits(), "6.1", soft, off)


def _softmax(fmt: Format, x: Floats, of: str = "softmax") -> Floats:
    """Labels that are the softmax of the logits, certified and rounded once: the gradient is nearly zero."""
    values, _ = enclose(evaluate(OPERATORS[of], Row(x.tolist(), (), [1.0] * len(x)))["value"])
    return values.round_to(fmt)


def _targets(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    """A divergence: targets that are positive, zero here and there, nearly what is predicted."""

    def given() -> Floats:
        return ordinary(operator, fmt, n, words)

    def weights() -> Floats:
        return 1.0 + words.integers(8, n).astype(np.float64)

    hot = np.asarray(np.arange(n) == words.below(n, 1), dtype=np.float64)
    for _ in range(2):
        yield Ask("smoothed", given(), "1.1", fmt.nearest(0.9 * hot + 0.1 / n))
        yield Ask("random", given(), "1.1", _simplex(fmt, weights()))
    yield Ask("uniform", given(), "1.1", _simplex(fmt, np.ones(n)))
    for _ in range(2):  # the value is what rounding has left of it
        x = words.bell(fmt, 0.5, n)
        yield Ask("what_is_predicted", _softmax(fmt, x, "log_softmax"), "1.1", _softmax(fmt, x))
    half = np.where(np.arange(n) % 2 == 0, weights(), 0.0)
    zeros = {
        "one_hot": hot,
        "two_hot": np.where(np.arange(n) < 2, 0.5, 0.0),
        "half_zero": _simplex(fmt, half),
        "negative_zero": np.where(hot == 1, 1.0, -0.0),
        "nothing": np.zeros(n),
    }
    for name, p in zeros.items():
        yield Ask(name, given(), "4.7", p, {"grad_labels": "4.5"})
    tiny = np.where(np.arange(n) == 0, 1.0, 2.0 ** (fmt.emin // 2))
    yield Ask("tiny", given(), "6.1", tiny)
    subnormal = np.where(np.arange(n) == 0, 1.0, fmt.smallest_subnormal)
    yield Ask("subnormal", given(), "6.1", subnormal)
    for name, factor in (("sum_two", 2.0), ("sum_half", 0.5)):
        yield Ask(name, given(), "6.1", fmt.nearest(factor * _simplex(fmt, weights())))
    nan = _simplex(fmt, weights())
    nan[n // 2] = np.nan
    yield Ask("nan_label", given(), "3.2", nan)


def _fractional(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    """Cross-entropy of a logit or of a probability: each label is a probability of its own."""

    def given(scale: float = 4.0) -> Floats:
        return ordinary(operator, fmt, n, words, scale)

    logits = operator.domain == "reals"
    clause, off = ("6.1", OFF_SIMPLEX) if logits else ("5.8", {})
    for scale in (1.0, 4.0, 16.0):
        yield Ask("random", given(scale), "1.1", fmt.nearest(words.fractions(n)))
    yield Ask("half", given(), "1.1", np.full(n, 0.5))
    yield Ask(
        "smoothed",
        given(),
        "1.1",
        fmt.nearest(0.9 * words.below(2, n).astype(np.float64) + 0.05),
    )
    yield Ask("tiny", given(), "1.1", fmt.nearest(np.ldexp(words.fractions(n), -10)))
    yield Ask("subnormal", given(), "1.1", np.full(n, fmt.smallest_subnormal * 3))
    yield Ask("above_one", given(), clause, fmt.nearest(1.0 + words.fractions(n)), off)
    yield Ask("negative", given(), clause, fmt.nearest(-words.fractions(n)), off)
    nan = words.below(2, n).astype(np.float64)
    nan[[0, n // 2, n - 1]] = np.nan
    unlabelled = ("3.2", {"grad_labels": "1.1"}) if logits else ("5.8", {})
    yield Ask("nan_label", given(), unlabelled[0], nan, unlabelled[1])


SOFT_LABELS = Family(
    "soft_labels",
    "smoothed, uniform and random labels, and labels off the simplex",
    _lengths,
    _rows,
    domains=GIVEN,
)

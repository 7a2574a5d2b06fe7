"""``divergences``: element by element, and of a target that is given by its logarithms.

Elements: quotients that are nearly one, beyond the format's range, or of a subnormal (1.1, 2.1), zeros on
either side (4.7, 4.3) and what lies outside (5.10). Log-targets: alike, improbable, −∞ (4.8), off the
simplex (6.1), on an inner axis and reduced (7.6, 6.10).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xent_conformance.cases.case import Ask
from xent_conformance.cases.families.common import log_target, ordinary
from xent_conformance.cases.family import DIVERGENCES as DOMAINS
from xent_conformance.cases.family import Family
from xent_conformance.cases.form import Form
from xent_conformance.cases.words import Words
from xent_conformance.reference.attributes import Attributes, Reduction
from xent_conformance.reference.formats import Floats, Format
from xent_conformance.reference.operators import Operator

ELEMENTS, CLASSES, EXAMPLES = 16, 10, 3
NAN, INFINITY = float("nan"), float("inf")
SLOPES = {"grad_logits": "4.5", "grad_labels": "4.5"}
BEYOND = {"grad_logits": "2.2"}
"""A slope ``−p/q`` that rounds to an infinity; that by the target is a logarithm."""
BY_TARGET = {"grad_labels": "4.5"}


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    return (ELEMENTS,) if operator.elementwise else (CLASSES,)


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    if operator.elementwise:
        yield from _alike(operator, fmt, n, words)
        yield from _far(fmt, n, words)
        yield from _at_zero(operator, fmt, n, words)
    else:
        yield from _targets(operator, fmt, n, words)
        yield from _infinite(operator, fmt, n, words)
        yield from _forms(operator, fmt, n, words)


# --- elements --------------------------------------------------------------------------------------


def _alike(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    """The two are one number, or nearly: what is left of a difference, and of the logarithm near one."""
    for _ in range(2):
        q = ordinary(operator, fmt, n, words)
        yield Ask("random", q, "1.1", ordinary(operator, fmt, n, words))
    q = ordinary(operator, fmt, n, words)
    yield Ask("equal", q, "1.1", q)
    for bits in (fmt.precision - 1, fmt.precision // 2):
        q = ordinary(operator, fmt, n, words)
        steps = (1.0 + np.arange(n) % 4) * np.where(np.arange(n) % 2 == 0, 1.0, -1.0)
        yield Ask("nearly_equal", q, "1.1", fmt.nearest(q * (1.0 + np.ldexp(steps, -bits))))


def _far(fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    """The quotient is no number of the format, the divergence is.

    So is a gradient whose cotangent brings the quotient back: ``c p/q``, of which ``p/q`` is one step.
    """
    large, small = 2.0 ** (fmt.emax // 2), 2.0 ** (fmt.emin // 2 + 2)
    p, q = large * (1.0 + words.fractions(n, bits=4)), small * small * (1.0 + words.fractions(n, bits=4))
    one, tiny = np.ones(n), np.full(n, 3 * fmt.smallest_subnormal)
    p, q = fmt.nearest(p), fmt.nearest(q)
    back = np.full(n, 2.0 ** (2 * (fmt.emin // 2) + fmt.emax - fmt.emax // 2 - 1))
    for name, clause, prediction, target, clauses, c in (
        ("quotient_overflows", "2.1", q, p, BEYOND, one),
        ("quotient_overflows_and_comes_back", "2.1", q, p, {}, back),
        ("quotient_underflows", "2.1", p, q, {}, one),
        ("subnormal", "1.1", tiny, one, BEYOND, one),
        ("subnormal_target", "1.1", one, tiny, {}, one),
    ):
        at = np.arange(n) % 4 == 0
        x, y = np.where(at, prediction, one), np.where(at, target, one)
        yield Ask(name, x, clause, y, clauses, cotangent=c)


def _at_zero(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    """One element among ordinary ones is 0, or outside, or NaN."""

    def given(value: float) -> Floats:
        found = ordinary(operator, fmt, n, words)
        found[3] = value
        return found

    plain = ordinary(operator, fmt, n, words)
    yield Ask("clean", plain, "3.1", ordinary(operator, fmt, n, words))
    for name, zero in (("zero", 0.0), ("negative_zero", -0.0)):
        yield Ask(f"{name}_target", plain, "4.7", given(zero), BY_TARGET)
        yield Ask(f"{name}_prediction", given(zero), "4.3", plain, SLOPES)
    yield Ask("both_zero", given(0.0), "5.10", given(0.0), SLOPES)
    yield Ask("clean", plain, "3.1", ordinary(operator, fmt, n, words))
    outside = (-fmt.smallest_normal, -1.0)
    for p in outside:
        yield Ask("target_below_zero", plain, "5.10", given(p), SLOPES)
        yield Ask("prediction_below_zero", given(p), "5.10", plain, SLOPES)
        yield Ask("zero_target_below_zero", given(p), "5.10", given(0.0), SLOPES)
    yield Ask("both_below_zero", given(-0.5), "5.10", given(-0.25), SLOPES)
    yield Ask("nan_prediction", given(NAN), "3.2", plain)
    yield Ask("nan_target", plain, "3.2", given(NAN))
    yield Ask("clean", plain, "3.1", ordinary(operator, fmt, n, words))


# --- of logarithms ---------------------------------------------------------------------------------


def _targets(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    for spread in (1.0, 4.0, 16.0):
        yield Ask("random", ordinary(operator, fmt, n, words), "1.1", log_target(fmt, n, words, spread))
    x = ordinary(operator, fmt, n, words)
    yield Ask("what_is_predicted", x, "1.1", x)
    near = fmt.nearest(x * (1.0 + 2.0 ** (2 - fmt.precision)))
    yield Ask("nearly_what_is_predicted", x, "1.1", near)
    yield Ask("certain", ordinary(operator, fmt, n, words), "6.1", np.zeros(n))
    yield Ask("unnormalised", ordinary(operator, fmt, n, words), "6.1", fmt.nearest(words.fractions(n)))
    improbable = log_target(fmt, n, words)
    improbable[[1, 4]] = fmt.nearest(np.array([(fmt.emin - 3) * 0.694, (fmt.emin - fmt.precision) * 0.75]))
    yield Ask("improbable", ordinary(operator, fmt, n, words), "1.1", improbable)


def _infinite(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    """A target of zero is −∞ here; an excluded class is one whose log-probability is."""

    def given(row: Floats, *places: int) -> Floats:
        found = row.copy()
        found[list(places)] = -INFINITY
        return found

    x, t = ordinary(operator, fmt, n, words), log_target(fmt, n, words)
    yield Ask("clean", x, "3.1", t)
    for name, places in (("first", [0]), ("half", list(range(0, n, 2))), ("but_one", list(range(1, n)))):
        yield Ask(f"zero_target_{name}", x, "4.8", given(t, *places))
    yield Ask("neither_has_it", given(x, 2, 5), "4.8", given(t, 2, 5), BY_TARGET)
    yield Ask("masked_prediction", given(x, 2), "4.3", t, SLOPES)
    yield Ask("clean", x, "3.1", t)
    for name, of_x in (("nan_prediction", True), ("nan_target", False)):
        a, b = x.copy(), t.copy()
        (a if of_x else b)[4] = NAN
        yield Ask(name, a, "3.2", b)
    yield Ask("clean", x, "3.1", t)


def _forms(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    """On an inner axis, and reduced: the mean divides by the rows, and not by their elements."""
    for _ in range(6):
        x, t = ordinary(operator, fmt, n, words, 2.0), log_target(fmt, n, words)
        yield Ask("second_axis", x, "7.6", t, form=Form(shape=(2, 3), axis=1))
    reductions: tuple[Reduction, ...] = ("mean", "sum")
    for reduction in reductions:
        a = Attributes(reduction=reduction, examples=EXAMPLES)
        for _ in range(2):
            x = ordinary(operator, fmt, EXAMPLES * n, words, 2.0)
            t = np.concatenate([log_target(fmt, n, words) for _ in range(EXAMPLES)])
            yield Ask(f"reduced+{reduction}", x, "6.10", t, attributes=a)


DIVERGENCES = Family(
    "divergences",
    "divergences by elements, with zeros and beyond; targets given by their logarithms",
    _lengths,
    _rows,
    domains=DOMAINS,
)

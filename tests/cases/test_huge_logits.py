"""``huge_logits`` meets every overflow and underflow threshold of exp from both sides, says mpmath."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from mpmath import exp, mp, mpf

from tests.support.family_rows import EVERY, SOFTMAX, ask, flat
from xent_conformance.reference.formats import FORMATS, Format


def edge(fmt: Format, name: str) -> Fraction:
    """The number that ``exp`` passes: the largest, the smallest normal, half the smallest subnormal."""
    if name == "at_exp_overflow":
        return Fraction(fmt.largest)
    if name == "at_exp_subnormal":
        return Fraction(fmt.smallest_normal)
    return Fraction(fmt.smallest_subnormal) / 2


def sides(x: np.ndarray, at: Fraction, sign: int) -> tuple[list[float], list[float]]:
    """The numbers of ``x`` whose ``exp(sign · x)`` is below ``at``, and the others."""
    mp.prec = 300
    limit = mpf(at.numerator) / at.denominator
    below = [v for v in x.tolist() if exp(sign * mpf(v)) < limit]
    return below, [v for v in x.tolist() if v not in below]


VARIANTS = ("at_exp_overflow", "at_exp_subnormal", "at_exp_vanishing")


@pytest.mark.parametrize("of", FORMATS.values(), ids=list(FORMATS))
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("operator", [SOFTMAX, "sigmoid"])
def test_huge_logits_meet_every_threshold_from_both_sides(operator: str, variant: str, of: Format) -> None:
    """Each format asks numbers whose exp, by mpmath, is on either side of the edge, two ulps apart."""
    sign = 1 if variant == "at_exp_overflow" else -1
    for fmt in FORMATS.values():
        x = np.abs(flat(ask("huge_logits", operator, fmt)[variant]))
        below, above = sides(np.unique(x[x > 0]), edge(of, variant), sign)
        inner, outer = (below, above) if sign > 0 else (above, below)
        assert inner
        assert outer
        gap = min(outer) - max(inner)
        step = 2.0 ** int(fmt.ulp_exponent(np.array(np.frexp(max(inner))[1] - 1)))
        assert gap <= 2 * step, f"{fmt.name}: the two sides are {gap / step} ulps apart"


@EVERY
def test_huge_logits_go_to_the_largest(fmt: Format) -> None:
    rows = ask("huge_logits", SOFTMAX, fmt, n=10)
    assert all(a.logits.max() == fmt.largest for a in rows["largest"])
    assert (flat(rows["largest_everywhere"]) == fmt.largest).all()
    assert (flat(rows["lowest_everywhere"]) == -fmt.largest).all()
    (opposed,) = rows["largest_against_lowest"]
    assert {opposed.logits.max(), -opposed.logits.min()} == {fmt.largest}
    assert opposed.clauses["value"] == "2.2", "the distance itself is beyond the format"
    elements = flat(ask("huge_logits", "sigmoid", fmt)["to_the_largest"])
    assert {elements.max(), -elements.min()} == {fmt.largest}


@EVERY
def test_huge_logits_label_the_peak_and_another_class(fmt: Format) -> None:
    """A confident loss near zero and a hopeless one near the distance, at every threshold."""
    for variant in ("at_exp_overflow", "at_exp_subnormal", "at_exp_vanishing"):
        hits = {bool(a.labels[0]) for a in ask("huge_logits", SOFTMAX, fmt)[variant]}
        assert hits == {True, False}
    for z in ("at_exp_overflow", "to_the_largest"):
        labels = [a.labels for a in ask("huge_logits", "sigmoid_cross_entropy", fmt)[z]]
        assert {float(v) for row in labels for v in row} == {0.0, 1.0}

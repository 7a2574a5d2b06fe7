"""A product that is fused into a difference, to the last bit: in binary64, and beside an offset that is kept.

What JAX 0.10.2 gave, compiled for an x86-64 CPU, in the rows that ``full`` asks.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from xent_conformance.cases.corpus import find_case
from xent_conformance.diagnosis.fused import _error_of_product
from xent_conformance.diagnosis.predict import Prediction, Right, predictions
from xent_conformance.reference.cache import default_cache
from xent_conformance.reference.formats import FORMATS
from xent_conformance.reference.oracle import Oracle

FUSED, OFFSET = "fused into the difference", "offset kept"
NAN, INF = np.nan, np.inf


def predicted(case_id: str, output: str, name: str) -> tuple[dict[str, Prediction], int]:
    """By its form, what a hypothesis predicts; and the row of the case."""
    batch, case = find_case(case_id)
    right = Right(Oracle(default_cache()).truth(batch.inputs), output)
    return {p.name[1]: p for p in predictions(right, lambda n: n[0] == name)}, case.row


@pytest.mark.parametrize(
    "operator, output, form, all_vanish, overflow",
    [
        ("softmax", "value", "True", NAN, NAN),
        ("log_softmax", "value", "True", INF, -INF),
        ("logsumexp", "value", "True", -INF, INF),
        ("sparse_softmax_cross_entropy", "value", "True", -INF, INF),
        ("softmax_cross_entropy", "value", "0·∞, True", NAN, NAN),
        ("softmax_cross_entropy", "grad_labels", "True", INF, -INF),
        ("softmax_cross_entropy", "grad_logits", "True", NAN, NAN),
        ("softmax", "grad_logits", "True", NAN, NAN),
    ],
)
def test_in_binary64_a_product_of_1e19_is_off_by_seven_hundred(
    operator: str, output: str, form: str, all_vanish: float, overflow: float
) -> None:
    """Of five equal logits: ``e^−715`` is subnormal, and flushed, ``e^715`` is infinite."""
    case = f"{operator}/composites/scale_huge/float64/n5/r"
    found, row = predicted(f"{case}3", output, FUSED)
    _, other = predicted(f"{case}4", output, FUSED)
    values = found[form].values
    assert np.array_equal([values[row, 0], values[other, 0]], [all_vanish, overflow], equal_nan=True)


def test_what_conforms_in_binary64_is_no_contradiction() -> None:
    """Products that are off by 89 leave sums that binary64 has, and binary32 has not: nothing is special."""
    found, row = predicted("softmax_cross_entropy/composites/scale_huge/float64/n5/r0", "value", FUSED)
    values = np.array([[p.values[row + i, 0] for i in (0, 1, 2, 5)] for p in found.values()])
    assert np.allclose(values, np.log(5.0), rtol=1e-13)


def test_an_offset_is_subtracted_from_a_product_that_is_not_rounded() -> None:
    """0.7 · 3·10⁸ in binary32, less the same rounded to a multiple of 16: XLA under fast math.

    Of two that tie the logarithm of 2 is rounded away beside it.
    """
    found, row = predicted("log_softmax/composites/scale_large/float32/n5/r1", "value", OFFSET)
    _, tied = predicted("log_softmax/composites/scale_large/float32/n5/r0", "value", OFFSET)
    (alone,) = (p for form, p in found.items() if form.startswith("of a fused product"))
    assert alone.values[row, 2] == np.float32(-3.5762787) == np.float64(np.float32(0.7)) * 3e8 - 210000000.0
    assert np.count_nonzero(alone.values[tied] == np.float32(-3.5762787)) == 2


def test_a_product_of_binary64_and_what_it_lost_are_exact() -> None:
    scale = np.array(1.610612736e19)
    numbers = FORMATS["float64"].nearest(np.array([0.1, -0.1, 0.3, 0.7, -0.7, 0.9, 1e-19, 3.0]))
    for x, lost in zip(numbers, _error_of_product(numbers, scale), strict=True):
        exact = Fraction(float(x)) * Fraction(float(scale))
        assert Fraction(float(x * scale)) + Fraction(float(lost)) == exact

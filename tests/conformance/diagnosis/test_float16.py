"""What leaves binary16 on the way of a derivative, in JAX 0.10.2: a square, and what is divided by one."""

from __future__ import annotations

import numpy as np
import pytest

from xent_conformance.cases.corpus import find_case
from xent_conformance.diagnosis.predict import Prediction, Right, predictions
from xent_conformance.reference.cache import default_cache
from xent_conformance.reference.oracle import Oracle

SQUARE, MEAN, ZERO = "the square of a sum overflows", "a mean is subtracted", "0·∞ is NaN"


def predicted(case_id: str, output: str, name: str) -> tuple[list[Prediction], int]:
    batch, case = find_case(case_id)
    right = Right(Oracle(default_cache()).truth(batch.inputs), output)
    return list(predictions(right, lambda n: n[0] == name)), case.row


@pytest.mark.parametrize(("n", "returned"), [(256, 1 / 256), (257, 0.003890991), (1024, 1 / 1024)])
def test_of_a_sum_of_256_the_mean_is_lost(n: int, returned: float) -> None:
    """Of equal classes and a cotangent of ones the gradient is 0; what comes back is the probability."""
    ((square,), row) = predicted(f"softmax/widths/equal/float16/n{n}/r0", "grad_logits", SQUARE)
    assert np.allclose(square.values[row], returned, rtol=2**-11) and (square.right.rounded[row] == 0).all()


def test_of_a_sum_of_255_nothing_is_said() -> None:
    assert predicted("softmax/widths/equal/float16/n255/r0", "grad_logits", SQUARE)[0] == []


def test_a_mean_that_is_lost_is_none_that_is_rounded() -> None:
    found, row = predicted("softmax/widths/equal/float16/n256/r0", "grad_logits", MEAN)
    assert len(found) > 3 and all((abs(p.values[row]) < 1e-5).all() for p in found)


def test_of_999_equal_classes_what_is_left_is_the_cotangent_times_the_probability() -> None:
    """0.125 less a mean of 0.065, times 1/999, comes back as 0.125/999."""
    case = "softmax/huge_logits/at_exp_subnormal/float16/n1000/r11"
    ((square,), row) = predicted(case, "grad_logits", SQUARE)
    assert square.values[row, 9] == np.float16(0.125 / 999) and square.right.rounded[row, 9] < 0.00007


def test_a_label_of_zero_times_what_overflowed() -> None:
    """1.375 · 2 / 0.00586² is beyond 65504; of a probability of 0.1758 it is not."""
    case = "categorical_cross_entropy/derivatives/inside/float16/n10/r2"
    found, row = predicted(case, "hvp", ZERO)
    (square,) = (p for p in found if p.name[1] == "of the square of a probability")
    values = square.values[row]
    assert np.isnan(values[2]) and values[9] == 0 == square.right.rounded[row, 2]

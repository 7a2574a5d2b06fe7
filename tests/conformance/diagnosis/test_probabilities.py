"""What is predicted of losses of given probabilities is what real code returns, to the last digit."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.corpus import corpus
from xent_conformance.cases.case import Batch
from xent_conformance.diagnosis.predict import Right, predictions
from xent_conformance.reference.cache import default_cache
from xent_conformance.reference.oracle import Oracle

ORACLE = Oracle(default_cache())
KERAS = "of given probabilities, 1e-07"


def row(case: str) -> tuple[Batch, int]:
    operator = case.split("/")[0]
    return next(
        (b, c.row) for b in corpus("quick") if b.operator == operator for c in b.cases if c.id == case
    )


def predicted(case: str, output: str, name: str, variant: str) -> np.ndarray:
    batch, place = row(case)
    right = Right(ORACLE.truth(batch.inputs), output)
    (p,) = (p for p in predictions(right, lambda n: n == (name, variant)))
    return p.values[place]


@pytest.mark.parametrize("bits, least", [(32, 2.0**-23), (64, -np.log(1 - 1e-7))])
def test_keras_clips_in_the_format(bits: int, least: float) -> None:
    """Where a probability is its hard label the loss is that of 1 − 1e-7 as the format has it."""
    case = f"binary_cross_entropy/special_values/hard/float{bits}/n16/r0"
    found = predicted(case, "value", "clipped by ε", KERAS)
    assert np.allclose(found, least, rtol=2.0**-22, atol=0)
    assert (predicted(case, "grad_logits", "clipped by ε", KERAS) == 0).all(), "what is clipped does not move"


def test_in_16_bits_one_less_epsilon_is_one_and_nothing_is_clipped_there() -> None:
    case = "binary_cross_entropy/special_values/hard/float16/n16/r0"
    found = predicted(case, "grad_logits", "clipped by ε", KERAS)
    assert np.isnan(found[1::2]).all() and (found[::2] == 0).all()


def test_xla_takes_a_rational_function_too_far() -> None:
    """JAX in binary64: off by 14.5 to 127 units of 2⁻⁵³ between 0.38 and √2 − 1, right below 1 − √½."""
    known = {0.3828125: -14.5, 0.3984375: -45.0, 0.4140625: -127.0}
    met = set()
    for batch in corpus("quick"):
        if batch.operator != "binary_cross_entropy" or batch.inputs.format.precision != 53:
            continue
        right = Right(ORACLE.truth(batch.inputs), "value")
        x, z = batch.inputs.logits, batch.inputs.labels
        for p in predictions(right, lambda n: n[0] == "log1p beyond its range"):
            if p.values.shape != x.shape:
                continue
            for at, off in known.items():
                here = (x == at) & (z == 0)
                met |= {at} if here.any() else set()
                assert ((p.values - right.rounded)[here] == off * 2.0**-53).all()
            assert (p.values == right.rounded)[(x > 0.01) & (x < 0.25) & (z == 0)].mean() > 0.5
    assert met

"""Formats of eight bits: their numbers are those of ml_dtypes, and textbook code is within the intervals."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.reference.arithmetic import Array
from xent_conformance.cases.corpus import batches_of, families
from xent_conformance.judging.judge import Judge
from xent_conformance.reference.formats import E4M3, E5M2, EIGHT_BITS, Format
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.words import SYMPTOMS, Symptom
from xent_conformance.reports.text import numbers

EVERY = pytest.mark.parametrize("fmt", EIGHT_BITS.values(), ids=lambda f: f.name)
OPERATORS_ = ("softmax", "log_softmax", "logsumexp", "sigmoid", "log_sigmoid")


def every(fmt: Format) -> Array:
    """All 256 patterns, as binary64."""
    with np.errstate(invalid="ignore"):
        return np.arange(256, dtype=np.uint8).view(fmt.dtype).astype(np.float64)


@EVERY
def test_numbers_are_those_of_the_type(fmt: Format) -> None:
    known = every(fmt)
    finite = known[np.isfinite(known)]
    assert finite.max() == fmt.largest and np.isinf(known).any() == fmt.infinite
    positive = finite[finite > 0]
    assert positive.min() == fmt.smallest_subnormal and fmt.smallest_normal in positive
    halfway = (positive[:-1] + positive[1:]) / 2
    between = np.concatenate([positive, halfway, halfway * (1 + 2.0**-20), halfway * (1 - 2.0**-20)])
    with np.errstate(over="ignore"):
        cast = between.astype(fmt.dtype).astype(np.float64)
    np.testing.assert_array_equal(fmt.nearest(between), cast)


def test_the_largest_are_those_of_the_specification() -> None:
    """OFP8: 448 and 57,344; beyond, not saturating, NaN and an infinity."""
    assert (E4M3.largest, E5M2.largest) == (448.0, 57344.0)
    assert np.isnan(E4M3.nearest(np.array(500.0))) and np.isinf(E5M2.nearest(np.array(65536.0)))


@EVERY
def test_their_numbers_are_written_and_read_again(fmt: Format) -> None:
    for pattern, value in enumerate(every(fmt).tolist()):
        (element,) = numbers.elements(f"{pattern:02x}", fmt.name)
        same = element.value == value or (np.isnan(element.value) and np.isnan(value))
        assert same and element.bits == f"0x{pattern:02x}"
        assert fmt.nearest(np.array(float(element.decimal))) == value or not np.isfinite(value)


def by_steps(operator: str, x: Array, wide: type) -> Array:
    """The textbook, every step computed in ``wide`` and rounded back to the format of ``x``."""
    fmt = x.dtype

    def step(a: Array) -> Array:
        return a.astype(wide).astype(fmt)

    def w(a: Array) -> Array:
        return a.astype(wide)

    if operator in ("sigmoid", "log_sigmoid"):
        one = wide(1)
        if operator == "sigmoid":
            return step(one / w(step(one + w(step(np.exp(-w(x)))))))
        rest = step(np.log1p(w(step(np.exp(-np.abs(w(x)))))))
        return step(-w(step(np.maximum(-w(x), wide(0)) + w(rest))))
    m = x.astype(np.float64).max(axis=1, keepdims=True).astype(fmt)
    d = step(w(x) - w(m))
    e = step(np.exp(w(d)))
    total = e.astype(np.float32).sum(axis=1, keepdims=True).astype(fmt)
    if operator == "softmax":
        return step(w(e) / w(total))
    log = step(np.log(w(total)))
    return step(w(m) + w(log)) if operator == "logsumexp" else step(w(d) - w(log))


@EVERY
@pytest.mark.parametrize("operator", OPERATORS_)
@pytest.mark.parametrize("wide", [np.float16, np.float32])
def test_textbook_code_is_within_the_intervals(operator: str, wide: type, fmt: Format) -> None:
    """Of three hundred rows of four: every step rounded to eight bits, or to 16 and then to eight."""
    rng = np.random.Generator(np.random.Philox(7))
    x = fmt.nearest(np.clip(rng.integers(-48, 49, (300, 4)) / 8.0, -6, 6))
    scalar = OPERATORS[operator].value_shape == "scalar"
    inputs = Inputs(operator, fmt, x, np.zeros((300, 0)), np.ones((300, 1 if scalar else 4)))
    truth = Oracle().truth(inputs)
    got = by_steps(operator, x.astype(fmt.dtype), wide).astype(np.float64)
    exact, bound = truth.enclosure("value").approximate(), truth.bound("value").stable
    assert np.isfinite(got).all() and (np.abs(got.reshape(exact.shape) - exact) <= bound).all()


@EVERY
def test_what_is_wrong_is_seen(fmt: Format) -> None:
    """NaN, the softmax of another axis, uniform shares, and powers of two for those of e."""
    (b,) = batches_of(OPERATORS["softmax"], families()["eight_bits"], fmt, 4)
    judge, exact = Judge(Oracle().truth(b.inputs)), Oracle().truth(b.inputs).enclosure("value").approximate()
    wrong = {
        "nan": np.full_like(exact, np.nan),
        "uniform": np.full_like(exact, 0.25),
        "reversed": exact[:, ::-1],
        "unnormalised": exact * 2.5,
    }
    for name, values in wrong.items():
        found = judge.verdicts(b.cases, "value", values.astype(fmt.dtype))
        broken = np.isin(found.symptom, [SYMPTOMS.index(s) for s in (Symptom.NAN, Symptom.BEYOND_BOUND)])
        assert broken.sum() >= 3, name
    right = judge.verdicts(b.cases, "value", fmt.nearest(exact).astype(fmt.dtype))
    assert (right.symptom == SYMPTOMS.index(Symptom.NONE)).all()

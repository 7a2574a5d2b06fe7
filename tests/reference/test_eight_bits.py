"""Formats of eight bits: their numbers are those of ml_dtypes, and textbook code is within the intervals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.support.reference.arithmetic import Array
from tests.support.reference.eight_bit_steps import EVERY, Step, Steps, beyond_the_interval, negative
from xent_conformance.cases.case import Batch
from xent_conformance.cases.corpus import batches_of, families
from xent_conformance.judging.judge import Judge
from xent_conformance.reference.formats import E4M3, E5M2, Format
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.words import SYMPTOMS, Symptom
from xent_conformance.reports.text import numbers

DENSE, SPARSE, BINARY = "softmax_cross_entropy", "sparse_softmax_cross_entropy", "sigmoid_cross_entropy"


def asked(operator: str, fmt: Format, variant: str = "") -> Batch:
    """The plain rows, or those of a variant."""
    every = batches_of(OPERATORS[operator], families()["eight_bits"], fmt, 4)
    return next(b for b in every if variant in {a.variant for a in b.asks} or not variant)


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


def by_value(a: Steps, sign: float) -> Array:
    """The derivative of softplus, made of its value."""
    x = (sign * a.x.astype(np.float64)).astype(a.dtype)
    return a.step(np.exp, a.less(x, a.softplus(sign)))


FORMS: dict[tuple[str, str], dict[str, Step]] = {
    ("softmax", "value"): {"quotient": lambda a: a.s},
    ("softmax", "grad_logits"): {
        "mean": lambda a: a.times(a.s, a.less(a.c, a.total(a.times(a.s, a.c)))),
        "products": lambda a: a.less(a.times(a.s, a.c), a.times(a.s, a.total(a.times(a.s, a.c)))),
        "in turn": lambda a: a.times(
            a.e, a.less(a.over(a.c, a.S), a.over(a.over(a.total(a.times(a.c, a.e)), a.S), a.S))
        ),
    },
    ("log_softmax", "value"): {"difference": lambda a: a.log_s},
    ("log_softmax", "grad_logits"): {
        "by value": lambda a: a.balance(a.c, a.step(np.exp, a.log_s)),
        "in turn": lambda a: a.less(a.c, a.times(a.over(a.total(a.c), a.S), a.e)),
    },
    ("logsumexp", "value"): {"sum": lambda a: a.add(a.m, a.L)},
    ("logsumexp", "grad_logits"): {
        "shares": lambda a: a.times(a.c, a.s),
        "in turn": lambda a: a.times(a.over(a.c, a.S), a.e),
        "by value": lambda a: a.times(a.c, a.step(np.exp, a.less(a.x, a.add(a.m, a.L)))),
    },
    (DENSE, "value"): {"products": lambda a: negative(a.total(a.times(a.p, a.log_s)))},
    (DENSE, "grad_logits"): {
        "fused": lambda a: a.times(a.c, a.less(a.s, a.p)),
        "of the logarithms": lambda a: a.balance(negative(a.times(a.c, a.p)), a.step(np.exp, a.log_s)),
    },
    (DENSE, "grad_labels"): {"logarithms": lambda a: negative(a.times(a.c, a.log_s))},
    ("sigmoid", "value"): {"quotient": lambda a: a.y},
    ("sigmoid", "grad_logits"): {
        "by value": lambda a: a.times(a.times(a.c, a.y), a.less(a.one, a.y)),
        "first two": lambda a: a.times(a.c, a.times(a.y, a.less(a.one, a.y))),
    },
    ("log_sigmoid", "value"): {"log1p": lambda a: negative(a.softplus(-1.0))},
    ("log_sigmoid", "grad_logits"): {
        "by value": lambda a: a.times(a.c, by_value(a, -1.0)),
        "one less": lambda a: a.times(a.c, a.less(a.one, a.y)),
    },
    (BINARY, "value"): {
        "both": lambda a: a.add(a.times(a.p, a.softplus(-1.0)), a.times(a.less(a.one, a.p), a.softplus(1.0))),
        "linear": lambda a: a.add(a.times(a.less(a.one, a.p), a.x), a.softplus(-1.0)),
    },
    (BINARY, "grad_logits"): {
        "difference": lambda a: a.times(a.c, a.less(a.y, a.p)),
        "both": lambda a: a.less(
            a.times(a.times(a.c, a.less(a.one, a.p)), by_value(a, 1.0)),
            a.times(a.times(a.c, a.p), by_value(a, -1.0)),
        ),
    },
    (BINARY, "grad_labels"): {
        "product": lambda a: negative(a.times(a.c, a.x)),
        "difference": lambda a: a.less(a.times(a.c, a.softplus(-1.0)), a.times(a.c, a.softplus(1.0))),
    },
}


def drawn(operator: str, fmt: Format) -> Inputs:
    """Three hundred rows of four: logits of eighths, cotangents and labels of quarters and of eighths."""
    rng, op = np.random.Generator(np.random.Philox(7)), OPERATORS[operator]
    x = fmt.nearest(np.clip(rng.integers(-48, 49, (300, 4)) / 8.0, -6, 6))
    c = rng.integers(1, 8, (300, 1 if op.value_shape == "scalar" else 4)) / 4.0
    c *= np.where(rng.integers(0, 2, c.shape) == 0, -1.0, 1.0)
    soft = np.array([0.25, 0.5, 0.125, 0.125])
    hard = np.arange(4) == rng.integers(0, 4, (300, 1))
    p = np.where(rng.integers(0, 2, (300, 1)) == 0, rng.permuted(np.tile(soft, (300, 1)), axis=1), hard)
    return Inputs(operator, fmt, x, p if op.labels == "dense" else np.zeros((300, 0)), c)


@EVERY
@pytest.mark.parametrize(("operator", "output"), FORMS)
@pytest.mark.parametrize("wide", [np.float16, np.float32])
def test_textbook_code_is_within_the_intervals(operator: str, output: str, wide: type, fmt: Format) -> None:
    """Every step rounded to eight bits, or to 16 and then to eight."""
    assert beyond_the_interval(drawn(operator, fmt), output, FORMS[operator, output], wide) == []


@EVERY
def test_what_an_index_picks_is_a_logarithm(fmt: Format) -> None:
    """The bound of a loss by index is that of the logarithm that it picks, and no wider."""
    plain = drawn("log_softmax", fmt)
    y = np.arange(300.0)[:, None] % 4
    picked = Inputs(SPARSE, fmt, plain.logits, y, np.ones((300, 1)))
    whole, one = (Oracle().truth(i).bound("value").stable for i in (plain, picked))
    np.testing.assert_array_equal(np.take_along_axis(whole, y.astype(int), axis=1), one)


@EVERY
def test_what_is_wrong_is_seen(fmt: Format) -> None:
    """NaN, the softmax of another axis, uniform shares, and powers of two for those of e."""
    b = asked("softmax", fmt)
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


WRONG: dict[tuple[str, str], Callable[[Array, Inputs], Array]] = {
    ("softmax", "grad_logits"): lambda g, i: g + 0.5 * np.abs(i.cotangent),
    ("log_softmax", "grad_logits"): lambda g, i: i.cotangent,
    ("logsumexp", "grad_logits"): lambda g, i: g[:, ::-1],
    (DENSE, "value"): lambda g, i: g / 4,
    (DENSE, "grad_logits"): lambda g, i: -g,
    (DENSE, "grad_labels"): lambda g, i: -g,
    (SPARSE, "value"): lambda g, i: -g,
    (SPARSE, "grad_logits"): lambda g, i: -g,
    ("sigmoid", "grad_logits"): lambda g, i: 4 * g,
    ("log_sigmoid", "grad_logits"): lambda g, i: i.cotangent - g,
    (BINARY, "value"): lambda g, i: -g,
    (BINARY, "grad_logits"): lambda g, i: -g,
    (BINARY, "grad_labels"): lambda g, i: -g,
}


@EVERY
@pytest.mark.parametrize(("operator", "output"), WRONG)
def test_a_wrong_loss_and_a_wrong_gradient_are_seen(operator: str, output: str, fmt: Format) -> None:
    """A sign, a sum over classes that is forgotten, the other class, a factor of four; and NaN anywhere."""
    b = asked(operator, fmt)
    truth = Oracle().truth(b.inputs)
    judge, exact = Judge(truth), truth.enclosure(output).approximate()
    with np.errstate(over="ignore"):
        wrong = WRONG[operator, output](exact, b.inputs).astype(fmt.dtype)
    found = judge.verdicts(b.cases, output, wrong)
    assert (found.symptom == SYMPTOMS.index(Symptom.BEYOND_BOUND)).sum() >= 2
    lost = judge.verdicts(b.cases, output, np.full_like(exact, np.nan).astype(fmt.dtype))
    assert (lost.symptom == SYMPTOMS.index(Symptom.NAN)).sum() >= 9
    right = judge.verdicts(b.cases, output, fmt.nearest(exact).astype(fmt.dtype))
    assert (right.symptom == SYMPTOMS.index(Symptom.NONE)).all()


@EVERY
def test_derivatives_along_a_tangent_are_recorded(fmt: Format) -> None:
    """No interval is derived for them (6.17)."""
    b = asked("softmax", fmt, "moving")
    assert {case.clause for case in b.cases} == {"6.17"}
    for output in ("jvp", "hvp"):
        assert np.isinf(Oracle().truth(b.inputs).bound(output).stable).all()

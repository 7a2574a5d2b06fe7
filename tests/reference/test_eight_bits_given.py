"""Eight bits of what is given: the textbook's steps are within the intervals, and what is wrong is not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.support.reference.arithmetic import Array
from tests.support.reference.eight_bit_steps import EVERY, Step, Steps, beyond_the_interval, negative
from xent_conformance.cases.case import Batch
from xent_conformance.cases.corpus import batches_of, families
from xent_conformance.judging.judge import Judge
from xent_conformance.reference.documented import documented
from xent_conformance.reference.formats import Format
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.words import SYMPTOMS, Symptom

KL, LOG_TARGET, LIKELIHOOD = "kl_divergence", "kl_divergence_log_target", "negative_log_likelihood"
BINARY, DENSE, SPARSE = (
    "binary_cross_entropy",
    "categorical_cross_entropy",
    "sparse_categorical_cross_entropy",
)
RELATIVE, ELEMENTWISE = "relative_entropy", "elementwise_kl_divergence"


def asked(operator: str, fmt: Format) -> Batch:
    return next(iter(batches_of(OPERATORS[operator], families()["eight_bits"], fmt, 4)))


def log(a: Steps, x: Array) -> Array:
    return a.step(np.log, x)


def rest(a: Steps) -> Array:
    return a.less(a.one, a.x)


def ratio(a: Steps) -> Array:
    return a.over(a.p, a.x)


def relative(a: Steps) -> Array:
    return a.times(a.p, log(a, ratio(a)))


def mass(a: Steps) -> Array:
    return a.step(np.exp, a.p)


FORMS: dict[tuple[str, str], dict[str, Step]] = {
    (KL, "value"): {
        "difference": lambda a: a.total(a.times(a.p, a.less(log(a, a.p), a.x))),
        "products": lambda a: a.total(a.less(a.times(a.p, log(a, a.p)), a.times(a.p, a.x))),
        "two sums": lambda a: a.less(a.total(a.times(a.p, log(a, a.p))), a.total(a.times(a.p, a.x))),
    },
    (KL, "grad_labels"): {
        "in turn": lambda a: a.less(
            a.add(a.times(a.c, log(a, a.p)), a.over(a.times(a.c, a.p), a.p)), a.times(a.c, a.x)
        ),
        "difference first": lambda a: a.add(
            a.times(a.c, a.less(log(a, a.p), a.x)), a.times(a.times(a.c, a.p), a.over(a.one, a.p))
        ),
    },
    (LOG_TARGET, "value"): {"as written": lambda a: a.total(a.times(mass(a), a.less(a.p, a.x)))},
    (LOG_TARGET, "grad_labels"): {
        "rule": lambda a: a.add(a.times(a.times(a.c, mass(a)), a.less(a.p, a.x)), a.times(a.c, mass(a))),
    },
    ("logit", "value"): {
        "quotient": lambda a: log(a, a.over(a.x, rest(a))),
        "two logarithms": lambda a: a.less(log(a, a.x), a.step(lambda x: np.log1p(-x), a.x)),
    },
    ("logit", "grad_logits"): {
        "apart": lambda a: a.add(a.over(a.c, a.x), a.over(a.c, rest(a))),
        "product": lambda a: a.over(a.c, a.times(a.x, rest(a))),
    },
    (BINARY, "value"): {
        "as written": lambda a: negative(
            a.add(a.times(a.p, log(a, a.x)), a.times(a.less(a.one, a.p), log(a, rest(a))))
        ),
    },
    (BINARY, "grad_logits"): {
        "in turn": lambda a: a.less(
            a.over(a.times(a.c, a.less(a.one, a.p)), rest(a)), a.over(a.times(a.c, a.p), a.x)
        ),
        "whole": lambda a: a.over(a.times(a.c, a.less(a.x, a.p)), a.times(a.x, rest(a))),
    },
    (BINARY, "grad_labels"): {
        "apart": lambda a: a.less(a.times(a.c, log(a, rest(a))), a.times(a.c, log(a, a.x))),
    },
    (DENSE, "value"): {"products": lambda a: negative(a.total(a.times(a.p, log(a, a.x))))},
    (DENSE, "grad_logits"): {
        "quotient": lambda a: negative(a.over(a.times(a.c, a.p), a.x)),
        "reciprocal": lambda a: negative(a.times(a.times(a.c, a.p), a.over(a.one, a.x))),
    },
    (RELATIVE, "value"): {
        "of a quotient": relative,
        "two products": lambda a: a.less(a.times(a.p, log(a, a.p)), a.times(a.p, log(a, a.x))),
    },
    (RELATIVE, "grad_logits"): {
        "in turn": lambda a: negative(a.times(a.over(a.times(a.c, a.p), ratio(a)), a.over(ratio(a), a.x))),
    },
    (RELATIVE, "grad_labels"): {
        "in turn": lambda a: a.add(
            a.times(a.c, log(a, ratio(a))),
            a.times(a.times(a.times(a.c, a.p), a.over(a.one, ratio(a))), a.over(a.one, a.x)),
        ),
    },
    (ELEMENTWISE, "value"): {"as written": lambda a: a.add(a.less(relative(a), a.p), a.x)},
    (ELEMENTWISE, "grad_logits"): {"apart": lambda a: a.less(a.c, a.over(a.times(a.c, a.p), a.x))},
}


def drawn(operator: str, fmt: Format) -> Inputs:
    """Three hundred rows of four, of the numbers that the family has."""
    rng, op = np.random.Generator(np.random.Philox(11)), OPERATORS[operator]

    def given() -> Array:
        if op.domain in ("log_probabilities", "log_distributions"):
            return -fmt.nearest(rng.integers(1, 17, (300, 4)) / 4.0)
        if op.domain == "nonnegative":
            return fmt.nearest(rng.integers(1, 16, (300, 4)) / 4.0)
        return rng.integers(1, 8, (300, 4)) / 8.0

    soft = rng.permuted(np.tile([0.25, 0.5, 0.125, 0.125], (300, 1)), axis=1)
    p = given() if op.plain_labels else rng.integers(1, 4, (300, 4)) / 4.0 if operator == BINARY else soft
    c = rng.integers(1, 8, (300, 1 if op.value_shape == "scalar" else 4)) / 4.0
    return Inputs(operator, fmt, given(), p if op.labels == "dense" else np.zeros((300, 0)), c)


@EVERY
@pytest.mark.parametrize(("operator", "output"), FORMS)
@pytest.mark.parametrize("wide", [np.float16, np.float32])
def test_textbook_code_is_within_the_intervals(operator: str, output: str, wide: type, fmt: Format) -> None:
    """Every step rounded to eight bits, or to 16 and then to eight."""
    assert beyond_the_interval(drawn(operator, fmt), output, FORMS[operator, output], wide) == []


Wrong = Callable[[Array, Inputs], Array]

WRONG: dict[tuple[str, str], Wrong] = {
    (KL, "value"): lambda g, i: g + 2.5,
    (KL, "grad_logits"): lambda g, i: -g,
    (KL, "grad_labels"): lambda g, i: -2 * g,
    (LOG_TARGET, "value"): lambda g, i: g + 4.0,
    (LOG_TARGET, "grad_logits"): lambda g, i: i.cotangent * i.labels,
    (LOG_TARGET, "grad_labels"): lambda g, i: -4 * g,
    (LIKELIHOOD, "value"): lambda g, i: 1.125 * g,
    (LIKELIHOOD, "grad_logits"): lambda g, i: g[:, ::-1],
    ("logit", "value"): lambda g, i: -g,
    ("logit", "grad_logits"): lambda g, i: g / 4,
    (BINARY, "value"): lambda g, i: 3 * g,
    (BINARY, "grad_logits"): lambda g, i: -g,
    (BINARY, "grad_labels"): lambda g, i: -2 * g,
    (DENSE, "value"): lambda g, i: g / 4,
    (DENSE, "grad_logits"): lambda g, i: i.cotangent * (i.logits - i.labels),
    (DENSE, "grad_labels"): lambda g, i: g / 2,
    (SPARSE, "value"): lambda g, i: g / 2,
    (SPARSE, "grad_logits"): lambda g, i: g / 4,
    (RELATIVE, "value"): lambda g, i: -g,
    (RELATIVE, "grad_logits"): lambda g, i: -g,
    (RELATIVE, "grad_labels"): lambda g, i: -4 * g,
    (ELEMENTWISE, "value"): lambda g, i: g + i.labels + i.logits,
    (ELEMENTWISE, "grad_logits"): lambda g, i: -4 * g,
    (ELEMENTWISE, "grad_labels"): lambda g, i: -4 * g,
}


@EVERY
@pytest.mark.parametrize(("operator", "output"), WRONG)
def test_a_wrong_loss_and_a_wrong_gradient_are_seen(operator: str, output: str, fmt: Format) -> None:
    """A sign, another factor, the gradient of another loss; and NaN anywhere."""
    b = asked(operator, fmt)
    truth = Oracle().truth(b.inputs)
    judge, exact = Judge(truth), truth.enclosure(output).approximate()
    with np.errstate(all="ignore"):
        wrong = fmt.nearest(np.clip(WRONG[operator, output](exact, b.inputs), -448, 448)).astype(fmt.dtype)
    found = judge.verdicts(b.cases, output, wrong)
    assert (found.symptom == SYMPTOMS.index(Symptom.BEYOND_BOUND)).sum() >= 2
    lost = judge.verdicts(b.cases, output, np.full_like(exact, np.nan).astype(fmt.dtype))
    assert (lost.symptom == SYMPTOMS.index(Symptom.NAN)).sum() >= 6
    with np.errstate(all="ignore"):
        right = judge.verdicts(b.cases, output, fmt.nearest(exact).astype(fmt.dtype))
    undefined = [case.clause_of(output) == "4.5" for case in b.cases]
    assert (right.symptom == SYMPTOMS.index(Symptom.NONE))[~np.array(undefined)].all()


@EVERY
def test_a_division_by_the_sum_is_declared_and_clips_say_nothing(fmt: Format) -> None:
    """Of Keras' definitions; 1e-7 is 0 in eight bits, and no first order holds for the others."""
    b = asked(DENSE, fmt)
    truth = documented("shares within epsilon", b.inputs)
    assert truth is not None
    plain, shares = Oracle().truth(b.inputs), truth.enclosure("grad_logits")
    bound = truth.bound("grad_logits").stable
    known = ~np.isnan(shares.hi).any(axis=1)
    x, c, p = (a[known].astype(fmt.dtype) for a in (b.inputs.logits, b.inputs.cotangent, b.inputs.labels))
    steps = Steps(x, c, p, np.float32)
    whole = steps.total(steps.x)
    share = steps.over(steps.x, whole)
    slope = negative(steps.over(steps.times(steps.c, steps.p), share))
    common = steps.over(steps.total(steps.times(slope, share)), whole)
    got = steps.less(steps.over(slope, whole), common).astype(np.float64)
    assert (np.abs(got - shares.approximate()[known]) <= bound[known]).all()
    apart = np.abs(plain.enclosure("grad_logits").approximate() - shares.approximate())
    assert (apart > plain.bound("grad_logits").stable)[known].any(), "another function"
    assert documented("probabilities within epsilon", asked(BINARY, fmt).inputs) is None

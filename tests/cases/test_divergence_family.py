"""The family of divergences by elements and of log-targets: what each row is about holds in its numbers."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.family_rows import EVERY
from xent_conformance.cases.case import Batch
from xent_conformance.cases.corpus import batches_of, families
from xent_conformance.judging.judge import Judge
from xent_conformance.judging.numbered import rules
from xent_conformance.reference.formats import Format
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.words import SYMPTOMS, Symptom

ELEMENTS = ("relative_entropy", "elementwise_kl_divergence")
LOG_TARGET = "kl_divergence_log_target"


def asked(operator: str, fmt: Format) -> list[Batch]:
    op = OPERATORS[operator]
    (n,) = families()["divergences"].lengths(op, "quick")
    return list(batches_of(op, families()["divergences"], fmt, n))


def rows(b: Batch, variant: str) -> list[int]:
    return [i for i, a in enumerate(b.asks) if a.variant == variant]


@EVERY
@pytest.mark.parametrize("operator", ELEMENTS)
def test_elements_by_their_names(operator: str, fmt: Format) -> None:
    (b,) = asked(operator, fmt)
    x, p = b.inputs.logits, b.inputs.labels
    values = Oracle().truth(b.inputs).enclosure("value").approximate()
    for i in rows(b, "equal"):
        assert (x[i] == p[i]).all() and (values[i] == 0).all()
    for i in rows(b, "quotient_overflows"):
        with np.errstate(over="ignore"):
            quotient = (p[i] / x[i]).astype(fmt.dtype).astype(np.float64)
        assert np.isinf(quotient).any() and np.isfinite(fmt.nearest(values[i])).all()
        assert x[i].min() >= fmt.smallest_normal
    for i in [*rows(b, "zero_target"), *rows(b, "negative_zero_target")]:
        whole = x[i, 3] if operator == "elementwise_kl_divergence" else 0.0
        assert p[i, 3] == 0 and values[i, 3] == whole
    for name in ("zero_prediction", "target_below_zero", "prediction_below_zero", "both_below_zero"):
        for i in rows(b, name):
            assert np.isposinf(values[i, 3]) and np.isfinite(np.delete(values[i], 3)).all()
    if operator == "elementwise_kl_divergence":
        assert (values[np.isfinite(values)] >= 0).all(), "it is a divergence of each element"


@EVERY
@pytest.mark.parametrize("operator", ELEMENTS)
def test_a_local_derivative_that_overflows_is_inside_where_the_gradient_does_not(
    operator: str, fmt: Format
) -> None:
    """SPEC.md 2.1: what is representable is finite; what is not is the infinity of 2.2."""
    (b,) = asked(operator, fmt)
    truth = Oracle().truth(b.inputs)
    with np.errstate(over="ignore"):
        ratio = fmt.nearest(b.inputs.labels / np.where(b.inputs.logits > 0, b.inputs.logits, 1.0))
        slopes, by_target = (
            fmt.nearest(truth.enclosure(o).approximate()) for o in ("grad_logits", "grad_labels")
        )
    (back,) = rows(b, "quotient_overflows_and_comes_back")
    assert np.isinf(ratio[back]).any() and np.isfinite(slopes[back]).all()
    assert (np.abs(slopes[back][np.isinf(ratio[back])]) > 1).all(), "and no subnormal number"
    for name in ("quotient_overflows", "subnormal"):
        (i,) = rows(b, name)
        lost = np.isinf(ratio[i])
        assert lost.any() and np.isneginf(slopes[i][lost]).all() and np.isfinite(slopes[i][~lost]).all()
        assert b.cases[i].clause_of("grad_logits") == "2.2"
    for i in (back, *rows(b, "quotient_overflows"), *rows(b, "quotient_underflows")):
        assert b.cases[i].clause_of("grad_labels") == "2.1" and np.isfinite(by_target[i]).all()
    assert b.cases[back].clause_of("grad_logits") == "2.1"
    answer = np.where(np.isinf(ratio), -np.inf, slopes).astype(fmt.dtype)
    judged = Judge(truth).verdicts(b.cases, "grad_logits", answer)[[back]]
    assert rules().ids[judged.clause[0]] == "2.1"
    assert judged.symptom[0] == SYMPTOMS.index(Symptom.INFINITE)


@EVERY
def test_log_targets_by_their_names(fmt: Format) -> None:
    found = {b.asks[0].variant: b for b in asked(LOG_TARGET, fmt)}
    assert set(found) == {"random", "second_axis", "reduced+mean", "reduced+sum"}
    b = found["random"]
    x, t = b.inputs.logits, b.inputs.labels
    truth = Oracle().truth(b.inputs)
    values = truth.enclosure("value").approximate()[:, 0]
    (same,) = rows(b, "what_is_predicted")
    assert (x[same] == t[same]).all() and values[same] == 0
    for name in ("zero_target_first", "zero_target_half", "zero_target_but_one", "neither_has_it"):
        (i,) = rows(b, name)
        gone = np.isneginf(t[i])
        assert gone.any() and np.isfinite(values[i])
        assert (truth.enclosure("grad_logits").approximate()[i][gone] == 0).all()
    (i,) = rows(b, "masked_prediction")
    assert np.isposinf(values[i])
    (i,) = rows(b, "improbable")
    mass = np.exp(t[i])
    assert ((mass > 0) & (mass < fmt.smallest_normal)).any(), "one exponential is subnormal"


def test_no_attribute_of_their_labels_is_defined() -> None:
    (b,) = asked(ELEMENTS[0], next(iter(EVERY.args[1])))
    with pytest.raises(ValueError, match="no attribute of its labels is defined"):
        type(b.inputs)(
            b.operator,
            b.inputs.format,
            b.inputs.logits,
            b.inputs.labels,
            b.inputs.cotangent,
            type(b.inputs.attributes)(label_smoothing=0.1),
        )

"""A documented definition has certified values of its own; who clamps elsewhere is caught (SPEC.md 5.11)."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from mpmath import log, mp, mpf

from xent_conformance.asking.answer import Answer
from xent_conformance.cases.case import Batch
from xent_conformance.cases.corpus import batches_of, families
from xent_conformance.discovery.framework import FRAMEWORKS
from xent_conformance.frameworks.interface import Question
from xent_conformance.judging.judge import Judge
from xent_conformance.judging.rows import Answered, verdicts
from xent_conformance.reference.documented import DEFINITIONS, clip_of, documented
from xent_conformance.reference.formats import BINARY32, FORMATS, Floats, Format
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.reference.oracle import Oracle

BINARY, DENSE, SPARSE = (
    "binary_cross_entropy",
    "categorical_cross_entropy",
    "sparse_categorical_cross_entropy",
)
BOUNDED, WITHIN = "logarithms of at least -100", "probabilities within epsilon"
RAISED, DIVERGENCE = "an epsilon added to probabilities", "divergence of what is within epsilon"
SHARES, SOFTMAX = "shares within epsilon", "softmax of logarithms within epsilon"
NOBODY = {"framework": "f", "version": "1", "machine": "m", "formulation": "fused"}


def ends(operator: str, fmt: Format = BINARY32) -> Batch:
    family = families()["special_values"]
    (n,) = family.lengths(OPERATORS[operator], "quick")
    return next(iter(batches_of(OPERATORS[operator], family, fmt, n)))


def reduced_ends(operator: str, reduction: str, fmt: Format = BINARY32) -> list[Batch]:
    family = families()["special_values"]
    (n,) = family.lengths(OPERATORS[operator], "quick")
    every = batches_of(OPERATORS[operator], family, fmt, n)
    return [b for b in every if b.inputs.attributes.reduction == reduction]


def loss(operator: str, b: Batch, low: float, high: float, least: float = -np.inf) -> Floats:
    """In binary64 and rounded once: logarithms of clipped probabilities, none below ``least``."""
    p = np.clip(b.inputs.logits, low, high)
    with np.errstate(all="ignore"):
        up, down = np.maximum(np.log(p), least), np.maximum(np.log1p(-p), least)
        z = b.inputs.dense_labels
        if operator == BINARY:
            return -z * up - (1 - z) * down
        return -np.where(z == 0, 0.0, z * up).sum(axis=1)


def judged(b: Batch, value: Floats, by: str) -> list[dict[str, Any]]:
    question = Question("door", b.operator, "eager", "cpu", ("value",))
    with np.errstate(all="ignore"):
        got = value.astype(b.inputs.format.dtype)
    answer = Answer(question, {"value": got})
    return verdicts([Answered(b, Judge(Oracle().truth(b.inputs)), answer, NOBODY, by=by)]).rows()


def kept(rows: list[dict[str, Any]], *variants: str) -> list[dict[str, Any]]:
    return [r for r in rows if r["variant"].startswith(variants)]


@pytest.mark.parametrize(
    ("operator", "name", "right", "elsewhere"),
    [
        (BINARY, BOUNDED, (0.0, 1.0, -100.0), (0.0, 1.0, -90.0)),
        (BINARY, WITHIN, (*clip_of(BINARY32), -np.inf), (1e-6, 1 - 1e-6, -np.inf)),
        (SPARSE, SOFTMAX, (*clip_of(BINARY32), -np.inf), (1e-5, 1.0, -np.inf)),
        (DENSE, SHARES, (*clip_of(BINARY32), -np.inf), (1e-5, 1.0, -np.inf)),
    ],
)
def test_what_is_documented_is_declared_and_a_clamp_elsewhere_is_not(
    operator: str, name: str, right: tuple[float, float, float], elsewhere: tuple[float, float, float]
) -> None:
    b = ends(operator)
    own = kept(judged(b, loss(operator, b, *right), name), "zero", "one_", "certain_wrong")
    assert own and {r["status"] for r in own} <= {"open", "conforms"}
    declared = [r for r in own if r["clause"] == "5.11"]
    assert declared and {r["status"] for r in declared} == {"open"}
    assert all(np.isfinite(r["hi"]) for r in declared), "the number beside it is the documented one"
    other = kept(judged(b, loss(operator, b, *elsewhere), name), "zero", "one_", "certain_wrong")
    caught = [r for r in other if r["status"] in ("breaks_should", "breaks_must")]
    assert {r["case"] for r in declared} <= {r["case"] for r in caught}
    assert {r["clause"] for r in caught} <= {"5.6", "5.7"}


@pytest.mark.parametrize("fmt", FORMATS.values(), ids=lambda f: f.name)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_clamp_is_declared_under_a_reduction(reduction: str, fmt: Format) -> None:
    """Of a finite mean the infinite one is none; a clamp elsewhere is a finding there, too."""
    seen, caught = set(), 0
    for b in reduced_ends(BINARY, reduction, fmt):
        for name, low, high, least in (
            (BOUNDED, 0.0, 1.0, -100.0),
            (WITHIN, *clip_of(fmt), -np.inf),
        ):
            with np.errstate(over="ignore"):
                own, other = (
                    getattr(loss(BINARY, b, low, high, floor), reduction)(axis=1)
                    for floor in (least, -30.0 if name == BOUNDED else -8.0)
                )
            declared = judged(b, own, name)
            assert {r["status"] for r in declared} <= {"open", "conforms"}
            assert {r["clause"] for r in declared if r["status"] == "open"} <= {"5.11"}
            seen |= {(name, r["clause"]) for r in declared}
            infinite = [r for r in judged(b, other, name) if r["clause"] == "5.6"]
            assert all(r["status"] == "breaks_should" for r in infinite)
            caught += len(infinite)
    assert {(BOUNDED, "5.11"), (WITHIN, "5.11")} <= seen and caught >= 4


def raised(b: Batch, eps: float) -> Floats:
    p, z = b.inputs.logits, b.inputs.labels
    with np.errstate(all="ignore"):
        return -z * np.log(p + eps) - (1 - z) * np.log(1 - p + eps)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_epsilon_that_is_added(dtype: type) -> None:
    """As TensorFlow 1 writes it, step by step in the format; a larger one is no declared difference."""
    fmt = FORMATS[np.dtype(dtype).name]
    b, eps = ends(BINARY, fmt), dtype(1e-7)
    p, z, one = b.inputs.logits.astype(dtype), b.inputs.labels.astype(dtype), dtype(1)
    with np.errstate(all="ignore"):
        own = -z * np.log(p + eps) - (one - z) * np.log(one - p + eps)
    rows = kept(judged(b, own, RAISED), "zero", "negative_zero", "one_", "next_to", "hard", "below_zero")
    assert {r["status"] for r in rows} <= {"open", "conforms"}
    assert {"5.11"} <= {r["clause"] for r in rows}
    larger = kept(judged(b, raised(b, 1e-6), RAISED), "zero_wrong", "one_wrong")
    assert {r["status"] for r in larger} == {"breaks_should"}


def test_the_gradient_of_an_epsilon_that_is_added() -> None:
    b, eps = ends(BINARY), float(BINARY32.nearest(np.array(1e-7)))
    truth = documented(RAISED, b.inputs)
    assert truth is not None
    p, z, c = b.inputs.logits, b.inputs.labels, b.inputs.cotangent
    inside = (p >= 0) & (p <= 1)
    for output, slope in (
        ("grad_logits", (1 - z) / (1 - p + eps) - z / (p + eps)),
        ("grad_labels", np.log(np.where(inside, 1 - p, 0) + eps) - np.log(np.where(inside, p, 0) + eps)),
    ):
        found = truth.enclosure(output).approximate()
        np.testing.assert_allclose(found[inside], (c * slope)[inside], rtol=1e-9)
        naive = BINARY32.nearest((c * slope).astype(np.float32).astype(np.float64))
        assert (np.abs(naive - found) <= truth.bound(output).stable)[inside].all()


def test_on_a_label_that_is_nan_its_own_slope_does_not_depend() -> None:
    b = next(iter(batches_of(OPERATORS[BINARY], families()["soft_labels"], BINARY32, 16)))
    lost = np.isnan(b.inputs.labels)
    truth = documented(RAISED, b.inputs)
    assert truth is not None and lost.any()
    for output in ("value", "grad_logits", "grad_labels"):
        found = np.isnan(truth.enclosure(output).hi)
        assert (found == (lost if output != "grad_labels" else np.zeros_like(lost))).all(), output


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("family", ["special_values", "soft_labels", "ordinary"])
def test_a_divergence_of_what_is_clipped(family: str, dtype: type) -> None:
    """As Keras writes it, of ``exp(x)``, with its derivative step by step; nothing of what is clipped."""
    fmt, op = FORMATS[np.dtype(dtype).name], OPERATORS["kl_divergence"]
    b = next(iter(batches_of(op, families()[family], fmt, 10)))
    truth, eps = documented(DIVERGENCE, b.inputs), dtype(1e-7)
    assert truth is not None and not truth.certified.undecided.any()
    x, t, c = (a.astype(dtype) for a in (b.inputs.logits, b.inputs.labels, b.inputs.cotangent))
    known = ~np.isnan(x).any(axis=1) & ~np.isnan(t).any(axis=1) & np.isfinite(c[:, 0])
    x, t, c = x[known], t[known], c[known]
    p, target = np.clip(np.exp(x), eps, dtype(1)), np.clip(t, eps, dtype(1))
    by_x = -(c * target) / p * np.exp(x) * (np.exp(x) >= eps)
    by_t = c * (np.log(target / p) + 1) * ((t >= eps) & (t <= 1))
    value = (target * np.log(target / p)).sum(axis=1, keepdims=True)
    for output, got in (("value", value), ("grad_logits", by_x), ("grad_labels", by_t)):
        exact, bound = truth.enclosure(output).approximate()[known], truth.bound(output).stable[known]
        assert (np.abs(got - exact) <= bound).all(), output
    unclipped = (t * (np.log(np.maximum(t, np.finfo(dtype).tiny)) - np.maximum(x, -1e4))).sum(axis=1)
    far = np.abs(unclipped[:, None] - truth.enclosure("value").approximate()[known])
    if family != "ordinary":
        assert (far > truth.bound("value").stable[known]).any(), "another function"


def moving(operator: str, fmt: Format) -> Batch:
    return next(iter(batches_of(OPERATORS[operator], families()["derivatives"], fmt, 10)))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_an_epsilon_that_is_added_along_a_tangent(dtype: type) -> None:
    """Step by step in the format, and forward over reverse; without the epsilon it is another slope."""
    fmt = FORMATS[np.dtype(dtype).name]
    b, eps, one = moving(BINARY, fmt), dtype(1e-7), dtype(1)
    truth = documented(RAISED, b.inputs)
    assert truth is not None and not truth.certified.undecided.any()
    given = (b.inputs.logits, b.inputs.labels, b.inputs.cotangent, b.inputs.tangent)
    p, z, c, v = (a.astype(dtype) for a in given)

    def moved(p: Any, z: Any, c: Any, v: Any, eps: Any, one: Any) -> dict[str, Any]:
        up, down = p + eps, one - p + eps
        bent = (c * z) * (v / up) / up + (c * (one - z)) * (v / down) / down
        return {"jvp": -z * (v / up) - (one - z) * (-v / down), "hvp": bent}

    mathematics = moved(*given, 0.0, 1.0)
    for output, got in moved(p, z, c, v, eps, one).items():
        exact, bound = truth.enclosure(output).approximate(), truth.bound(output).stable
        right = moved(*given, float(fmt.nearest(np.array([1e-7]))[0]), 1.0)[output]
        np.testing.assert_allclose(exact, right, rtol=1e-9)
        assert (np.abs(got - exact) <= bound).all(), output
        if dtype is np.float64:
            assert (np.abs(mathematics[output] - exact) > bound).any(), output


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_divergence_of_what_is_clipped_along_a_tangent(dtype: type) -> None:
    """The derivative of each step in turn, of which the second has four terms that cancel."""
    fmt = FORMATS[np.dtype(dtype).name]
    b, eps = moving("kl_divergence", fmt), dtype(1e-7)
    x, t = b.inputs.logits.copy(), b.inputs.labels.copy()
    x[:, 0], t[:, 1] = -20.0, 0.0  # one prediction and one target are clipped
    inputs = replace(b.inputs, logits=x, labels=t)
    truth = documented(DIVERGENCE, inputs)
    assert truth is not None and not truth.certified.undecided.any()
    x, t, c, v = (a.astype(dtype) for a in (x, t, inputs.cotangent, inputs.tangent))
    e = np.exp(x)
    p, target, inside = np.clip(e, eps, dtype(1)), np.clip(t, eps, dtype(1)), e >= eps
    r, de = target / p, e * v * inside
    dr = -(target / p) / p * de
    jvp = (target * (dr / r)).sum(axis=1, keepdims=True)
    g, slope = c * target / r, -(target / p) / p  # c t/r, and by the prediction
    dg, dslope = -(c * target / r) / r * dr, 2 * ((target / p) / p) / p * de
    hvp = (dg * slope + g * dslope) * e * inside + g * slope * de
    for output, got in (("jvp", jvp), ("hvp", hvp)):
        exact, bound = truth.enclosure(output).approximate(), truth.bound(output).stable
        assert (np.abs(got - exact) <= bound).all(), output
    plain = -(target * v).sum(axis=1, keepdims=True)  # as if nothing were clipped
    assert (np.abs(plain - truth.enclosure("jvp").approximate()) > truth.bound("jvp").stable).any()
    by_logits = -c * target * v  # the derivative of exp(x) is forgotten: e times 1, not v times e twice
    assert (np.abs(by_logits) > truth.bound("hvp").stable)[np.abs(v) > 0.25].any()
    np.testing.assert_array_equal(truth.enclosure("hvp").hi, 0.0)


def test_a_judge_goes_with_its_batch() -> None:
    """Whatever it was asked: truths are most of a driver's memory."""
    judge = Judge(Oracle().truth(ends(BINARY).inputs))
    assert judge.documented(BOUNDED) is judge.documented(BOUNDED) is not None
    gone = weakref.ref(judge)
    del judge
    gc.collect()
    assert gone() is None


def test_without_a_declaration_nothing_is_declared() -> None:
    b = ends(BINARY)
    rows = judged(b, loss(BINARY, b, 0.0, 1.0, -100.0), "")
    assert {r["clause"] for r in rows}.isdisjoint({"5.11"})
    assert any(r["status"] == "breaks_should" for r in kept(rows, "zero_wrong"))


@pytest.mark.parametrize("fmt", FORMATS.values(), ids=lambda f: f.name)
@pytest.mark.parametrize("name", [SHARES, SOFTMAX])
def test_the_gradient_is_that_of_the_documented_function(name: str, fmt: Format) -> None:
    """By differences of the value in mpmath, of rows that nothing clips."""
    operator = DEFINITIONS[name].operator
    family = families()["ordinary"]
    (b, *_) = batches_of(OPERATORS[operator], family, fmt, 10)
    truth = documented(name, b.inputs)
    assert truth is not None and not truth.certified.undecided.any()
    grads = truth.enclosure("grad_logits").approximate()
    with mp.workprec(400):
        for i in range(3):
            p = [mpf(v) for v in b.inputs.logits[i]]
            q, c = b.inputs.dense_labels[i], mpf(b.inputs.cotangent[i, 0])

            def value(x: list[mpf], q: Floats = q) -> mpf:
                return -mp.fsum(mpf(t) * log(v / mp.fsum(x)) for t, v in zip(q, x, strict=True))

            for j in range(10):
                h = mpf(2) ** -100
                ahead, behind = list(p), list(p)
                ahead[j] += h
                behind[j] -= h
                slope = c * (value(ahead) - value(behind)) / (2 * h)
                assert abs(slope - mpf(grads[i, j])) <= mpf(2) ** -45 * (abs(slope) + mpf(2) ** -20)


def test_every_name_that_an_implementation_declares_is_known() -> None:
    """And of its operator."""
    named = [
        (i.documented, i.operator)
        for f in FRAMEWORKS.values()
        for i in f.declaration.implementations
        if i.documented
    ]
    assert len(named) >= 6
    for name, operator in named:
        assert DEFINITIONS[name].operator == operator and DEFINITIONS[name].source.startswith("https://")

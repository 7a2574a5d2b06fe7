"""Hypotheses about divergences in their other forms: SPEC.md 4.7, 4.8, 5.10, 8.18."""

from __future__ import annotations

import numpy as np

from xent_conformance.diagnosis.divergence_formulas import (
    ELEMENTWISE,
    LOG_TARGET,
    RELATIVE,
    elementwise,
    log_terms,
    mass,
    moves,
    relative,
)
from xent_conformance.diagnosis.hypothesis import Hypothesis, on, rows
from xent_conformance.diagnosis.situation import Array, Pair, Situation

ELEMENTS = (RELATIVE, ELEMENTWISE)


def _more(z: Situation, found: Array) -> Array:
    """What the second function adds to the first."""
    return found - z.p + z.x if z.operator == ELEMENTWISE else found


def _sized(z: Situation, *terms: Array) -> Array:
    found = np.abs(terms[0])
    for term in terms[1:]:
        found = np.maximum(found, np.abs(term))
    return np.where(np.isfinite(found), found, z.of(0.0))


def as_written(z: Situation) -> Pair:
    """``p log(p/q)``, a quotient of the format and all."""
    found = z.p * np.log(z.stored(z.p / z.x))
    return _more(z, found), _sized(z, found, z.p, z.x)


def by_two_products(z: Situation) -> Pair:
    """``xlogy(p, p) − xlogy(p, q)``: 0 at a target of zero, NaN below zero."""
    nothing = z.p == 0
    own = np.where(nothing, np.where(np.isnan(z.p), z.p, z.of(0.0)), z.p * np.log(z.p))
    lost = np.where(np.isnan(z.x), z.x, z.of(0.0))
    cross = np.where(nothing, lost, z.p * np.log(z.x))
    return _more(z, own - cross), _sized(z, own, cross, z.p, z.x)


def nan_is_outside(z: Situation) -> Pair:
    """Neither is above zero, nor is the target zero: so is NaN."""
    found, sized = (elementwise if z.operator == ELEMENTWISE else relative)(z)
    inside = np.where(np.isnan(z.p) | np.isnan(z.x), z.of(np.inf), found)
    return inside, sized


def nan_moves_nothing(z: Situation) -> Pair:
    """Where NaN is outside, the derivative is that of a constant, to which ``− p + q`` is added."""
    found, sized = z.right[z.operator, z.output](z)
    more = {"grad_logits": z.c, "grad_labels": -z.c, "jvp": z.v, "hvp": z.of(0.0)}[z.output]
    lost = np.isnan(z.p) | np.isnan(z.x)
    return np.where(lost, more if z.operator == ELEMENTWISE else z.of(0.0), found), sized


def outside_is_nan(z: Situation) -> Pair:
    found, sized = (elementwise if z.operator == ELEMENTWISE else relative)(z)
    return np.where((z.p < 0) | (z.x < 0), z.of(np.nan), found), sized


def zero_target(z: Situation, value: Array) -> Pair:
    """The right function, but for what a target of zero gives."""
    found, sized = (elementwise if z.operator == ELEMENTWISE else relative)(z)
    return np.where((z.p == 0) & (z.x >= 0), value, found), sized


def quotient_ends(z: Situation) -> Pair:
    """The right function, but where ``p/q`` is no number of the format."""
    found, sized = (elementwise if z.operator == ELEMENTWISE else relative)(z)
    there = (z.p > 0) & (z.x > 0) & np.isfinite(z.p)
    return np.where(there & np.isinf(z.stored(z.p / z.x)), z.of(np.inf), found), sized


def nothing_moves(z: Situation) -> Pair:
    """A subnormal number is zero, where the branch is another: a constant, to which ``− p + q`` is added."""
    found, sized = z.right[z.operator, z.output](z)
    least = z.format.smallest_normal
    flushed = moves(z) & (z.p > 0) & ((z.p < least) | (z.x < least))
    more = z.c if z.output == "grad_logits" else -z.c
    return np.where(flushed, more if z.operator == ELEMENTWISE else z.of(0.0), found), sized


def quotient_first(z: Situation) -> Pair:
    """``c (p/q)``, where the quotient alone is no number of the format."""
    found, sized = z.right[z.operator, z.output](z)
    ratio = z.stored(z.p / z.x)
    return np.where(moves(z) & np.isinf(ratio), -z.c * ratio, found), sized


def rounded_quotient(z: Situation) -> Pair:
    """The right ends, and ``log`` of a rounded quotient between them."""
    found, sized = (elementwise if z.operator == ELEMENTWISE else relative)(z)
    there = (z.p > 0) & (z.x > 0)
    written = _more(z, z.p * np.log(z.stored(z.p / np.where(there, z.x, z.one))))
    return np.where(there, written, found), np.maximum(sized, np.abs(z.p))


def logarithms_apart(z: Situation) -> Pair:
    found, sized = (elementwise if z.operator == ELEMENTWISE else relative)(z)
    there = (z.p > 0) & (z.x > 0)
    p, q = np.where(there, z.p, z.one), np.where(there, z.x, z.one)
    own, cross = p * np.log(p), p * np.log(q)
    return np.where(there, _more(z, own - cross), found), np.maximum(sized, _sized(z, own, cross))


def target_apart(z: Situation) -> Pair:
    """By the target, the two logarithms and the 1 by themselves."""
    p, q = np.where(z.p > 0, z.p, z.one), np.where(z.x > 0, z.x, z.one)
    own, cross = np.log(p), np.log(q)
    more = z.one if z.operator == RELATIVE else z.of(0.0)
    found = np.where(moves(z) & (z.p > 0), z.c * (own + more - cross), z.c * z.of(-np.inf))
    return found, np.abs(z.c) * _sized(z, own, cross, z.one)


def log_target_as_written(z: Situation) -> Pair:
    more = 0.0 if z.output == "value" else 1.0
    terms = mass(z) * (z.p - z.x + z.number(more))
    _, sized = log_terms(z, more)
    if z.output == "value":
        return z.total(terms), sized.max(axis=1, keepdims=True)
    return z.c * terms, np.abs(z.c) * sized


def log_target_forgotten(z: Situation) -> Pair:
    """``c exp(t) (t − x)``."""
    terms, sized = log_terms(z, 0.0)
    return z.c * terms, np.abs(z.c) * sized


def log_target_in_turn(z: Situation) -> Pair:
    first, second = z.c * mass(z) * (z.p - z.x), z.c * mass(z)
    gone = (z.p == -np.inf) & ~np.isnan(z.x)
    return np.where(gone, z.of(0.0), first + second), _sized(z, first, second, second * z.p, second * z.x)


def less_ratio(z: Situation) -> Pair:
    factor = z.v if z.output == "jvp" else z.c
    ratio = factor * z.p / np.where(z.x > 0, z.x, z.one)
    return np.where(moves(z), factor - ratio, z.of(np.nan)), _sized(z, factor * z.one, ratio)


def mass_flushed(z: Situation) -> Pair:
    """A target that is subnormal is zero, and so is what it is a factor of."""
    found, sized = z.right[z.operator, z.output](z)
    return np.where(mass(z) < z.format.smallest_normal, z.of(0.0), found), sized


def quotient_in_turn(z: Situation) -> Pair:
    """``c log r + c (p/r)/q`` of the quotient ``r = p/q``; the mass is taken off again."""
    p, q = np.where(z.p > 0, z.p, z.one), np.where(z.x > 0, z.x, z.one)
    ratio = p / q
    first, second = z.c * np.log(ratio), z.c * (p * (z.one / ratio)) / q
    less = z.c if z.operator == ELEMENTWISE else z.of(0.0)
    found = np.where(moves(z) & (z.p > 0), first + second - less, z.c * z.of(-np.inf))
    return found, _sized(z, first, second)


def log_target_normalised(z: Situation) -> Situation:
    """The target is a log-softmax of what is given."""
    top = z.p.max(axis=1, keepdims=True)
    return z.but(p=z.p - top - np.log(z.total(np.exp(z.p - top))))


def right_of_the_other(z: Situation) -> Pair:
    other = RELATIVE if z.operator == ELEMENTWISE else ELEMENTWISE
    return z.right[other, z.output](z)


DIVERGENCES = (
    Hypothesis(
        "0·∞ is NaN",
        "p log(p/q) as it is written: a target of zero times its infinite logarithm",
        "SPEC.md 4.7",
        on(ELEMENTS, "value"),
        rows(as_written),
        rank=2,
        variant="p log(p/q)",
    ),
    Hypothesis(
        "0·∞ is NaN",
        "exp(t) (t − x) as it is written: a target of zero times its logarithm of −∞",
        "SPEC.md 4.8; PyTorch's kl_div with log_target",
        on(LOG_TARGET, ("value", "grad_labels")),
        rows(log_target_as_written),
        rank=2,
        variant="exp(t) (t − x)",
    ),
    Hypothesis(
        "0·∞ is NaN",
        "a target of zero times its infinite logarithm; everything else is right",
        "SPEC.md 4.7",
        on(ELEMENTS, "value"),
        rows(lambda z: zero_target(z, z.of(np.nan))),
        rank=1,
        variant="of a target of zero",
    ),
    Hypothesis(
        "log of a quotient",
        "p/q is no number of the format, and its logarithm infinite, where the divergence is not",
        "SPEC.md 2.1",
        on(ELEMENTS, "value"),
        rows(quotient_ends),
        rank=2,
        variant="that overflows",
    ),
    Hypothesis(
        "the masses are left out",
        "a target of zero has the divergence 0, where it has q",
        "SPEC.md 4.7",
        on(ELEMENTWISE, "value"),
        rows(lambda z: zero_target(z, z.of(0.0))),
        rank=2,
        variant="of a target of zero",
    ),
    Hypothesis(
        "outside of the domain is NaN",
        "a number below zero has no logarithm, and by the convention a divergence: +∞",
        "SPEC.md 5.10; xlogy",
        on(ELEMENTS, "value"),
        rows(outside_is_nan),
        rank=2,
    ),
    Hypothesis(
        "outside of the domain is NaN",
        "xlogy(p, p) − xlogy(p, q): each by its own convention",
        "SPEC.md 5.10; xlogy",
        on(ELEMENTS, "value"),
        rows(by_two_products),
        rank=3,
        variant="by two products",
    ),
    Hypothesis(
        "a NaN is outside of the domain",
        "a NaN compares with nothing, and what is not inside is +∞",
        "SPEC.md 3.2; jax.scipy.special.rel_entr",
        on(ELEMENTS, "value"),
        rows(nan_is_outside),
        rank=2,
    ),
    Hypothesis(
        "a NaN is outside of the domain",
        "a NaN compares with nothing, and what is not inside is a constant, of which nothing is derived",
        "SPEC.md 3.2; jax.scipy.special.rel_entr",
        on(ELEMENTS, ("grad_logits", "grad_labels", "jvp", "hvp")),
        rows(nan_moves_nothing),
        rank=1,
        variant="and nothing moves",
    ),
    Hypothesis(
        "subnormal numbers are flushed",
        "a subnormal number becomes zero, at which nothing moves",
        "SPEC.md 4.7; jax.scipy.special.rel_entr",
        on(ELEMENTS, ("grad_logits", "grad_labels")),
        rows(nothing_moves),
        rank=2,
        variant="and nothing moves",
    ),
    Hypothesis(
        "subnormal numbers are flushed",
        "a target that is given by its logarithm, and is subnormal, is zero",
        "SPEC.md 1.3 and 4.8; XLA",
        on(LOG_TARGET, "grad_labels"),
        rows(mass_flushed),
        rank=2,
        variant="of a log-target",
    ),
    Hypothesis(
        "a quotient before its cotangent",
        "p/q alone is no number of the format, where its product with the cotangent is",
        "SPEC.md 2.1",
        on(ELEMENTS, "grad_logits"),
        rows(quotient_first),
        rank=2,
    ),
    Hypothesis(
        "log of a quotient",
        "the logarithm of p/q, rounded beside 1 where the two are nearly equal",
        "SPEC.md 8.18, the textbook",
        on(ELEMENTS, "value"),
        rows(rounded_quotient),
        rank=1,
        rounds=True,
    ),
    Hypothesis(
        "log p less log q",
        "two logarithms, or their products, subtracted: they cancel where p is nearly q",
        "SPEC.md 8.18, the textbook",
        on(ELEMENTS, "value"),
        rows(logarithms_apart),
        rank=1,
        rounds=True,
    ),
    Hypothesis(
        "log p less log q",
        "by the target, two logarithms and a 1, each rounded apart",
        "SPEC.md 8.18, the textbook under automatic differentiation",
        on(ELEMENTS, "grad_labels"),
        rows(target_apart),
        rank=1,
        rounds=True,
        variant="by the target",
    ),
    Hypothesis(
        "log of a quotient",
        "by the target, the logarithm of p/q and the 1, of which each step is rounded",
        "SPEC.md 8.18, the textbook under automatic differentiation",
        on(ELEMENTS, "grad_labels"),
        rows(quotient_in_turn),
        rank=2,
        rounds=True,
        variant="by the target",
    ),
    Hypothesis(
        "the masses are left out",
        "p log(p/q) without − p + q, or with it where it is not asked",
        "SPEC.md §0; rel_entr and kl_div",
        on(ELEMENTS),
        rows(right_of_the_other),
    ),
    Hypothesis(
        "the derivative of the logarithm is forgotten",
        "exp(t) (t − x) by a log-target t, which is exp(t) short",
        "SPEC.md §0",
        on(LOG_TARGET, "grad_labels"),
        rows(log_target_forgotten),
        variant="of a log-target",
    ),
    Hypothesis(
        "a log-target is taken for a target",
        "−t, where exp(t) is the target: log_target is not heeded",
        "SPEC.md §0",
        on(LOG_TARGET, "grad_logits"),
        rows(lambda z: (-z.c * z.p, 0.0)),
    ),
    Hypothesis(
        "a product is derived factor by factor",
        "exp(t) (t − x) and exp(t), each rounded apart: they cancel near t = x − 1",
        "SPEC.md 8.18, the textbook under automatic differentiation",
        on(LOG_TARGET, "grad_labels"),
        rows(log_target_in_turn),
        rank=1,
        rounds=True,
        variant="of a log-target",
    ),
    Hypothesis(
        "probabilities less labels",
        "c − c p/q, rounded apart: they cancel where p is nearly q",
        "SPEC.md 8.18, the textbook under automatic differentiation",
        on(ELEMENTWISE, ("grad_logits", "jvp")),
        rows(less_ratio),
        rank=1,
        rounds=True,
        variant="1 less p/q",
    ),
    Hypothesis(
        "normalised once more",
        "the log-target is normalised: its exponentials are divided by their sum",
        "SPEC.md §0 and 6.1",
        on(LOG_TARGET),
        log_target_normalised,
        variant="of a log-target",
    ),
)

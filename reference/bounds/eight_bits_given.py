"""Bounds in eight bits of losses of what is given: log-probabilities, probabilities, pairs. SPEC.md 8.19.

Nothing is normalised, and what is given is exact: the forms are those of 8.15 to 8.18.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from xent_conformance.reference.bounds.intervals import Interval, any_of, product
from xent_conformance.reference.formats import Floats
from xent_conformance.reference.inputs import Inputs

Mask = NDArray[np.bool_]


class Arguments:
    """The arguments of a batch as exact numbers: ``x``, the cotangent, and the labels as rows."""

    def __init__(self, inputs: Inputs) -> None:
        self.fmt, self.x = inputs.format, inputs.logits
        self.c, self.p = self.exact(inputs.cotangent), self.exact(inputs.dense_labels)
        self.one = self.exact(np.ones_like(self.x))
        self.none = self.exact(np.zeros_like(self.x))

    def exact(self, a: Floats) -> Interval:
        return Interval.exact(self.fmt, a)

    # --- what is given, and the target: logarithms of numbers above 0, the others are taken for 1 ---

    @cached_property
    def given(self) -> Interval:
        return self.exact(self.x)

    @cached_property
    def q(self) -> Interval:
        """What is given, as a probability or a prediction."""
        return self.exact(np.where(self.x > 0, self.x, 1.0))

    @cached_property
    def t(self) -> Interval:
        """The target, where it is above 0."""
        return self.exact(np.where(self.p.low > 0, self.p.low, 1.0))

    @cached_property
    def nothing(self) -> Mask:
        """Targets of zero, which have no share (4.7)."""
        return np.asarray(self.p.low == 0)

    def positive(self, a: Interval) -> Interval:
        """Of numbers above 0 no number that is none comes."""
        return a.within(self.fmt.smallest_subnormal, np.inf)

    @cached_property
    def log_q(self) -> Interval:
        return self.q.mapped(np.log)

    @cached_property
    def log_t(self) -> Interval:
        return self.t.mapped(np.log)

    @cached_property
    def rest(self) -> Interval:
        """``1 − q``."""
        return self.positive(self.one.minus(self.q))

    @cached_property
    def log_rest(self) -> Interval:
        """``log(1 − q)``, by log1p or of a rounded difference."""
        return any_of((-self.q).mapped(np.log1p), self.rest.mapped(np.log))

    @cached_property
    def unit(self) -> Interval:
        """The 1 of ``t · 1/t``, times the cotangent."""
        c, t = self.c, self.t
        return any_of(c.times(t).over(t), c.times(t.over(t)), product(c, t, self.one.over(t)), self.spread)

    @cached_property
    def spread(self) -> Interval:
        """The cotangent of every class."""
        return Interval(self.fmt, *(a * np.ones_like(self.x) for a in (self.c.low, self.c.high)))


GivenForm = Callable[[Arguments], Interval]


def _three(a: Interval, b: Interval, c: Interval) -> Interval:
    """A sum of three, in any order."""
    return any_of(a.plus(b).plus(c), a.plus(c).plus(b), b.plus(c).plus(a))


def _factor(a: Arguments, size: Interval) -> Interval:
    """``−c`` times a number, of which the one or the other may be multiplied by 1 first."""
    return -product(a.spread, size, a.one)


# --- by classes: divergences, and what an index picks ------------------------------------------------


def _divergence(a: Arguments) -> Interval:
    """``Σ p (log p − x)``, ``Σ (p log p − p x)``, ``Σ p log p − Σ p x``."""
    entropy, cross = a.none.where(a.nothing, a.p.times(a.log_t)), a.p.times(a.given)
    whole = a.none.where(a.nothing, a.p.times(a.log_t.minus(a.given)))
    return any_of(whole.total(), entropy.minus(cross).total(), entropy.total().minus(cross.total()))


def _by_logarithms(a: Arguments) -> Interval:
    """``−c p``."""
    return _factor(a, a.p)


def _divergence_grad_labels(a: Arguments) -> Interval:
    """``c (log p + 1 − x)``, and the derivatives of the forms in turn."""
    c, log, x = a.spread, a.log_t, a.given
    apart = _three(c.times(log), a.unit, -c.times(x))
    return any_of(
        *(c.times(s) for s in _sums(log, a.one, -x)),
        apart,
        c.times(log.minus(x)).plus(a.unit),
        c.times(log.plus(a.one)).minus(c.times(x)),
    )


def _sums(a: Interval, b: Interval, c: Interval) -> Iterator[Interval]:
    yield from (a.plus(b).plus(c), a.plus(c).plus(b), b.plus(c).plus(a))


def _log_target(a: Arguments) -> Interval:
    """``Σ exp(t)(t − x)``; of two products, or two sums."""
    e, own, cross = _mass(a), _mass(a).times(a.p), _mass(a).times(a.given)
    return any_of(
        e.times(a.p.minus(a.given)).total(), own.minus(cross).total(), own.total().minus(cross.total())
    )


def _mass(a: Arguments) -> Interval:
    return a.p.mapped(np.exp).within(0.0, np.inf)


def _log_target_grad(a: Arguments) -> Interval:
    return _factor(a, _mass(a))


def _log_target_grad_labels(a: Arguments) -> Interval:
    """``c exp(t)(t − x + 1)``, and the product rule's terms."""
    c, e = a.spread, _mass(a)
    slopes = any_of(*_sums(a.p, a.one, -a.given))
    terms = [product(c, e, part) for part in (a.p, -a.given, a.one)]
    return any_of(product(c, e, slopes), product(c, e, a.p.minus(a.given)).plus(terms[2]), _three(*terms))


def _picked(a: Arguments, of: Interval) -> Interval:
    """What an index picks is not rounded."""
    low, high = (np.where(a.p.low == 1, end, 0.0).sum(axis=1, keepdims=True) for end in (of.low, of.high))
    return -Interval(a.fmt, low, high)


def _likelihood(a: Arguments) -> Interval:
    return _picked(a, a.given)


def _likelihood_grad(a: Arguments) -> Interval:
    """``−c`` at the label, and nothing elsewhere: exact."""
    return -a.none.where(a.nothing, a.spread)


def _categorical(a: Arguments) -> Interval:
    return -a.none.where(a.nothing, a.p.times(a.log_q)).total()


def _by_probabilities(a: Arguments) -> Interval:
    """``−c t/p``."""
    c, t, q = a.spread, a.p, a.q
    slope = any_of(c.times(t).over(q), c.times(t.over(q)), product(c, t, a.one.over(q)))
    return -a.none.where(a.nothing, slope)


def _categorical_grad_labels(a: Arguments) -> Interval:
    return -a.spread.times(a.log_q)


def _index(a: Arguments) -> Interval:
    return _picked(a, a.log_q)


# --- element by element ------------------------------------------------------------------------------


def _logit(a: Arguments) -> Interval:
    """``log p − log(1 − p)``, ``log(p/(1 − p))``; near one half ``log1p((2p − 1)/(1 − p))``."""
    apart = any_of(a.log_q.minus(a.log_rest), a.positive(a.q.over(a.rest)).mapped(np.log))
    near = np.abs(a.x - 0.5) <= 0.25
    doubled = a.exact(np.where(near, 2 * a.x - 1, 0.0)).rounded().over(a.rest)
    return any_of(apart, doubled.mapped(np.log1p)).where(near, apart)


def _logit_grad(a: Arguments) -> Interval:
    """``c/(p (1 − p))``, ``c/p + c/(1 − p)``."""
    c, both = a.c, a.positive(a.q.times(a.rest))
    apart = [any_of(c.over(p), c.times(a.one.over(p))) for p in (a.q, a.rest)]
    return any_of(c.over(both), c.times(a.one.over(both)), apart[0].plus(apart[1]))


def _binary(a: Arguments) -> Interval:
    """``−z log p − (1 − z) log(1 − p)``."""
    return -a.p.times(a.log_q).plus(a.one.minus(a.p).times(a.log_rest))


def _binary_grad(a: Arguments) -> Interval:
    """``c (p − z)/(p (1 − p))``; the two quotients, of the derivatives of the two logarithms."""
    c, z, other = a.c, a.p, a.one.minus(a.p)
    difference, both = a.q.minus(z), a.positive(a.q.times(a.rest))
    whole = any_of(
        c.times(difference).over(both),
        c.times(difference.over(both)),
        product(c, difference, a.one.over(both)),
    )
    up, down = (
        any_of(c.times(label).over(p), c.times(label.over(p)), product(c, label, a.one.over(p)))
        for label, p in ((z, a.q), (other, a.rest))
    )
    return any_of(whole, down.minus(up), c.times(other.over(a.rest).minus(z.over(a.q))))


def _binary_grad_labels(a: Arguments) -> Interval:
    """``−c logit(p)``, or the difference of two terms."""
    return any_of(-a.c.times(_logit(a)), a.c.times(a.log_rest).minus(a.c.times(a.log_q)))


def _log_ratio(a: Arguments) -> Interval:
    """``log(p/q)``: of a rounded quotient, or the difference of two logarithms."""
    return any_of(a.positive(a.t.over(a.q)).mapped(np.log), a.log_t.minus(a.log_q))


def _relative(a: Arguments) -> Interval:
    """``p log(p/q)``, ``p log p − p log q``."""
    apart = a.p.times(a.log_t).minus(a.p.times(a.log_q))
    return a.none.where(a.nothing, any_of(a.p.times(_log_ratio(a)), apart))


def _relative_grad(a: Arguments) -> Interval:
    """``−c p/q``; of the logarithm of the quotient in turn, ``p · 1/(p/q) · (p/q)/q``."""
    c, p, q = a.c, a.p, a.q
    ratio = a.positive(a.t.over(q))
    in_turn = any_of(
        product(c, p, a.one.over(ratio), ratio.over(q)), c.times(p).over(ratio).times(ratio.over(q))
    )
    slope = any_of(c.times(p).over(q), c.times(p.over(q)), product(c, p, a.one.over(q)), in_turn)
    return -a.none.where(a.nothing, slope)


def _relative_grad_labels(a: Arguments) -> Interval:
    """``c (log(p/q) + 1)``, and the derivatives of the forms in turn."""
    c, ratio = a.c, a.positive(a.t.over(a.q))
    unit = any_of(a.unit, product(c, a.p, a.one.over(ratio), a.one.over(a.q)))
    terms = c.times(a.log_t), -c.times(a.log_q)
    return any_of(
        c.times(_log_ratio(a).plus(a.one)),
        c.times(_log_ratio(a)).plus(unit),
        c.times(a.log_t.plus(a.one)).plus(terms[1]),
        _three(*terms, unit),
    )


def _elementwise(a: Arguments) -> Interval:
    """``p log(p/q) − p + q``, in any order."""
    return _three(_relative(a), -a.p, a.given)


def _elementwise_grad(a: Arguments) -> Interval:
    """``c (q − p)/q``, ``c − c p/q``."""
    c, difference = a.c, a.q.minus(a.p)
    return any_of(
        c.times(difference).over(a.q),
        c.times(difference.over(a.q)),
        product(c, difference, a.one.over(a.q)),
        c.times(a.one.minus(a.p.over(a.q))),
        c.plus(_relative_grad(a)),
    )


def _elementwise_grad_labels(a: Arguments) -> Interval:
    """``c log(p/q)``, behind which a 1 may have been added and taken away."""
    return any_of(a.c.times(_log_ratio(a)), _relative_grad_labels(a).minus(a.c))


# --- a documented division by the sum ----------------------------------------------------------------


def _share(a: Arguments) -> Interval:
    return a.positive(a.q.over(a.q.total()))


def _shares(a: Arguments) -> Interval:
    """``−Σ t log(p / Σp)``."""
    return -a.none.where(a.nothing, a.p.times(_share(a).mapped(np.log))).total()


def _shares_grad(a: Arguments) -> Interval:
    """``−c t / (p/S)``, and the derivative of the quotient in turn."""
    whole, share = a.q.total(), _share(a)
    slope = -a.none.where(
        a.nothing, any_of(product(a.spread, a.p).over(share), a.spread.times(a.p.over(share)))
    )
    mass = slope.times(a.q).total()
    common = any_of(
        mass.over(whole.times(whole)), mass.over(whole).over(whole), slope.times(share).total().over(whole)
    )
    return slope.over(whole).minus(common)


def _shares_grad_labels(a: Arguments) -> Interval:
    return -a.spread.times(_share(a).mapped(np.log))


SHARES: Mapping[str, GivenForm] = {
    "value": _shares,
    "grad_logits": _shares_grad,
    "grad_labels": _shares_grad_labels,
}

GIVEN_FORMS: dict[tuple[str, str], GivenForm] = {
    ("logit", "value"): _logit,
    ("logit", "grad_logits"): _logit_grad,
    ("binary_cross_entropy", "value"): _binary,
    ("binary_cross_entropy", "grad_logits"): _binary_grad,
    ("binary_cross_entropy", "grad_labels"): _binary_grad_labels,
    ("categorical_cross_entropy", "value"): _categorical,
    ("categorical_cross_entropy", "grad_logits"): _by_probabilities,
    ("categorical_cross_entropy", "grad_labels"): _categorical_grad_labels,
    ("sparse_categorical_cross_entropy", "value"): _index,
    ("sparse_categorical_cross_entropy", "grad_logits"): _by_probabilities,
    ("kl_divergence", "value"): _divergence,
    ("kl_divergence", "grad_logits"): _by_logarithms,
    ("kl_divergence", "grad_labels"): _divergence_grad_labels,
    ("kl_divergence_log_target", "value"): _log_target,
    ("kl_divergence_log_target", "grad_logits"): _log_target_grad,
    ("kl_divergence_log_target", "grad_labels"): _log_target_grad_labels,
    ("relative_entropy", "value"): _relative,
    ("relative_entropy", "grad_logits"): _relative_grad,
    ("relative_entropy", "grad_labels"): _relative_grad_labels,
    ("elementwise_kl_divergence", "value"): _elementwise,
    ("elementwise_kl_divergence", "grad_logits"): _elementwise_grad,
    ("elementwise_kl_divergence", "grad_labels"): _elementwise_grad_labels,
    ("negative_log_likelihood", "value"): _likelihood,
    ("negative_log_likelihood", "grad_logits"): _likelihood_grad,
}

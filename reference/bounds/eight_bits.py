"""Bounds in eight bits: SPEC.md 8.19. Intervals of the textbook's steps, for no first order holds there.

Two tiers would say the same: what is accurate is what is stable. Each function gives what any of its forms
may give, for each element of a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

import numpy as np

from xent_conformance.reference.bounds.bound import Bound
from xent_conformance.reference.bounds.eight_bits_given import GIVEN_FORMS, Arguments
from xent_conformance.reference.bounds.intervals import Interval, any_of, product
from xent_conformance.reference.formats import EIGHT_BITS, Floats
from xent_conformance.reference.inputs import Inputs

__all__ = ["EIGHT_BITS", "in_eight_bits"]

NOT_NEGATIVE = (0.0, np.inf)


class _Call(Arguments):
    """The arguments of a batch, and the pieces that outputs of logits share."""

    # --- softmax: shifted exponentials, and their sum: wider, rounded once, and at least 1 ---

    @cached_property
    def m(self) -> Interval:
        return self.exact(self.x.max(axis=1, keepdims=True))

    @cached_property
    def d(self) -> Interval:
        return self.exact(self.x - self.m.low).rounded()

    @cached_property
    def e(self) -> Interval:
        return self.exact(np.ones_like(self.x)).where(
            self.x == self.m.low, self.d.mapped(np.exp).within(0.0, 1.0)
        )

    @cached_property
    def S(self) -> Interval:
        return self.e.total()

    @cached_property
    def L(self) -> Interval:
        return self.S.within(1.0, np.inf).mapped(np.log)

    @cached_property
    def log_s(self) -> Interval:
        return self.d.minus(self.L)

    @cached_property
    def s(self) -> Interval:
        """A probability: a quotient, or the exponential of its logarithm."""
        return any_of(self.e.over(self.S), self.log_s.mapped(np.exp))

    # --- sigmoid ---

    def sigma(self, sign: float = 1.0) -> Interval:
        """``1/(1 + exp(−x))``, ``exp(x)/(1 + exp(x))``, ``(1 + tanh(x/2))/2``."""
        x = sign * self.x
        up, down = (self.exact(a).mapped(np.exp).within(*NOT_NEGATIVE) for a in (x, -x))
        half = self.exact(x / 2).rounded().mapped(np.tanh).plus(self.one)
        halved = Interval(self.fmt, half.low / 2, half.high / 2).rounded()
        return any_of(self.one.over(down.plus(self.one)), up.over(up.plus(self.one)), halved)

    def softplus(self, sign: float = 1.0) -> Interval:
        """``max(x, 0) + log1p(exp(−|x|))``, by log1p or by log of a rounded sum."""
        x = sign * self.x
        e = self.exact(-np.abs(x)).mapped(np.exp).within(*NOT_NEGATIVE)
        rest = any_of(e.mapped(np.log1p), e.plus(self.one).mapped(np.log))
        return self.exact(np.maximum(x, 0.0)).plus(rest)

    def slope(self, sign: float = 1.0) -> Interval:
        """The derivative of softplus: ``σ(x)``, ``1 − σ(−x)``, or ``exp(x − softplus(x))``."""
        by_value = self.exact(sign * self.x).minus(self.softplus(sign)).mapped(np.exp)
        return any_of(self.sigma(sign), self.one.minus(self.sigma(-sign)), by_value)


Form = Callable[[_Call], Interval]


# --- softmax, log-softmax, logsumexp -----------------------------------------------------------------


def _softmax(a: _Call) -> Interval:
    return a.e.over(a.S)


def _softmax_grad(a: _Call) -> Interval:
    """``s (c − Σ s c)``, ``s c − s Σ s c``, and the derivative of the quotient in turn."""
    by_sum = a.s.times(a.c)
    mean = by_sum.total()
    share = product(a.e, a.c).total()
    in_turn = a.c.over(a.S).minus(any_of(share.over(a.S.times(a.S)), share.over(a.S).over(a.S)))
    return any_of(
        a.s.times(a.c.minus(mean)),
        by_sum.minus(a.s.times(mean)),
        a.e.times(in_turn),
        a.c.over(a.S).times(a.e).minus(share.over(a.S).over(a.S).times(a.e)),
    )


def _log_softmax(a: _Call) -> Interval:
    return a.log_s


def _log_softmax_grad(a: _Call) -> Interval:
    return _balance(a, a.c)


def _balance(a: _Call, c: Interval) -> Interval:
    """``c − s Σ c``; in turn, ``c − (Σ c / S) e``."""
    total = c.total()
    return c.minus(any_of(a.s.times(total), total.over(a.S).times(a.e), product(total, a.e).over(a.S)))


def _logsumexp(a: _Call) -> Interval:
    return a.m.plus(a.L)


def _logsumexp_grad(a: _Call) -> Interval:
    """``c s``, ``(c/S) e``, ``c exp(x − v)`` of the rounded value."""
    by_value = a.exact(a.x).minus(_logsumexp(a)).mapped(np.exp)
    return any_of(a.c.times(any_of(a.s, by_value)), a.c.over(a.S).times(a.e))


# --- cross-entropy -----------------------------------------------------------------------------------


def _dense(a: _Call) -> Interval:
    return -a.p.times(a.log_s).total()


def _dense_grad(a: _Call) -> Interval:
    """That of log-softmax with the cotangent ``−c p``, or ``c (s Σp − p)``."""
    by_sum = a.s.times(a.p.total()).minus(a.p)
    return any_of(_balance(a, -a.c.times(a.p)), a.c.times(any_of(by_sum, a.s.minus(a.p))))


def _dense_grad_labels(a: _Call) -> Interval:
    return -a.c.times(a.log_s)


def _index(a: _Call) -> Interval:
    """What is picked is not rounded."""
    low, high = (
        np.where(a.p.low == 1, end, 0.0).sum(axis=1, keepdims=True) for end in (a.log_s.low, a.log_s.high)
    )
    return -Interval(a.fmt, low, high)


# --- the sigmoid family ------------------------------------------------------------------------------


def _sigmoid(a: _Call) -> Interval:
    return a.sigma()


def _sigmoid_grad(a: _Call) -> Interval:
    """``c y (1 − y)``, ``c σ(x) σ(−x)``, ``c e r²`` with ``r = 1/(1 + e)``."""
    y, e = a.sigma(), a.exact(-a.x).mapped(np.exp).within(*NOT_NEGATIVE)
    r = a.one.over(a.one.plus(e))
    return any_of(
        product(a.c, y, a.one.minus(y)), product(a.c, y, a.sigma(-1.0)), product(a.c, e.times(r), r)
    )


def _log_sigmoid(a: _Call) -> Interval:
    return -a.softplus(-1.0)


def _log_sigmoid_grad(a: _Call) -> Interval:
    return a.c.times(a.slope(-1.0))


def _binary(a: _Call) -> Interval:
    """``z softplus(−x) + (1 − z) softplus(x)``, ``max(x, 0) − x z + …``, ``(1 − z) x + softplus(−x)``."""
    rest, x = a.one.minus(a.p), a.exact(a.x)
    both = a.p.times(a.softplus(-1.0)).plus(rest.times(a.softplus()))
    e = a.exact(-np.abs(a.x)).mapped(np.exp).within(*NOT_NEGATIVE)
    log = any_of(e.mapped(np.log1p), e.plus(a.one).mapped(np.log))
    linear = a.exact(np.maximum(a.x, 0.0)).minus(x.times(a.p)).plus(log)
    return any_of(both, linear, rest.times(x).plus(a.softplus(-1.0)))


def _binary_grad(a: _Call) -> Interval:
    """``c (σ − z)``, ``c (1 − z) σ(x) − c z σ(−x)``; the derivatives of the forms that are linear in x."""
    rest, up, down = a.one.minus(a.p), a.slope(), a.slope(-1.0)
    side = a.exact((a.x > 0).astype(np.float64)).minus(a.p)
    near = down.where(a.x > 0, -up)
    return any_of(
        a.c.times(up.minus(a.p)),
        product(a.c, rest, up).minus(product(a.c, a.p, down)),
        a.c.times(side.minus(near)),
        a.c.times(rest.minus(down)),
    )


def _binary_grad_labels(a: _Call) -> Interval:
    """``−c x``, or the difference of two terms."""
    apart = a.c.times(a.softplus(-1.0)).minus(a.c.times(a.softplus()))
    return any_of(-a.c.times(a.exact(a.x)), apart)


FORMS: dict[tuple[str, str], Form] = {
    ("softmax", "value"): _softmax,
    ("softmax", "grad_logits"): _softmax_grad,
    ("log_softmax", "value"): _log_softmax,
    ("log_softmax", "grad_logits"): _log_softmax_grad,
    ("logsumexp", "value"): _logsumexp,
    ("logsumexp", "grad_logits"): _logsumexp_grad,
    ("softmax_cross_entropy", "value"): _dense,
    ("softmax_cross_entropy", "grad_logits"): _dense_grad,
    ("softmax_cross_entropy", "grad_labels"): _dense_grad_labels,
    ("sparse_softmax_cross_entropy", "value"): _index,
    ("sparse_softmax_cross_entropy", "grad_logits"): _dense_grad,
    ("sigmoid", "value"): _sigmoid,
    ("sigmoid", "grad_logits"): _sigmoid_grad,
    ("log_sigmoid", "value"): _log_sigmoid,
    ("log_sigmoid", "grad_logits"): _log_sigmoid_grad,
    ("sigmoid_cross_entropy", "value"): _binary,
    ("sigmoid_cross_entropy", "grad_logits"): _binary_grad,
    ("sigmoid_cross_entropy", "grad_labels"): _binary_grad_labels,
    **GIVEN_FORMS,
}


def in_eight_bits(inputs: Inputs, output: str, values: Mapping[str, Floats]) -> Bound:
    """The bound of an output; none, which is infinite, of what nothing is derived for (6.17)."""
    form, value = FORMS.get((inputs.operator, output)), values[output]
    if form is None or inputs.attributes.given:
        none = np.full_like(value, np.inf)
        return Bound(none, none, none)
    return around(value, form(_Call(inputs)))


def around(value: Floats, found: Interval) -> Bound:
    """How far an interval reaches from the exact value."""
    bound = np.maximum(found.high - value, value - found.low)
    return Bound(bound, bound, np.full_like(bound, found.fmt.smallest_normal))

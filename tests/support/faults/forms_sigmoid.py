"""The sigmoid family as frameworks ship it: each form that SPEC.md 8.7 – 8.9 lists, all honest."""

from __future__ import annotations

import numpy as np

from tests.support.faults.blocks import Ask, piece
from tests.support.faults.correct import Table, binary, inside
from tests.support.faults.forms_softmax import Textbook
from tests.support.faults.sums import Array


class Tanh(Textbook):
    """``0.5 tanh(0.5 x) + 0.5``."""

    @piece
    def sigma(self) -> Array:
        return np.tanh(self.x / 2) / 2 + self.x.dtype.type(0.5)


class OneBranch(Textbook):
    """``1 / (1 + exp(−x))``: zero once exp overflows."""

    @piece
    def sigma(self) -> Array:
        return 1 / (1 + np.exp(-self.x))

    @piece
    def mirror(self) -> Array:
        return 1 / (1 + np.exp(self.x))


class BranchFree(Ask):
    """``exp(min(x, 0)) / (1 + exp(−|x|))``."""

    @piece
    def sigma(self) -> Array:
        return np.exp(np.minimum(self.x, 0)) / (1 + self.tail)

    @piece
    def mirror(self) -> Array:
        return np.exp(np.minimum(-self.x, 0)) / (1 + self.tail)


def scale(a: Ask) -> Array:
    """``l = 1 + (P − 1) z'``, which multiplies ``softplus(−x)`` beside ``(1 − z') x``."""
    return 1 + (a.pos_weight - 1) * a.smoothed


def one_softplus(a: Ask) -> Array:
    """``(1 − z) x + l softplus(−x)``; at infinity term by term."""
    value = a.w * ((1 - a.smoothed) * a.x + scale(a) * a.softplus_minus)
    return np.where(np.isinf(a.x), binary(a), value)


def max_form(a: Ask) -> Array:
    """``max(x, 0) − x z + log1p(exp(−|x|))``; with a positive weight the form with one softplus."""
    value = a.w * (np.maximum(a.x, 0) - a.x * a.smoothed + np.log1p(a.tail))
    plain = (a.pos_weight == 1) & np.isfinite(a.x)
    return np.where(plain, value, one_softplus(a))


def two_logs(a: Ask) -> Array:
    p = a.clamped
    return np.where(inside(p), np.log(p) - np.log1p(-p), np.nan)


MAX_FORM: dict[str, Table] = {"sigmoid_cross_entropy": {"value": max_form}}
ONE_SOFTPLUS: dict[str, Table] = {"sigmoid_cross_entropy": {"value": one_softplus}}
TWO_LOGS: dict[str, Table] = {"logit": {"value": two_logs}}

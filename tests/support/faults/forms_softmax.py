"""The softmax family as kernels and frameworks ship it: other routes to the same numbers, all honest.

Every form is one of SPEC.md §8, computed in the dtype itself (those of 16 bits in binary32, and rounded
where a framework keeps a result). Most lose the relative accuracy of 1.2, none breaks a must.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.support.faults.blocks import Ask, piece, weighted
from tests.support.faults.correct import Table, settled
from tests.support.faults.sums import Array, lanes

TILE = 4
"""Classes of a tile or a chunk: few, so that rows of ten have three; more where a row is very long."""

LOG2_E, LN_2 = 1.4426950408889634, 0.6931471805599453

Power = Callable[[Array], Array]


class Textbook(Ask):
    """``S`` as one sum, ``log S`` and ``1 + e`` in it, ``1 − s`` and ``1 − σ``."""

    @piece
    def S(self) -> Array:
        return self.total(self.e)

    @piece
    def L(self) -> Array:
        return np.log(self.S)

    @piece
    def rest(self) -> Array:
        return 1 - self.s

    def along(self, v: Array) -> Array:
        return v - self.total(self.s * v)

    def centred(self, v: Array) -> Array:
        return v

    def balance(self, p: Array, c: Array) -> Array:
        return c * (self.s * self.total(p) - p)

    @piece
    def mirror(self) -> Array:
        return 1 - self.sigma

    @piece
    def log1p_tail(self) -> Array:
        return np.log(1 + self.tail)


# --- the sum ---------------------------------------------------------------------------------------


def tiles(x: Array) -> list[Array]:
    width = max(TILE, lanes(x))
    return [x[:, i : i + width] for i in range(0, x.shape[1], width)]


def below(lower: Array, higher: Array) -> Array:
    """``lower − higher``; nothing where there is no class yet."""
    return np.asarray(lower - np.where(higher == -np.inf, 0, higher))


class BaseTwo(Textbook):
    """``exp2((x − m) log2 e)``, tile by tile: a sum is rescaled when the maximum moves. Attention kernels."""

    def power(self, d: Array) -> Array:
        return np.exp2(d * self.x.dtype.type(LOG2_E))

    @piece
    def e(self) -> Array:
        return self.power(-self.d)

    @piece
    def S(self) -> Array:
        m, S = np.full_like(self.m, -np.inf), np.zeros_like(self.m)
        for tile in tiles(self.x):
            higher = np.maximum(m, tile.max(axis=1, keepdims=True))
            S = S * self.power(below(m, higher)) + self.total(self.power(below(tile, higher)))
            m = higher
        return S

    @piece
    def L(self) -> Array:
        return np.log2(self.S) * self.x.dtype.type(LN_2)


class Chunks(Textbook):
    """Maximum and sum of each chunk, then of the chunks: a vocabulary in parts."""

    @piece
    def S(self) -> Array:
        tops = np.concatenate([t.max(axis=1, keepdims=True) for t in tiles(self.x)], axis=1)
        sums = [self.total(np.exp(below(t, tops[:, [i]]))) for i, t in enumerate(tiles(self.x))]
        return self.total(np.concatenate(sums, axis=1) * np.exp(below(tops, self.m)))


class Reciprocal(Ask):
    """``e · (1/S)``."""

    @piece
    def s(self) -> Array:
        return self.e * (1 / self.S)


class TwoClasses(Ask):
    """Of two classes the sigmoid of the difference."""

    @piece
    def s(self) -> Array:
        if self.n != 2 or np.isinf(self.x).any():
            return self.e / self.S
        d = self.x - self.x[:, ::-1]
        tail = np.exp(-np.abs(d))
        return np.where(d >= 0, 1, tail) / (1 + tail)


# --- what is kept for the gradient -----------------------------------------------------------------


class Saved(Textbook):
    """The gradient from the probabilities that were returned: ``s (c − Σ s c)`` with ``s`` of the dtype."""

    @piece
    def s(self) -> Array:
        return self.rounded(self.e / self.S)


class SavedLogarithms(Textbook):
    """The gradient from the log-probabilities that were returned, ``c − exp(ℓ) Σ c``, ``ℓ`` of the dtype."""

    @piece
    def ell(self) -> Array:
        return self.rounded(-(self.d + self.L))

    @piece
    def s(self) -> Array:
        return np.exp(self.ell)


class EveryStep(Textbook):
    """Operations of the tested dtype, each rounded to it: composed code under automatic differentiation.

    All but the sum, which binary16 could not hold.
    """

    @piece
    def d(self) -> Array:
        return self.rounded(self.m - self.x)

    @piece
    def e(self) -> Array:
        return self.rounded(np.exp(-self.d))

    @piece
    def L(self) -> Array:
        return self.rounded(np.log(self.S))

    @piece
    def s(self) -> Array:
        return self.rounded(self.e / self.S)

    @piece
    def ell(self) -> Array:
        return self.rounded(-(self.d + self.L))


def through_every_step(a: Ask) -> Array:
    """Backwards through the quotient, the sum and exp; the shift is detached."""
    by_e = a.rounded(a.rounded(a.c / a.S) - a.rounded(a.total(a.rounded(a.rounded(a.c * a.s) / a.S))))
    return by_e * a.e


def log_softmax_through_every_step(a: Ask) -> Array:
    return a.c - a.rounded(a.e * a.rounded(a.rounded(a.total(a.c)) / a.S))


def of_log_softmax(a: Ask) -> Array:
    """The loss ``−Σ q ℓ`` backwards: the cotangent ``−c q`` of a log-softmax, then its own gradient."""
    g = a.rounded(-(a.c * a.q))
    return g - a.rounded(a.s * a.rounded(a.total(g)))


def two_products(a: Ask) -> Array:
    """``c s − s Σ c s``."""
    product = a.c * a.s
    return product - a.s * a.total(product)


def label_first(a: Ask) -> Array:
    """``(m − x_y) + log S``: what the labels pick is added up apart from the logarithm."""
    picked = a.total(weighted(a.q, a.d)) + a.total(a.q) * a.L
    return np.where(np.isnan(a.L), np.nan, picked)


QUOTIENT: Table = {"value": lambda a: a.e / a.S}

OF_LOGARITHMS: dict[str, Table] = {
    "softmax": QUOTIENT,
    "log_softmax": {"grad_logits": lambda a: a.c - a.s * a.total(a.c)},
    "softmax_cross_entropy": {"grad_logits": of_log_softmax},
    "sparse_softmax_cross_entropy": {"grad_logits": settled(of_log_softmax)},
}

STEPS: dict[str, Table] = {
    **OF_LOGARITHMS,
    "softmax": {"grad_logits": through_every_step},
    "log_softmax": {"grad_logits": log_softmax_through_every_step},
}

APART: dict[str, Table] = {"softmax": {"grad_logits": two_products}}

LABEL_FIRST: dict[str, Table] = {
    "softmax_cross_entropy": {"value": label_first},
    "sparse_softmax_cross_entropy": {"value": settled(label_first)},
}

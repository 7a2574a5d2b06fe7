"""The quantities that bounds are made of: ``d, s, D, L, ℓ`` of a batch, and what underflow may cost.

Numbers that may be as large as the format's largest (``d``, ``ℓ``, values) are kept multiplied by
``u`` from the start, under a name that says so: ten times such a number is no binary64 number, ten
times ``u`` of it is. Those that may be as small as its smallest would be lost by it: ``u`` of a subnormal
number is none. So ``u`` is ``2^SCALE`` times what it is, and :func:`.bound.tiers` takes that back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from xent_conformance.reference.bounds.before import Before, seen
from xent_conformance.reference.formats import Floats, Ints
from xent_conformance.reference.inputs import Inputs

SCALE = 30
"""Far from both ends of binary64: ``2^30 u`` of its largest number times a million is still one, and what
``2^30 u`` of its smallest loses is a billionth of the smallest in the end."""

LN2 = 0.6931471805599453

LEAST = 2.0**-960
"""Of a probability nearer to zero a slope is counted as there: ``2^SCALE u`` of it is still a number."""

SATURATED = 2.0**-6
"""A summation error beyond this, relative, is a defect however long the sum (SPEC.md §8.1)."""

_LARGEST = float(np.finfo(np.float64).max)
_HUGE = 1e300  # probabilities of classes farther than this are 0, so their d only has to be finite


@dataclass(frozen=True)
class Sizes:
    """Inputs, certified values and certified sizes of one batch, and all that follows from them."""

    inputs: Inputs
    values: Mapping[str, Floats]
    reference_sizes: Mapping[str, Floats]

    @property
    def unit(self) -> float:
        """``u``, the unit roundoff."""
        return self.inputs.format.u

    @property
    def u(self) -> float:
        """``2^SCALE u``: bounds are linear in it."""
        return self.unit * 2.0**SCALE

    @property
    def narrow(self) -> bool:
        """Whether the format has 16 bits."""
        return self.inputs.format.u_accumulate < self.unit

    @property
    def E(self) -> float:
        """exp, log, log1p, tanh, in units of u: 3 ulp, or 2 in 16 bits (OpenCL full profile, SPEC.md 8.1)."""
        return 4.0 if self.narrow else 6.0

    @property
    def Q(self) -> float:
        """Division, in units of u: 2.5 ulp, or correctly rounded in 16 bits."""
        return 1.0 if self.narrow else 5.0

    @property
    def stored(self) -> float:
        """A sum that is wider than the format is rounded to it once, in units of u."""
        return 1.0 if self.narrow else 0.0

    @property
    def eta(self) -> float:
        return self.inputs.format.smallest_subnormal

    @property
    def tiny(self) -> float:
        return self.inputs.format.smallest_normal

    @property
    def c(self) -> Floats:
        """The cotangent, ``(rows, 1)`` or ``(rows, N)``."""
        return self.inputs.cotangent

    @property
    def v(self) -> Floats:
        """The tangent, ``(rows, N)``."""
        return self.inputs.tangent

    @property
    def p(self) -> Floats:
        """Dense labels; an index label as its one-hot row."""
        return self.inputs.dense_labels

    @cached_property
    def weight(self) -> Floats:
        """Class or element weights, ``(1, N)`` or ``(1, 1)``."""
        return np.array([self.inputs.attributes.weight or (1.0,)])

    @cached_property
    def pos_weight(self) -> Floats:
        return np.array([self.inputs.attributes.pos_weight or (1.0,)])

    @cached_property
    def q(self) -> Floats:
        """Effective labels ``w ((1 − ε) p + ε/N)``; zero where the row is ignored."""
        a, n = self.inputs.attributes, self.inputs.n
        share = a.label_smoothing / max(a.present(n), 1) * np.array(a.mask or (True,))
        q: Floats = self.weight * ((1 - a.label_smoothing) * self.p + share)
        if a.ignore_index is not None:
            q = np.where(self.inputs.labels == a.ignore_index, 0.0, q)
        return q

    @cached_property
    def slope(self) -> Floats:
        """``∂q_i/∂p_i``."""
        return np.asarray(np.abs(self.weight) * abs(1 - self.inputs.attributes.label_smoothing))

    @property
    def kappa(self) -> float:
        """Roundings of an effective label, in units of u (SPEC.md 8.10); none where it is the label."""
        return 6.0 if self.inputs.attributes.of_labels else 0.0

    def u_value(self, output: str) -> Floats:
        """``2^SCALE u |value|`` of an output."""
        return self.u * np.minimum(np.abs(self.values[output]), _LARGEST)

    @cached_property
    def x(self) -> Floats:
        """The logits that the operator sees; −∞ where a class is excluded or masked."""
        return seen(self.inputs)

    @cached_property
    def ux(self) -> Floats:
        """``2^SCALE u |x|``; nothing of an infinite logit, where limits are exact."""
        return self.u * np.where(np.isinf(self.x), 0.0, np.abs(self.x))

    @cached_property
    def before(self) -> Before:
        """What the logits' own errors cost."""
        return Before(self.inputs, self.x, self.reference_sizes)

    # --- the softmax family ---

    @cached_property
    def s(self) -> Floats:
        return self.before.s

    @cached_property
    def _distance(self) -> Floats:
        """``max x − x_i``; 0 for an excluded class, where ``s`` is 0 and nothing is bounded by it."""
        x = self.x
        with np.errstate(over="ignore", invalid="ignore"):
            d = np.minimum(np.max(x, axis=1, keepdims=True) - x, _LARGEST)
        return np.where(np.isneginf(x), 0.0, d)

    @cached_property
    def d(self) -> Floats:
        """``d_i``, capped where ``s_i`` is zero: for products with probabilities."""
        return np.minimum(self._distance, _HUGE)

    @cached_property
    def ud(self) -> Floats:
        """``2^SCALE u d_i``."""
        return self.u * self._distance

    @cached_property
    def D(self) -> Floats:
        """``Σ s_j d_j``."""
        return self.inputs.copies * rowsum(self.s * self.d)

    @cached_property
    def L(self) -> Floats:
        return self.reference_sizes["L"]

    @cached_property
    def uell(self) -> Floats:
        """``2^SCALE u |ℓ_i|``, with ``|ℓ_i| = d_i + L``."""
        return self.ud + self.u * self.L

    @property
    def rest_k(self) -> Floats:
        """``1 − s_k`` of the largest class."""
        return self.reference_sizes["rest"]

    @cached_property
    def rest(self) -> Floats:
        """``1 − s_i``; for the largest class as the reference knows it."""
        rest = 1.0 - self.s
        np.put_along_axis(rest, self.k, self.rest_k, axis=1)
        return rest

    @cached_property
    def k(self) -> Ints:
        """The largest class of each row, ``(rows, 1)``."""
        return np.asarray(np.argmax(self.x, axis=1)[:, None], dtype=np.int64)

    @cached_property
    def others(self) -> Floats:
        """``Σ_{j≠i} s_j d_j``; of logits that have errors of their own, what they may move (8.14)."""
        if not self.before.moving:
            return self._other_distances
        moved = self.s * self.rho_accurate
        own = np.take_along_axis(moved, self.k, axis=1)
        np.put_along_axis(moved, self.k, 0.0, axis=1)
        total = rowsum(moved)
        found = np.maximum(total - moved, 0.0) + own
        np.put_along_axis(found, self.k, total, axis=1)
        return found

    @property
    def _other_distances(self) -> Floats:
        return np.maximum(self.D - self.s * self.d, 0.0)

    def second(self, rho: Floats) -> Floats:
        """``1 + ρu``, what is left of the second order; of logits without errors it is below two."""
        grown = rho * self.unit if self.before.moving else np.minimum(rho * self.unit, 1.0)
        return np.asarray(1 + grown, dtype=np.float64)

    @cached_property
    def h_accurate(self) -> float:
        """Summation error of pairwise or blocked order, in units of u: ``(log2 N + 4) u_a / u``."""
        n = self.inputs.classes
        return float((n - 1).bit_length() + 4) * self.inputs.format.u_accumulate / self.unit + self.stored

    @cached_property
    def h_stable(self) -> float:
        """Summation error of any order, in units of u: ``N u_a / u``, at most ``SATURATED / u``."""
        in_order = min(self.inputs.classes * self.inputs.format.u_accumulate, SATURATED)
        return in_order / self.unit + self.stored

    @cached_property
    def rho_accurate(self) -> Floats:
        """Relative error of a shifted softmax (SPEC.md 8.2), in units of u."""
        return self.moved(self.d + self.D + 2 * self.E + self.Q + 1 + self.h_accurate)

    @cached_property
    def rho_stable(self) -> Floats:
        """In base two as well, whose exponents are off by up to twice ``d_i u`` (SPEC.md 8.2)."""
        exponents = self.d + self.D if self.narrow else 2 * (self.d + self.D)
        return self.moved(exponents + 2 * self.E + self.Q + 1 + self.h_stable)

    @cached_property
    def rho_any(self) -> Floats:
        """Relative error of a probability by either textbook route: quotient, or exp of log-softmax."""
        by_log = np.minimum(self.log_softmax_stable / self.u, _HUGE) + self.E + 1
        return np.maximum(self.rho_stable, self.before.whole(by_log, self.grow))

    @cached_property
    def log_softmax_accurate(self) -> Floats:
        """``2^SCALE`` times SPEC.md 8.3, with the relative error of ``R``."""
        return self._log_softmax + self.u * (self.E + self.h_accurate) * self.rest_k

    @cached_property
    def log_softmax_stable(self) -> Floats:
        """The error of ``S``, which contains the maximum's 1, is an absolute one of its logarithm."""
        fused = (self.E + 2) * self.before.offset
        return self._log_softmax + self.u * (self.D + self.E + 1 + self.h_stable + fused)

    @cached_property
    def _log_softmax(self) -> Floats:
        """Conditioning ``Σ |δ_ij − s_j| d_j``, the logarithm and the subtraction."""
        conditioning = self.rest * self.ud + self.u * (self._other_distances + self.moves)
        return conditioning + self.u * self.E * self.L + self.uell

    @property
    def moves(self) -> Floats:
        """What the logits' own errors move ``log s_i`` by, rounded again with it."""
        return np.asarray(self.before.moves * (1 + (self.E + 2) * self.unit), dtype=np.float64)

    def moved(self, rho: Floats) -> Floats:
        """The relative error of a probability whose first order is ``rho``, its logits' own errors added."""
        return self.before.whole(rho + self.before.moves + 2 * self.before.offset, self.grow)

    def grow(self, rho: Floats) -> Floats:
        """First order made whole: ``exp(ρu) − 1 <= ρu / (1 − ρu/2)``, capped where nothing is left."""
        return rho / (1.0 - np.minimum(rho * self.unit, 1.9) / 2.0)

    # --- underflow ---

    @cached_property
    def e_lost(self) -> tuple[Floats, Floats]:
        """What rounding, and what flushing, may take from ``R = Σ_{j≠k} exp(−d_j)``."""
        e = self.s / np.take_along_axis(self.s, self.k, axis=1)
        # binary64 cannot show exp(−d) below η/2, but a thousand of them are more than η
        e = np.where((e == 0) & (self._distance < 800.0), np.finfo(np.float64).smallest_subnormal, e)
        e = np.where(np.isneginf(self.x), 0.0, e)
        np.put_along_axis(e, self.k, 0.0, axis=1)
        lost, flushed = self.lost(e)
        # where errors move a term it may be another that is subnormal
        return (lost + e.shape[1] * self.eta if self.before.moving else lost), flushed

    def lost(self, terms: Floats) -> tuple[Floats, Floats]:
        """Of a sum of non-negative terms: the most that gradual underflow, and that flushing, may take.

        Only subnormal terms lose anything: at most ``η`` each (or all of it), or all of it.
        """
        subnormal = np.where(terms < self.tiny, terms, 0.0)
        return rowsum(np.minimum(subnormal, self.eta)), rowsum(subnormal)


def rowsum(a: Floats) -> Floats:
    """``Σ_j a_j`` of each row, ``(rows, 1)``."""
    return np.asarray(a.sum(axis=1, keepdims=True), dtype=np.float64)

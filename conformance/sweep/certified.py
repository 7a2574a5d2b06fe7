"""Holds the values in binary64 against the ball reference, on the machine at hand, before anybody is judged.

NumPy chooses its exp by the processor: what SPEC.md 8.21 assumes of it is looked at, in every binade.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from xent_conformance.reference.exact.enclosure import Enclosure
from xent_conformance.reference.formats import Floats, Ints
from xent_conformance.reference.oracle import Oracle
from xent_conformance.sweep.ground import Ground
from xent_conformance.sweep.values import ABSOLUTE

POINTS_OF_PAIRS = 1500

_STRIDE = 2654435761
"""Odd, and nearly the golden section of ``2^32``: its multiples are everywhere."""


class NotCertified(Exception):
    """The values are not what SPEC.md 8.21 derives; the message says where, and by how much."""


def points_of(ground: Ground) -> Ints:
    """Points of every binade and of both signs: both ends of it, and two numbers inside."""
    if ground.pairs:
        return np.array([i * _STRIDE % ground.points for i in range(1, POINTS_OF_PAIRS + 1)])
    fraction = 2 ** (ground.format.precision - 1)
    inside = (0, 1, fraction * 2 // 5, fraction - 1)
    return np.array([start + i for start in range(0, ground.points, fraction) for i in inside])


def certify(ground: Ground, points: Ints | None = None) -> float:
    """The largest error of some points, those of :func:`points_of` if none are given, over what is derived.

    Raises :class:`NotCertified` where it is more than 1.
    """
    chosen = points_of(ground) if points is None else points
    with np.errstate(all="ignore"):
        x = np.concatenate([ground.logits(int(p), int(p) + 1) for p in chosen]).astype(np.float64)
        finite = np.isfinite(x.reshape(len(x), -1)).all(axis=1)
        x, chosen = x[finite], chosen[finite]
        truth = Oracle().truth(ground.inputs(x))
        worst = 0.0
        for output in ground.outputs:
            parts = ground.parts(output)(x)
            share = shares(
                np.broadcast_to(parts.base, parts.rest.shape).reshape(len(x), -1),
                parts.rest.reshape(len(x), -1),
                (ground.relative * parts.size + ABSOLUTE).reshape(len(x), -1),
                truth.enclosure(output),
            )
            row = int(share.max(axis=1).argmax())
            worst = max(worst, float(share[row].max()))
            if worst > 1.0:
                raise NotCertified(
                    f"{output} of {ground.operator} at {ground.pattern(int(chosen[row]))} in "
                    f"{ground.format.name}: {worst:.3g} times the error of SPEC.md 8.21; NumPy's exp or log "
                    "is not what is assumed there"
                )
    return worst


def shares(base: Floats, rest: Floats, may: Floats, exact: Enclosure) -> Floats:
    """The error of each value over the error that it ``may`` have, of arrays ``(rows, elements)``."""
    found = np.zeros(base.shape)
    for at in np.ndindex(base.shape):
        parts = (base, rest, exact.hi, exact.lo, exact.radius)
        one, other, hi, lo, radius = (float(part[at]) for part in parts)
        if not math.isfinite(hi) or not math.isfinite(one + other):
            same = one + other == hi or (math.isnan(one + other) and math.isnan(hi))
            found[at] = 0.0 if same else math.inf
            continue
        scale = Fraction(2) ** int(exact.exponent[at])
        off = abs(Fraction(one) + Fraction(other) - (Fraction(hi) + Fraction(lo)) * scale)
        found[at] = float(max(off - Fraction(radius) * scale, Fraction(0)) / Fraction(float(may[at])))
    return found

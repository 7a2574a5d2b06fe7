"""An absolute bound on the error of each element, and how it is put together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xent_conformance.reference.bounds.sizes import SCALE, Sizes
from xent_conformance.reference.formats import Floats


@dataclass(frozen=True)
class Bound:
    """Absolute bounds on the error of each element, arrays of the output's shape.

    ``accurate`` and ``stable`` are the two tiers, gradual underflow included. ``flush`` is the largest
    magnitude that flushing subnormal numbers to zero can have taken away.
    """

    accurate: Floats
    stable: Floats
    flush: Floats


def tiers(
    z: Sizes,
    accurate: Floats,
    stable: Floats,
    roundings: Floats | float,
    lost: tuple[Floats | float, Floats | float] = (0.0, 0.0),
) -> Bound:
    """Two tiers, the number of roundings that may underflow, and what sums of subnormals may lose.

    ``accurate`` and ``stable`` are linear in ``z.u``, which is ``2^SCALE`` times the unit roundoff.
    """
    counts = np.asarray(roundings, dtype=np.float64)
    rounded, flushed = z.eta * counts + lost[0], z.tiny * counts + lost[1]
    accurate, stable = np.ldexp(accurate, -SCALE), np.ldexp(stable, -SCALE)
    first, second, flush = np.broadcast_arrays(accurate + rounded, stable + rounded, flushed)
    return Bound(first, np.maximum(first, second), flush)


def weighted(weight: Floats, lost: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    return weight * lost[0], weight * lost[1]

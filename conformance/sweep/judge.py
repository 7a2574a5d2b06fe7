"""Judges a stretch of points: most by a comparison, a few by the bounds, fewer by the ball reference."""

from __future__ import annotations

import numpy as np

from xent_conformance.frameworks.interface import Array
from xent_conformance.sweep.finer import Rows, count
from xent_conformance.sweep.ground import Ground
from xent_conformance.sweep.level import counted
from xent_conformance.sweep.sieve import Sieved, sieve
from xent_conformance.sweep.tally import Place, Tally

BLOCK = 2**14
"""Points that are compared at a time: what they are compared with fits a processor's cache."""


def judged(ground: Ground, output: str, start: int, got: Array) -> Tally:
    """The tally of the points from ``start`` on, one for each result: ``(points,)`` or ``(points, 2)``.

    Raises :class:`~.finer.Undecided`.
    """
    if (level := counted(ground, output, start, got)) is not None:
        return level
    tally = Tally()
    for begin in range(0, len(got), BLOCK):
        part = got[begin : begin + BLOCK]
        with np.errstate(all="ignore"):
            _block(ground, output, start + begin, part, tally)
    return tally


def _block(ground: Ground, output: str, start: int, got: Array, tally: Tally) -> None:
    x = ground.logits(start, start + len(got)).astype(np.float64)
    points = None
    tally.elements += got.size
    if ground.pairs and (is_open := ground.is_open(x)).any():
        points = np.flatnonzero(~is_open)
        tally.open += got.size - points.size * got.shape[1]
        x, got = x[points], got[points]
        if not points.size:
            return
    found = sieve(ground.format, ground.parts(output)(x), ground.relative, got)
    right, settled = int(np.count_nonzero(found.right)), int(np.count_nonzero(found.settled))
    tally.grades["exact"] += right
    tally.grades["faithful"] += settled - right
    if settled:
        _note_largest(found, start, points, got, tally)
    if settled == got.size:
        return
    left = ~found.settled.reshape(len(got), -1)
    rows = np.flatnonzero(left.any(axis=1))
    numbers = rows if points is None else points[rows]
    unsure = found.unsure.reshape(left.shape)[rows]
    count(ground, output, Rows(start + numbers, x[rows], got[rows], left[rows], unsure), tally)


def _note_largest(found: Sieved, start: int, points: Array | None, got: Array, tally: Tally) -> None:
    """The largest error among what is settled; of an infinity or NaN that is right there is none."""
    ulps = found.ulps.reshape(-1)
    i = int(np.argmax(ulps))
    if not (found.settled.reshape(-1)[i] and np.isfinite(ulps[i])):
        ulps = np.where(found.settled.reshape(-1) & np.isfinite(ulps), ulps, -1.0)
        i = int(np.argmax(ulps))
    if ulps[i] < 0 or (tally.worst is not None and ulps[i] <= tally.worst.ulps):
        return
    row, element = divmod(i, got[0].size)
    number = row if points is None else int(points[row])
    tally.note(Place(float(ulps[i]), start + number, element, float(got.reshape(-1)[i])))

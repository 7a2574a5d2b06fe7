"""Stretches of points that have one right result, or each its own logit: told by their two ends.

Most of a format is such: of float32 a sigmoid is 1/2 near 0, and 0 or 1 far from it. In one binade of one
sign every value of :mod:`.values` is monotone, and so is its distance from a logit: what is right at both
ends is right between them, and no error between them is larger than at an end. SPEC.md 8.21.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from xent_conformance.frameworks.interface import Array
from xent_conformance.judging.measure import EXACT
from xent_conformance.reference.formats import Floats, Format
from xent_conformance.reports.run.words import GRADES
from xent_conformance.sweep.finer import looked_up
from xent_conformance.sweep.ground import Ground
from xent_conformance.sweep.sieve import sieve
from xent_conformance.sweep.tally import Place, Tally

FAITHFUL, ACCURATE = GRADES.index("faithful"), GRADES.index("accurate")

OFF_A_LOGIT = 2.0**-3
"""Ulps that a value may be off its logit: half of one would do, were it known without any error."""


def counted(ground: Ground, output: str, start: int, got: Array) -> Tally | None:
    """The tally of points that are all correctly rounded, where two ends tell what that is; else nothing.

    Or that all came back as one other number, which at both ends is an ulp off at most, with one grade: it is
    not among the values, so its error too is largest at an end. ``got``: of each point from ``start`` on.
    Raises :class:`~.finer.Undecided`.
    """
    stop = start + len(got)
    fraction = ground.format.precision - 1
    if ground.pairs or start >> fraction != (stop - 1) >> fraction:
        return None
    numbers = (start, stop - 1)
    with np.errstate(all="ignore"):
        logits = np.concatenate([ground.logits(number, number + 1) for number in numbers])
        x = logits.astype(np.float64)
        if not np.isfinite(x).all():
            return None
        parts = ground.parts(output)(x)
        base = np.broadcast_to(parts.base, x.shape)
        sign = _logit(ground.format, x, base, parts.rest)
        due = sign(ground.logits(start, stop)) if sign else _number(ground.format, base, parts.rest)
        if due is None:
            return None
        right = np.broadcast_to(due, got.shape)
        found = sieve(ground.format, parts, ground.relative, right[[0, -1]])
        if not found.right.all():
            return None
        grade, ulps = EXACT, found.ulps
        if not np.array_equal(got, right):
            if due.size > 1 or not (got == got[0]).all():
                return None
            measured, _ = looked_up(ground, output, x, got[[0, -1]])
            grade, ulps = int(measured.grade[0]), measured.ulps
            if grade not in (FAITHFUL, ACCURATE) or measured.grade[1] != grade or ulps.max() > 1.0:
                return None
    tally = Tally(elements=len(got), looked_up=0 if grade == EXACT else 2)
    tally.grades[GRADES[grade].value] = len(got)
    if grade == ACCURATE:
        tally.histogram[0] = len(got)
    for number, off, came in zip(numbers, ulps, got[[0, -1]], strict=True):
        tally.note(Place(float(off), number, 0, float(came)))
    return tally


def _logit(fmt: Format, x: Floats, base: Floats, rest: Floats) -> Callable[[Array], Array] | None:
    """Its logit, or minus it, where both ends are so near to that that no number of the binade is moved."""
    if not (np.abs(rest) <= OFF_A_LOGIT * fmt.ulp(float(np.abs(x).min()))).all():
        return None
    if np.array_equal(base, x):
        return np.positive
    return np.negative if np.array_equal(base, -x) else None


def _number(fmt: Format, base: Floats, rest: Floats) -> Array | None:
    """What both ends are rounded to.

    None where that is a power of two that is no base: an ulp is not the same on both sides of it.
    """
    ends = fmt.nearest(base + rest)
    one = abs(float(ends[0]))
    if ends[0] != ends[1] or (np.frexp(one)[0] == 0.5 and one != abs(float(base[0]))):
        return None
    return np.asarray(ends[:1]).astype(fmt.dtype)

"""Stretches of points that have one right result, or each its own logit: told by their two ends.

Most of a format is such: of float32 a sigmoid is 1/2 near 0, and 0 or 1 far from it. In one binade of one
sign every value of :mod:`.values` is monotone, and so is its distance from a logit: what is right at both
ends is right between them, and no error between them is larger than at an end. SPEC.md 8.21.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from xent_conformance.frameworks.interface import Array
from xent_conformance.reference.formats import Floats, Format
from xent_conformance.sweep.finer import Rows, count
from xent_conformance.sweep.ground import Ground
from xent_conformance.sweep.sieve import sieve
from xent_conformance.sweep.tally import Place, Tally

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
        if not np.array_equal(got, right):
            return None if due.size > 1 else _another(ground, output, numbers, x, got)
    tally = Tally(elements=len(got))
    tally.grades["exact"] = len(got)
    for number, off, came in zip(numbers, found.ulps, got[[0, -1]], strict=True):
        tally.note(Place(float(off), number, 0, float(came)))
    return tally


def _another(ground: Ground, output: str, numbers: tuple[int, int], x: Floats, got: Array) -> Tally | None:
    """All came back as one number that none of the values is rounded to: two ends are measured."""
    if not (got == got[0]).all():
        return None
    ends, tally = got[[0, -1]], Tally(elements=len(got))
    unsure = sieve(ground.format, ground.parts(output)(x), ground.relative, ends).unsure
    every = np.ones((2, 1), dtype=bool)
    count(ground, output, Rows(np.array(numbers), x, ends, every, unsure.reshape(2, 1)), tally)
    near = tally.worst is not None and tally.worst.ulps <= 1.0
    (grade, *others) = [grade for grade, many in tally.grades.items() if many]
    if others or grade not in ("faithful", "accurate") or not near or tally.charges:
        return None
    tally.grades[grade] = len(got)
    tally.histogram = {power: len(got) for power in tally.histogram}
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

"""Results of every point that are right but for what a test makes wrong, and the run's own judge of them."""

from __future__ import annotations

from collections import Counter

import numpy as np

from xent_conformance.frameworks.interface import Array
from xent_conformance.judging.judge import Judge, graded
from xent_conformance.judging.numbered import STATUSES, rules
from xent_conformance.reference.oracle import Oracle
from xent_conformance.reports.run.words import GRADES, SYMPTOMS, Status
from xent_conformance.sweep.finer import enclosed
from xent_conformance.sweep.ground import Ground


def right(ground: Ground, output: str, start: int, stop: int) -> Array:
    """Correctly rounded results, as far as binary64 tells."""
    x = ground.logits(start, stop)
    with np.errstate(all="ignore"):
        found = enclosed(ground, output, x.astype(np.float64)).round_to(ground.format)
        return found.astype(ground.format.dtype).reshape(x.shape)


def binary64(a: Array) -> Array:
    """The numbers in binary64; NaN may signal."""
    with np.errstate(invalid="ignore"):
        return a.astype(np.float64)


def moved(got: Array, steps: Array) -> Array:
    """Each number so many neighbours away from zero; NaN and infinities stay, and nothing becomes one."""
    bits = got.view(f"i{got.itemsize}")
    far = (bits + steps.astype(bits.dtype)).view(got.dtype)
    wide, there = binary64(far), binary64(got)
    kept = ~np.isfinite(there) | ~np.isfinite(wide) | (np.signbit(wide) != np.signbit(there))
    return np.where(kept, got, far)


def beside_a_power(ground: Ground, output: str, start: int, stop: int) -> Array:
    """Where a value is so near to a power of two that binary64 cannot tell it from that, and is none."""
    x = binary64(ground.logits(start, stop))
    with np.errstate(all="ignore"):
        exact = enclosed(ground, output, x)
    return ((np.abs(np.frexp(exact.hi)[0]) == 0.5) & (exact.lo != 0)).reshape(len(x))


def by_the_run(ground: Ground, output: str, start: int, got: Array) -> tuple[Counter, Counter, float]:
    """Grades, charges and the largest finite error as the judge of a run finds them."""
    x = binary64(ground.logits(start, start + len(got)))
    if ground.pairs:
        raise ValueError("a row of a run has one verdict, and a pair of a sweep two")
    judge = Judge(Oracle().truth(ground.inputs(x)))
    found = graded([judge.returned(ground.tested(x), output, got.reshape(-1, 1), None)])
    grades = Counter(GRADES[g].value for g in found.grade.tolist())
    broken = [STATUSES[s] in (Status.BREAKS_MUST, Status.BREAKS_SHOULD) for s in found.status.tolist()]
    charges = Counter(
        (rules().ids[c], SYMPTOMS[s].value)
        for c, s, b in zip(found.clause.tolist(), found.symptom.tolist(), broken, strict=True)
        if b
    )
    numbers = found.ulps[np.isfinite(found.ulps)]
    return grades, charges, float(numbers.max(initial=0.0))

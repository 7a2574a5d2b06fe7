"""Hypotheses about binary64 that is computed in binary32: the size of its errors, whatever their digits."""

from __future__ import annotations

import numpy as np

from xent_conformance.diagnosis.formulas import FORMULAS
from xent_conformance.diagnosis.hypothesis import Hypothesis, on
from xent_conformance.diagnosis.situation import Arithmetic, Situation

EVERY = on({o for o, _ in FORMULAS})
SINGLE = Arithmetic("float32", np.dtype(np.float32), np.dtype(np.float32))


def in_binary32(z: Situation) -> Situation | None:
    return z.in_arithmetic(SINGLE) if z.format.precision == 53 else None


NARROWER = (
    Hypothesis(
        "in fewer bits",
        "logits of binary64 are cast to binary32, and what comes back has the errors of that",
        "Liger Kernel; losses that begin with logits.float()",
        EVERY,
        in_binary32,
        rank=2,
        rounds=True,
        variant="of binary64",
    ),
)

"""How fast the reference is: elements a second on one core, by operator.

Two figures. *core* is the budget of DESIGN: convert, exp, sum, divide at 128 bits. *certified* is what
a run pays for an output element: value and gradients, enclosed as hi + lo ± radius.
"""

from __future__ import annotations

import time

import numpy as np
from flint import arb, ctx

from xent_conformance.cases.words import Words
from xent_conformance.reference.formats import BINARY32
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.operators import OF_ROWS, OPERATORS
from xent_conformance.reference.oracle import Oracle

ROWS, N = 100, 1000


def core() -> float:
    """Million elements a second of convert + exp + sum + divide, of a processor's seconds."""
    x = Words("benchmark").bell(BINARY32, 4.0, ROWS * N).tolist()
    before, ctx.prec = ctx.prec, 128
    start = time.process_time()
    e = list(map(arb.exp, map(arb, x)))
    inverse = 1 / sum(e)
    probabilities = [v * inverse for v in e]
    seconds = time.process_time() - start
    ctx.prec = before
    return len(probabilities) / seconds / 1e6


def inputs_of(operator: str, rows: int = ROWS, n: int = N) -> Inputs:
    """Ordinary logits in binary32, with hard labels where there are any."""
    o, words = OPERATORS[operator], Words(f"benchmark/{operator}")
    x = words.fractions(rows, n, bits=20) if o.within_unit else words.bell(BINARY32, 4.0, rows, n)
    y = words.below(n, rows, 1).astype(np.float64)
    hot = np.asarray(np.arange(n) == y, dtype=np.float64)
    labels = {"none": np.zeros((rows, 0)), "index": y, "dense": hot}[o.labels]
    cotangent = words.cotangent(rows, n if o.value_shape == "row" else 1)
    return Inputs(operator, BINARY32, BINARY32.nearest(x), labels, cotangent)


def certified(operator: str, rows: int = ROWS, n: int = N) -> float:
    """Million certified output elements a second, without the cache."""
    inputs = inputs_of(operator, rows, n)
    start = time.process_time()
    truth = Oracle().truth(inputs)
    seconds = time.process_time() - start
    return sum(e.hi.size for e in truth.certified.outputs.values()) / seconds / 1e6


if __name__ == "__main__":
    print(
        f"{'core: convert + exp + sum + divide':40s} {max(core() for _ in range(3)):.2f} million elements/s"
    )
    for name in OF_ROWS:
        print(f"{name:40s} {max(certified(name) for _ in range(2)):.2f} million certified elements/s")

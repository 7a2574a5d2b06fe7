"""Rows made to strain a bound, beyond the corpus: ramps for streaming sums, plateaus, tails, offsets."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xent_conformance.reference.formats import Floats, Format
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.operators import OPERATORS, Operator

LENGTHS = (2, 7, 64, 400)


def shapes(fmt: Format, n: int) -> dict[str, Floats]:
    """Rows of ``n`` logits. A rising ramp moves the running maximum at every step of a streaming sum."""
    i = np.arange(n, dtype=np.float64)
    tail = np.full(n, -12.0)
    tail[n // 2] = 0.0
    return {
        "rising": i * (8.0 / n),
        "rising_steeply": i * 0.5,
        "falling": -i * 0.25,
        "flat": np.full(n, 0.75),
        "alternating": np.where(i % 2 == 0, 9.0, -9.0) + i / 64,
        "one_ulp_apart": 1.0 + 2 * fmt.u * (i % 5),
        "long_tail": tail,  # 1 − s is a sum of many small ones
        "confident": np.where(i == n - 1, 11.0, i / n),
        "offset": 200.0 + (i * 7 % 13) / 4,
        "negative_offset": -200.0 - (i * 5 % 11) / 4,
        "hashed": ((i * 2654435761) % 4096 - 2048) / 128,
    }


def of_domain(o: Operator, fmt: Format, x: Floats) -> Floats:
    """Rows of logits as arguments of the operator: inside (0, 1), or at most 0."""
    if o.within_unit:
        return fmt.nearest((np.abs(x) + 0.5) / (2 * np.abs(x).max() + 1))
    if o.domain == "nonnegative":
        return np.maximum(np.abs(x), 2.0**-6)
    return -np.abs(x) if o.domain in ("log_probabilities", "log_distributions") else x


def targets(o: Operator, fmt: Format, p: Floats) -> Floats:
    """Labels of the domain, made of probabilities: numbers that need no domain, or their logarithms."""
    if o.domain == "nonnegative":
        return np.where(p == 0, 2.0**-8, fmt.nearest(3 * p))
    if o.domain == "log_distributions":
        return fmt.nearest(np.log(np.where(p == 0, 2.0**-12, p)))
    return p


def strained(operator: str, fmt: Format) -> Iterator[Inputs]:
    """The batch of these rows, for each length; labels and cotangents of either sign."""
    o = OPERATORS[operator]
    for n in LENGTHS:
        x = fmt.nearest(np.stack(list(shapes(fmt, n).values())))
        rows = len(x)
        x = of_domain(o, fmt, x)
        y = (np.arange(rows) * 5 % n).astype(np.float64)[:, None]
        weights = (np.arange(rows * n).reshape(rows, n) * 11 % 17 + 1).astype(np.float64)
        soft = weights / (n if o.elementwise else weights.sum(axis=1, keepdims=True))
        soft = fmt.nearest(np.where(np.arange(rows)[:, None] % 2 == 0, soft, np.arange(n) == y))
        soft = np.minimum(soft, 1.0)
        labels = {"none": np.zeros((rows, 0)), "index": y, "dense": targets(o, fmt, soft)}[o.labels]
        width = n if o.value_shape == "row" else 1
        c = ((np.arange(rows * width).reshape(rows, width) * 7 % 31) - 15) / 8
        yield Inputs(operator, fmt, x, labels, np.where(c == 0, 1.0, c))

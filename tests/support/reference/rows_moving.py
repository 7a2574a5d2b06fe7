"""Rows with a tangent, made to strain the bounds of ``jvp`` and ``hvp``."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tests.support.reference.rows import of_domain, shapes, targets
from xent_conformance.reference.formats import Floats, Format
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.operators import OPERATORS

LENGTHS = {2: 6, 7: 6, 40: 6, 300: 2}
"""How many tangents each length is tried with."""


def tangents(x: Floats) -> dict[str, Floats]:
    """Directions for rows ``x``, of the same shape."""
    rows, n = x.shape
    i = np.arange(rows * n, dtype=np.float64).reshape(rows, n)
    top = np.arange(n) == np.argmax(x, axis=1)[:, None]
    return {
        "mixed": ((i * 7 % 31) - 15) / 8,
        "all_but_the_top": np.where(top, 0.0, 1.0),  # Σ s v is a sum of the small ones
        "uniform": np.full_like(x, 0.75),  # annihilated
        "offset": 256 + (i * 5 % 11) * 4,  # nearly uniform: Σ s v cancels what v has in common
        "one_hot": np.where(i % n == n // 2, 1.0, 0.0),
        "large": np.where(i % 3 == 0, -384.0, 512.0) + i % 7 * 8,
    }


def moving(operator: str, fmt: Format) -> Iterator[Inputs]:
    """Every shape with every tangent, a batch for each length; labels and cotangents of either sign."""
    o = OPERATORS[operator]
    for n, count in LENGTHS.items():
        base = of_domain(o, fmt, fmt.nearest(np.stack(list(shapes(fmt, n).values()))))
        kinds = list(tangents(base).values())[:count]
        x, v = np.tile(base, (len(kinds), 1)), fmt.nearest(np.concatenate(kinds))
        rows = len(x)
        i = np.arange(rows * n, dtype=np.float64).reshape(rows, n)
        y = (np.arange(rows) * 5 % n).astype(np.float64)[:, None]
        soft = fmt.nearest((i * 11 % 17 + 1) / (17 if o.elementwise else 8 * n))
        soft = np.where(np.arange(rows)[:, None] % 2 == 0, soft, np.arange(n) == y)
        labels = {"none": np.zeros((rows, 0)), "index": y, "dense": targets(o, fmt, soft)}[o.labels]
        width = n if o.value_shape == "row" else 1
        c = ((i[:, :width] * 13 % 29) - 14) / 4
        yield Inputs(operator, fmt, x, labels, c, tangent=v)

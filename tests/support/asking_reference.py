"""The reference, asked for one row at a time."""

from __future__ import annotations

import numpy as np

from xent_conformance.reference.attributes import PLAIN, Attributes
from xent_conformance.reference.formats import BINARY64
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.operators import OPERATORS
from xent_conformance.reference.oracle import Oracle

INF, NAN = float("inf"), float("nan")


def ask(
    operator: str,
    x: list[float],
    p: list[float] | None = None,
    c: list[float] | None = None,
    a: Attributes = PLAIN,
) -> dict[str, list]:
    """Every output of one row as binary64 numbers. Default labels: class 1; default cotangent: 1."""
    o, n = OPERATORS[operator], len(x)
    if p is None:
        p = {"none": [], "index": [float(min(1, n - 1))], "dense": np.eye(n)[min(1, n - 1)].tolist()}[
            o.labels
        ]
    c = c or [1.0] * (n if o.value_shape == "row" else 1)
    truth = Oracle().truth(Inputs(operator, BINARY64, np.array([x]), np.array([p]), np.array([c]), a))
    assert not truth.certified.undecided.any()
    return {output: truth.enclosure(output).round_to(BINARY64)[0].tolist() for output in o.outputs}


def same(got: list[float], wanted: list[float]) -> None:
    np.testing.assert_array_equal(got, wanted)

"""``jvp`` and ``hvp`` are differences of values and of slopes: nothing of SPEC.md §0's table is assumed.

The values differenced are the unshifted definitions, in mpmath with steps of ``2**-200`` and less.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from flint import arb

from tests.support.reference.second_opinion import compare
from xent_conformance.reference.formats import BINARY64, FORMATS, Format
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.operators import MOVING, OF_ROWS, OPERATORS

LOGITS = {
    "ordinary": [0.5, -1.25, 2.0, 0.75],
    "one_class": [1.5],
    "equal": [0.25, 0.25, 0.25],
    "confident": [30.0, 0.0, -2.5],
    "far": [-90.0, 40.0, 3.0],
}
TANGENTS = {
    "mixed": [1.5, -0.5, 2.0, -3.0],
    "uniform": [0.75, 0.75, 0.75, 0.75],
    "one_hot": [0.0, 1.0, 0.0, 0.0],
    "offset": [257.0, 256.0, 258.0, 256.0],
    "zero": [0.0, 0.0, 0.0, 0.0],
}
COTANGENT = [1.0, -2.5, 0.375, 0.0]
SIMPLEX = [0.25, 0.5, 0.125, 0.125]
OFF_SIMPLEX = [1.5, -0.25, 0.0, 2.0]


def batch(operator: str, fmt: Format, x: list[float], tangents: int = len(TANGENTS)) -> Inputs:
    """One row of logits with so many tangents; labels on the simplex and off it by turns."""
    o, n, rows = OPERATORS[operator], len(x), tangents
    if o.within_unit:
        x = [1 / (2 + abs(v)) for v in x]
    labels = {
        "none": np.zeros((rows, 0)),
        "index": np.arange(rows, dtype=np.float64)[:, None] % n,
        "dense": np.array([(SIMPLEX, OFF_SIMPLEX)[i % 2][:n] for i in range(rows)]),
    }[o.labels]
    if o.domain == "nonnegative":  # elsewhere there is no derivative
        x = [abs(v) + 1 / 8 for v in x]
        labels = np.where(labels > 0, labels, 1 / 8)
    return Inputs(
        operator,
        fmt,
        fmt.nearest(np.tile(x, (rows, 1))),
        labels,
        np.tile(COTANGENT[: n if o.value_shape == "row" else 1], (rows, 1)),
        tangent=fmt.nearest(np.array([v[:n] for v in list(TANGENTS.values())[:rows]])),
    )


@pytest.mark.parametrize("operator", OF_ROWS)
def test_jvp_and_hvp(operator: str) -> None:
    """Every operator on every row and tangent, in every format."""
    rows = [batch(operator, fmt, x) for x in LOGITS.values() for fmt in FORMATS.values()]
    assert sum(compare(inputs, MOVING) for inputs in rows) >= 380


@pytest.mark.parametrize(
    "operator", [o.name for o in OF_ROWS.values() if not o.within_unit and o.domain != "nonnegative"]
)
def test_products_that_are_subnormal(operator: str) -> None:
    """``exp(−740)`` is subnormal in binary64. Five thousand bits: two tangents must do."""
    assert compare(batch(operator, BINARY64, [0.5, -740.0, -1.0], 2), MOVING)


@pytest.mark.parametrize("operator", ["softmax", "log_softmax", "softmax_cross_entropy", "sigmoid"])
def test_gradients_by_the_same_differences(operator: str) -> None:
    """The instrument itself, on outputs that another second opinion has already judged."""
    moving = batch(operator, BINARY64, LOGITS["ordinary"])
    assert compare(
        Inputs(operator, BINARY64, moving.logits[:2], moving.labels[:2], moving.cotangent[:2]),
    )


def test_the_comparison_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Hessian wrong in its 95th bit is noticed."""
    right = OPERATORS["logsumexp"]

    def wrong(r):  # type: ignore[no-untyped-def]
        outputs = right.move(r)
        outputs["hvp"][0] *= 1 + arb(2) ** -95
        return outputs

    inputs = batch("logsumexp", BINARY64, LOGITS["ordinary"])
    assert compare(inputs, MOVING)
    monkeypatch.setitem(OPERATORS, "logsumexp", replace(right, move=wrong))
    with pytest.raises(AssertionError, match="hvp"):
        compare(inputs, MOVING)

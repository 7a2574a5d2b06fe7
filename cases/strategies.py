"""Hypothesis strategies over the space the families sample: rows that shrink to something readable.

Exploration finds, it never gates: what it finds is shrunk, named and promoted to a family. Needs the
``test`` extra (Hypothesis).
"""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from reference.formats import Format
from reference.inputs import Inputs
from reference.operators import OPERATORS, Operator

_WIDTH = {"float16": 16, "bfloat16": 32, "float32": 32, "float64": 64}


def logits(fmt: Format) -> st.SearchStrategy[float]:
    """Finite numbers of the format: small whole ones first, then fractions, then anything."""
    anything = st.floats(width=_WIDTH[fmt.name], allow_nan=False, allow_infinity=False)  # type: ignore[arg-type]
    return st.one_of(
        st.integers(-8, 8).map(float),
        st.integers(-1600, 1600).map(lambda k: k / 16.0),
        st.floats(-120.0, 120.0),
        anything,
    ).map(lambda x: _finite(fmt, x))


def probabilities(fmt: Format) -> st.SearchStrategy[float]:
    """Numbers of the format strictly between 0 and 1, for ``logit``."""
    sixteenths = st.integers(1, 15).map(lambda k: k / 16.0)
    return st.one_of(sixteenths, st.floats(fmt.smallest_normal, 1.0 - fmt.u)).map(
        lambda p: min(max(_finite(fmt, p), fmt.smallest_normal), 1.0 - fmt.u)
    )


def cotangents() -> st.SearchStrategy[float]:
    """Non-zero eighths in [−2, 2], exact in every format."""
    return st.integers(1, 16).map(lambda k: k / 8.0) | st.integers(-16, -1).map(lambda k: k / 8.0)


def labels(operator: Operator, fmt: Format, n: int) -> st.SearchStrategy[list[float]]:
    """Labels of one row: an index, a distribution, or one probability for each element."""
    if operator.labels == "none":
        return st.just([])
    if operator.labels == "index":
        return st.integers(0, n - 1).map(lambda y: [float(y)])
    if operator.elementwise:
        each = st.sampled_from([1.0, 0.0]) | st.integers(0, 16).map(lambda k: k / 16.0)
        return st.lists(each, min_size=n, max_size=n)
    hot = st.integers(0, n - 1).map(lambda y: [float(i == y) for i in range(n)])
    weights = st.lists(st.integers(0, 16), min_size=n, max_size=n).filter(any)
    return hot | weights.map(lambda w: fmt.nearest(np.array(w, dtype=np.float64) / sum(w)).tolist())


@st.composite
def rows(draw: st.DrawFn, operator: str, fmt: Format, n: int) -> Inputs:
    """One row of ``n`` logits with labels and cotangent, as a batch of one."""
    o = OPERATORS[operator]
    element = probabilities(fmt) if operator == "logit" else logits(fmt)
    x = draw(st.lists(element, min_size=n, max_size=n))
    p = draw(labels(o, fmt, n))
    width = n if o.value_shape == "row" else 1
    c = draw(st.lists(cotangents(), min_size=width, max_size=width))
    return Inputs(operator, fmt, np.array([x]), np.array([p]).reshape(1, -1), np.array([c]))


def _finite(fmt: Format, x: float) -> float:
    """The format's number nearest to ``x``, the largest finite one beyond its range."""
    return float(np.clip(fmt.nearest(np.array(x)), -fmt.largest, fmt.largest))

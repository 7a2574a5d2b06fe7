"""Hypothesis strategies over the space the families sample: rows that shrink to something readable.

Exploration finds, it never gates: what it finds is shrunk, named and promoted to a family. Needs the
``test`` extra (Hypothesis).

What is drawn from is made once: Hypothesis asks every new strategy what it can give, before the first draw.
"""

from __future__ import annotations

import functools
import math
from typing import Any, get_args

import numpy as np
from hypothesis import strategies as st

from xent_conformance.cases.form import Form, Layout
from xent_conformance.reference.attributes import PLAIN, Attributes, Reduction
from xent_conformance.reference.formats import Format
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.operators import OPERATORS, Operator

_WIDTH = {"float16": 16, "bfloat16": 32, "float32": 32, "float64": 64}

LAYOUTS = tuple(layout for layout in get_args(Layout) if "broadcast" not in layout)
"""Layouts of any rows; what is broadcast would have to be equal."""


# --- numbers --------------------------------------------------------------------------------------------


@functools.cache
def logits(fmt: Format) -> st.SearchStrategy[float]:
    """Finite numbers of the format: small whole ones first, then fractions, then anything."""
    anything = st.floats(width=_WIDTH[fmt.name], allow_nan=False, allow_infinity=False)  # type: ignore[arg-type]
    return st.one_of(*_MODERATE, anything).map(lambda x: _finite(fmt, x))


@functools.cache
def moderate(fmt: Format) -> st.SearchStrategy[float]:
    """Logits up to 120: no sum of a few products of theirs overflows."""
    return st.one_of(*_MODERATE).map(lambda x: _finite(fmt, x))


_MODERATE: tuple[st.SearchStrategy[float], ...] = (
    st.integers(-8, 8).map(float),
    st.integers(-1600, 1600).map(lambda k: k / 16.0),
    st.floats(-120.0, 120.0),
)


@functools.cache
def probabilities(fmt: Format) -> st.SearchStrategy[float]:
    """Numbers of the format strictly between 0 and 1, for ``logit``."""
    sixteenths = st.integers(1, 15).map(lambda k: k / 16.0)
    return st.one_of(sixteenths, st.floats(fmt.smallest_normal, 1.0 - fmt.u)).map(
        lambda p: min(max(_finite(fmt, p), fmt.smallest_normal), 1.0 - fmt.u)
    )


def _below_zero(x: float) -> float:
    """A log-probability."""
    return -abs(x)


@functools.cache
def cotangents() -> st.SearchStrategy[float]:
    """Non-zero eighths in [−2, 2], exact in every format."""
    return st.integers(1, 16).map(lambda k: k / 8.0) | st.integers(-16, -1).map(lambda k: k / 8.0)


@functools.cache
def _cotangents(n: int) -> st.SearchStrategy[list[float]]:
    return st.lists(cotangents(), min_size=n, max_size=n)


@functools.cache
def labels(operator: Operator, fmt: Format, n: int) -> st.SearchStrategy[list[float]]:
    """Labels of one row: an index, a distribution, or one probability for each element."""
    if operator.labels == "none":
        return st.just([])
    if operator.labels == "index":
        return st.integers(0, n - 1).map(lambda y: [float(y)])
    if operator.domain == "log_distributions":
        return st.lists(moderate(fmt).map(_below_zero), min_size=n, max_size=n)
    if operator.elementwise:
        each = st.sampled_from([1.0, 0.0]) | st.integers(0, 16).map(lambda k: k / 16.0)
        return st.lists(each, min_size=n, max_size=n)
    hot = st.integers(0, n - 1).map(lambda y: [float(i == y) for i in range(n)])
    weights = st.lists(st.integers(0, 16), min_size=n, max_size=n).filter(any)
    return hot | weights.map(lambda w: fmt.nearest(np.array(w, dtype=np.float64) / sum(w)).tolist())


# --- rows and stacks of them ----------------------------------------------------------------------------


@st.composite
def rows(draw: st.DrawFn, operator: str, fmt: Format, n: int) -> Inputs:
    """One row of ``n`` logits with labels and cotangent, as a batch of one."""
    o = OPERATORS[operator]
    x = draw(_any_row(operator, fmt, n))
    p = draw(labels(o, fmt, n))
    width = n if o.value_shape == "row" else 1
    c = draw(_cotangents(width))
    return Inputs(operator, fmt, np.array([x]), np.array([p]).reshape(1, -1), np.array([c]))


@st.composite
def stacks(draw: st.DrawFn, operator: str, fmt: Format, n: int, count: int) -> Inputs:
    """``count`` rows of moderate logits: what a form folds."""
    o = OPERATORS[operator]
    width = n if o.value_shape == "row" else 1
    x = [draw(_row(operator, fmt, n)) for _ in range(count)]
    p = [draw(labels(o, fmt, n)) for _ in range(count)]
    c = [draw(_cotangents(width)) for _ in range(count)]
    return Inputs(operator, fmt, np.array(x), np.array(p).reshape(count, -1), np.array(c))


@st.composite
def moving(draw: st.DrawFn, operator: str, fmt: Format, n: int) -> Inputs:
    """One row and a tangent, for ``jvp`` and ``hvp``."""
    row = draw(stacks(operator, fmt, n, 1))
    v = draw(_cotangents(n))
    return Inputs(operator, fmt, row.logits, row.labels, row.cotangent, PLAIN, np.array([v]))


@functools.cache
def _any_row(operator: str, fmt: Format, n: int) -> st.SearchStrategy[list[float]]:
    element = {
        "unit": probabilities(fmt),
        "reals": logits(fmt),
        "log_probabilities": logits(fmt).map(_below_zero),
        "probabilities": probabilities(fmt),
        "log_distributions": logits(fmt).map(_below_zero),
        "nonnegative": probabilities(fmt),
    }[OPERATORS[operator].domain]
    return st.lists(element, min_size=n, max_size=n)


@functools.cache
def _row(operator: str, fmt: Format, n: int) -> st.SearchStrategy[list[float]]:
    sixteenths = st.integers(1, 15).map(lambda k: k / 16.0)
    element = {
        "unit": sixteenths,
        "probabilities": sixteenths,
        "reals": moderate(fmt),
        "log_probabilities": moderate(fmt).map(_below_zero),
        "log_distributions": moderate(fmt).map(_below_zero),
        "nonnegative": sixteenths,
    }[OPERATORS[operator].domain]
    return st.lists(element, min_size=n, max_size=n)


# --- attributes -----------------------------------------------------------------------------------------


@functools.cache
def weights(n: int) -> st.SearchStrategy[tuple[float, ...]]:
    """None, then small whole ones, then eighths: zero among them, and exact in every format."""
    whole = st.integers(0, 3).map(float)
    eighth = st.integers(0, 64).map(lambda k: k / 8.0)
    return st.just(()) | st.lists(whole | eighth, min_size=n, max_size=n).map(tuple)


@st.composite
def attributes(draw: st.DrawFn, operator: str, n: int) -> Attributes:
    """What a loss takes beside labels; nothing for the other operators. Without a reduction."""
    o = OPERATORS[operator]
    if o.labels == "none" or o.plain_labels:
        return PLAIN
    given: dict[str, Any] = {"weight": draw(weights(n))}
    if o.elementwise and o.domain == "reals":
        given["pos_weight"] = draw(weights(n))
    given["label_smoothing"] = draw(st.sampled_from([0.0, 1.0, 0.5, 0.1]))
    if o.labels == "index":
        given["ignore_index"] = draw(st.none() | st.integers(0, n - 1) | st.just(-100))
    return Attributes(**given)


@st.composite
def weighted(draw: st.DrawFn, operator: str, fmt: Format, n: int) -> Inputs:
    """One row with attributes; an index label may be the ignored one."""
    row, a = draw(stacks(operator, fmt, n, 1)), draw(attributes(operator, n))
    p = row.labels
    if a.ignore_index is not None and draw(st.booleans()):
        p = np.array([[float(a.ignore_index)]])
    return Inputs(operator, fmt, row.logits, p, row.cotangent, a)


@st.composite
def groups(draw: st.DrawFn, operator: str, fmt: Format, n: int) -> Inputs:
    """One group of examples under a reduction, with attributes; some of them may be ignored."""
    examples = draw(st.integers(1, 4))
    stack, a = draw(stacks(operator, fmt, n, examples)), draw(attributes(operator, n))
    reduction: Reduction = draw(st.sampled_from(["sum", "mean"]))
    p = stack.labels.copy()
    if a.ignore_index is not None:
        ignored = draw(st.lists(st.booleans(), min_size=examples, max_size=examples))
        p[np.array(ignored)] = a.ignore_index
    grouped = Attributes(a.weight, a.pos_weight, a.label_smoothing, a.ignore_index, reduction, examples)
    c = np.array([[draw(cotangents())]])
    return Inputs(operator, fmt, stack.logits.reshape(1, -1), p.reshape(1, -1), c, grouped)


# --- forms ----------------------------------------------------------------------------------------------


@functools.cache
def shapes() -> st.SearchStrategy[tuple[int, ...] | None]:
    """None, for rows one above the other; else up to four axes of one to three."""
    return st.none() | st.lists(st.integers(1, 3), min_size=1, max_size=4).map(tuple)


@st.composite
def forms(draw: st.DrawFn) -> Form:
    """A shape, a place of the class axis counted from either end, a memory layout; shrinks to none."""
    shape = draw(shapes())
    rank = 0 if shape is None else len(shape)
    places = [-1] if shape is None else [-1, *range(rank + 1), *range(-rank - 1, -1)]
    layout: Layout = draw(st.sampled_from(LAYOUTS))
    axis = draw(st.sampled_from(places))
    return Form(shape=shape, axis=axis, layout=layout, out=draw(st.booleans()))


def rows_of_form(form: Form, *, otherwise: int = 3) -> int:
    """How many rows the shape of a form holds; ``otherwise`` where it has none."""
    return otherwise if form.shape is None else math.prod(form.shape)


def _finite(fmt: Format, x: float) -> float:
    """The format's number nearest to ``x``, the largest finite one beyond its range."""
    return float(np.clip(fmt.nearest(np.array(x)), -fmt.largest, fmt.largest))

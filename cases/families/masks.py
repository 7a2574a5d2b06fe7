"""``masks``: classes that a mask takes away, whatever their logits are (4.6).

Their logits are ordinary, NaN, infinite, or so large that a maximum which sees them leaves nothing of the
others; and the logits that are there lie below any finite number that is put in the place of −∞.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xent_conformance.cases.case import Ask
from xent_conformance.cases.family import Family
from xent_conformance.cases.words import Words
from xent_conformance.reference.attributes import Attributes
from xent_conformance.reference.formats import Floats, Format, Ints
from xent_conformance.reference.operators import Operator

CLASSES = 7

SMOOTHED = "softmax_cross_entropy"
"""The operator whose labels are smoothed over the classes that are there: an index is not told of a mask."""


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    return () if operator.elementwise else (CLASSES,)


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    half = tuple(i % 2 == 1 for i in range(n))
    dense = operator.labels == "dense"
    clause = "4.2" if dense else "4.6"
    derivative = {"grad_labels": "4.5"} if dense else {}
    yield from _masked("half", operator, fmt, Attributes(mask=half), clause, derivative, words)
    alone = tuple(i == 1 for i in range(n))
    yield from _masked("one_left", operator, fmt, Attributes(mask=alone), clause, derivative, words)
    nothing = Attributes(mask=(False,) * n)
    open_ = dict.fromkeys(("value", "grad_logits", "grad_labels"), "4.4")
    left = "5.3" if operator.name == "logsumexp" else "4.4"  # the sum of nothing is 0, and its logarithm −∞
    open_["value"] = left
    yield Ask("none_left", words.bell(fmt, 2.0, n), left, _label(operator, n), open_, attributes=nothing)
    if operator.name == SMOOTHED:
        a = Attributes(mask=half, label_smoothing=float(fmt.nearest(np.array(0.3))))
        for _ in range(2):
            x = words.bell(fmt, 2.0, n)
            yield Ask("half+smoothed", x, "6.7", _label(operator, n), derivative, attributes=a)


def _masked(
    name: str,
    operator: Operator,
    fmt: Format,
    a: Attributes,
    clause: str,
    derivative: dict[str, str],
    words: Words,
) -> Iterator[Ask]:
    """Rows of one mask, by what stands in the places that it takes away."""
    n = len(a.mask)
    there = np.array(a.mask)
    gone: Ints = np.flatnonzero(~there)
    for what in (None, np.nan, np.inf, -np.inf, fmt.largest, -fmt.largest):
        x = words.bell(fmt, 2.0, n)
        if what is not None:
            x[gone] = what
        yield _ask(name, operator, x, clause, derivative, a, words)
    low = fmt.nearest(words.bell(fmt, 2.0, n) * (1 - fmt.u) + _low(fmt))
    yield _ask(name, operator, low, clause, derivative, a, words)


def _low(fmt: Format) -> float:
    """Below the finite numbers that masks are made with: −10⁹, and −30 000 in binary16."""
    return -(2.0**31) if fmt.emax > 15 else -49152.0


def _ask(
    name: str,
    operator: Operator,
    x: Floats,
    clause: str,
    derivative: dict[str, str],
    a: Attributes,
    words: Words,
) -> Ask:
    """The cotangent of a masked log-probability, which is −∞ whatever happens, is zero."""
    n = len(x)
    cotangent = None
    if operator.name == "log_softmax":
        cotangent = np.where(np.array(a.mask), words.cotangent(1, n)[0], 0.0)
    return Ask(name, x, clause, _label(operator, n), derivative, cotangent=cotangent, attributes=a)


def _label(operator: Operator, n: int) -> Floats | None:
    """On class 1, which is there."""
    if operator.labels == "none":
        return None
    if operator.labels == "index":
        return np.array([1.0])
    return np.asarray(np.arange(n) == 1, dtype=np.float64)


MASKS = Family(
    "masks",
    "classes that a mask takes away, whatever stands in their places",
    _lengths,
    _rows,
    formats_in={"quick": ("float32",)},
)

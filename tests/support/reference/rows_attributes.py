"""Rows with attributes, made to strain the bounds of SPEC.md 8.10; and groups of them, of 8.12."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from tests.support.reference.rows import of_domain, shapes
from xent_conformance.reference.attributes import Attributes
from xent_conformance.reference.formats import Format
from xent_conformance.reference.inputs import Inputs
from xent_conformance.reference.operators import OPERATORS

LENGTHS = (3, 40)
IGNORED = {3: 1, 40: -100}
"""An index inside the classes, and one outside."""


def weights(fmt: Format, n: int) -> tuple[float, ...]:
    """From 0 to 8 in no order."""
    return tuple(fmt.nearest((np.arange(n) * 7.0 % 13) * (8 / 13)).tolist())


def positive_weights(fmt: Format, n: int) -> tuple[float, ...]:
    """Nothing, smaller than one, one, and larger."""
    return tuple(fmt.nearest(np.array([0.0, 0.3, 1.0, 2.6, 6.5])[np.arange(n) * 3 % 5]).tolist())


def given(operator: str, fmt: Format, n: int) -> tuple[Attributes, ...]:
    """Every attribute once alone, and all of them together."""
    w = weights(fmt, n)
    if operator in ("softmax_cross_entropy", "categorical_cross_entropy", "kl_divergence"):
        return (
            Attributes(weight=w),
            Attributes(label_smoothing=0.1),
            Attributes(weight=w, label_smoothing=0.1),
        )
    if OPERATORS[operator].labels == "index":
        all_three = Attributes(weight=w, label_smoothing=0.1, ignore_index=IGNORED[n])
        return Attributes(weight=w), Attributes(label_smoothing=1.0), all_three
    extra = positive_weights(fmt, n)
    together = Attributes(weight=w, pos_weight=extra, label_smoothing=0.1)
    apart = (Attributes(weight=w), Attributes(pos_weight=extra), Attributes(label_smoothing=1.0))
    return (*apart, together)


def attributed(operator: str, fmt: Format, scales: tuple[float, ...] = (1.0,)) -> Iterator[Inputs]:
    """A batch of every shape for each length and set of attributes; every third row is ignored."""
    o = OPERATORS[operator]
    for n in LENGTHS:
        x = fmt.nearest(np.stack([scale * row for scale in scales for row in shapes(fmt, n).values()]))
        x = of_domain(o, fmt, x)
        rows = len(x)
        i = np.arange(rows * n, dtype=np.float64).reshape(rows, n)
        y = (np.arange(rows) * 5 % n).astype(np.float64)[:, None]
        soft = fmt.nearest((i * 11 % 17) / (16 if o.elementwise else 8 * n))
        if operator == "kl_divergence":  # by a target of zero there is no derivative
            soft = np.where(soft == 0, 1 / 8, soft)
        every = 8 if operator == "kl_divergence" else 2
        soft = np.where(np.arange(rows)[:, None] % every != every - 1, soft, np.arange(n) == y)
        width = n if o.value_shape == "row" else 1
        c = ((i[:, :width] * 13 % 29) - 14) / 4
        for attributes in given(operator, fmt, n):
            labels = soft
            if o.labels == "index":
                gone = attributes.ignore_index
                labels = np.where((np.arange(rows)[:, None] % 3 == 0) & (gone is not None), gone or 0, y)
            yield Inputs(operator, fmt, x, labels, c, attributes)


def grouped(operator: str, fmt: Format) -> Iterator[Inputs]:
    """The same rows in two groups of 16, reduced, with a cotangent of either sign.

    Logits of a sigmoid stay within 12: the sum before the division is then a number of binary16.
    """
    examples = 16
    for rows in attributed(operator, fmt, (1.0, 0.5, -0.125)):
        keep = 2 * examples
        x = np.clip(rows.logits, -12, 12) if rows.definition.elementwise else rows.logits
        for reduction in ("sum", "mean"):
            yield Inputs(
                operator,
                fmt,
                x[:keep].reshape(2, -1),
                rows.labels[:keep].reshape(2, -1),
                np.array([[1.5], [-0.375]]),
                replace(rows.attributes, reduction=reduction, examples=examples),
            )

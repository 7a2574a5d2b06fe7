"""``reduction``: the sum or the mean of several examples, asked as one (SPEC.md 6.10).

The mean of index labels is weighted: ``Σ w_y f / Σ w_y`` over the examples that are not ignored. That
of dense labels divides by the number of examples, that of the sigmoid family by the number of
elements. A weight of a row multiplies its loss, and counts in the ``weighted_mean`` alone, which divides by
the weights of the rows that are not ignored. Nothing to divide by gives NaN (6.11, open).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from flint import arb

from xent_conformance.reference.attributes import Attributes
from xent_conformance.reference.exact.ball import Number, Values
from xent_conformance.reference.exact.parts import ZERO
from xent_conformance.reference.exact.row import Row

NAN = float("nan")

T = TypeVar("T")


def examples(r: Row, *, labels: str, elementwise: bool) -> list[Row]:
    """The rows of a group, each with a cotangent of one."""
    count = r.attributes.examples or 0
    if not count:
        return []
    n = len(r.x) // count
    width = {"none": 0, "index": 1, "dense": n}[labels]
    alone = replace(r.attributes, reduction="none", examples=None, row_weight=())
    one = [1.0] * (n if elementwise else 1)

    def part(a: Sequence[T], i: int, width: int) -> Sequence[T]:
        return a[i * width : (i + 1) * width]

    return [Row(part(r.x, i, n), part(r.p, i, width), one, alone, part(r.v, i, n)) for i in range(count)]


def divisor(rows: Sequence[Row], attributes: Attributes, *, labels: str) -> arb:
    """What the sum is divided by."""
    if attributes.reduction == "sum":
        return arb(1)
    if attributes.reduction == "weighted_mean":
        ignored = [labels == "index" and r.y == attributes.ignore_index for r in rows]
        return sum((arb(attributes.row_weight_of(i)) for i, gone in enumerate(ignored) if not gone), ZERO)
    if labels == "index":
        kept = [r.y for r in rows if r.y != attributes.ignore_index]
        return sum((arb(attributes.weight_of(y)) for y in kept if 0 <= y < len(rows[0].x)), ZERO)
    return arb(sum(len(r.c) for r in rows))


def reduce(define: Callable[[Row], Values], r: Row, *, labels: str, elementwise: bool) -> Values:
    """Outputs of a group: one value, and the gradients of all its examples in a row.

    Where there is a tangent, ``jvp`` is reduced as the value is, and ``hvp`` is a gradient.
    """
    value, gradients = ("jvp", ("hvp",)) if r.v else ("value", ("grad_logits", "grad_labels"))
    rows = examples(r, labels=labels, elementwise=elementwise)
    each = [define(row) for row in rows]
    weighed = [arb(r.attributes.row_weight_of(i)) for i in range(len(rows))]
    values = [_product(w, v) for w, found in zip(weighed, each, strict=True) for v in found[value]]
    if r.attributes.reduction == "none":
        return {value: values}
    by = divisor(rows, r.attributes, labels=labels)
    factor = NAN if by.is_zero() else arb(r.c[0]) / by
    outputs: Values = {value: [NAN if by.is_zero() else _sum(values, by)]}
    for name in gradients:
        if not each or name in each[0]:
            outputs[name] = [
                _product(factor if isinstance(factor, float) else factor * w, g)
                for w, found in zip(weighed, each, strict=True)
                for g in found.get(name, [])
            ]
    if labels != "dense":
        outputs.pop("grad_labels", None)
    for name in each[0] if each else ():
        if name.startswith("_"):
            outputs[name] = [v for found in each for v in found[name]]
    return outputs | {"_f": values, "_by": [by]}


def _sum(values: Sequence[Number], by: arb) -> Number:
    special = [v for v in values if isinstance(v, float)]
    return sum(special) if special else sum(values, ZERO) / by


def _product(factor: Number, g: Number) -> Number:
    if isinstance(factor, float) or isinstance(g, float):
        return float(factor) * float(g)
    return factor * g

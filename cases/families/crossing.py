"""``crossing``: all pairs of content, labels, attributes, reduction, shape, memory, outputs, format, width.

What is asked of each alone is asked of any two together; axes, rules and clauses are in
:mod:`.crossing_axes`, how much of it each profile asks in docs/COVERAGE.md. The special content stands in one
row, or in one example of a group, beside ordinary ones.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from xent_conformance.cases.case import Ask
from xent_conformance.cases.families import crossing_divergences as divergences
from xent_conformance.cases.families.common import ordinary
from xent_conformance.cases.families.crossing_axes import (
    DOMAINS,
    FIRST,
    THREES,
    WIDTHS,
    asked_in,
    beside,
    clauses_of,
    form_of,
    name_of,
)
from xent_conformance.cases.family import Family, sparingly
from xent_conformance.cases.pairwise import Row
from xent_conformance.cases.words import Words
from xent_conformance.reference.attributes import Attributes, Reduction
from xent_conformance.reference.formats import Floats, Format
from xent_conformance.reference.operators import Operator

ROWS, EXAMPLES, MANY, GROUPS = 5, 4, 65, 2
LABELLED, EXCLUDED, IGNORED = 1, 2, 3
"""The class of the first label, the one that a mask takes, and the one that ``ignore_index`` may name."""

MASK, OFFSET = -4096.0, 96.0
INFINITY = float("inf")


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    return (FIRST,) if profile == "quick" else (*map(int, WIDTHS), *((THREES,) if profile == "full" else ()))


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    for row in asked_in(operator, fmt.name, n):
        yield from _asks(row, operator, fmt, n, words)


def _asks(row: Row, operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    form, a = form_of(row, n), _attributes(row, n, words)
    examples = (
        math.prod(form.shape) if form.shape is not None else MANY if row["rows"] == "many" else EXAMPLES
    )
    if a.reduction != "none":
        a = Attributes(**{**a.given, "reduction": a.reduction, "examples": examples})
    count = GROUPS if a.grouped else 3 if form.each else ROWS if form.shape is None else examples
    special, usual = clauses_of(row, operator), clauses_of(beside(row, operator), operator)
    for i in range(count):
        m = examples if a.grouped else 1
        x = _logits(row if i == 0 else {}, operator, fmt, n, m, words)
        labels = _labels(row, operator, a, fmt, n, m, words, i)
        clause, clauses = special if i == 0 else usual
        yield Ask(
            name_of(row),
            x,
            clause,
            labels,
            clauses,
            tangent=words.cotangent(m * n) if row["asked"] == "moving" else None,
            attributes=a,
            form=form,
        )


def _attributes(row: Row, n: int, words: Words) -> Attributes:
    """Weights are exact in every format; the class of the first label never weighs nothing."""
    weight: tuple[float, ...] = ()
    if row["weight"] != "even":
        eighths = (1.0 + words.integers(4, n)) / 8.0
        if row["weight"] == "some_zero":
            eighths[[0, n - 1]] = 0.0
        weight = tuple(eighths.tolist())
    positive: tuple[float, ...] = ()
    if row["pos_weight"] == "positive":
        positive = tuple(((1.0 + words.integers(4, n)) / 4.0).tolist())
    reduction: Reduction = row["reduction"]  # type: ignore[assignment]
    return Attributes(
        weight,
        positive,
        0.125 if row["smoothing"] == "smoothed" else 0.0,
        {"kept": None, "ignore_outside": -100, "ignore_class": IGNORED}[row["ignored"]],
        reduction,
    )


def _logits(row: Row, operator: Operator, fmt: Format, n: int, m: int, words: Words) -> Floats:
    """``m`` examples, the special content in the first."""
    x = ordinary(operator, fmt, m * n, words, 2.0, m)
    content, first = row.get("content", "ordinary"), x[:n]
    if operator.plain_labels and content in ("excluded", "excluded_label", "outside", "far"):
        place = LABELLED if content == "excluded_label" else EXCLUDED
        first[place] = divergences.special(operator, content, fmt)
    elif content == "offset":
        x[:n] = fmt.nearest(first + OFFSET)
    elif content == "confident":
        first[LABELLED] = 12.0 if operator.domain == "reals" else 1 - 2.0**-7
    elif content in ("infinite", "excluded_label"):
        first[LABELLED] = -INFINITY if content == "excluded_label" else INFINITY
    elif content != "ordinary":
        first[EXCLUDED] = {"nan": np.nan, "excluded": -INFINITY, "finite_mask": MASK}[content]
    return x


def _labels(
    row: Row, operator: Operator, a: Attributes, fmt: Format, n: int, m: int, words: Words, i: int
) -> Floats | None:
    """Of the first row, or of the first example of a group, the label is ``LABELLED``, or what is special."""
    kind = row["labels"]
    if operator.labels == "none":
        return None
    if operator.labels == "index":
        y = words.below(n, m).astype(np.float64)
        if i == 0 or a.grouped:
            y[0] = n + 1.0 if kind == "out_of_range" and i == 0 else LABELLED
        ignored = 1 if m > 1 else 0 if i == 1 and not a.grouped else None  # one of a group, or the second row
        if a.ignore_index is not None and ignored is not None:
            y[ignored] = a.ignore_index
        return y
    if operator.plain_labels:
        labels = divergences.dense(kind, operator, fmt, n, m, words, LABELLED)
    else:
        labels = _dense(kind, operator, fmt, n, m, words)
    if kind == "nan_label" and i == 0:
        labels[0, EXCLUDED] = np.nan
    if row["content"] == "far" and i == 0:
        labels[0, EXCLUDED] = divergences.FAR
    return labels.reshape(-1)


def _dense(kind: str, operator: Operator, fmt: Format, n: int, m: int, words: Words) -> Floats:
    """``(m, n)`` labels: hard, soft, or with another sum (in the sigmoid family beyond one)."""
    if operator.elementwise:
        hard = words.below(2, m, n).astype(np.float64)
        hard[0, LABELLED] = 1.0
        sixteenths: Floats = (1.0 + words.integers(4, m, n).astype(np.float64)) / 16.0
        return {"soft": sixteenths, "off_simplex": 1.0 + sixteenths}.get(kind, hard)
    hard = np.asarray(words.below(n, m, 1) == np.arange(n), dtype=np.float64)
    hard[0] = np.arange(n) == LABELLED
    eighths: Floats = (1.0 + words.integers(3, m, n).astype(np.float64)) / 8.0
    soft = fmt.nearest(eighths / eighths.sum(axis=1, keepdims=True))
    return {"soft": soft, "off_simplex": eighths}.get(kind, hard)


def _compiled(operator: Operator, fmt: Format, n: int) -> bool:
    """Of what ``quick`` asks the foundations go first."""
    return sparingly(operator, fmt, n) or n != FIRST or fmt.name != "float32"


CROSSING = Family(
    "crossing",
    "any two of content, labels, attributes, reduction, shape, memory and outputs together",
    _lengths,
    _rows,
    formats_in={"quick": ("float32",)},
    formats_at={("full", THREES): ("float32",)},
    domains=DOMAINS,
    compiled=_compiled,
)

"""``shapes``: one to five axes, classes first, in the middle, last; nothing at all (7.6, 1.4, 2.7, 2.8)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xent_conformance.cases.case import Ask
from xent_conformance.cases.families.common import ordinary
from xent_conformance.cases.family import GIVEN_LATER, Family, sparingly_in_single
from xent_conformance.cases.form import Form
from xent_conformance.cases.words import Words
from xent_conformance.reference.attributes import Attributes, Reduction
from xent_conformance.reference.formats import Format
from xent_conformance.reference.operators import Operator

CLASSES, FEWER, MORE = 5, 4, 7
"""Of all forms, of those that ``quick`` asks, and of the one that it asks where no shape is compiled."""

ROWS = 12

FORMS = {
    "vector": Form(shape=(), each=True),
    "classes_first": Form(shape=(12,), axis=0),
    "three_axes_first": Form(shape=(3, 4), axis=0),
    "three_axes_middle": Form(shape=(3, 4), axis=1),
    "three_axes_last": Form(shape=(3, 4)),
    "four_axes_second": Form(shape=(2, 3, 2), axis=1),
    "four_axes_last": Form(shape=(2, 3, 2)),
    "five_axes_second": Form(shape=(1, 2, 3, 2), axis=1),
    "five_axes_third": Form(shape=(2, 3, 1, 2), axis=2),
}
ELEMENTWISE = ("vector", "three_axes_last", "five_axes_second")
QUICK = ("vector", "classes_first", "four_axes_second")
UNCOMPILED = ("four_axes_last",)
"""Images whose classes are not where images have them: code may go by how many axes there are."""


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    empty = operator.elementwise or operator.labels == "index"
    first = (FEWER, CLASSES) if profile == "full" else (FEWER,)
    return (*first, *(() if operator.elementwise else (MORE,)), *(() if empty else (0,)))


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    if n == 0:
        for _ in range(2):
            yield Ask("no_class", np.zeros(0), "2.8", np.zeros(0))
        return
    for name, form in FORMS.items():
        if operator.elementwise and name not in ELEMENTWISE:
            continue
        if name not in {FEWER: QUICK, MORE: UNCOMPILED}.get(n, FORMS):
            continue
        for _ in range(2 if form.each else ROWS):
            clause = "1.4" if form.each else "7.6"  # a row by itself has a value of the least rank
            yield Ask(name, ordinary(operator, fmt, n, words), clause, form=form)
    if n == MORE:
        return
    if operator.name in ("softmax_cross_entropy", "sparse_softmax_cross_entropy"):
        weighted = Attributes(weight=tuple((0.25 * (1 + np.arange(n))).tolist()))
        for _ in range(ROWS):
            x = words.bell(fmt, 4.0, n)
            yield Ask("weighted_image", x, "6.6", attributes=weighted, form=FORMS["four_axes_second"])
    if n == CLASSES or operator.labels != "none":
        yield from _no_example(operator)


def _no_example(operator: Operator) -> Iterator[Ask]:
    reductions: dict[Reduction, str] = {"none": "2.7"}
    if operator.labels != "none":
        reductions |= {"sum": "2.7", "mean": "6.11"}
    for reduction, clause in reductions.items():
        a = Attributes(reduction=reduction, examples=0)
        yield Ask(f"no_example+{reduction}", np.zeros(0), clause, np.zeros(0), attributes=a)


def _compiled(operator: Operator, fmt: Format, n: int) -> bool:
    return n != MORE and sparingly_in_single(operator, fmt, n)


SHAPES = Family(
    "shapes",
    "one to five axes, every place of the class axis, no example, no class",
    _lengths,
    _rows,
    formats_in={"quick": ("float32",), "standard": ("float32",)},
    domains=GIVEN_LATER,
    compiled=_compiled,
)

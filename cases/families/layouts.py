"""``layouts``: the same numbers in other memory, and results written into a given buffer (7.6)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import get_args

import numpy as np

from xent_conformance.cases.case import Ask
from xent_conformance.cases.families.common import label_on, ordinary
from xent_conformance.cases.family import GIVEN_LATER, Family
from xent_conformance.cases.form import Form, Layout
from xent_conformance.cases.words import Words
from xent_conformance.reference.formats import Format
from xent_conformance.reference.operators import Operator

N = 11
ROWS = 8
BLOCK = (2, 2, 2)


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    return (N,)


def _forms() -> Iterator[tuple[str, Form]]:
    for layout in get_args(Layout):
        if layout == "class_last":
            yield layout, Form(shape=BLOCK, axis=1, layout=layout)
        elif layout != "contiguous":
            yield layout, Form(layout=layout)
    for layout in ("transposed", "strided", "sliced"):
        yield f"{layout}_block", Form(shape=BLOCK, axis=1, layout=layout)  # type: ignore[arg-type]
    yield "out", Form(out=True)
    yield "out_of_strided", Form(out=True, layout="strided")


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    for name, form in _forms():
        if form.shape and operator.elementwise:
            continue
        once = ordinary(operator, fmt, n, words)
        label = label_on(operator, n, 3)
        width = 1 if operator.value_shape == "scalar" else n
        same = form.layout in ("broadcast", "cotangent_broadcast")
        common = (1.0 + np.arange(width, dtype=np.float64)) / (1.0 if width == 1 else 8.0)
        for row in range(ROWS):
            x = (
                once
                if form.layout in ("broadcast", "logits_broadcast")
                else ordinary(operator, fmt, n, words)
            )
            c = words.cotangent(width)
            yield Ask(
                name,
                x,
                "7.6",
                label if same else None,
                cotangent=common if same or (row == 0 and width == 1) else c,
                form=form,
            )


LAYOUTS = Family(
    "layouts",
    "transposed, strided, sliced, misaligned, reversed, broadcast; out=",
    _lengths,
    _rows,
    formats_in={"quick": ("float32",)},
    domains=GIVEN_LATER,
)

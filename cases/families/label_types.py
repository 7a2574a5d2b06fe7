"""``label_types``: indices of every integer type, dense labels as integers or in another format (6.5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xent_conformance.cases.case import Ask
from xent_conformance.cases.families.common import ordinary
from xent_conformance.cases.family import GIVEN_LATER, Family, in_single
from xent_conformance.cases.form import Form
from xent_conformance.cases.words import Words
from xent_conformance.reference.formats import FORMATS, Format
from xent_conformance.reference.operators import Operator

N, FEWER = 10, 9
INDEX_TYPES = ("int8", "int16", "int32", "uint8", "uint16", "uint32", "uint64")
DENSE_INTEGERS = ("int32", "int64", "uint8")
DENSE_FLOATS = ("float32", "float64")
QUICK = ("int32", "uint8", "float64")
"""Asked at ``FEWER`` classes in every profile: each type is compiled for itself."""


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    if operator.labels == "none":
        return ()
    return (FEWER,) if profile == "quick" else (FEWER, N)


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    if operator.labels == "index":
        for name in _types(INDEX_TYPES, n):
            for y in (0, 4, n - 1):
                form = Form(label_dtype=name)
                x = ordinary(operator, fmt, n, words, 2.0)
                yield Ask(f"index_{name}", x, "6.5", np.array([float(y)]), form=form)
        return
    for name in _types(DENSE_INTEGERS, n):
        for _ in range(2):
            hot = words.below(2, n) if operator.elementwise else np.arange(n) == words.below(n, 1)
            labels = np.asarray(hot, dtype=np.float64)
            x = ordinary(operator, fmt, n, words, 2.0)
            open_ = {"grad_labels": "4.5"} if operator.domain == "log_probabilities" else {}
            yield Ask(f"dense_{name}", x, "6.5", labels, open_, form=Form(label_dtype=name))
    for name in _types(DENSE_FLOATS, n):
        if name == fmt.name or np.dtype(name).itemsize < fmt.dtype.itemsize:
            continue
        for _ in range(2):
            weights = 1.0 + words.integers(3, n)
            soft = fmt.nearest(weights / (8.0 if operator.elementwise else weights.sum()))
            x = ordinary(operator, fmt, n, words, 2.0)
            yield Ask(f"dense_{name}", x, "6.5", soft, form=Form(label_dtype=name))
        # numbers that the logits' format has not
        eighths = 1.0 + words.integers(2, n) + words.fractions(n, bits=40)
        finer = FORMATS[name].nearest(eighths / (8.0 if operator.elementwise else eighths.sum()))
        x = ordinary(operator, fmt, n, words, 2.0)
        yield Ask(f"dense_{name}", x, "6.5", finer, form=Form(label_dtype=name))


def _types(names: Sequence[str], n: int) -> list[str]:
    return [name for name in names if n == N or name in QUICK]


LABEL_TYPES = Family(
    "label_types",
    "indices of 8 to 64 bits, dense labels as integers or in a wider format",
    _lengths,
    _rows,
    formats_in={"quick": ("float32",), "standard": ("float32",)},
    domains=GIVEN_LATER,
    compiled=in_single,
)

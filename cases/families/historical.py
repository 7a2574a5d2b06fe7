"""``historical``: the inputs of defects that were reported, with the numbers of the report.

The data is ``data/historical.json``; a variant is the report's id. Reports whose trigger another family
asks already have no row here (docs/HISTORICAL.md says which). Not in ``quick``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from docs.historical import FAMILY, Numbers, Row, entries
from xent_conformance.cases.case import Ask
from xent_conformance.cases.family import Family
from xent_conformance.cases.words import Words
from xent_conformance.reference.formats import Floats, Format
from xent_conformance.reference.operators import Operator


def _rows_of(operator: Operator) -> Iterator[Row]:
    return (row for entry in entries() for row in entry.rows if row.operator == operator.name)


def _lengths(operator: Operator, profile: str) -> Sequence[int]:
    """Every length has a row in every format: see the test."""
    return () if profile == "quick" else sorted({row.n for row in _rows_of(operator)})


def _rows(operator: Operator, fmt: Format, n: int, words: Words) -> Iterator[Ask]:
    for row in _rows_of(operator):
        if row.n == n and fmt.name in row.dtypes:
            yield from asks(row, operator, fmt)


def asks(row: Row, operator: Operator, fmt: Format) -> Iterator[Ask]:
    """The questions of a row: one for each row of logits, or one for the group that they are."""

    def rounded(numbers: Numbers) -> Floats:
        return fmt.nearest(np.resize(np.array(numbers, dtype=np.float64), row.n))

    def label(numbers: Numbers) -> Floats:
        return np.array(numbers) if operator.labels == "index" else rounded(numbers)

    def weights(numbers: Numbers) -> Numbers:
        return tuple(rounded(numbers).tolist()) if numbers else ()

    a = row.attributes
    a = replace(a, weight=weights(a.weight), pos_weight=weights(a.pos_weight))
    logits, labels = [rounded(x) for x in row.logits], [label(p) for p in row.labels]
    if a.grouped:
        yield Ask(row.variant, np.concatenate(logits), row.clauses[0], np.concatenate(labels), attributes=a)
        return
    for i, x in enumerate(logits):
        yield Ask(
            row.variant,
            x,
            row.clauses[i],
            labels[i] if labels else None,
            row.by_output,
            unit_cotangent=row.unit_cotangent,
            cotangent=rounded(row.cotangent[i]) if row.cotangent else None,
            tangent=rounded(row.tangent[i]) if row.tangent else None,
            attributes=a,
            form=row.form,
        )


HISTORICAL = Family(FAMILY, "inputs of reported defects, with the numbers of the report", _lengths, _rows)

"""The inputs of the cases that findings point at, exact and small enough to carry in a run file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cases.corpus import find_case
from conformance.process import native

SHOWN = 64
"""A row longer than this is carried by its first elements; its id regenerates all of it."""


def exhibits(case_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """For each case: its dtype, length, and the first elements of logits, labels, cotangent as hex bits."""
    found = {}
    for case_id in case_ids:
        batch, case = find_case(case_id)
        inputs = batch.inputs
        dtype = inputs.format.dtype

        def bits(row: Any, dtype: Any = dtype) -> str:
            return native(row[:SHOWN], dtype).astype(dtype.newbyteorder("<")).tobytes().hex()

        index = inputs.definition.labels == "index"
        found[case_id] = {
            "dtype": inputs.format.name,
            "n": inputs.n,
            "logits": bits(inputs.logits[case.row]),
            "labels": int(inputs.labels[case.row, 0]) if index else bits(inputs.labels[case.row]),
            "cotangent": bits(inputs.cotangent[case.row]),
        }
    return found

"""The inputs of the cases that findings point at, exact and small enough to carry in a run file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from xent_conformance.asking.process import native
from xent_conformance.cases.corpus import find_case

SHOWN = 64
"""A row longer than this is carried by its first elements; its id regenerates all of it."""


def exhibits(case_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """For each case: dtype, length, the first elements of its arrays as hex bits, and how it is asked."""
    found = {}
    for case_id in case_ids:
        batch, case = find_case(case_id)
        inputs = batch.inputs
        dtype = inputs.format.dtype

        def bits(row: Any, dtype: Any = dtype) -> str:
            return native(row[:SHOWN], dtype).astype(dtype.newbyteorder("<")).tobytes().hex()

        index = inputs.definition.labels == "index"
        chosen = [int(y) for y in inputs.labels[case.row, :SHOWN]] if index else []
        found[case_id] = {
            "dtype": inputs.format.name,
            "n": inputs.n,
            "logits": bits(inputs.logits[case.row]),
            "labels": chosen if index else bits(inputs.labels[case.row]),
            "cotangent": bits(inputs.cotangent[case.row]),
            "tangent": bits(inputs.tangent[case.row]) if inputs.tangent.size else "",
            "asked": batch.manner,
        }
    return found
